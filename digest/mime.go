package digest

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"io"

	"superlistd/lists"
	"superlistd/message"
)

// mime compiles the issue as RFC 2046 section 5.1.5 has it: an introduction with the table of contents, the posts as they are, the
// words of the list.
func (i *issue) mime() ([]compiled, error) {
	entries, err := i.load()
	if err != nil {
		return nil, err
	}
	parts := i.split(entries, func(e *entry) int64 {
		switch {
		case i.reduced(e):
			return e.text + 2*maxReduced
		case e.global:
			return e.size + e.size/2 // base64
		}
		return e.size
	})
	var all []compiled
	for n, some := range parts {
		c, err := i.mimePart(n+1, len(parts), some)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, nil
}

func (i *issue) mimePart(part, parts int, entries []*entry) (compiled, error) {
	subject, intro, err := i.words(part, parts, entries)
	if err != nil {
		return compiled{}, err
	}
	c := compiled{ids: idsOf(entries), body: i.spool()}
	for _, e := range entries {
		c.eightBit = c.eightBit || e.eightBit && !e.global && !i.reduced(e)
	}
	encoding := encodingOf(c.eightBit)
	outer, inner := "=_"+i.b.Mark+"_mixed", "=_"+i.b.Mark+"_digest"
	c.head = i.head(subject, `multipart/mixed; boundary="`+outer+`"`, encoding)

	var b bytes.Buffer
	b.WriteString("--" + outer + "\r\n")
	b.Write(message.TextPart(intro))
	b.WriteString("\r\n--" + outer + "\r\nContent-Type: multipart/digest; boundary=\"" + inner + "\"\r\nContent-Transfer-Encoding: " + encoding + "\r\n")
	if _, err := b.WriteTo(c.body); err != nil {
		return compiled{}, err
	}
	for _, e := range entries {
		if err := i.mimePost(c.body, inner, e); err != nil {
			return compiled{}, err
		}
	}
	b.WriteString("\r\n--" + inner + "--\r\n")
	if i.l.Settings.Footer != "" {
		b.WriteString("\r\n--" + outer + "\r\n")
		b.Write(message.TextPart(i.l.Settings.Footer))
	}
	b.WriteString("\r\n--" + outer + "--\r\n")
	_, err = b.WriteTo(c.body)
	return c, err
}

// encodingOf is the Content-Transfer-Encoding of what holds others (RFC 2045 section 6.4).
func encodingOf(eightBit bool) string {
	if eightBit {
		return "8bit"
	}
	return "7bit"
}

// reduced tells a post that is too large for a mail of its own.
func (i *issue) reduced(e *entry) bool {
	room := i.room()
	return room > 0 && e.size > room/2
}

// mimePost writes one post.
func (i *issue) mimePost(w io.Writer, boundary string, e *entry) error {
	p, err := i.s.open(i.n, e.id)
	if err != nil {
		return err
	}
	defer p.close()
	kind, encoding := "message/rfc822", encodingOf(e.eightBit)
	if i.reduced(e) {
		if _, err := io.WriteString(w, "\r\n--"+boundary+"\r\nContent-Type: "+kind+"\r\n\r\n"); err != nil {
			return err
		}
		return i.reduce(w, p)
	}
	if e.global {
		kind, encoding = "message/global", "base64"
	}
	head := "\r\n--" + boundary + "\r\nContent-Type: " + kind + "\r\nContent-Transfer-Encoding: " + encoding + "\r\n\r\n"
	if _, err := io.WriteString(w, head); err != nil {
		return err
	}
	if e.global {
		return writeBase64(w, p.Reader(0))
	}
	_, err = io.Copy(w, p.Reader(0))
	return err
}

// writeBase64 writes a post of RFC 6532, which section 3.7 allows to be encoded: as it is, a server without SMTPUTF8 would refuse the whole
// digest for its sake.
func writeBase64(w io.Writer, post io.Reader) error {
	out := bufio.NewWriterSize(w, 16<<10)
	var raw [57]byte // in a line of 76 (RFC 2045 section 6.8)
	var line []byte
	for {
		n, err := io.ReadFull(post, raw[:])
		if n > 0 {
			line = append(base64.StdEncoding.AppendEncode(line[:0], raw[:n]), "\r\n"...)
			out.Write(line) // an error stays
		}
		switch err {
		case nil:
		case io.EOF, io.ErrUnexpectedEOF:
			return out.Flush()
		default:
			return err
		}
	}
}

// maxReduced is how large the header of a reduced post may be, in octets.
const maxReduced = 16 << 10

// reduce writes a post as its text, with its files named.
func (i *issue) reduce(w io.Writer, p *piece) error {
	h, err := message.ReadHeader(p)
	if err != nil && err != message.ErrHeader {
		return err
	}
	var head message.Header
	for _, name := range []string{"From", "Subject", "Date", "Message-ID", "In-Reply-To"} {
		if v := h.Values(name); len(v) > 0 && len(v[0]) < maxReduced/4 && lists.IsASCII(v[0]) {
			head.Append(name, v[0])
		}
	}
	head.Append("MIME-Version", "1.0")
	head.Append("Content-Type", "text/plain; charset=utf-8")
	head.Append("Content-Transfer-Encoding", "quoted-printable")
	if _, err := w.Write(append(head.Bytes(), "\r\n"...)); err != nil {
		return err
	}
	text := message.NewSpool(i.d.opts.Data, memory, 0)
	defer text.Close()
	if err := i.write(text, p, message.Header{}, i.mostText()); err != nil {
		return err
	}
	_, err = io.Copy(w, message.Quoting(text.Reader(0)))
	return err
}
