package smtpclient

import (
	"io"

	"superlistd/wire"
)

// Content is what one message holds: Parts, then Body, then Tail. All octets go
// one behind the other, so that a part may end in mid-line. They should be
// canonical (CRLF line ends), as slices that many messages share usually are;
// they are made so once more, stuffed, and given a last line end on their way
// out. That is done for each message and costs less than keeping it: some
// 3 GB/s.
type Content struct {
	Parts [][]byte
	// Body is read to its end, after the next hop has taken the recipient; nil:
	// none. Without it, and up to 64 KiB, the content may leave by BDAT.
	Body io.Reader
	Tail [][]byte
}

// small tells whether the content is all in memory and fits into one write.
func (m *Content) small() bool {
	n := 0
	for _, p := range m.Parts {
		n += len(p)
	}
	for _, p := range m.Tail {
		n += len(p)
	}
	return m.Body == nil && n <= writeSize
}

// put passes the content through c.dot.
func (c *Conn) put(m *Content) error {
	for _, p := range m.Parts {
		if _, err := c.dot.Write(p); err != nil {
			return err
		}
	}
	if m.Body != nil {
		if err := c.putBody(m.Body); err != nil {
			return err
		}
	}
	for _, p := range m.Tail {
		if _, err := c.dot.Write(p); err != nil {
			return err
		}
	}
	return c.dot.Finish()
}

// putBody is io.CopyBuffer without the allocations.
func (c *Conn) putBody(r io.Reader) error {
	if w, ok := r.(io.WriterTo); ok {
		_, err := w.WriteTo(&c.dot)
		return err
	}
	if c.copied == nil {
		c.copied = make([]byte, copySize)
	}
	for {
		n, err := r.Read(c.copied)
		if _, werr := c.dot.Write(c.copied[:n]); werr != nil {
			return werr
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// appendContent makes the content canonical, as put does, but does not stuff it.
func appendContent(b []byte, m *Content) []byte {
	var clean wire.Cleaner
	from := len(b)
	for _, p := range m.Parts {
		b = clean.Append(b, p)
	}
	for _, p := range m.Tail {
		b = clean.Append(b, p)
	}
	if b = clean.Finish(b); len(b) > from && b[len(b)-1] != '\n' {
		b = append(b, "\r\n"...)
	}
	return b
}
