package message

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"sync"
)

// Spool holds the content of one message: in memory up to a size, above it in a file that has
// no name, so that nothing is left of it after Close, nor after a kill.
//
// One goroutine writes, and ends before the first Header, Reader or BodyOffset. From then on any
// number of goroutines may read.
type Spool struct {
	memory int
	limit  int64
	create func() (backing, error)

	// Content is the first stored octets of file, then buf.
	buf    []byte
	file   backing
	stored int64
	size   int64
	err    error // of an earlier Write

	mu      sync.Mutex // guards what follows
	header  *Header
	reading int // Readers that are looking at buf
	closed  bool
}

// backing is what Spool wants of its file.
type backing interface {
	io.Writer
	io.ReaderAt
	io.Closer
}

// NewSpool returns an empty spool. It holds up to memory octets in memory (at least 8 KiB), and what is more in a
// file in dir, made when it is needed (dir empty: the system's folder for such). Above limit octets
// Write returns ErrTooBig; 0 is no limit.
func NewSpool(dir string, memory int, limit int64) *Spool {
	return &Spool{
		memory: max(memory, smallest),
		limit:  limit,
		create: func() (backing, error) { return unnamedFile(dir) },
	}
}

// Write appends content. After an error, each further Write returns that error: ErrTooBig, or
// trouble with the file.
func (s *Spool) Write(p []byte) (int, error) {
	if s.err != nil {
		return 0, s.err
	}
	if s.limit > 0 && s.size > s.limit-int64(len(p)) {
		s.err = ErrTooBig
		return 0, s.err
	}
	done := 0
	for len(p) > done {
		if len(s.buf) == s.memory || len(s.buf) == cap(s.buf) {
			if s.err = s.room(); s.err != nil {
				return done, s.err
			}
		}
		n := copy(s.buf[len(s.buf):min(cap(s.buf), s.memory)], p[done:])
		s.buf = s.buf[:len(s.buf)+n]
		done += n
		s.size += int64(n)
	}
	return done, nil
}

// room makes the buffer larger, or empties it into the file once it may not grow.
func (s *Spool) room() error {
	if len(s.buf) < s.memory {
		larger := getBuffer(min(4*max(cap(s.buf), smallest/4), s.memory))
		larger = append(larger, s.buf...)
		putBuffer(s.buf)
		s.buf = larger
		return nil
	}
	if s.file == nil {
		f, err := s.create()
		if err != nil {
			return fmt.Errorf("spool: %w", err)
		}
		s.file = f
	}
	if n, err := s.file.Write(s.buf); err != nil {
		return fmt.Errorf("spool: %w", err)
	} else if n < len(s.buf) {
		return fmt.Errorf("spool: %w", io.ErrShortWrite)
	}
	s.stored += int64(len(s.buf))
	s.buf = s.buf[:0]
	return nil
}

// Size is the number of octets written.
func (s *Spool) Size() int64 { return s.size }

// Header returns the header of the message, in memory of its own that outlives Close. ErrHeader: it does not
// end within MaxHeader octets. Other errors are trouble with the file, or os.ErrClosed.
func (s *Spool) Header() (Header, error) {
	s.mu.Lock()
	h := s.header
	s.mu.Unlock()
	if h != nil {
		return *h, nil
	}
	for n := int64(16 << 10); ; n *= 4 {
		n = min(n, s.Size(), MaxHeader+1)
		h, ended, err := s.parse(n)
		switch {
		case err != nil:
			return Header{}, err
		case h.Len() > MaxHeader || !ended && n > MaxHeader:
			return Header{}, ErrHeader
		case ended || n == s.Size():
			s.mu.Lock()
			s.header = &h
			s.mu.Unlock()
			return h, nil
		}
	}
}

// parse reads the header in the first n octets; ended tells whether its end is among them.
func (s *Spool) parse(n int64) (h Header, ended bool, err error) {
	_, stored, raw, err := s.hold()
	if err != nil {
		return Header{}, false, err
	}
	defer s.release()
	if stored > 0 {
		raw = make([]byte, n)
		if _, err := io.ReadFull(s.Reader(0), raw); err != nil {
			return Header{}, false, err
		}
	}
	raw = raw[:n]
	size := ParseHeader(raw).Len()
	h = ParseHeader(bytes.Clone(raw[:size])) // so that nobody keeps, or sees, a buffer that is used again
	// Without an empty line, it is a line of body that ends the header, if all of that line is here.
	rest := raw[size:]
	return h, len(h.blank) > 0 || len(rest) > maxFieldName+1 || bytes.IndexByte(rest, '\n') >= 0, nil
}

// BodyOffset is where the body starts: behind the empty line, if there is one. 0 if Header fails.
func (s *Spool) BodyOffset() int64 {
	h, err := s.Header()
	if err != nil {
		return 0
	}
	return int64(h.Len())
}

// Reader returns a reader of the content from octet off. Readers do not disturb one another.
// It implements io.WriterTo, which writes content held in memory without copying it; io.Copy uses
// that. After Close it returns os.ErrClosed.
func (s *Spool) Reader(off int64) io.Reader { return &reader{spool: s, off: max(off, 0)} }

// Close gives memory and file back. Only the first call does something.
func (s *Spool) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	if s.err == nil {
		s.err = os.ErrClosed
	}
	if s.reading == 0 { // else a reader still looks at buf: it must not become another message's
		putBuffer(s.buf)
	}
	s.buf = nil
	if s.file == nil {
		return nil
	}
	return s.file.Close()
}

// hold returns what is to be read, and keeps buf from being used again until release.
func (s *Spool) hold() (file backing, stored int64, buf []byte, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, 0, nil, os.ErrClosed
	}
	s.reading++
	return s.file, s.stored, s.buf, nil
}

func (s *Spool) release() {
	s.mu.Lock()
	s.reading--
	s.mu.Unlock()
}
