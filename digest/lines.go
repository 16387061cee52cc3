package digest

import (
	"bufio"
	"bytes"
	"unicode"
	"unicode/utf8"
)

// lines cleans text for a digest of RFC 1153: "\n" at line ends, nothing that is not seen, no empty lines at its begin and end, and no
// line of hyphens that could be taken for one of ours.
type lines struct {
	out     *bufio.Writer
	pending int    // line ends to come before what comes next
	begun   bool   // something was written
	inside  bool   // the line has more than blanks, or a bar
	lead    []byte // blanks at the start of the line
	bar     []byte // the line so far, as long as it is hyphens, and blanks behind them
	rune    []byte // the beginning of a character
	cr      bool   // the last character was one
}

// newLines writes text to out, with some line ends before it.
func newLines(out *bufio.Writer, before int) *lines { return &lines{out: out, pending: before} }

// Write never fails: an error stays with the buffered writer.
func (l *lines) Write(p []byte) (int, error) {
	n := len(p)
	if len(l.rune) > 0 {
		p = append(l.rune, p...)
		l.rune = nil
	}
	for len(p) > 0 {
		c, size := utf8.DecodeRune(p)
		if c == utf8.RuneError && size == 1 && !utf8.FullRune(p) {
			l.rune = bytes.Clone(p)
			break
		}
		l.put(c)
		p = p[size:]
	}
	return n, nil
}

// maxBar is longer than any bar that a program looks for, and than what anybody indents.
const maxBar = 200

func (l *lines) put(c rune) {
	cr := l.cr
	l.cr = c == '\r'
	switch {
	case c == '\n' && cr:
		return
	case c == '\r', c == '\n', c == '\u2028', c == '\u2029':
		l.end()
		return
	case c == '\t', c == '\u200c', c == '\u200d', unicode.IsGraphic(c):
	default:
		return
	}
	blank := c == ' ' || c == '\t'
	switch {
	case l.inside:
	case blank && len(l.bar) == 0:
		if len(l.lead) < maxBar {
			l.lead = append(l.lead, byte(c))
		}
		return
	case (blank || c == '-' && (len(l.bar) == 0 || l.bar[len(l.bar)-1] == '-')) && len(l.lead) == 0 && len(l.bar) < maxBar:
		l.bar = append(l.bar, byte(c))
		return
	}
	if !l.inside {
		l.start(false)
	}
	l.out.WriteRune(c)
}

// start writes what was kept back. Whole: it is all of the line. RFC 1153: a blank in the place of the first hyphen shows that a line of
// them is text.
func (l *lines) start(whole bool) {
	for ; l.pending > 0; l.pending-- {
		l.out.WriteByte('\n')
	}
	if whole && len(bytes.TrimRight(l.bar, " \t")) >= len(endOfPost) {
		l.bar[0] = ' '
	}
	l.out.Write(l.lead)
	l.out.Write(l.bar)
	l.begun, l.inside = true, true
}

// end ends a line.
func (l *lines) end() {
	if !l.inside && len(l.bar) > 0 {
		l.start(true)
	}
	if l.begun {
		l.pending++
	}
	l.lead, l.bar, l.inside = l.lead[:0], l.bar[:0], false
}

// apart ends a text that another one follows: an empty line is between them.
func (l *lines) apart() {
	l.end()
	if l.begun {
		l.pending = 2
	}
}

// flush ends the last line that is not empty.
func (l *lines) flush() {
	if len(l.rune) > 0 {
		l.put(utf8.RuneError)
	}
	if l.end(); l.begun {
		l.out.WriteByte('\n')
	}
}

// counter tells what a text with "\n" at line ends needs.
type counter struct {
	octets, ends, beyond, equals int64
	column, longest              int
}

func (c *counter) Write(p []byte) (int, error) {
	for _, b := range p {
		c.octets++
		switch {
		case b == '\n':
			c.ends++
			c.column = 0
			continue
		case b >= 0x80 || b < ' ' && b != '\t' || b == 0x7f:
			c.beyond++
		case b == '=':
			c.equals++
		}
		c.column++
		c.longest = max(c.longest, c.column)
	}
	return len(p), nil
}

// plain tells whether it needs no encoding (RFC 2045 section 2.7).
func (c *counter) plain() bool { return c.beyond == 0 && c.longest <= 900 }

// most is how long it can be at most, encoded.
func (c *counter) most() int64 {
	encoded := c.octets + 2*(c.beyond+c.equals)
	return encoded + c.ends*4 + encoded/20 // blanks and dots at line ends and starts, soft line breaks
}

// crlf writes the line ends of mail.
type crlf struct{ w *bufio.Writer }

func (l *crlf) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			_, err := l.w.Write(p)
			return n, err
		}
		l.w.Write(p[:i]) // an error stays
		if _, err := l.w.WriteString("\r\n"); err != nil {
			return 0, err
		}
		p = p[i+1:]
	}
	return n, nil
}
