package bounce

import (
	"bytes"
	"encoding/base64"
	"html"
	"strings"
	"unicode/utf8"

	"superlistd/message"
)

// decode takes off a transfer encoding and a charset. What is damaged is left as it is: a report with a broken line is
// better than none. The result is a copy.
func decode(body []byte, cte, set string) []byte {
	switch {
	case strings.HasPrefix(cte, "base64"):
		body = decodeBase64(body)
	case strings.HasPrefix(cte, "quoted-printable"):
		body = decodeQP(body)
	default:
		body = bytes.Clone(body)
	}
	if bytes.IndexByte(body, 0) >= 0 { // UTF-16, whose ASCII is every other octet
		return toUTF8(bytes.ReplaceAll(body, []byte{0}, nil))
	}
	shifts := strings.HasPrefix(set, "iso-2022-")
	if set != "" && (shifts || !utf8.Valid(body)) && !strings.HasPrefix(set, "utf-16") { // UTF-16 without a NUL is none
		if text, ok := message.DecodeCharset(set, body); ok && string(text) != "\ufffd" { // what browsers make of charsets that they refuse
			return toUTF8(text)
		}
	}
	if shifts {
		body = dropShifted(body)
	}
	return toUTF8(body)
}

// decodeBase64 passes over what is not of the alphabet and stops at the padding.
func decodeBase64(body []byte) []byte {
	digits := make([]byte, 0, len(body))
	for _, c := range body {
		if c == '=' {
			break
		}
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '+' || c == '/' {
			digits = append(digits, c)
		}
	}
	if len(digits)%4 == 1 {
		digits = digits[:len(digits)-1]
	}
	out := make([]byte, base64.RawStdEncoding.DecodedLen(len(digits)))
	n, _ := base64.RawStdEncoding.Decode(out, digits) // the alphabet and the length are right
	return out[:n]
}

// decodeQP is RFC 2045 section 6.7; an "=" that is neither a line end nor two digits stands for itself.
func decodeQP(body []byte) []byte {
	out := make([]byte, 0, len(body))
	for i := 0; i < len(body); i++ {
		if body[i] != '=' {
			out = append(out, body[i])
			continue
		}
		rest := body[i+1:]
		switch soft := bytes.TrimLeft(rest[:min(len(rest), 80)], " \t\r"); {
		case len(rest) == 0, len(soft) > 0 && soft[0] == '\n':
			i += len(rest[:min(len(rest), 80)]) - len(soft) + 1
		case len(rest) >= 2 && unhex(rest[0]) >= 0 && unhex(rest[1]) >= 0:
			out = append(out, byte(unhex(rest[0])<<4|unhex(rest[1])))
			i += 2
		default:
			out = append(out, '=')
		}
	}
	return out
}

func unhex(c byte) int {
	switch {
	case '0' <= c && c <= '9':
		return int(c - '0')
	case 'a' <= c && c <= 'f':
		return int(c-'a') + 10
	case 'A' <= c && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// dropShifted takes out what ISO 2022 shifts away from ASCII: its octets look like ASCII, "@" among them.
func dropShifted(body []byte) []byte {
	out := make([]byte, 0, len(body))
	shifted := false
	for i := 0; i < len(body); i++ {
		switch {
		case body[i] == 0x1b && i+2 < len(body):
			shifted = body[i+1] == '$'
			i += 2
		case body[i] == '\n':
			shifted = false
			out = append(out, '\n')
		case !shifted:
			out = append(out, body[i])
		}
	}
	return out
}

// toUTF8 takes what is not UTF-8 for Latin-1: what matters of a charset that nobody knows is ASCII.
func toUTF8(body []byte) []byte {
	if utf8.Valid(body) {
		return body
	}
	out := make([]byte, 0, len(body)+len(body)/8)
	for _, c := range body {
		out = utf8.AppendRune(out, rune(c))
	}
	return out
}

// blocks are the elements of HTML that begin a line.
const blocks = " br p div tr li ul ol table h1 h2 h3 h4 h5 h6 pre blockquote hr body title center td "

// stripHTML gives the text of HTML: no tags, no styles, no scripts, entities decoded, a line for each block.
func stripHTML(body string) string {
	var b strings.Builder
	b.Grow(len(body))
	for body != "" {
		i := strings.IndexByte(body, '<')
		if i < 0 {
			i = len(body)
		}
		b.WriteString(squeeze.Replace(body[:i]))
		if body = body[i:]; body == "" {
			break
		}
		var tag string
		tag, body = cutTag(body)
		name, closes := tagName(tag)
		switch {
		case !closes && (name == "style" || name == "script"): // nobody sees what is in it
			body = closing(body, name)
		case name != "" && strings.Contains(blocks, " "+name+" "):
			b.WriteByte('\n')
		case name == "" && strings.IndexByte(tag, '@') > 0: // an address that nobody escaped
			b.WriteString("<" + tag + ">")
		}
	}
	return html.UnescapeString(b.String())
}

// closing is what follows the content of an element; empty if it does not end.
func closing(s, name string) string {
	for {
		i := strings.Index(s, "</")
		if i < 0 {
			return ""
		}
		s = s[i+2:]
		if len(s) >= len(name) && strings.EqualFold(s[:len(name)], name) {
			_, s, _ = strings.Cut(s, ">")
			return s
		}
	}
}

// cutTag cuts the tag that s starts with, without its brackets.
func cutTag(s string) (tag, rest string) {
	if strings.HasPrefix(s, "<!--") {
		_, rest, _ = strings.Cut(s, "-->") // one without end hides all that follows
		return "", rest
	}
	tag, rest, _ = strings.Cut(s[1:], ">")
	return tag, rest
}

// tagName is the name of an element in lower case; empty: it is none.
func tagName(tag string) (name string, closes bool) {
	tag, closes = strings.CutPrefix(tag, "/")
	n := 0
	for n < len(tag) && n < 20 && (isAlpha(tag[n]) || n > 0 && '0' <= tag[n] && tag[n] <= '9') {
		n++
	}
	if n == 0 || n < len(tag) && tag[n] != ' ' && tag[n] != '/' && tag[n] != '\n' && tag[n] != '\r' && tag[n] != '\t' {
		return "", closes
	}
	return strings.ToLower(tag[:n]), closes
}

// squeeze makes of line ends what HTML makes of them.
var squeeze = strings.NewReplacer("\r\n", " ", "\n", " ", "\t", " ")

func isAlpha(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
