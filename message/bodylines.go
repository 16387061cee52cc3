package message

import (
	"bytes"
	"io"
)

// bodyLines reads lines, and is fast where only those that start with two hyphens matter: in bodies.
type bodyLines struct {
	in   io.Reader
	buf  []byte
	base int64 // offset of buf[0]
	pos  int   // the next line
	n    int   // the end of what was read
	err  error // of in
}

// bodyLine is a line, or the beginning of one that is longer than the buffer. It is valid until the next is read.
type bodyLine struct {
	text   []byte // with its line end
	at     int64
	before int64 // octets of the line end before it
	whole  bool
}

func (l bodyLine) end() int64 { return l.at + int64(len(l.text)) }

// fill reads more, and keeps what is behind pos and the line end before it. False: the end, an error, or a full buffer.
func (s *bodyLines) fill() bool {
	if s.err != nil {
		return false
	}
	keep := max(s.pos-2, 0)
	copy(s.buf, s.buf[keep:s.n])
	s.base, s.pos, s.n = s.base+int64(keep), s.pos-keep, s.n-keep
	if s.n == len(s.buf) {
		return false
	}
	for range 100 {
		k, err := s.in.Read(s.buf[s.n:])
		s.n, s.err = s.n+k, err
		if k > 0 || err != nil {
			return k > 0
		}
	}
	s.err = io.ErrNoProgress
	return false
}

// next returns the line at pos and moves behind it; false at the end.
func (s *bodyLines) next() (l bodyLine, ok bool) {
	seen, found := 0, -1
	for {
		if found = bytes.IndexByte(s.buf[s.pos+seen:s.n], '\n'); found >= 0 {
			found += seen + 1
			break
		}
		if seen = s.n - s.pos; !s.fill() {
			break
		}
	}
	l = bodyLine{at: s.base + int64(s.pos), before: s.lineEnd(), whole: found >= 0 || s.err != nil}
	if found < 0 {
		found = s.n - s.pos
	}
	l.text = s.buf[s.pos : s.pos+found : s.pos+found]
	if s.pos += found; !l.whole {
		s.skip()
	}
	return l, found > 0
}

// lineEnd is the length of the line end before pos.
func (s *bodyLines) lineEnd() int64 {
	switch {
	case s.pos == 0 || s.buf[s.pos-1] != '\n':
		return 0
	case s.pos == 1 || s.buf[s.pos-2] != '\r':
		return 1
	}
	return 2
}

// skip moves behind the rest of a line.
func (s *bodyLines) skip() {
	for {
		if i := bytes.IndexByte(s.buf[s.pos:s.n], '\n'); i >= 0 {
			s.pos += i + 1
			return
		}
		if s.pos = s.n; !s.fill() {
			return
		}
	}
}

// seek moves from the start of a line to that of the first that begins with two hyphens; false: there is none.
func (s *bodyLines) seek() bool {
	for s.n-s.pos < 2 && s.fill() {
	}
	if bytes.HasPrefix(s.buf[s.pos:s.n], []byte("--")) {
		return true
	}
	for {
		if i := bytes.Index(s.buf[s.pos:s.n], []byte("\n--")); i >= 0 {
			s.pos += i + 1
			return true
		}
		s.pos = max(s.pos, s.n-2) // which may be the beginning of it
		if !s.fill() {
			s.pos = s.n
			return false
		}
	}
}
