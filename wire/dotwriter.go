package wire

import "io"

// DotWriter stuffs content for a DATA command (RFC 5321 section 4.5.2). It also
// makes it canonical once more: whatever is written, only CRLF line ends leave,
// and no line that is a lone dot. It writes in pieces, so w should be buffered.
type DotWriter struct {
	w     io.Writer
	start bool // at the start of a line
	cr    bool // the last octet was a CR; the next one decides
	err   error
	lit   [2]byte
}

// NewDotWriter returns a DotWriter for one message.
func NewDotWriter(w io.Writer) *DotWriter {
	d := new(DotWriter)
	d.Reset(w)
	return d
}

// Reset makes d ready for another message to w.
func (d *DotWriter) Reset(w io.Writer) { d.w, d.start, d.cr, d.err = w, true, false, nil }

// Write writes p stuffed. It returns how many octets of p were taken; an error
// of w is final until Reset.
func (d *DotWriter) Write(p []byte) (int, error) {
	rest := p
	for len(rest) > 0 && d.err == nil {
		if d.cr {
			d.cr = false
			if rest[0] == '\n' {
				d.endLine()
				rest = rest[1:]
				continue
			}
			d.put(' ')
		}
		if d.start && rest[0] == '.' {
			d.put('.')
		}
		if n := canonical(rest); n > 0 {
			d.write(rest[:n])
			d.start = rest[n-1] == '\n'
			rest = rest[n:]
			continue
		}
		if rest[0] == '\n' {
			d.endLine()
		} else {
			d.cr = true
		}
		rest = rest[1:]
	}
	return len(p) - len(rest), d.err
}

// Finish ends an unfinished last line with CRLF; empty content stays empty. It
// never writes the dot: the dot is a decision (EndOfData). An earlier error of
// w comes back here.
func (d *DotWriter) Finish() error {
	if d.cr {
		d.cr = false
		d.put(' ')
	}
	if !d.start {
		d.endLine()
	}
	return d.err
}

func (d *DotWriter) endLine() {
	d.lit = [2]byte{'\r', '\n'}
	d.write(d.lit[:])
	d.start = true
}

func (d *DotWriter) put(c byte) {
	d.lit[0] = c
	d.write(d.lit[:1])
	d.start = false
}

func (d *DotWriter) write(b []byte) {
	if d.err != nil {
		return
	}
	n, err := d.w.Write(b)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	d.err = err
}
