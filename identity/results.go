package identity

import "strings"

// AuthenticationResults returns the value of an Authentication-Results field (RFC
// 8601 section 2.2) in the name of hostname: one line, printable ASCII, blanks where
// it may be folded. What strangers chose stands in it only as a token or a quoted
// string, cut at 253 octets, so that it can end neither its place nor the field.
func (r Result) AuthenticationResults(hostname string) string {
	var b strings.Builder
	writeValue(&b, hostname)
	start := b.Len()
	if s := r.SPF; s.Result != "" {
		method(&b, "spf", s.Result, "")
		if s.Helo {
			property(&b, "smtp.helo", s.Domain)
		} else {
			property(&b, "smtp.mailfrom", s.Domain)
		}
	}
	for _, d := range r.DKIM {
		method(&b, "dkim", d.Result, d.Reason)
		property(&b, "header.d", d.Domain)
		property(&b, "header.s", d.Selector)
		property(&b, "header.a", d.Algorithm)
		property(&b, "header.b", d.B)
	}
	if d := r.DMARC; d.Result != "" {
		method(&b, "dmarc", d.Result, "")
		if d.Record != "" {
			property(&b, "policy.published-domain-policy", string(d.Published))
		}
		property(&b, "header.from", r.Author)
	}
	if b.Len() == start {
		b.WriteString("; none")
	}
	return b.String()
}

func method(b *strings.Builder, name, result, reason string) {
	b.WriteString("; " + name + "=")
	writeValue(b, result)
	property(b, "reason", reason)
}

// property writes " name=value", and nothing for an empty value.
func property(b *strings.Builder, name, value string) {
	if value == "" {
		return
	}
	b.WriteString(" " + name + "=")
	writeValue(b, value)
}

// maxValue bounds what one value may hold.
const maxValue = 253

// writeValue writes a token (RFC 2045 section 5.1), or else a quoted string in which
// everything that is not printable ASCII is "?".
func writeValue(b *strings.Builder, s string) {
	s = s[:min(len(s), maxValue)]
	if isToken(s) {
		b.WriteString(s)
		return
	}
	b.WriteByte('"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c > '~':
			b.WriteByte('?')
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
}

func isToken(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= ' ' || c > '~' || strings.IndexByte(`()<>@,;:\"/[]?=`, c) >= 0 {
			return false
		}
	}
	return s != ""
}
