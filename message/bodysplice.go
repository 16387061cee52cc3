package message

import (
	"bytes"
	"fmt"
	"io"
	"sort"
)

// spliced is Content made of stretches of another, of octets of ours, and of what is made while it is read.
type spliced struct {
	base   Content
	pieces []piece
	starts []int64 // of the pieces
	size   int64
}

// piece is size octets: text; or what create reads, the same each time; or those of the base from from on.
type piece struct {
	text   []byte
	create func() io.Reader
	from   int64
	size   int64
}

var _ Content = (*spliced)(nil)

// text adds octets of ours.
func (s *spliced) text(b []byte) {
	s.add(piece{text: b, size: int64(len(b))})
}

// keep adds octets of the base.
func (s *spliced) keep(from, to int64) {
	if n := len(s.pieces) - 1; n >= 0 && s.pieces[n].text == nil && s.pieces[n].create == nil && s.pieces[n].from+s.pieces[n].size == from {
		s.pieces[n].size += to - from
		s.size += to - from
		return
	}
	s.add(piece{from: from, size: to - from})
}

func (s *spliced) add(p piece) {
	if p.size > 0 {
		s.pieces, s.starts, s.size = append(s.pieces, p), append(s.starts, s.size), s.size+p.size
	}
}

// Size is in octets.
func (s *spliced) Size() int64 { return s.size }

// Reader returns a reader of the content from octet off.
func (s *spliced) Reader(off int64) io.Reader {
	r := &splicedReader{from: s, off: max(off, 0)}
	r.next = sort.Search(len(s.starts), func(i int) bool { return s.starts[i] > r.off })
	if r.next--; r.next < 0 {
		r.next = 0
	}
	return r
}

type splicedReader struct {
	from *spliced
	off  int64
	next int       // the piece that is opened next
	in   io.Reader // of the one before
	left int64     // of it
}

var _ io.WriterTo = (*splicedReader)(nil)

func (r *splicedReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for r.left == 0 {
		if err := r.open(); err != nil {
			return 0, err
		}
	}
	n, err := r.in.Read(p[:min(int64(len(p)), r.left)])
	r.left -= int64(n)
	r.off += int64(n)
	if err == io.EOF {
		if err = nil; r.left > 0 {
			err = io.ErrUnexpectedEOF
		}
	}
	return n, err
}

// open goes on to the next piece; io.EOF: there is none.
func (r *splicedReader) open() error {
	if r.next >= len(r.from.pieces) {
		return io.EOF
	}
	p, skip := r.from.pieces[r.next], r.off-r.from.starts[r.next]
	r.next++
	if skip >= p.size { // behind the end
		return nil
	}
	r.left = p.size - skip
	switch {
	case p.text != nil:
		r.in = bytes.NewReader(p.text[skip:])
	case p.create != nil:
		r.in = p.create()
		if _, err := io.CopyN(io.Discard, r.in, skip); err != nil {
			return fmt.Errorf("read again: %w", err)
		}
	default:
		r.in = r.from.base.Reader(p.from + skip)
	}
	return nil
}

// WriteTo writes the rest in large steps.
func (r *splicedReader) WriteTo(w io.Writer) (total int64, err error) {
	step := getBuffer(copySize)
	defer putBuffer(step)
	step = step[:cap(step)]
	for {
		n, err := r.Read(step)
		if n > 0 {
			k, werr := w.Write(step[:n])
			total += int64(k)
			if werr != nil {
				return total, werr
			}
		}
		switch err {
		case nil:
		case io.EOF:
			return total, nil
		default:
			return total, err
		}
	}
}
