package message

import (
	"bufio"
	"bytes"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/emersion/go-message/charset"
)

// octets are those of a body without its transfer encoding. place is where in the encoded body the one begins that was read
// last, after where it ends.
type octets interface {
	io.ByteReader
	place() int64
	after() int64
}

// decoded returns the octets of part i. Damage is no error: what cannot be decoded is passed on, or passed over.
func (b *Body) decoded(i int) octets {
	p := &b.parts[i]
	in := window{in: io.LimitReader(b.content.Reader(p.body), p.size())}
	switch p.encoding {
	case "quoted-printable":
		return &quotedReader{window: in}
	case "base64":
		return &base64Reader{window: in}
	}
	return &bareReader{in}
}

// bare returns the octets that in reads.
func bare(in io.Reader) octets { return &bareReader{window{in: in}} }

// window is a stretch of what is read: buf[pos:n].
type window struct {
	in     io.Reader
	buf    []byte
	pos, n int
	base   int64 // offset of buf[0]
	err    error
}

const windowSize = 4 << 10

// more reads on until k octets are there, false: there are not as many. What is before pos is forgotten.
func (w *window) more(k int) bool {
	if w.buf == nil {
		w.buf = make([]byte, windowSize)
	}
	copy(w.buf, w.buf[w.pos:w.n])
	w.base, w.n, w.pos = w.base+int64(w.pos), w.n-w.pos, 0
	for range 100 {
		if w.n >= k || w.err != nil {
			return w.n >= k
		}
		var got int
		got, w.err = w.in.Read(w.buf[w.n:])
		w.n += got
	}
	w.err = io.ErrNoProgress
	return w.n >= k
}

func (w *window) after() int64 { return w.base + int64(w.pos) }

// bareReader reads what is not encoded.
type bareReader struct{ window }

func (r *bareReader) ReadByte() (byte, error) {
	if r.pos == r.n && !r.more(1) {
		return 0, r.err
	}
	r.pos++
	return r.buf[r.pos-1], nil
}

func (r *bareReader) place() int64 { return r.after() - 1 }

func (r *bareReader) Read(p []byte) (int, error) {
	if r.pos == r.n && !r.more(1) {
		return 0, r.err
	}
	n := copy(p, r.buf[r.pos:r.n])
	r.pos += n
	return n, nil
}

// quotedReader undoes quoted-printable (RFC 2045 section 6.7). An "=" that means nothing stays.
type quotedReader struct {
	window
	size int // of what was read last, as it is encoded
}

func (r *quotedReader) place() int64 { return r.after() - int64(r.size) }

func (r *quotedReader) ReadByte() (byte, error) {
	for {
		if r.pos == r.n && !r.more(1) {
			return 0, r.err
		}
		c := r.buf[r.pos]
		r.pos++
		if r.size = 1; c != '=' {
			return c, nil
		}
		c, ok, err := r.escaped()
		if ok || err != nil {
			return c, err
		}
	}
}

// escaped reads what follows an "="; false: it was a soft line break.
func (r *quotedReader) escaped() (c byte, ok bool, err error) {
	const most = 32 // blanks behind a soft line break that are taken for transport padding
	if r.n-r.pos < most && !r.more(most) && r.err != io.EOF {
		return 0, false, r.err
	}
	ahead := r.buf[r.pos:min(r.pos+most, r.n)]
	if len(ahead) >= 2 {
		hi, ok1 := unhex(ahead[0])
		lo, ok2 := unhex(ahead[1])
		if ok1 && ok2 {
			r.pos, r.size = r.pos+2, 3
			return hi<<4 | lo, true, nil
		}
	}
	n := len(ahead) - len(bytes.TrimLeft(ahead, " \t\r"))
	switch {
	case n < len(ahead) && ahead[n] == '\n':
		r.pos += n + 1
	case n == len(ahead) && n < most: // the end
		r.pos += n
	default:
		return '=', true, nil
	}
	return 0, false, nil
}

// base64Reader undoes base64 (RFC 2045 section 6.8): what is not of its alphabet is passed over, and padding ends a group.
type base64Reader struct {
	window
	bits uint32
	have int // bits that wait
}

func (r *base64Reader) place() int64 { return r.after() } // nothing is put into it

func (r *base64Reader) ReadByte() (byte, error) {
	for r.have < 8 {
		if r.pos == r.n && !r.more(1) {
			return 0, r.err
		}
		c, v := r.buf[r.pos], 0
		r.pos++
		switch {
		case 'A' <= c && c <= 'Z':
			v = int(c - 'A')
		case 'a' <= c && c <= 'z':
			v = int(c-'a') + 26
		case '0' <= c && c <= '9':
			v = int(c-'0') + 52
		case c == '+':
			v = 62
		case c == '/':
			v = 63
		case c == '=':
			r.have = 0
			continue
		default:
			continue
		}
		r.bits, r.have = r.bits<<6|uint32(v), r.have+6
	}
	r.have -= 8
	return byte(r.bits >> r.have), nil
}

// reads makes an io.Reader of octets.
func reads(in octets) io.Reader {
	if r, ok := in.(io.Reader); ok {
		return r
	}
	return octetReader{in}
}

type octetReader struct{ in octets }

func (r octetReader) Read(p []byte) (n int, err error) {
	for n < min(len(p), 1<<10) { // not more than may be wanted
		c, err := r.in.ReadByte()
		if err != nil {
			return n, err
		}
		p[n] = c
		n++
	}
	return n, nil
}

// inText returns the UTF-8 of part i. Of an HTML part that names no charset, what it says of itself is believed.
func (b *Body) inText(i int) *bufio.Reader {
	p := &b.parts[i]
	in := bufio.NewReader(reads(b.decoded(i)))
	name := p.charset
	if name == "" && isHTML(p.kind) {
		ahead, _ := in.Peek(1024)
		name = metaCharset(ahead)
	}
	switch name {
	case "", "us-ascii", "ascii", "utf-8", "utf8":
		return bufio.NewReader(&lenientReader{in: in})
	}
	r, err := charset.Reader(name, in)
	if err != nil {
		return bufio.NewReader(&lenientReader{in: in})
	}
	return bufio.NewReader(r)
}

// metaCharset finds <meta charset=…> and its older form at the beginning of an HTML document.
func metaCharset(ahead []byte) string {
	m := metaPattern.FindSubmatch(ahead)
	if m == nil {
		return ""
	}
	name := strings.ToLower(string(m[1]))
	if strings.HasPrefix(name, "utf-16") {
		return "" // it could not have been read: HTML, section "Determining the character encoding"
	}
	return name
}

var metaPattern = regexp.MustCompile(`(?i)<meta[^>]{0,200}charset\s*=\s*["']?([-\w:.+]{1,40})`)

// lenientReader reads UTF-8, and what is not that as windows-1252, which is what most of it is.
type lenientReader struct {
	in   *bufio.Reader
	held []byte
}

func (r *lenientReader) Read(p []byte) (n int, err error) {
	n = copy(p, r.held)
	r.held = r.held[n:]
	var buf [utf8.UTFMax]byte
	p = p[:max(n, min(len(p), 1<<10))]
	for n < len(p) {
		if k := r.ascii(p[n:]); k > 0 {
			n += k
			continue
		}
		c, size, err := r.in.ReadRune()
		if err != nil {
			return n, err
		}
		if c == utf8.RuneError && size == 1 {
			r.in.UnreadRune()
			octet, _ := r.in.ReadByte()
			c = windows1252(octet)
		}
		k := utf8.EncodeRune(buf[:], c)
		done := copy(p[n:], buf[:k])
		n += done
		if r.held = append(r.held[:0], buf[done:k]...); len(r.held) > 0 {
			return n, nil
		}
	}
	return n, nil
}

// ascii reads what needs no look, as far as it is at hand.
func (r *lenientReader) ascii(p []byte) int {
	ahead, _ := r.in.Peek(min(r.in.Buffered(), len(p)))
	n := 0
	for n < len(ahead) && ahead[n] < utf8.RuneSelf {
		n++
	}
	copy(p, ahead[:n])
	r.in.Discard(n)
	return n
}

// windows1252 is the character of an octet beyond ASCII.
func windows1252(c byte) rune {
	const row = "€\u0081‚ƒ„…†‡ˆ‰Š‹Œ\u008dŽ\u008f\u0090‘’“”•–—˜™š›œ\u009džŸ"
	if c < 0x80 || c >= 0xa0 {
		return rune(c)
	}
	return []rune(row)[c-0x80]
}
