package message

import (
	"bytes"
	"io"
	"strings"
)

// Limits of Parse. What is beyond is one leaf, with its octets as they came.
const (
	// MaxDepth is how deep multiparts may lie in one another.
	MaxDepth = 32
	// MaxParts is how many parts, multiparts included, a message may have.
	MaxParts = 1000
)

// Message is a whole message in memory: the header and the MIME parts by their place in the octets. Nothing is decoded,
// no input is an error, and what was not edited is written as it came.
type Message struct {
	Part
	// Limited: there is more to it than MaxDepth or MaxParts let see.
	Limited bool
}

// Part is a header and what belongs to it: a body, or, of a multipart that has at least one part, the parts.
// RFC 2046 section 5.1.1: the line end before a delimiter belongs to the delimiter.
type Part struct {
	Header   Header
	Type     string // "text/plain", lower case; what RFC 2045 section 5.2 assumes if there is none or it is unreadable
	Body     []byte // as it came, no transfer encoding taken off; empty if there are Parts
	Parts    []*Part
	Preamble []byte // between the header and the first delimiter
	Epilogue []byte // behind the closing delimiter

	delimiter []byte // the line that begins this part, with the line end before it
	closing   []byte // the line that ends the last of Parts; empty if it is missing
}

// Parse reads a message. The result shares raw, but appending to any slice of it does not change another.
func Parse(raw []byte) *Message {
	p := parser{left: MaxParts - 1}
	m := &Message{}
	p.part(&m.Part, raw[:len(raw):len(raw)], "text/plain", 0)
	m.Limited = p.limited
	return m
}

type parser struct {
	left    int
	limited bool
}

// part fills dst, which is all of raw. assumed is its type when it names none.
func (p *parser) part(dst *Part, raw []byte, assumed string, depth int) {
	dst.Header = ParseHeader(raw)
	dst.Body = raw[dst.Header.Len():]
	dst.Type = assumed
	vs := dst.Header.Values("Content-Type")
	if len(vs) == 0 {
		return
	}
	ct := parseContentType(vs[0])
	if ct.kind != "" {
		dst.Type = ct.kind
	}
	boundary := strings.TrimRight(ct.param("boundary"), " ") // RFC 2046: it never ends with a blank
	if !ct.multipart() || boundary == "" {
		return
	}
	if depth >= MaxDepth {
		p.limited = true
		return
	}
	p.split(dst, boundary, depth)
}

// split cuts the body of dst at the delimiters. Without a delimiter it stays a body.
func (p *parser) split(dst *Part, boundary string, depth int) {
	body := dst.Body
	d := findDelimiter(body, 0, boundary)
	if d.start < 0 || d.closing {
		return
	}
	assumed := "text/plain"
	if dst.Type == "multipart/digest" {
		assumed = "message/rfc822" // RFC 2046 section 5.1.5
	}
	dst.Preamble, dst.Body = body[:d.start:d.start], nil
	for {
		if p.left == 0 {
			p.limited = true
			dst.Epilogue = body[d.start:]
			return
		}
		p.left--
		next := findDelimiter(body, d.end, boundary)
		end := next.start
		if end < 0 {
			end = len(body)
		}
		child := &Part{delimiter: body[d.start:d.end:d.end]}
		p.part(child, body[d.end:end:end], assumed, depth+1)
		dst.Parts = append(dst.Parts, child)
		switch {
		case next.start < 0:
			return
		case next.closing:
			dst.closing, dst.Epilogue = body[next.start:next.end:next.end], body[next.end:]
			return
		}
		d = next
	}
}

// delimiter is a delimiter line of a multipart: from the line end before it to its own. start -1: there is none.
type delimiter struct {
	start, end int
	closing    bool
}

// findDelimiter finds the next delimiter line at or behind from, where a line begins.
func findDelimiter(body []byte, from int, boundary string) delimiter {
	mark := append([]byte("--"), boundary...)
	for pos := from; ; {
		i := bytes.Index(body[pos:], mark)
		if i < 0 {
			return delimiter{start: -1}
		}
		i += pos
		pos = i + 1
		if i > from && body[i-1] != '\n' {
			continue
		}
		line := firstLine(body[i:])
		rest := bytes.TrimRight(line[len(mark):], " \t\r\n")
		closing := bytes.HasPrefix(rest, []byte("--"))
		if closing {
			rest = bytes.TrimLeft(rest[2:], " \t")
		}
		if len(rest) > 0 { // a longer boundary that starts alike
			continue
		}
		d := delimiter{start: i, end: i + len(line), closing: closing}
		for _, c := range []byte("\n\r") {
			if d.start > from && body[d.start-1] == c {
				d.start--
			}
		}
		return d
	}
}

// AppendTo appends the part with all in it to dst, as it is written in a message.
func (p *Part) AppendTo(dst []byte) []byte {
	dst = p.Header.AppendTo(dst)
	if len(p.Parts) == 0 {
		return append(dst, p.Body...)
	}
	dst = append(dst, p.Preamble...)
	for _, c := range p.Parts {
		dst = c.AppendTo(append(dst, c.delimiter...))
	}
	return append(append(dst, p.closing...), p.Epilogue...)
}

// Bytes returns what AppendTo appends.
func (p *Part) Bytes() []byte { return p.AppendTo(nil) }

// WriteTo writes what AppendTo appends, without a copy of the bodies.
func (p *Part) WriteTo(w io.Writer) (n int64, err error) {
	put := func(b []byte) {
		if err == nil && len(b) > 0 {
			var k int
			k, err = w.Write(b)
			n += int64(k)
		}
	}
	put(p.Header.Bytes())
	put(p.Body)
	put(p.Preamble)
	for _, c := range p.Parts {
		put(c.delimiter)
		if err == nil {
			var k int64
			k, err = c.WriteTo(w)
			n += k
		}
	}
	put(p.closing)
	put(p.Epilogue)
	return n, err
}

// Walk calls f for the part and all below it, in the order of the message, until f returns false.
func (p *Part) Walk(f func(*Part) bool) bool {
	if !f(p) {
		return false
	}
	for _, c := range p.Parts {
		if !c.Walk(f) {
			return false
		}
	}
	return true
}

// Param returns a parameter of the Content-Type, unquoted and else as it came; of several of that name the first.
func (p *Part) Param(name string) string {
	if vs := p.Header.Values("Content-Type"); len(vs) > 0 {
		return parseContentType(vs[0]).param(name)
	}
	return ""
}
