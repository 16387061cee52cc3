package lists

import (
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
)

// OwnersNotice says what the owners of a list are told about it.
type OwnersNotice string

// The owners' notices; "" is NoticeDaily.
const (
	NoticeOff   OwnersNotice = "off"
	NoticeDaily OwnersNotice = "daily"
	NoticeOn    OwnersNotice = "on"
)

// AtOnce reports whether each coming and going is told when it happens.
func (n OwnersNotice) AtOnce() bool { return n == NoticeOn }

// Daily reports whether there is a summary once a day.
func (n OwnersNotice) Daily() bool { return n != NoticeOff }

// Copies says whether the members of a list share copies of a post.
type Copies string

// The kinds of copies; "" is CopiesShared.
const (
	CopiesShared   Copies = "shared"
	CopiesPersonal Copies = "personal"
)

// Verp says which posts have a reverse-path for each member (variable envelope return
// path): 1 or more is every so manieth post.
type Verp int

// VerpAuto, the zero value, is every post of a list of up to 1,000 members, and every
// 10th of a larger one: a next hop passes such posts on more slowly.
const (
	VerpNever  Verp = -1
	VerpAuto   Verp = 0
	VerpAlways Verp = 1
)

const (
	verpMembers = 1000 // up to which VerpAuto is VerpAlways
	verpEvery   = 10   // above that
	maxVerp     = 1000
)

// Chosen reports whether a post of a list with so many members is one of them. It
// depends on nothing but the key of the post, evenly distributed, so that a post which
// comes again is treated as before.
func (v Verp) Chosen(members int, key [16]byte) bool {
	switch {
	case v == VerpNever:
		return false
	case v == VerpAuto && members <= verpMembers:
		return true
	case v == VerpAuto:
		v = verpEvery
	}
	return binary.BigEndian.Uint64(key[:])%uint64(v) == 0
}

func verp() kind[Verp] {
	const every = "every "
	words := map[Verp]string{VerpAuto: "auto", VerpAlways: "always", VerpNever: "never"}
	return kind[Verp]{
		typ: "auto, always, never or every N",
		format: func(v Verp) string {
			if word, ok := words[v]; ok {
				return word
			}
			return every + strconv.Itoa(int(v))
		},
		parse: func(s string) (Verp, error) {
			for v, word := range words {
				if s == word {
					return v, nil
				}
			}
			if digits, ok := strings.CutPrefix(s, every); ok {
				n, err := strconv.ParseUint(strings.TrimSpace(digits), 10, 31)
				if err == nil && n > 0 && n <= maxVerp {
					return Verp(n), nil
				}
			}
			return 0, fmt.Errorf("%s: %w: auto, always, never, or every N with N from 1 to %d", shorten(s), ErrSetting, maxVerp)
		},
	}
}
