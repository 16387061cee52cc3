package boltstore

import (
	"encoding/binary"
	"math"
	"time"

	"superlistd/lists"
)

// What keeps posts from a member, or gathers them, is an octet of flags. In version 4 may follow
// what he had before, when he has switched: the uvarint number of deliveries, and of each its octet
// and the uvarint issue until which it held. Then, when he is suspended, varint of
// the first day (since 1970) and uvarint of the days that follow it; when he is disabled,
// varint of the Unix time, and uvarint length and text of the reason.
const (
	flagNoMail = 1 << iota
	flagSuspended
	flagDisabled
	knownReceiving = 1<<iota - 1 // of version 3

	flagDigest = 1 << (iota - 1)
	flagPlain  // with flagDigest and flagNoMail, one at most
	flagSwitched
	knownDigest = 1<<(iota-1) - 1
)

const wayOfDelivery = flagNoMail | flagDigest | flagPlain

// deliveryFlag is none for each post as it comes.
func deliveryFlag(d lists.Delivery) byte {
	switch d {
	case lists.DeliveryNone:
		return flagNoMail
	case lists.DeliveryDigest:
		return flagDigest
	case lists.DeliveryPlain:
		return flagPlain
	}
	return 0
}

// deliveryOf is false for more than one flag.
func deliveryOf(flags byte) (lists.Delivery, bool) {
	switch flags & wayOfDelivery {
	case 0:
		return lists.DeliveryMail, true
	case flagNoMail:
		return lists.DeliveryNone, true
	case flagDigest:
		return lists.DeliveryDigest, true
	case flagPlain:
		return lists.DeliveryPlain, true
	}
	return "", false
}

// maxDays keeps a damaged number of days from becoming a time that wraps around.
const maxDays = 10_000 * 366

// receivingVersion is 0 for a member who has each post as it comes, and always had.
func receivingVersion(m lists.Member) byte {
	switch {
	case m.From > 0, m.Delivery == lists.DeliveryDigest, m.Delivery == lists.DeliveryPlain:
		return memberDigest
	case m.Delivery != lists.DeliveryMail, !m.Suspended.IsZero(), !m.Disabled.IsZero():
		return memberReceiving
	}
	return 0
}

func appendReceiving(dst []byte, m lists.Member) []byte {
	flags := deliveryFlag(m.Delivery)
	if m.From > 0 {
		flags |= flagSwitched
	}
	if !m.Suspended.IsZero() {
		flags |= flagSuspended
	}
	if !m.Disabled.IsZero() {
		flags |= flagDisabled
	}
	dst = append(dst, flags)
	if flags&flagSwitched != 0 {
		dst = binary.AppendUvarint(dst, uint64(len(m.Earlier)+1))
		for _, s := range m.Earlier {
			dst = binary.AppendUvarint(append(dst, deliveryFlag(s.Delivery)), uint64(s.Until))
		}
		dst = binary.AppendUvarint(append(dst, deliveryFlag(m.Before)), uint64(m.From))
	}
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
func decodeReceiving(m *lists.Member, version byte, value []byte) (rest []byte, err error) {
	known := byte(knownReceiving)
	if version == memberDigest {
		known = knownDigest
	}
	if len(value) == 0 || value[0] == 0 || value[0]&^known != 0 {
		return nil, errMember
	}
	flags, value := value[0], value[1:]
	ok := false
	if m.Delivery, ok = deliveryOf(flags); !ok {
		return nil, errMember
	}
	if flags&flagSwitched != 0 {
		var all []lists.Switch
		value, ok = eachSwitch(value, func(s lists.Switch) { all = append(all, s) })
		if !ok {
			return nil, errMember
		}
		last := all[len(all)-1]
		m.Before, m.From = last.Delivery, last.Until
		m.Earlier = append(m.Earlier, all[:len(all)-1]...)
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

// eachSwitch reads what a member had, the oldest first.
func eachSwitch(value []byte, each func(lists.Switch)) (rest []byte, ok bool) {
	count, n := binary.Uvarint(value)
	if n <= 0 || count == 0 || count > uint64(len(value)-n)/2 {
		return nil, false
	}
	value = value[n:]
	for range count {
		if len(value) == 0 {
			return nil, false
		}
		d, ok := deliveryOf(value[0])
		until, n := binary.Uvarint(value[1:])
		if !ok || value[0]&^byte(wayOfDelivery) != 0 || n <= 0 || until >= math.MaxInt {
			return nil, false
		}
		each(lists.Switch{Delivery: d, Until: int(until)})
		value = value[1+n:]
	}
	return value, true
}

// cutDelivery tells which delivery holds for an issue, and what follows it.
func cutDelivery(flags byte, value []byte, issue int) (d lists.Delivery, rest []byte, ok bool) {
	if d, ok = deliveryOf(flags); !ok || flags&flagSwitched == 0 {
		return d, value, ok
	}
	found := false
	rest, ok = eachSwitch(value, func(s lists.Switch) {
		if !found && issue < s.Until {
			d, found = s.Delivery, true
		}
	})
	return d, rest, ok
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

// gets is lists.Member.Gets for a member's value of version 3 or 4, on the day today. rest is what
// splitMember returns of it.
func gets(rest []byte, sel lists.Selection, today int64) (bool, error) {
	if len(rest) == 0 {
		return false, errMember
	}
	flags := rest[0]
	d, rest, ok := cutDelivery(flags, rest[1:], sel.Issue)
	if !ok {
		return false, errMember
	}
	if d != sel.Delivery || flags&flagDisabled != 0 {
		return false, nil
	}
	if flags&flagSuspended == 0 {
		return true, nil
	}
	first, days, _, ok := cutDays(rest)
	if !ok {
		return false, errMember
	}
	return today < first || today > first+days, nil
}

// dayOf is the number of a day of UTC.
func dayOf(t time.Time) int64 { return t.Unix() / secondsOfDay }

func timeOf(day int64) time.Time { return time.Unix(day*secondsOfDay, 0).UTC() }

const secondsOfDay = 24 * 60 * 60
