package message

import (
	"bytes"
	"io"
	"slices"
	"strings"
)

// write makes the message of what was decided.
func (e *editor) write() (Rewritten, error) {
	i := e.place(0)
	own, err := e.fieldsOf(i)
	if err != nil {
		return Rewritten{}, err
	}
	inner, boundary := contentFields(own), "=_"+e.b.mark
	h := e.b.header
	switch c := &e.changes[i]; {
	case e.wrapped:
		h = withContent(h, wrapping(e.info(i), boundary))
	case i != 0 || c.made != nil || c.mixed || c.eight:
		h = withContent(h, inner)
	}
	h.Delete("Content-MD5", "Content-Length") // of the body that was
	h = ended(h)
	s := &spliced{base: e.b.content}
	s.text(h.Bytes())
	if e.wrapped {
		s.text([]byte("--" + boundary + "\r\n"))
		if p := textPart(e.header); p != nil {
			s.text(slices.Concat(p, []byte("\r\n--"+boundary+"\r\n")))
		}
		s.text(rawFields(inner))
	}
	if err := e.body(s, i); err != nil {
		return Rewritten{}, err
	}
	if c := &e.changes[i]; i != 0 && !e.wrapped && c.made == nil && len(c.after.text) == 0 {
		s.text([]byte("\r\n")) // which belonged to the delimiter
	}
	if e.wrapped {
		if p := textPart(e.footer); p != nil {
			s.text(slices.Concat([]byte("\r\n--"+boundary+"\r\n"), p))
		}
		s.text([]byte("\r\n--" + boundary + "--\r\n"))
	}
	return Rewritten{
		Header: h, Body: s, BodyOffset: int64(h.Len()), Changed: true, Edits: e.edits, EightBit: e.eightBit,
	}, nil
}

// part writes part i, or what stands in its place, with its header.
func (e *editor) part(s *spliced, i int) error {
	i = e.place(i)
	p, c := &e.b.parts[i], &e.changes[i]
	if c.made == nil && !c.mixed {
		s.keep(p.start, p.body)
		return e.body(s, i)
	}
	fields, err := e.fieldsOf(i)
	if err != nil {
		return err
	}
	s.text(rawFields(fields))
	return e.body(s, i)
}

// body writes what is behind the header of part i.
func (e *editor) body(s *spliced, i int) error {
	p, c := &e.b.parts[i], &e.changes[i]
	switch {
	case !p.leaf():
		return e.multipart(s, i)
	case c.made != nil:
		s.text(c.before.text)
		for _, m := range c.made.pieces {
			s.add(m)
		}
		s.text(c.after.text)
		return nil
	}
	at := p.body
	for _, x := range []inserted{c.before, c.after} {
		if len(x.text) > 0 {
			s.keep(at, x.at)
			s.text(x.text)
			at = x.at
		}
	}
	s.keep(at, p.end)
	return nil
}

// multipart writes the parts that are left of part i, and those that the list adds.
func (e *editor) multipart(s *spliced, i int) error {
	p, c := &e.b.parts[i], &e.changes[i]
	begin := []byte("--" + p.boundary + "\r\n")
	first := e.b.parts[p.children[0]].delimiter
	s.keep(p.body, first)
	left := e.left(i)
	if c.first != nil {
		if first > p.body {
			s.text([]byte("\r\n"))
		}
		s.text(slices.Concat(begin, c.first))
		if k := &e.b.parts[left[0]]; k.delimiter == k.line {
			s.text([]byte("\r\n"))
		}
	}
	for _, k := range left {
		s.keep(e.b.parts[k].delimiter, e.b.parts[k].start)
		if e.b.parts[k].torn && e.changes[k].made != nil {
			s.text([]byte("\r\n"))
		}
		if err := e.part(s, k); err != nil {
			return err
		}
	}
	if c.last != nil {
		s.text(slices.Concat([]byte("\r\n"), begin, c.last))
		switch {
		case !p.closed:
			s.text([]byte("\r\n--" + p.boundary + "--\r\n"))
		case p.closing == p.closingLine:
			s.text([]byte("\r\n"))
		}
	}
	if p.closed {
		s.keep(p.closing, p.end)
	}
	return nil
}

// fieldsOf are the fields of the header of part i as they will be.
func (e *editor) fieldsOf(i int) ([]field, error) {
	p, c := &e.b.parts[i], &e.changes[i]
	if c.made != nil {
		return c.made.fields, nil
	}
	h := e.b.header
	if i != 0 {
		raw := make([]byte, p.body-p.start)
		if _, err := io.ReadFull(e.b.content.Reader(p.start), raw); err != nil {
			return nil, err
		}
		h = ParseHeader(raw)
	}
	if c.eight {
		h.Replace("Content-Transfer-Encoding", "8bit")
	}
	fields := slices.Clone(h.fields)
	if c.mixed {
		if n := slices.IndexFunc(fields, func(f field) bool { return f.is("Content-Type") }); n >= 0 {
			fields[n].raw = mixedType(fields[n].raw, p.kind)
		}
	}
	return fields, nil
}

// mixedType is a Content-Type field with its type made multipart/mixed, where that stands in one piece.
func mixedType(raw []byte, kind string) []byte {
	at := bytes.Index(bytes.ToLower(raw), []byte(kind))
	if at < 0 {
		return raw
	}
	return slices.Concat(raw[:at], []byte("multipart/mixed"), raw[at+len(kind):])
}

// contentFields are the fields that speak of a body (RFC 2045 section 3).
func contentFields(fields []field) []field {
	var all []field
	for _, f := range fields {
		if ofContent(f) {
			all = append(all, f)
		}
	}
	return all
}

func ofContent(f field) bool {
	const prefix = "content-"
	return f.name > len(prefix) && equalFold(f.raw[:len(prefix)], prefix)
}

// withContent is a header with other fields that speak of the body, where the first of those stood. They mean nothing
// without a MIME-Version.
func withContent(h Header, content []field) Header {
	if len(content) > 0 && !h.Has("MIME-Version") {
		version, _ := newField("MIME-Version", "1.0")
		content = append([]field{version}, content...)
	}
	fields := make([]field, 0, len(h.fields)+len(content))
	put := false
	for _, f := range h.fields {
		if !ofContent(f) {
			fields = append(fields, f)
			continue
		}
		if !put {
			fields, put = append(fields, content...), true
		}
	}
	if !put {
		fields = append(fields, content...)
	}
	for i := range fields {
		fields[i].raw = endLine(fields[i].raw)
	}
	h.fields = fields
	return h
}

// ended is a header that ends with an empty line, and whose last field ends with a line end.
func ended(h Header) Header {
	if n := len(h.fields); n > 0 {
		h.fields = slices.Clone(h.fields)
		h.fields[n-1].raw = endLine(h.fields[n-1].raw)
	}
	if len(h.blank) == 0 {
		h.blank = []byte("\r\n")
	}
	return h
}

// wrapping are the fields of a multipart/mixed around a body. RFC 2045 section 6.4: it has to own up to the octets of its parts.
func wrapping(d *bodyInfo, boundary string) []field {
	kind, _ := newField("Content-Type", `multipart/mixed; boundary="`+boundary+`"`)
	fields := []field{kind}
	for how, is := range map[string]bool{"8bit": d.eightBit, "binary": d.binary} {
		if is {
			f, _ := newField("Content-Transfer-Encoding", how)
			fields = append(fields, f)
		}
	}
	return fields
}

// rawFields are the octets of a header of these fields, with the empty line.
func rawFields(fields []field) []byte {
	var b strings.Builder
	for _, f := range fields {
		b.Write(endLine(f.raw))
	}
	b.WriteString("\r\n")
	return []byte(b.String())
}
