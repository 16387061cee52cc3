package message

import (
	"bytes"
	"io"
	"slices"
)

const (
	maxMade  = 1 << 20  // octets of text made of HTML that are held; what is more is made again each time it is read
	maxHeld  = 64 << 10 // the same, of one part
	maxBlank = 4 << 10  // octets of a text that are looked at to see whether it is empty
)

// toPlain turns HTML into text: where an alternative has plain text beside it, that is kept and the HTML goes; else text is made of
// it. What else lies beside the HTML, pictures or files, stays. Nothing sealed is touched.
func (e *editor) toPlain() error {
	texts := make(map[int]besideHTML)
	for _, i := range e.b.leaves {
		if !e.b.parts[i].html() || e.changes[i].made != nil || e.b.sealed(i) {
			continue
		}
		a, err := e.textBeside(i, texts)
		switch {
		case err != nil:
			return err
		case a < 0:
			if err := e.makePlain(i); err != nil {
				return err
			}
			e.changes[i].lost = true
			continue
		}
		e.changes[i].dropped = true
		e.note(HTMLDropped, i)
		for p := i; p != a; p = e.b.parts[p].parent {
			e.changes[p].lost = true
		}
	}
	e.closeUp()
	return nil
}

// besideHTML is what plain text an alternative has: a part with something in it, -1: none, and those without.
type besideHTML struct {
	text  int
	empty []int
}

// textBeside is the nearest alternative around part i that has plain text, -1: none. What plain text with nothing in it
// is met on the way is dropped then, since text will be made of part i.
func (e *editor) textBeside(i int, texts map[int]besideHTML) (int, error) {
	for a := e.b.parts[i].parent; a >= 0; a = e.b.parts[a].parent {
		if e.b.parts[a].kind != "multipart/alternative" {
			continue
		}
		beside, known := texts[a]
		if !known {
			var err error
			if beside, err = e.plainOf(a); err != nil {
				return -1, err
			}
		}
		if beside.text >= 0 {
			texts[a] = beside
			return a, nil
		}
		for _, k := range beside.empty {
			e.changes[k].dropped = true
			e.note(EmptyDropped, k)
		}
		texts[a] = besideHTML{text: -1}
	}
	return -1, nil
}

// plainOf looks at the parts of an alternative.
func (e *editor) plainOf(a int) (besideHTML, error) {
	found := besideHTML{text: -1}
	for _, c := range e.b.parts[a].children {
		if !e.b.parts[c].plain() || e.changes[c].made != nil {
			continue
		}
		start := make([]byte, maxBlank)
		n, err := io.ReadFull(e.b.inText(c), start)
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			return found, err
		}
		if len(bytes.TrimSpace(start[:n])) > 0 {
			found.text = c
			return found, nil
		}
		found.empty = append(found.empty, c)
	}
	return found, nil
}

// makePlain puts the text of an HTML part in its place.
func (e *editor) makePlain(i int) error {
	create := func() io.Reader {
		return &quotingReader{in: newHTMLReader(bare(e.b.inText(i)), true)}
	}
	m := &madePart{bodyInfo: bodyInfo{kind: "text/plain", charset: "utf-8", encoding: "quoted-printable", flowed: true}}
	m.fields = textFields(&m.bodyInfo)
	in := create()
	held, err := io.ReadAll(io.LimitReader(in, int64(min(maxHeld, e.room))+1))
	if err != nil {
		return err
	}
	rest, err := io.Copy(io.Discard, in)
	if err != nil {
		return err
	}
	if rest == 0 && len(held) <= min(maxHeld, e.room) {
		e.room -= len(held)
		m.pieces = []piece{{text: slices.Clip(held), size: int64(len(held))}}
	} else {
		m.pieces = []piece{{create: create, size: int64(len(held)) + rest}}
	}
	e.changes[i].made = m
	e.note(HTMLToText, i)
	return nil
}

// closeUp mends the multiparts that lost a part: one that has nothing left goes, one that has a single part left
// gives way to it, and what no longer belongs to an HTML part, or is no alternative to a text, is mixed with it.
func (e *editor) closeUp() {
	for i := len(e.b.parts) - 1; i >= 0; i-- {
		p, c := &e.b.parts[i], &e.changes[i]
		if p.leaf() || e.b.sealed(i) {
			continue
		}
		left := e.left(i)
		switch {
		case len(left) == 0:
			c.dropped = true
			continue
		case len(left) == 1 && len(p.children) > 1:
			c.only = left[0]
			continue
		}
		switch p.kind {
		case "multipart/related":
			c.mixed = slices.ContainsFunc(p.children, func(k int) bool { return e.changes[k].lost || e.changes[k].dropped })
		case "multipart/alternative":
			c.mixed = slices.ContainsFunc(left, func(k int) bool { return e.changes[k].lost && e.changes[k].made == nil })
		}
	}
}
