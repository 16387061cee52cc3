package identity

import (
	"strings"
)

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

// ClaimsToBe reports whether the value of an Authentication-Results field has
// hostname as its authserv-id, so that it would be taken for ours; such a field of a
// stranger has to go (RFC 8601 section 5). Comments, quotes, case, the root's dot and
// A- or U-labels make no difference. Where the id cannot be made out, any mention of
// the name counts.
func ClaimsToBe(value, hostname string) bool {
	if hostname = plainName(hostname); hostname == "" {
		return false
	}
	id, ok := servID(value)
	if !ok {
		return strings.Contains(strings.ToLower(value), hostname)
	}
	return plainName(id) == hostname
}

func plainName(s string) string {
	if d, ok := canonicalName(s); ok {
		return d
	}
	return strings.ToLower(strings.TrimSuffix(s, "."))
}

// servID reads the authserv-id, false when a comment or quoted string is not closed.
func servID(s string) (string, bool) {
	s, ok := skipComments(s)
	if !ok {
		return "", false
	}
	if !strings.HasPrefix(s, `"`) {
		end := strings.IndexAny(s, " \t\r\n;(")
		if end < 0 {
			end = len(s)
		}
		return s[:end], !strings.ContainsAny(s[:end], `"\`)
	}
	var id strings.Builder
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '"':
			return strings.TrimSpace(id.String()), true
		case '\\':
			if i++; i == len(s) {
				return "", false
			}
		}
		id.WriteByte(s[i])
	}
	return "", false
}

// skipComments drops blanks and comments (RFC 5322 section 3.2.2) from the front.
func skipComments(s string) (rest string, ok bool) {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '(':
			depth++
		case depth == 0 && c != ' ' && c != '\t' && c != '\r' && c != '\n':
			return s[i:], true
		case c == ')' && depth > 0:
			depth--
		case c == '\\':
			i++
		}
	}
	return "", depth == 0
}
