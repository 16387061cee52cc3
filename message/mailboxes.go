package message

import (
	"bytes"
	"strings"
)

// mailboxes goes through an address list of RFC 5322 section 3.4, in one pass and without giving up: for each element
// it tells the address, that there is none, or that it is not clear. Quoted strings are left as they are written, since
// `"a@evil.test> x"@good.test` must stay one local part.
type mailboxes struct {
	rest []byte // of the value

	spec     string // the address, as written
	name     []byte // what stands before its brackets, as written, or the comment behind it
	fragment bool   // the element holds no address: a name, an empty element, the name of a group
	unclear  bool   // the element can be read in more than one way, or not at all
}

// element is what next collects of one mailbox.
type element struct {
	text   []byte // outside of angle brackets, comments taken away, blanks squeezed
	angle  []byte // inside the last pair of them
	note   []byte // inside the last comment
	angles int
	broken bool
	at     bool // text holds an "@" outside of quotes
}

// next moves to the next element; false at the end.
func (m *mailboxes) next() bool {
	if len(m.rest) == 0 {
		return false
	}
	var e element
	i := 0
scan:
	for i < len(m.rest) {
		switch c := m.rest[i]; c {
		case ',', ';':
			break scan
		case '(':
			n, ok := commentEnd(m.rest[i:])
			e.blank()
			e.broken = e.broken || !ok
			if ok {
				e.note = m.rest[i+1 : i+n-1]
			}
			i += n
			continue
		case '"', '[':
			n, ok := quotedEnd(m.rest[i:], closer(c))
			e.text = append(e.text, m.rest[i:i+n]...)
			e.broken = e.broken || !ok
			i += n
			continue
		case '<':
			n, ok := angleEnd(m.rest[i:])
			e.angles++
			e.broken = e.broken || !ok
			e.angle = bytes.TrimSuffix(m.rest[i+1:i+n], []byte(">"))
			e.blank()
			i += n
			continue
		case ':': // what came before is the name of a group
			e.broken = e.broken || e.at || e.angles > 0
			e.text = e.text[:0]
		case ' ', '\t', '\r', '\n':
			e.blank()
		case '\\':
			e.text = append(e.text, c)
			if i+1 < len(m.rest) {
				i++
				e.text = append(e.text, m.rest[i])
			}
		default:
			e.at = e.at || c == '@'
			e.text = append(e.text, c)
		}
		i++
	}
	m.rest = m.rest[min(i+1, len(m.rest)):]
	m.settle(e)
	return true
}

// blank notes a blank, unless there is one already.
func (e *element) blank() {
	if n := len(e.text); n > 0 && e.text[n-1] != ' ' {
		e.text = append(e.text, ' ')
	}
}

// settle decides what an element is.
func (m *mailboxes) settle(e element) {
	m.spec, m.name, m.fragment, m.unclear = "", e.note, false, e.broken
	switch {
	case e.angles == 1:
		// A name with an "@" before the bracket is common ("Joe@Home <joe@…>"), and so is no address.
		m.spec = strings.Trim(unfolded(string(e.angle)), " \t\r\n")
		if i := routeEnd(m.spec); i > 0 {
			m.spec = strings.TrimLeft(m.spec[i:], " \t\r\n")
		}
		if len(bytes.TrimSpace(e.text)) > 0 {
			m.name = e.text
		}
	case e.angles > 1:
		m.unclear = true
	case e.at:
		m.spec = joined(strings.TrimSpace(string(e.text)))
	default:
		m.fragment = !e.broken
	}
}

// unfolded takes the line ends out of an address: a field may be folded inside a quoted local part, too.
func unfolded(s string) string {
	if strings.IndexByte(s, '\n') < 0 {
		return s
	}
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", ""), "\n", "")
}

// joined takes away the blanks that the obsolete syntax allows around "@" and "." (RFC 5322 section 4.4).
func joined(s string) string {
	if !strings.Contains(s, " ") || strings.Contains(s, `"`) {
		return s // blanks in quotes are the address's own; others beside quotes make it unreadable
	}
	for _, p := range []string{"@", "."} {
		s = strings.ReplaceAll(strings.ReplaceAll(s, " "+p, p), p+" ", p)
	}
	return s
}

// routeEnd is the length of a source route "@a,@b:" at the start of s, which RFC 5321 section 4.1.1.3 says to ignore.
func routeEnd(s string) int {
	if !strings.HasPrefix(s, "@") {
		return 0
	}
	return strings.IndexByte(s, ':') + 1
}

func closer(c byte) byte {
	if c == '[' {
		return ']'
	}
	return c
}

// quotedEnd is the length of the quoted string or domain literal that b starts with; false: it does not end.
func quotedEnd[T string | []byte](b T, end byte) (int, bool) {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case end:
			return i + 1, true
		case '\\':
			i++
		}
	}
	return len(b), false
}

// commentEnd is the length of the comment, comments in it included, that b starts with.
func commentEnd[T string | []byte](b T) (int, bool) {
	depth := 0
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '\\':
			i++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i + 1, true
			}
		}
	}
	return len(b), false
}

// angleEnd is the length of the angle brackets that b starts with; quoted strings in it may hold any octet.
func angleEnd(b []byte) (int, bool) {
	for i := 1; i < len(b); i++ {
		switch b[i] {
		case '>':
			return i + 1, true
		case '<':
			return i, false
		case '"':
			n, ok := quotedEnd(b[i:], '"')
			if !ok {
				return len(b), false
			}
			i += n - 1
		case '\\':
			i++
		}
	}
	return len(b), false
}
