package wire

import (
	"bufio"
	"io"
)

// shortRun is the length below which WriteTo gathers runs before it writes them.
const shortRun = 256

// DotReader reads the content of a DATA command: canonical (CRLF line ends only)
// and un-stuffed. The end of data is exactly CRLF.CRLF, or ".CRLF" as the first
// line (RFC 5321 section 4.1.1.4); nothing else is, and the end of input never.
// It takes no octet after the end of data from its bufio.Reader, so the next
// command is read from there; before io.EOF nobody else may read it.
type DotReader struct {
	r      *bufio.Reader
	run    []byte // canonical octets, not yet handed out
	held   int    // octets of r that run stands for; discarded before the next run
	start  bool   // at the start of a line that follows a true CRLF, or of the content
	err    error  // how it ended, for good
	lit    [2]byte
	gather [4 * shortRun]byte
}

// NewDotReader returns a DotReader at the first octet after the reply 354.
func NewDotReader(r *bufio.Reader) *DotReader {
	d := new(DotReader)
	d.Reset(r)
	return d
}

// Reset makes d ready for another message from r.
func (d *DotReader) Reset(r *bufio.Reader) {
	d.r, d.run, d.held, d.start, d.err = r, nil, 0, true, nil
}

// Read reads canonical, un-stuffed octets. It returns io.EOF after the end of
// data and io.ErrUnexpectedEOF if r ends first. Every error is final until
// Reset: content that broke off can never look finished.
func (d *DotReader) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		if len(d.run) == 0 {
			if n > 0 && d.mayBlock() {
				break
			}
			if d.next(); d.err != nil {
				break
			}
		}
		k := copy(p[n:], d.run)
		d.run = d.run[k:]
		n += k
	}
	if n == 0 && len(p) > 0 {
		return 0, d.err
	}
	return n, nil
}

// mayBlock is true when the next run may need more than r holds.
func (d *DotReader) mayBlock() bool { return d.r.Buffered()-d.held < len(EndOfData) }

// WriteTo writes what Read would read, without a copy for long runs, until the
// end of data, which is no error. A *WriteError tells that w failed; the octets
// given to w count as read, and d may be read on, to leave r in step.
func (d *DotReader) WriteTo(w io.Writer) (int64, error) {
	var total int64
	write := func(b []byte) error {
		n, err := w.Write(b)
		total += int64(n)
		if err == nil && n < len(b) {
			err = io.ErrShortWrite
		}
		if err != nil {
			return &WriteError{Err: err}
		}
		return nil
	}
	gathered := d.gather[:0]
	for {
		if len(d.run) == 0 {
			d.next()
		}
		run := d.run
		d.run = nil
		short := 0 < len(run) && len(run) < shortRun
		if len(gathered) > 0 && (!short || len(gathered)+len(run) > cap(gathered)) {
			if err := write(gathered); err != nil {
				return total, err
			}
			gathered = gathered[:0]
		}
		switch {
		case short:
			gathered = append(gathered, run...)
		case len(run) > 0:
			if err := write(run); err != nil {
				return total, err
			}
		case d.err == io.EOF:
			return total, nil
		default:
			return total, d.err
		}
	}
}

// WriteError is an error of the writer given to DotReader.WriteTo, as opposed to
// one of the connection that is read.
type WriteError struct{ Err error }

func (e *WriteError) Error() string { return "write content: " + e.Err.Error() }

// Unwrap returns the error of the writer.
func (e *WriteError) Unwrap() error { return e.Err }

// next finds the next run: either octets of r's buffer as they are, or what
// stands for one line end or CR that was not canonical. It sets run or err.
func (d *DotReader) next() {
	if d.err != nil {
		return
	}
	d.discard(d.held)
	d.held = 0
	if d.start && d.openLine() != nil {
		return
	}
	if _, err := d.peek(1); err != nil {
		return
	}
	b, _ := d.r.Peek(d.r.Buffered())
	if n := canonical(b); n > 0 {
		d.run, d.held, d.start = b[:n], n, b[n-1] == '\n'
		return
	}
	d.mend(b[0])
}

// openLine looks for a dot at the start of a line: the end of data, or one dot
// to take off (RFC 5321 section 4.5.2). It returns d.err.
func (d *DotReader) openLine() error {
	b, err := d.peek(1)
	if err != nil || b[0] != '.' {
		return err
	}
	if b, err = d.peek(2); err != nil {
		return err
	}
	if b[1] == '\r' {
		if b, err = d.peek(3); err != nil {
			return err
		}
		if b[2] == '\n' {
			d.discard(len(EndOfData))
			d.err = io.EOF
			return d.err
		}
	}
	d.discard(1)
	d.start = false
	return nil
}

// mend makes a run for the octet c, a LF or a CR, that opens r's buffer.
func (d *DotReader) mend(c byte) {
	d.start = false
	if c == '\n' {
		d.lit = [2]byte{'\r', '\n'}
		d.run, d.held = d.lit[:], 1
		return
	}
	b, err := d.peek(2) // is it the CR of a CRLF?
	if err != nil {
		return
	}
	if b[1] == '\n' {
		d.run, d.held, d.start = b[:2], 2, true
		return
	}
	d.lit[0] = ' '
	d.run, d.held = d.lit[:1], 1
}

// peek waits for n octets, at most 3. What ends the input ends d.
func (d *DotReader) peek(n int) ([]byte, error) {
	b, err := d.r.Peek(n)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		d.err = err
	}
	return b, err
}

// discard drops n octets that were peeked at; that cannot fail.
func (d *DotReader) discard(n int) { _, _ = d.r.Discard(n) }
