package message

import (
	"bytes"
	"io"
	"strings"

	"superlistd/lists"
)

// addTexts puts header and footer where they harm nothing.
func (e *editor) addTexts() error {
	if e.header == "" && e.footer == "" || e.b.limited || e.b.depth >= MaxDepth || len(e.b.parts)+3 > MaxParts {
		return nil
	}
	i := e.place(0)
	d := e.info(i)
	leaf := e.b.parts[i].leaf()
	if encrypted(d.kind) || leaf && d.multipart() || d.kind == "message/partial" {
		return nil // it would be of no use any more, or is of none: RFC 2046 section 5.2.2 for the last
	}
	into, ok, err := e.inPlace(i, nil)
	switch {
	case err != nil:
		return err
	case ok:
		for _, t := range into {
			e.put(t)
		}
		return nil
	}
	if !leaf && (d.kind == "multipart/mixed" || e.changes[i].mixed) {
		e.changes[i].first, e.changes[i].last = textPart(e.header), textPart(e.footer)
	} else {
		e.wrapped = true
		e.note(Wrapped, 0)
	}
	if e.header != "" {
		e.note(HeaderAdded, 0)
	}
	if e.footer != "" {
		e.note(FooterAdded, 0)
	}
	return nil
}

// textPart is a part of ours, with its header; nil for no text.
func textPart(text string) []byte {
	if text == "" {
		return nil
	}
	m := makeText(text)
	var part []byte
	for _, f := range m.fields {
		part = append(part, f.raw...)
	}
	return append(append(part, '\r', '\n'), bytes.TrimSuffix(m.pieces[0].text, []byte("\r\n"))...)
}

// textInto is what goes into one part.
type textInto struct {
	part          int
	before, after inserted
	eight         bool // needs 8bit
}

// inPlace finds what to put into part i, or into the parts that a reader sees of it: each of the alternatives, and
// of what is related the root. False: it cannot be done, in one of them at least.
func (e *editor) inPlace(i int, into []textInto) ([]textInto, bool, error) {
	p, d := &e.b.parts[i], e.info(i)
	if !p.leaf() {
		left := e.left(i)
		switch {
		case e.changes[i].mixed:
			return nil, false, nil
		case d.kind == "multipart/related":
			left = left[:1] // RFC 2387 section 3.2: where "start" names another, that is not HTML by habit
		case d.kind != "multipart/alternative":
			return nil, false, nil
		}
		for _, c := range left {
			var ok bool
			var err error
			if into, ok, err = e.inPlace(e.place(c), into); err != nil || !ok {
				return nil, false, err
			}
		}
		return into, true, nil
	}
	if e.changes[i].made == nil && (p.opaque || p.attached() || !p.blank && i != 0) {
		return nil, false, nil
	}
	var t textInto
	ok, err := false, error(nil)
	switch {
	case d.kind == "text/plain":
		t, ok, err = e.intoPlain(i)
	case d.kind == "text/html":
		t, ok, err = e.intoHTML(i)
	}
	return append(into, t), ok, err
}

// put notes what goes into a part.
func (e *editor) put(t textInto) {
	c := &e.changes[t.part]
	c.before, c.after, c.eight = t.before, t.after, t.eight
	for _, x := range []struct {
		op   BodyOp
		text inserted
	}{{HeaderPut, t.before}, {FooterPut, t.after}} {
		if len(x.text.text) == 0 {
			continue
		}
		e.note(x.op, t.part)
		e.eightBit = e.eightBit || !lists.IsASCII(x.text.text)
	}
}

// intoPlain writes the texts for a text/plain, in its charset and transfer encoding. A blank line stands between them and
// what is there: it also ends a paragraph that format=flowed would let go on.
func (e *editor) intoPlain(i int) (t textInto, ok bool, err error) {
	d, p, made := e.info(i), &e.b.parts[i], e.changes[i].made
	if d.encoding != "" && d.encoding != "quoted-printable" || d.binary || made == nil && p.pgp {
		return t, false, nil
	}
	tail := []byte("made\r\n")
	if made == nil {
		if tail, err = e.b.tail(i); err != nil {
			return t, false, err
		}
	}
	lone := i == e.place(0)
	t = textInto{part: i, before: inserted{at: p.body}, after: inserted{at: p.end}}
	for _, x := range []struct {
		into *inserted
		text string
	}{{&t.before, e.header}, {&t.after, e.footer}} {
		if x.text == "" {
			continue
		}
		b, eight, ok := e.written(i, x.text, lone)
		if !ok {
			return t, false, nil
		}
		t.eight = t.eight || eight
		if x.into == &t.before {
			x.into.text = append(b, "\r\n\r\n"...)
			continue
		}
		x.into.text = append(append(x.into.text, separator(tail, d.encoding)...), b...)
		if lone {
			x.into.text = append(x.into.text, "\r\n"...)
		}
	}
	return t, true, nil
}

// written is a text for part i. False: it cannot be written there, or would be taken for a delimiter.
func (e *editor) written(i int, text string, lone bool) (b []byte, eight, ok bool) {
	d := e.info(i)
	if d.flowed {
		text = stuffed(text)
	}
	b, ok = encodeCharset(d.charset, text)
	switch {
	case !ok:
		return nil, false, false
	case d.encoding != "":
		return quoted(string(b)), false, true
	}
	b = []byte(crlf(string(b)))
	if !lists.IsASCII(b) && !d.eightBit {
		return b, true, lone // the multiparts around it would have to say so, too
	}
	return b, false, lone || !e.delimits(i, text)
}

// delimits tells whether a line of text is, or begins like, a delimiter around part i.
func (e *editor) delimits(i int, text string) bool {
	for l := range strings.SplitSeq(text, "\n") {
		if !strings.HasPrefix(l, "--") {
			continue
		}
		for a := e.b.parts[i].parent; a >= 0; a = e.b.parts[a].parent {
			if b := e.b.parts[a].boundary; b != "" && strings.HasPrefix(l[2:], b) {
				return true
			}
		}
	}
	return false
}

// maxTail is how much of the end of a text is looked at.
const maxTail = 256

// tail is the end of a part's body.
func (b *Body) tail(i int) ([]byte, error) {
	p := &b.parts[i]
	tail := make([]byte, min(p.size(), maxTail))
	_, err := io.ReadFull(b.content.Reader(p.end-int64(len(tail))), tail)
	return tail, err
}

// separator is what makes a blank line behind a body that ends with tail.
func separator(tail []byte, encoding string) string {
	if len(tail) == 0 {
		return ""
	}
	lines := 2
	if last, ok := bytes.CutSuffix(tail, []byte("\n")); ok {
		lines--
		last = bytes.TrimSuffix(last, []byte("\r"))
		if len(last) == 0 && len(tail) < maxTail || bytes.HasSuffix(last, []byte("\n")) {
			lines--
		}
	}
	if encoding != "" && bytes.HasSuffix(bytes.TrimRight(tail, " \t\r\n"), []byte("=")) {
		lines = 2 // a soft line break, which takes the line end behind it
		if bytes.HasSuffix(tail, []byte("\n")) {
			lines--
		}
		lines++
	}
	return strings.Repeat("\r\n", lines)
}

// crlf is text with the line ends of mail.
func crlf(text string) string { return strings.ReplaceAll(text, "\n", "\r\n") }

// plainEnough tells a text that needs no encoding, and that is no delimiter of anything: a boundary may be anything but blanks.
func plainEnough(text string) bool {
	for l := range strings.SplitSeq(text, "\n") {
		if len(l) > 900 || strings.HasPrefix(l, "--") && l != "-- " && l != "--" {
			return false
		}
	}
	return lists.IsASCII(text)
}
