package message

import (
	"fmt"
	"io"
)

// reader reads a Spool from an offset on.
type reader struct {
	spool *Spool
	off   int64
}

var _ io.WriterTo = (*reader)(nil)

// copySize is the size of the steps in which a file is copied to a writer.
const copySize = 32 << 10

func (r *reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	file, stored, buf, err := r.spool.hold()
	if err != nil {
		return 0, err
	}
	defer r.spool.release()
	if r.off < stored {
		n, err := readAt(file, p[:min(int64(len(p)), stored-r.off)], r.off)
		r.off += int64(n)
		return n, err
	}
	if r.off-stored >= int64(len(buf)) {
		return 0, io.EOF
	}
	n := copy(p, buf[r.off-stored:])
	r.off += int64(n)
	return n, nil
}

func (r *reader) WriteTo(w io.Writer) (int64, error) {
	file, stored, buf, err := r.spool.hold()
	if err != nil {
		return 0, err
	}
	defer r.spool.release()
	start := r.off
	if r.off < stored {
		step := getBuffer(copySize)
		defer putBuffer(step)
		step = step[:copySize]
		for r.off < stored {
			n, err := readAt(file, step[:min(int64(len(step)), stored-r.off)], r.off)
			if err != nil {
				return r.off - start, err
			}
			if err := r.put(w, step[:n]); err != nil {
				return r.off - start, err
			}
		}
	}
	if rest := r.off - stored; rest < int64(len(buf)) {
		if err := r.put(w, buf[rest:]); err != nil {
			return r.off - start, err
		}
	}
	return r.off - start, nil
}

// put writes p and moves on by what was written.
func (r *reader) put(w io.Writer, p []byte) error {
	n, err := w.Write(p)
	r.off += int64(n)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	return err
}

// readAt fills p from a file that must hold it: its end is a fault here, never the end of the content.
func readAt(file io.ReaderAt, p []byte, off int64) (int, error) {
	n, err := file.ReadAt(p, off)
	if n == len(p) {
		return n, nil
	}
	if err == nil || err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, fmt.Errorf("spool: %w", err)
}
