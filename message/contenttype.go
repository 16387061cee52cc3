package message

import "strings"

// contentType is a Content-Type as far as it can be read (RFC 2045 section 5.1); nothing in it is an error.
type contentType struct {
	kind   string // "text/plain", lower case; empty if it is none
	params []param
}

type param struct{ name, value string } // name in lower case

// maxParams is how many parameters are looked at.
const maxParams = 64

// parseContentType reads an unfolded value. Parameters without "=" or with an empty name are passed over, and a quoted
// string that does not end goes to the end of the value.
func parseContentType(v string) contentType {
	var ct contentType
	kind, rest := cutToken(v, ";")
	if t, s, ok := strings.Cut(kind, "/"); ok && t != "" && s != "" {
		ct.kind = strings.ToLower(kind)
	}
	for rest != "" && len(ct.params) < maxParams {
		rest = rest[1:] // the semicolon
		var name, value string
		name, rest = cutToken(rest, "=;")
		if !strings.HasPrefix(rest, "=") {
			continue
		}
		value, rest = cutToken(rest[1:], ";")
		if name != "" {
			ct.params = append(ct.params, param{strings.ToLower(name), value})
		}
	}
	return ct
}

func (ct contentType) multipart() bool { return strings.HasPrefix(ct.kind, "multipart/") }

func (ct contentType) param(name string) string {
	for _, p := range ct.params {
		if strings.EqualFold(p.name, name) {
			return p.value
		}
	}
	return ""
}

// cutToken returns what comes before the first of the octets in stop, unquoted, without comments and the blanks around
// it, and the rest, which starts with the octet found or is empty.
func cutToken(s, stop string) (token, rest string) {
	var b strings.Builder
	gap := false // a blank that only counts if something follows
	add := func(t string) {
		if gap {
			b.WriteByte(' ')
			gap = false
		}
		b.WriteString(t)
	}
	i := 0
	for i < len(s) && strings.IndexByte(stop, s[i]) < 0 {
		switch c := s[i]; c {
		case '"':
			n, ok := quotedEnd(s[i:], '"')
			t := s[i+1 : i+n]
			if ok {
				t = t[:len(t)-1]
			}
			add(unescape(t))
			i += n
			continue
		case '(':
			n, _ := commentEnd(s[i:])
			i += n
			continue
		case ' ', '\t', '\r', '\n':
			gap = b.Len() > 0
		default:
			add(s[i : i+1])
		}
		i++
	}
	return b.String(), s[i:]
}

// unescape takes the backslashes of quoted pairs away.
func unescape(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b = append(b, s[i])
	}
	return string(b)
}
