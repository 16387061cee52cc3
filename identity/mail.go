package identity

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
)

const (
	maxHeader    = 256 << 10 // octets; message refuses longer ones
	maxBlankRun  = 64 << 10  // octets of line ends without anything between them
	shownOfB     = 8         // octets of b= in header.b, RFC 6008 section 4
	headerBuffer = 16 << 10
)

// mail is a message, its header read and its body not.
type mail struct {
	head       []byte // with the blank line
	body       io.Reader
	froms      int // From fields
	fields     int
	folding    int // octets that joining folded fields line by line copies
	signatures []signature
}

// signature is what a DKIM-Signature field says, unverified.
type signature struct {
	start, end       int // of the field in head
	domain, selector string
	algorithm, b     string
	names            int  // in h=
	length           bool // it has l=
}

// readMail reads the header. One that is too long or cannot be read has no From.
func readMail(r io.Reader) *mail {
	in := bufio.NewReaderSize(r, headerBuffer)
	m := &mail{body: in}
	start := 0 // of the field
	for fresh := true; ; {
		part, err := in.ReadSlice('\n')
		if len(m.head)+len(part) > maxHeader || err != nil && !errors.Is(err, bufio.ErrBufferFull) && !errors.Is(err, io.EOF) {
			m.froms, m.signatures = 0, nil
			return m
		}
		blank := fresh && isBlankLine(part)
		if fresh && (blank || len(part) > 0 && part[0] != ' ' && part[0] != '\t') {
			m.field(start, len(m.head))
			start = len(m.head)
		}
		m.head = append(m.head, part...)
		m.folding += len(m.head) - start - len(part)
		switch {
		case blank:
			return m
		case errors.Is(err, io.EOF): // no body: dkim wants the blank line all the same
			m.field(start, len(m.head))
			m.head = append(bytes.TrimRight(m.head, "\r\n"), "\r\n\r\n"...)
			return m
		}
		fresh = err == nil
	}
}

func isBlankLine(line []byte) bool {
	return string(line) == "\r\n" || string(line) == "\n"
}

// field takes note of the field at head[start:end].
func (m *mail) field(start, end int) {
	if start == end {
		return
	}
	m.fields++
	raw := m.head[start:end]
	colon := bytes.IndexByte(raw, ':')
	if colon < 0 {
		return
	}
	switch name := bytes.TrimSpace(raw[:colon]); {
	case bytes.EqualFold(name, []byte("From")):
		m.froms++
	case bytes.EqualFold(name, []byte("DKIM-Signature")):
		s := parseSignature(string(raw[colon+1:]))
		s.start, s.end = start, end
		m.signatures = append(m.signatures, s)
	}
}

// parseSignature reads the tags that are shown or weighed. It decides nothing, and
// reads them as dkim does.
func parseSignature(value string) (s signature) {
	for tag := range strings.SplitSeq(value, ";") {
		name, value, _ := strings.Cut(tag, "=")
		switch strings.TrimSpace(name) {
		case "d":
			s.domain = squeeze(value)
		case "s":
			s.selector = squeeze(value)
		case "a":
			s.algorithm = squeeze(value)
		case "b":
			b := squeeze(value)
			s.b = b[:min(len(b), shownOfB)]
		case "h":
			s.names += 1 + strings.Count(value, ":")
		case "l":
			s.length = true
		}
	}
	return s
}

// squeeze takes all blanks out.
func squeeze(s string) string { return strings.Join(strings.Fields(s), "") }

// guard ends a body where dkim would not hold up: at a bare CR, which it canonicalises
// otherwise than RFC 6376 section 3.4.4, and at a run of line ends, which it gathers
// and copies again with each read. It must end, not fail: an error would leave dkim's
// goroutines waiting for ever. What was cut is then not taken, see reason.
type guard struct {
	r      io.Reader
	reason string
	cr     bool // the last octet was a CR
	run    int  // octets of line ends since the last text
}

func (g *guard) Read(p []byte) (int, error) {
	if g.reason != "" {
		return 0, io.EOF
	}
	n, err := g.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		g.reason = "content cannot be read"
		return n, io.EOF
	}
	if g.reason = g.check(p[:n]); g.reason == "" && err != nil && g.cr {
		g.reason = bareCR
	}
	return n, err
}

const bareCR = "bare CR"

func (g *guard) check(p []byte) string {
	for len(p) > 0 {
		if g.cr && p[0] != '\n' {
			return bareCR
		}
		g.cr = false
		line, end := p, bytes.IndexByte(p, '\n')
		if end >= 0 {
			line = p[:end]
		}
		p = p[len(line):]
		if cr := bytes.IndexByte(line, '\r'); cr >= 0 {
			if cr < len(line)-1 {
				return bareCR
			}
			g.cr = true
			line = line[:cr]
		}
		if len(bytes.TrimLeft(line, " \t")) > 0 {
			g.run = 0
		}
		if end >= 0 {
			p, g.cr = p[1:], false
			if g.run += 2; g.run > maxBlankRun {
				return "too many blank lines"
			}
		}
	}
	return ""
}
