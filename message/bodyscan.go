package message

import (
	"bytes"
	"crypto/sha256"
	"encoding/base32"
	"hash"
	"io"
	"strings"
)

// bodyScan finds the parts while the message goes by.
type bodyScan struct {
	b     *Body
	lines bodyLines
	path  []int // from the message to the part that is being read
	head  []byte
	field bool // head ends with a field, which may go on
	mbox  bool // head may still have "From " lines
	// heading: the header of the last of path is being read.
	heading bool
	left    int
	// dashes is the sum of the header and of all lines that begin with two hyphens. A boundary made of it is in none of
	// them: who wanted it to be would need a line that holds its own sum.
	dashes hash.Hash
}

// scan fills parts, leaves and mark.
func (b *Body) scan() error {
	buf := getBuffer(64 << 10)
	defer putBuffer(buf)
	start := int64(b.header.Len())
	s := bodyScan{b: b, left: MaxParts - 1, dashes: sha256.New()}
	s.lines = bodyLines{in: b.content.Reader(start), buf: buf[:cap(buf)], base: start}
	for _, f := range b.header.fields {
		s.dashes.Write(f.raw)
	}
	s.push(bodyPart{parent: -1, body: start, blank: len(b.header.blank) > 0, bodyInfo: readInfo(b.header, "text/plain")})
	s.heading = false
	s.open()
	for s.line() {
	}
	if s.lines.err != nil && s.lines.err != io.EOF {
		return s.lines.err
	}
	end := s.lines.base + int64(s.lines.n)
	if end != b.content.Size() {
		return io.ErrUnexpectedEOF
	}
	s.finish(0, end)
	for i := range b.parts {
		if b.parts[i].leaf() {
			b.leaves = append(b.leaves, i)
		}
	}
	b.mark = strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(s.dashes.Sum(nil)[:20]))
	return nil
}

// line reads the next line that matters; false at the end.
func (s *bodyScan) line() bool {
	if !s.heading && !s.lines.seek() {
		return false
	}
	l, ok := s.lines.next()
	if !ok {
		return false
	}
	if bytes.HasPrefix(l.text, []byte("--")) && s.dash(l) {
		return true
	}
	if s.heading {
		s.headLine(l)
	}
	return true
}

// headLine takes a line of a header, which ends where ParseHeader ends it.
func (s *bodyScan) headLine(l bodyLine) {
	switch name, _ := fieldName(l.text); {
	case !l.whole || len(s.head)+len(l.text) > maxPartHeader:
		p := s.current()
		s.headEnd(l.at)
		p.opaque, p.boundary, s.b.limited = true, "", true
		return
	case isBlankLine(l.text):
		s.head = append(s.head, l.text...)
		s.headEnd(l.end())
		s.open()
		return
	case s.field && (l.text[0] == ' ' || l.text[0] == '\t'):
	case name > 0:
		s.field, s.mbox = true, false
	case !s.mbox || !isMboxLine(l.text):
		s.headEnd(l.at)
		if s.open(); bytes.HasPrefix(l.text, []byte("--")) {
			s.dash(l) // it may be a delimiter of the part that it has just shown to have begun
		}
		return
	}
	s.head = append(s.head, l.text...)
}

func (s *bodyScan) current() *bodyPart { return &s.b.parts[s.path[len(s.path)-1]] }

// headEnd reads the header of the part that is being read.
func (s *bodyScan) headEnd(body int64) {
	p := s.current()
	h := ParseHeader(s.head)
	assumed := "text/plain"
	if p.parent >= 0 && s.b.parts[p.parent].kind == "multipart/digest" {
		assumed = "message/rfc822" // RFC 2046 section 5.1.5
	}
	p.bodyInfo, p.blank, p.body = readInfo(h, assumed), len(h.blank) > 0, body
	s.heading = false
}

// open lets the part that is being read have parts.
func (s *bodyScan) open() {
	p := s.current()
	switch {
	case !p.multipart() || p.boundary == "":
	case len(s.path) > MaxDepth:
		p.opaque, p.boundary, s.b.limited = true, "", true
	default:
		p.active, p.next = true, p.body
	}
	s.b.limited = s.b.limited || p.opaque
}

// push begins a part.
func (s *bodyScan) push(p bodyPart) {
	s.b.parts = append(s.b.parts, p)
	s.path = append(s.path, len(s.b.parts)-1)
	s.b.depth = max(s.b.depth, len(s.path)-1)
	s.head, s.field, s.mbox, s.heading = s.head[:0], false, true, true
}

// dash takes a line that begins with two hyphens. True: it is a delimiter, of the outermost part that it can belong to.
func (s *bodyScan) dash(l bodyLine) bool {
	s.dashes.Write(l.text)
	if l.whole {
		for k, i := range s.path {
			p := &s.b.parts[i]
			if !p.active {
				continue
			}
			if closing, ok := isDelimiter(l.text, p.boundary); ok && (closing || !p.full) {
				s.delimit(k, l, closing)
				return true
			}
		}
	}
	if !s.heading {
		s.armor(l)
	}
	return false
}

// isDelimiter tells whether line is a delimiter of boundary (RFC 2046 section 5.1.1).
func isDelimiter(line []byte, boundary string) (closing, ok bool) {
	if len(line) < 2+len(boundary) || string(line[2:2+len(boundary)]) != boundary {
		return false, false
	}
	rest := bytes.TrimRight(line[2+len(boundary):], " \t\r\n")
	if closing = bytes.HasPrefix(rest, []byte("--")); closing {
		rest = bytes.TrimLeft(rest[2:], " \t")
	}
	return closing, len(rest) == 0
}

// armor notes what an armor begins with.
func (s *bodyScan) armor(l bodyLine) {
	if bytes.HasPrefix(l.text, []byte("-----BEGIN PGP ")) {
		s.current().pgp = true
	}
}

// delimit ends what is being read at a delimiter of the k-th part of path, and begins the next part of that.
func (s *bodyScan) delimit(k int, l bodyLine, closing bool) {
	i := s.path[k]
	p := &s.b.parts[i]
	at := max(l.at-l.before, p.next)
	s.finish(k+1, at)
	p.next = l.end()
	next := bodyPart{delimiter: at, line: l.at, start: l.end(), body: l.end(), torn: !bytes.HasSuffix(l.text, []byte("\n"))}
	switch {
	case closing && p.leaf(): // it has no parts, and stays what it is
		p.active = false
	case closing:
		p.active, p.closed, p.closing, p.closingLine = false, true, at, l.at
	case s.left == 0:
		p.full, s.b.limited = true, true
		next.bodyInfo = bodyInfo{kind: "application/octet-stream", opaque: true}
		s.child(i, next)
		s.heading = false
	default:
		s.left--
		s.child(i, next)
	}
}

func (s *bodyScan) child(parent int, p bodyPart) {
	p.parent = parent
	s.b.parts[parent].children = append(s.b.parts[parent].children, len(s.b.parts))
	s.push(p)
}

// finish ends the parts of path from the k-th on. A line end before a delimiter belongs to that, so what was
// read of a part may end before its last line does.
func (s *bodyScan) finish(k int, end int64) {
	for _, i := range s.path[k:] {
		p := &s.b.parts[i]
		p.torn = p.torn || p.start > end
		if p.start = min(p.start, end); s.heading && i == s.path[len(s.path)-1] {
			s.head = s.head[:min(int64(len(s.head)), end-p.start)]
			s.headEnd(p.start + int64(len(s.head)))
			s.b.limited = s.b.limited || p.opaque
		}
		if p.body > end {
			p.body, p.blank = end, false
		}
		p.end, p.active = end, false
		p.closing, p.closingLine = min(p.closing, end), min(p.closingLine, end)
	}
	s.path = s.path[:k]
}
