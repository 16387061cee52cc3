package lists

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxAddress is the length limit of a whole address in its deliverable form, in
// octets: 64 + "@" + 255 (RFC 5321 section 4.5.3.1), shared freely between the
// two halves, since Postfix delivers longer local parts than 64 and VERP makes them.
const maxAddress = 320

// Address is a mailbox (RFC 5321 section 4.1.2, RFC 6531). It is comparable, and
// equal addresses are the same spelling; compare with Key to fold the local part.
type Address struct {
	// Local is the local part, decoded: without quotes and backslashes, in the
	// case that was given.
	Local string
	// Domain is in lower-case A-label form (RFC 5890), or a literal: "[192.0.2.1]",
	// "[IPv6:2001:db8::1]".
	Domain string
}

// ParseAddress reads a mailbox without angle brackets: dot-string or quoted local
// part, domain name in A-label or U-label form, or address literal. It is as
// lenient as Postfix: "_" in domains, a dot at the end of the domain, stray dots
// in the local part (String quotes those). Control characters, invalid UTF-8,
// more than 320 octets and everything else give ErrAddress, wrapped.
func ParseAddress(s string) (Address, error) {
	// A U-label may be longer than its A-label; this bound only limits the work.
	if len(s) > 4*maxAddress {
		return Address{}, fmt.Errorf("%w: longer than %d octets", ErrAddress, maxAddress)
	}
	local, rest, err := parseLocal(s)
	if err != nil {
		return Address{}, fmt.Errorf("%q: %w", s, err)
	}
	domain, err := parseDomain(rest)
	if err != nil {
		return Address{}, fmt.Errorf("%q: %w", s, err)
	}
	a := Address{Local: local, Domain: domain}
	if a.length() > maxAddress {
		return Address{}, fmt.Errorf("%q: %w: longer than %d octets", s, ErrAddress, maxAddress)
	}
	return a, nil
}

// parseLocal decodes the local part and returns what follows its "@".
func parseLocal(s string) (local, rest string, err error) {
	plain := 0
	for plain < len(s) && isAtom(s[plain]) {
		plain++
	}
	if plain < len(s) && s[plain] == '@' && IsASCII(s[:plain]) {
		local, rest = s[:plain], s[plain+1:] // by far the most common, and no copy
	} else if local, rest, err = decodeLocal(s); err != nil {
		return "", "", err
	}
	if local == "" {
		return "", "", fmt.Errorf("%w: empty local part", ErrAddress)
	}
	return local, rest, nil
}

// decodeLocal reads atoms and quoted strings in any order, as RFC 5322's obsolete
// local-part has them and as Postfix takes them.
func decodeLocal(s string) (local, rest string, err error) {
	var b strings.Builder
	quoted := false
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '"':
			quoted = !quoted
			i++
			continue
		case !quoted && c == '@':
			local = b.String()
			if err := checkText(local); err != nil {
				return "", "", fmt.Errorf("%w: %w", ErrAddress, err)
			}
			return local, s[i+1:], nil
		case quoted && c == '\\':
			if i++; i == len(s) {
				return "", "", fmt.Errorf("%w: nothing after backslash", ErrAddress)
			}
		case !quoted && !isAtom(c):
			return "", "", fmt.Errorf("%w: %q must be quoted", ErrAddress, rune(c))
		}
		b.WriteByte(s[i])
		i++
	}
	if quoted {
		return "", "", fmt.Errorf("%w: quote is not closed", ErrAddress)
	}
	return "", "", fmt.Errorf("%w: no domain", ErrAddress)
}

// checkText refuses what would break a command line, a header or a log: control
// characters, C1 and the Unicode line ends included, and octets that are not UTF-8.
func checkText(s string) error {
	if !utf8.ValidString(s) {
		return errors.New("not UTF-8")
	}
	for _, r := range s {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return fmt.Errorf("control character %U", r)
		}
	}
	return nil
}

// String returns the deliverable form, quotes restored where the local part needs
// them, so that no parameter can be injected into a command line. The zero Address
// gives "".
func (a Address) String() string {
	if a.IsZero() {
		return ""
	}
	if isDotString(a.Local) {
		return a.Local + "@" + a.Domain
	}
	return string(a.Append(make([]byte, 0, a.length())))
}

// Append appends the deliverable form to dst, as String gives it.
func (a Address) Append(dst []byte) []byte {
	if a.IsZero() {
		return dst
	}
	if isDotString(a.Local) {
		dst = append(dst, a.Local...)
	} else {
		dst = append(dst, '"')
		for i := 0; i < len(a.Local); i++ {
			if c := a.Local[i]; c == '"' || c == '\\' {
				dst = append(dst, '\\')
			}
			dst = append(dst, a.Local[i])
		}
		dst = append(dst, '"')
	}
	dst = append(dst, '@')
	return append(dst, a.Domain...)
}

// length is the length of String in octets.
func (a Address) length() int {
	n := len(a.Local) + 1 + len(a.Domain)
	if !isDotString(a.Local) {
		n += 2 + strings.Count(a.Local, `"`) + strings.Count(a.Local, `\`)
	}
	return n
}

// Key returns the comparison key: local part with A to Z folded, "@", domain. RFC
// 5321 section 2.4 lets only the receiving host fold a local part; every list
// manager does, for people do not know how they once wrote their own. Characters
// beyond ASCII are not folded: "K" (Kelvin) would become another one's "k".
func (a Address) Key() string {
	if a.IsZero() {
		return ""
	}
	for i := 0; i < len(a.Local); i++ {
		if c := a.Local[i]; 'A' <= c && c <= 'Z' {
			return string(a.AppendKey(make([]byte, 0, len(a.Local)+1+len(a.Domain))))
		}
	}
	return a.Local + "@" + a.Domain
}

// AppendKey appends the comparison key to dst, as Key gives it.
func (a Address) AppendKey(dst []byte) []byte {
	if a.IsZero() {
		return dst
	}
	for i := 0; i < len(a.Local); i++ {
		dst = append(dst, lower(a.Local[i]))
	}
	dst = append(dst, '@')
	return append(dst, a.Domain...)
}

// ASCII reports whether the address can be written without SMTPUTF8 (RFC 6531).
func (a Address) ASCII() bool { return IsASCII(a.Local) && IsASCII(a.Domain) }

// Check gives ErrAddress, wrapped, for an Address that ParseAddress would not have
// made: one put together by hand may hold what a command line may not.
func (a Address) Check() error {
	if a.IsZero() {
		return fmt.Errorf("%w: empty", ErrAddress)
	}
	b, err := ParseAddress(a.String())
	if err != nil {
		return err
	}
	if a != b {
		return fmt.Errorf("%q: %w: not in canonical form", a.String(), ErrAddress)
	}
	return nil
}

// IsZero reports whether the address is the zero Address, which stands for "none".
func (a Address) IsZero() bool { return a == Address{} }

// foldASCII folds A to Z; offsets stay the same.
func foldASCII(s string) string {
	for i := 0; i < len(s); i++ {
		if 'A' <= s[i] && s[i] <= 'Z' {
			b := []byte(s)
			for ; i < len(b); i++ {
				b[i] = lower(b[i])
			}
			return string(b)
		}
	}
	return s
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// isAtom reports whether an octet may stand in an unquoted local part: atext of RFC
// 5322 section 3.2.3, "." and, by RFC 6531 section 3.3, every octet of UTF-8.
func isAtom(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c >= utf8.RuneSelf:
		return true
	}
	return strings.IndexByte("!#$%&'*+-/=?^_`{|}~.", c) >= 0
}

// isDotString reports whether a local part needs no quotes (RFC 5321 section 4.1.2).
func isDotString(s string) bool {
	dot := true // a dot may not come first
	for i := 0; i < len(s); i++ {
		if !isAtom(s[i]) || dot && s[i] == '.' {
			return false
		}
		dot = s[i] == '.'
	}
	return !dot
}

// IsASCII tells whether no octet is beyond ASCII.
func IsASCII[T string | []byte](s T) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
