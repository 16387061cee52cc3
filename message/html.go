package message

import (
	"html"
	"unicode/utf8"
)

// htmlToken is a stretch of an HTML document.
type htmlToken struct {
	kind     htmlKind
	name     string // of a tag, lower case
	text     []byte // of text, entities undone; valid until the next token
	href     string // attributes, entities undone
	alt      string
	start    int
	from, to int64 // where a tag begins and ends; see octets
}

type htmlKind byte

const (
	htmlText htmlKind = iota
	htmlStart
	htmlEnd
	htmlOther // a declaration, a comment
)

const (
	maxHTMLText  = 4 << 10 // octets of text in one token
	maxHTMLName  = 32      // octets of the names of tags and attributes; longer ones mean nothing here
	maxHTMLValue = 4 << 10 // octets of the value of an attribute; longer ones are not used
)

// htmlScanner cuts HTML into tokens, in constant memory and one pass. It knows as much of the HTML standard as it takes
// to tell text from what is none: it builds no tree, and no input is an error but trouble with reading.
type htmlScanner struct {
	in   octets
	held int // an octet that was read too far; -1: none
	text []byte
	raw  string // the element whose content is no HTML, while in it
}

func newHTMLScanner(in octets) *htmlScanner { return &htmlScanner{in: in, held: -1} }

func (s *htmlScanner) read() (byte, error) {
	if s.held >= 0 {
		c := byte(s.held)
		s.held = -1
		return c, nil
	}
	return s.in.ReadByte()
}

// next returns the next token; io.EOF at the end.
func (s *htmlScanner) next() (htmlToken, error) {
	if s.raw != "" {
		return s.rawEnd()
	}
	s.text = s.text[:0]
	for {
		c, err := s.read()
		if err != nil {
			if len(s.text) > 0 {
				return htmlToken{text: s.text}, nil
			}
			return htmlToken{}, err
		}
		switch {
		case len(s.text) > 0 && c == '<', len(s.text) >= maxHTMLText-utf8.UTFMax && utf8.RuneStart(c):
			s.held = int(c)
			return htmlToken{text: s.text}, nil
		case c == '<':
			t, ok, err := s.tag()
			if ok || err != nil {
				return t, err
			}
			s.text = append(s.text, '<')
		case c == '&':
			s.entity()
		default:
			s.text = append(s.text, c)
		}
	}
}

// entity reads what follows an ampersand. Text that is no entity stays as it is.
func (s *htmlScanner) entity() {
	var b [maxHTMLName + 2]byte
	word := append(b[:0], '&')
	for len(word) <= maxHTMLName {
		c, err := s.read()
		if err != nil {
			break
		}
		if c == ';' {
			word = append(word, c)
			break
		}
		if !alphanumeric(c) && c != '#' {
			s.held = int(c)
			break
		}
		word = append(word, c)
	}
	s.text = append(s.text, html.UnescapeString(string(word))...)
}

func alphanumeric(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// tag reads what follows "<". False: it is text.
func (s *htmlScanner) tag() (htmlToken, bool, error) {
	t := htmlToken{from: s.in.place()}
	c, err := s.read()
	if err != nil {
		return t, false, nil
	}
	switch {
	case c == '!':
		return s.declaration(t)
	case c == '?':
		t.kind = htmlOther
		return t, true, s.until('>', &t)
	case c == '/':
		if c, err = s.read(); err != nil {
			return t, false, err
		}
		if t.kind = htmlEnd; !alphanumeric(c) {
			t.kind, s.held = htmlOther, int(c)
			return t, true, s.until('>', &t)
		}
	case 'a' <= lower(c) && lower(c) <= 'z':
		t.kind = htmlStart
	default:
		s.held = int(c)
		return t, false, nil
	}
	t.name, err = s.word(c)
	if err == nil {
		err = s.attributes(&t)
	}
	if t.kind == htmlStart && rawElement(t.name) {
		s.raw = t.name
	}
	return t, true, err
}

// until passes over all up to stop.
func (s *htmlScanner) until(stop byte, t *htmlToken) error {
	for {
		c, err := s.read()
		if err != nil {
			return err
		}
		if c == stop {
			t.to = s.in.after()
			return nil
		}
	}
}

// declaration reads what follows "<!": a comment, or anything else up to ">".
func (s *htmlScanner) declaration(t htmlToken) (htmlToken, bool, error) {
	t.kind = htmlOther
	var last [2]byte
	for i := 0; ; i++ {
		c, err := s.read()
		if err != nil {
			return t, true, err
		}
		comment := i >= 2 && t.name == "--"
		if c == '>' && (!comment || last == [2]byte{'-', '-'}) {
			t.to = s.in.after()
			return t, true, nil
		}
		if last = [2]byte{last[1], c}; i == 1 && last == [2]byte{'-', '-'} {
			t.name = "--" // whose hyphens may end it, too: <!-->
		}
	}
}

// word reads a name that begins with c.
func (s *htmlScanner) word(c byte) (string, error) {
	var b [maxHTMLName]byte
	name, err := b[:0], error(nil)
	for !htmlBlank(c) && c != '>' && c != '/' && c != '=' {
		if len(name) < len(b) {
			name = append(name, lower(c))
		}
		if c, err = s.read(); err != nil {
			return "", err
		}
	}
	s.held = int(c)
	return string(name), nil
}

func htmlBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' }

// rawElement tells the elements that hold no HTML, and nothing that is shown.
func rawElement(name string) bool {
	switch name {
	case "script", "style", "title", "iframe", "noembed", "noframes":
		return true
	}
	return false
}

// rawEnd passes over the content of a raw element, and returns its end tag.
func (s *htmlScanner) rawEnd() (htmlToken, error) {
	t := htmlToken{kind: htmlEnd, name: s.raw}
	end := "</" + s.raw
	for matched := 0; ; {
		c, err := s.read()
		if err != nil {
			return t, err
		}
		switch {
		case matched == len(end) && (htmlBlank(c) || c == '>' || c == '/'):
			s.raw, s.held = "", int(c)
			return t, s.until('>', &t)
		case matched < len(end) && lower(c) == end[matched]:
			if matched == 0 {
				t.from = s.in.place()
			}
			matched++
			continue
		}
		if matched = 0; c == '<' {
			t.from, matched = s.in.place(), 1
		}
	}
}
