package boltstore

import (
	"encoding/binary"
	"time"

	"superlistd/lists"
)

// What keeps posts from a member is an octet of flags; when he is suspended, varint of
// the first day (since 1970) and uvarint of the days that follow it; when he is disabled,
// varint of the Unix time, and uvarint length and text of the reason.
const (
	flagNoMail = 1 << iota
	flagSuspended
	flagDisabled
	knownReceiving = 1<<iota - 1
)

// maxDays keeps a damaged number of days from becoming a time that wraps around.
const maxDays = 10_000 * 366

// mayMiss tells that something keeps posts from a member, today or on other days.
func mayMiss(m lists.Member) bool {
	return m.Delivery != lists.DeliveryMail || !m.Suspended.IsZero() || !m.Disabled.IsZero()
}

func appendReceiving(dst []byte, m lists.Member) []byte {
	var flags byte
	if m.Delivery == lists.DeliveryNone {
		flags |= flagNoMail
	}
	if !m.Suspended.IsZero() {
		flags |= flagSuspended
	}
	if !m.Disabled.IsZero() {
		flags |= flagDisabled
	}
	dst = append(dst, flags)
	if flags&flagSuspended != 0 {
		first := dayOf(m.Suspended.From)
		dst = binary.AppendVarint(dst, first)
		dst = binary.AppendUvarint(dst, uint64(dayOf(m.Suspended.Until)-first))
	}
	if flags&flagDisabled != 0 {
		dst = binary.AppendVarint(dst, m.Disabled.Since.Unix())
		dst = appendText(dst, m.Disabled.Why)
	}
	return dst
}

// decodeReceiving reads it into m, and returns what follows.
func decodeReceiving(m *lists.Member, value []byte) (rest []byte, err error) {
	if len(value) == 0 || value[0] == 0 || value[0]&^byte(knownReceiving) != 0 {
		return nil, errMember
	}
	flags, value := value[0], value[1:]
	if flags&flagNoMail != 0 {
		m.Delivery = lists.DeliveryNone
	}
	if flags&flagSuspended != 0 {
		first, days, rest, ok := cutDays(value)
		if !ok {
			return nil, errMember
		}
		value = rest
		m.Suspended = lists.Suspension{From: timeOf(first), Until: timeOf(first + days)}
	}
	if flags&flagDisabled != 0 {
		since, n := binary.Varint(value)
		if n <= 0 {
			return nil, errMember
		}
		why, rest, ok := cutText(value[n:])
		if !ok {
			return nil, errMember
		}
		value = rest
		m.Disabled = lists.Disabled{Why: string(why), Since: time.Unix(since, 0).UTC()}
	}
	return value, nil
}

func cutDays(value []byte) (first, more int64, rest []byte, ok bool) {
	first, n := binary.Varint(value)
	if n <= 0 || first < 0 || first > maxDays {
		return 0, 0, nil, false
	}
	days, k := binary.Uvarint(value[n:])
	if k <= 0 || days > maxDays {
		return 0, 0, nil, false
	}
	return first, int64(days), value[n+k:], true
}

// receives is lists.Member.Receives for a member's value, on the day today. rest is what
// splitMember returns of it.
func receives(value, rest []byte, today int64) (bool, error) {
	if value[0] != memberReceiving {
		return true, nil
	}
	if len(rest) == 0 {
		return false, errMember
	}
	flags := rest[0]
	if flags&^byte(flagSuspended) != 0 {
		return false, nil
	}
	first, days, _, ok := cutDays(rest[1:])
	if !ok {
		return false, errMember
	}
	return today < first || today > first+days, nil
}

// dayOf is the number of a day of UTC.
func dayOf(t time.Time) int64 { return t.Unix() / secondsOfDay }

func timeOf(day int64) time.Time { return time.Unix(day*secondsOfDay, 0).UTC() }

const secondsOfDay = 24 * 60 * 60
