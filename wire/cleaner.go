package wire

// Cleaner makes raw octets of BDAT chunks canonical: bare LF becomes CRLF, bare
// CR a space. It remembers a CR at the end of a chunk; the zero value is ready.
type Cleaner struct {
	cr bool // the last octet was a CR; the next one decides
}

// Append appends the canonical form of src to dst.
func (c *Cleaner) Append(dst, src []byte) []byte {
	for len(src) > 0 {
		if c.cr {
			c.cr = false
			if src[0] == '\n' {
				dst = append(dst, "\r\n"...)
				src = src[1:]
				continue
			}
			dst = append(dst, ' ')
		}
		n := canonical(src)
		dst = append(dst, src[:n]...)
		if src = src[n:]; len(src) == 0 {
			break
		}
		switch src[0] {
		case '\n':
			dst = append(dst, "\r\n"...)
			src = src[1:]
		case '\r':
			c.cr = true
			src = src[1:]
		}
	}
	return dst
}

// Finish ends the content: a pending CR is bare, hence a space. The Cleaner is
// then ready for another message.
func (c *Cleaner) Finish(dst []byte) []byte {
	if c.cr {
		c.cr = false
		dst = append(dst, ' ')
	}
	return dst
}
