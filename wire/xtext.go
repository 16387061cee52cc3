package wire

import "strings"

const hexDigits = "0123456789ABCDEF"

// AppendXtext appends s in xtext (RFC 3461 section 4): "+", "=", octets up to 32
// and from 127 on become "+" and two upper-case hexadecimal digits. So do quotes,
// backslashes and "<" and ">", as they may: Postfix cuts command lines into words
// with regard to these, and a HELO of "<x" would hide what follows it. Nothing
// in the result can end a parameter, a line or a word, or join two words.
func AppendXtext(dst []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; plainXtext(c) {
			dst = append(dst, c)
		} else {
			dst = append(dst, '+', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return dst
}

func plainXtext(c byte) bool {
	switch c {
	case '+', '=', '"', '\\', '<', '>':
		return false
	}
	return c > ' ' && c < 0x7f
}

// DecodeXtext undoes AppendXtext. It takes hexadecimal digits of any case and
// octets that should have been encoded, as Postfix does; false means that a "+"
// is not followed by two digits, and the caller keeps s as it is.
func DecodeXtext(s string) (string, bool) {
	plus := strings.IndexByte(s, '+')
	if plus < 0 {
		return s, true
	}
	b := make([]byte, plus, len(s))
	copy(b, s)
	for i := plus; i < len(s); i++ {
		if s[i] != '+' {
			b = append(b, s[i])
			continue
		}
		if i+2 >= len(s) {
			return "", false
		}
		hi, ok1 := unhex(s[i+1])
		lo, ok2 := unhex(s[i+2])
		if !ok1 || !ok2 {
			return "", false
		}
		b = append(b, hi<<4|lo)
		i += 2
	}
	return string(b), true
}

func unhex(c byte) (byte, bool) {
	switch {
	case isDigit(c):
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}
