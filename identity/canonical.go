package identity

import (
	"bytes"
	"crypto/sha256"
	"hash"
	"io"
)

// BodyHash is the SHA-256 of a body in relaxed canonicalisation (RFC 6376 section
// 3.4.4). It is the same for all copies of a post whose bodies are the same.
type BodyHash [sha256.Size]byte

// HashBody reads a body to its end, in constant memory. It hashes what will be on
// the wire: a bare LF counts as CRLF and a bare CR as a blank. The error is r's.
func HashBody(r io.Reader) (BodyHash, error) {
	b := relaxedBody{hash: sha256.New(), out: make([]byte, 0, bodyBuffer)}
	if _, err := io.CopyBuffer(&b, struct{ io.Reader }{r}, make([]byte, bodyBuffer)); err != nil {
		return BodyHash{}, err
	}
	return b.sum(), nil
}

const bodyBuffer = 32 << 10

// relaxedBody canonicalises what is written to it into a hash.
type relaxedBody struct {
	hash   hash.Hash
	out    []byte // not hashed yet
	any    bool   // there was text
	breaks int64  // line ends since the last text
	blank  bool   // blanks since the last text or line end
	cr     bool   // the last octet was a CR; the next one decides
}

// Write never fails.
func (b *relaxedBody) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		end := bytes.IndexByte(p, '\n') + 1
		if end == 0 {
			b.slow(p)
			break
		}
		switch line := p[:end]; {
		case !b.cr && string(line) == "\r\n":
			b.newline()
		case b.cr || b.blank || !b.line(line):
			b.slow(line)
		}
		p = p[end:]
	}
	return n, nil
}

// line takes a line, or the rest of one, that has no two blanks in a row, no tab and
// no bare CR. Nearly all are such; it reports false for the others.
func (b *relaxedBody) line(line []byte) bool {
	text := bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
	if bytes.IndexByte(text, '\t') >= 0 || bytes.IndexByte(text, '\r') >= 0 || bytes.Contains(text, []byte("  ")) {
		return false
	}
	if text = bytes.TrimSuffix(text, []byte(" ")); len(text) > 0 {
		b.text(text)
	}
	b.newline()
	return true
}

// slow takes anything, octet by octet.
func (b *relaxedBody) slow(p []byte) {
	for len(p) > 0 {
		if b.cr {
			b.cr = false
			if b.blank = b.blank || p[0] != '\n'; p[0] == '\n' {
				b.newline()
				p = p[1:]
				continue
			}
		}
		switch p[0] {
		case '\n':
			b.newline()
			p = p[1:]
		case '\r':
			b.cr = true
			p = p[1:]
		case ' ', '\t':
			b.blank = true
			p = p[1:]
		default:
			end := 1
			for end < len(p) && !isSpace(p[end]) {
				end++
			}
			b.text(p[:end])
			p = p[end:]
		}
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

func (b *relaxedBody) newline() {
	b.breaks++
	b.blank = false
}

// text writes what was held back, and then canonical text.
func (b *relaxedBody) text(p []byte) {
	b.any = true
	for ; b.breaks > 0; b.breaks-- {
		b.put("\r\n")
	}
	if b.blank {
		b.put(" ")
		b.blank = false
	}
	if len(b.out)+len(p) > cap(b.out) {
		b.flush()
	}
	b.out = append(b.out, p...)
}

func (b *relaxedBody) put(s string) {
	if len(b.out)+len(s) > cap(b.out) {
		b.flush()
	}
	b.out = append(b.out, s...)
}

func (b *relaxedBody) flush() {
	b.hash.Write(b.out)
	b.out = b.out[:0]
}

// sum ends the last line; line ends after it, and a body of nothing else, are nothing.
func (b *relaxedBody) sum() (h BodyHash) {
	if b.any {
		b.put("\r\n")
	}
	b.flush()
	b.hash.Sum(h[:0])
	return h
}

// splitFields cuts a header block into its fields, up to a blank line.
func splitFields(head []byte) (fields [][]byte) {
	start := 0
	for at := 0; at < len(head); {
		end := len(head)
		if i := bytes.IndexByte(head[at:], '\n'); i >= 0 {
			end = at + i + 1
		}
		switch line := head[at:end]; {
		case isBlankLine(line):
			head = head[:at]
			end = at
		case at > start && !isSpace(line[0]): // a CR here is a blank on the wire
			fields = append(fields, head[start:at])
			start = at
		}
		if at = end; at == len(head) && at > start {
			fields = append(fields, head[start:])
		}
	}
	return fields
}

// appendRelaxed appends a field in relaxed canonicalisation (RFC 6376 section 3.4.2),
// without its line end. name is in lower case.
func appendRelaxed(dst []byte, name string, value []byte) []byte {
	dst = append(dst, name...)
	dst = append(dst, ':')
	start, blank := len(dst), false
	for _, c := range value {
		switch c {
		case ' ', '\t', '\r', '\n':
			blank = len(dst) > start
		default:
			if blank {
				dst = append(dst, ' ')
				blank = false
			}
			dst = append(dst, c)
		}
	}
	return dst
}
