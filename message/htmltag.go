package message

import (
	"bytes"
	"html"
	"strconv"
	"strings"
)

// attributes reads on to the end of a tag.
func (s *htmlScanner) attributes(t *htmlToken) error {
	for {
		c, err := s.read()
		switch {
		case err != nil:
			return err
		case c == '>':
			t.to = s.in.after()
			return nil
		case htmlBlank(c), c == '/':
			continue
		case c == '=':
			c = '_' // a name may begin with it; none that matters does
		}
		name, err := s.word(c)
		if err != nil {
			return err
		}
		value, err := s.value()
		if err != nil {
			return err
		}
		switch name {
		case "href":
			t.href = html.UnescapeString(value)
		case "alt":
			t.alt = html.UnescapeString(value)
		case "start":
			t.start, _ = strconv.Atoi(strings.TrimSpace(value[:min(len(value), 9)]))
		}
	}
}

// value reads what follows the name of an attribute; "" if that is no value.
func (s *htmlScanner) value() (string, error) {
	c, err := s.blanks()
	if err != nil || c != '=' {
		s.held = int(c)
		return "", err
	}
	if c, err = s.blanks(); err != nil {
		return "", err
	}
	var b bytes.Buffer
	quote := byte(0)
	if c == '"' || c == '\'' {
		quote = c
		c, err = s.read()
	}
	for ; err == nil; c, err = s.read() {
		if quote != 0 && c == quote {
			break
		}
		if quote == 0 && (htmlBlank(c) || c == '>') {
			s.held = int(c)
			break
		}
		if b.Len() <= maxHTMLValue {
			b.WriteByte(c)
		}
	}
	if b.Len() > maxHTMLValue {
		b.Reset()
	}
	return b.String(), err
}

// blanks returns the first octet that is none.
func (s *htmlScanner) blanks() (byte, error) {
	for {
		if c, err := s.read(); err != nil || !htmlBlank(c) {
			return c, err
		}
	}
}
