package boltstore

import (
	"encoding/binary"
	"errors"
	"time"

	"superlistd/lists"
)

// The value of a member: octet 1 to 4 (version), varint of the Unix time, uvarint length
// of the address and the address, or length 0 when it is written like its key. Versions 3 and
// 4 then have what keeps posts from him, or gathers them, see receiving.go: there, whoever deals out posts
// looks at nothing else. Versions 2 to 4 go on with an octet of flags, uvarint of the posts, and as uvarint length and text the
// language and each of the aliases, whose number comes before them as a uvarint. The rest
// is the name. A member is written in the lowest version that has what he needs, which an
// older program reads; it refuses a higher one, since it would lose the options.
const (
	plainMember     = 1
	memberOptions   = 2
	memberReceiving = 3
	memberDigest    = 4
	memberVersion   = memberDigest
)

const (
	flagModerated = 1 << iota
	flagPostOK
	flagNoMeToo
	knownFlags = 1<<iota - 1
)

func memberFlags(m lists.Member) (flags byte) {
	for _, f := range []struct {
		on  bool
		bit byte
	}{{m.Moderated, flagModerated}, {m.PostOK, flagPostOK}, {m.NoMeToo, flagNoMeToo}} {
		if f.on {
			flags |= f.bit
		}
	}
	return flags
}

func appendMember(dst []byte, m lists.Member, key []byte) []byte {
	flags, version := memberFlags(m), byte(memberOptions)
	switch v := receivingVersion(m); {
	case v > 0:
		version = v
	case flags == 0 && m.Posts == 0 && m.Language == "" && len(m.Aliases) == 0:
		version = plainMember
	}
	dst = append(dst, version)
	dst = binary.AppendVarint(dst, m.Since.Unix())
	address := m.Address.String()
	if address == string(key) {
		address = ""
	}
	dst = appendText(dst, address)
	if version >= memberReceiving {
		dst = appendReceiving(dst, m)
	}
	if version != plainMember {
		dst = append(dst, flags)
		dst = binary.AppendUvarint(dst, uint64(m.Posts))
		dst = appendText(dst, m.Language)
		dst = binary.AppendUvarint(dst, uint64(len(m.Aliases)))
		for _, a := range m.Aliases {
			dst = appendText(dst, a.String())
		}
	}
	return append(dst, m.Name...)
}

func appendText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

var errMember = errors.New("member record is damaged")

// splitMember cuts a value without copying: address and rest point into key and value.
func splitMember(key, value []byte) (since int64, address, rest []byte, err error) {
	if len(value) == 0 {
		return 0, nil, nil, errMember
	}
	if value[0] != plainMember {
		if err := checkRecord("member", int(value[0]), memberVersion); err != nil {
			return 0, nil, nil, err
		}
	}
	value = value[1:]
	since, n := binary.Varint(value)
	if n <= 0 {
		return 0, nil, nil, errMember
	}
	address, rest, ok := cutText(value[n:])
	if !ok {
		return 0, nil, nil, errMember
	}
	if len(address) == 0 {
		address = key
	}
	return since, address, rest, nil
}

func cutText(value []byte) (text, rest []byte, ok bool) {
	length, n := binary.Uvarint(value)
	if n <= 0 || length > uint64(len(value)-n) {
		return nil, nil, false
	}
	value = value[n:]
	return value[:length], value[length:], true
}

// decodeMember returns a copy.
func decodeMember(key, value []byte) (lists.Member, error) {
	since, address, rest, err := splitMember(key, value)
	if err != nil {
		return lists.Member{}, err
	}
	a, err := lists.ParseAddress(string(address))
	if err != nil {
		return lists.Member{}, err
	}
	m := lists.Member{Address: a, Since: time.Unix(since, 0).UTC()}
	switch value[0] {
	case plainMember:
		m.Name = string(rest)
		return m, nil
	case memberReceiving, memberDigest:
		if rest, err = decodeReceiving(&m, value[0], rest); err != nil {
			return lists.Member{}, err
		}
	}
	return decodeOptions(m, rest)
}

// decodeOptions reads what versions 2 to 4 have more.
func decodeOptions(m lists.Member, rest []byte) (lists.Member, error) {
	if len(rest) == 0 || rest[0]&^byte(knownFlags) != 0 {
		return lists.Member{}, errMember
	}
	flags := rest[0]
	m.Moderated, m.PostOK, m.NoMeToo = flags&flagModerated != 0, flags&flagPostOK != 0, flags&flagNoMeToo != 0
	posts, n := binary.Uvarint(rest[1:])
	if n <= 0 {
		return lists.Member{}, errMember
	}
	m.Posts = int(posts)
	language, rest, ok := cutText(rest[1+n:])
	if !ok {
		return lists.Member{}, errMember
	}
	m.Language = string(language)
	count, n := binary.Uvarint(rest)
	if n <= 0 || count > uint64(len(rest)) {
		return lists.Member{}, errMember
	}
	rest = rest[n:]
	for range count {
		var text []byte
		if text, rest, ok = cutText(rest); !ok {
			return lists.Member{}, errMember
		}
		alias, err := lists.ParseAddress(string(text))
		if err != nil {
			return lists.Member{}, err
		}
		m.Aliases = append(m.Aliases, alias)
	}
	m.Name = string(rest)
	return m, m.Check()
}
