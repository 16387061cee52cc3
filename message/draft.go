package message

import (
	"bytes"

	"superlistd/lists"
)

// Op is what an Edit did.
type Op byte

// The edits: a field of ours, a field taken out, a field whose octets changed.
const (
	Add Op = iota + 1
	Remove
	Replace
)

// String is for logs and descriptions.
func (o Op) String() string {
	switch o {
	case Add:
		return "add"
	case Remove:
		return "remove"
	case Replace:
		return "replace"
	}
	return "unknown"
}

// Edit is one change that Dress made. Field is the name as it stands in the header, empty for a line end or the empty line
// behind the header. At is where in the new header New stands, or Old was. Old and New are whole fields with their line
// ends, nil where there is none, and share the memory of the incoming and the new header.
type Edit struct {
	Op       Op
	Field    string
	At       int
	Old, New []byte
}

// Undo gives back the header that the edits were made to. False: they are not the edits that made head, as far as octets tell.
func Undo(head []byte, edits []Edit) ([]byte, bool) {
	out := make([]byte, 0, len(head))
	from := 0
	for _, e := range edits {
		if e.At < from || e.At > len(head) || !bytes.HasPrefix(head[e.At:], e.New) {
			return nil, false
		}
		out = append(append(out, head[from:e.At]...), e.Old...)
		from = e.At + len(e.New)
	}
	return append(out, head[from:]...), true
}

// draft is a header in the making: what is kept, and a record of what is not.
type draft struct {
	out   []byte
	edits []Edit
}

func newDraft(room int) *draft {
	return &draft{out: make([]byte, 0, room), edits: make([]Edit, 0, 24)}
}

// keep passes a field on as it came. A "From " line cannot stay on top once our fields are above it, since a relay would take it
// for the start of the body: it becomes the field that Postfix makes of it.
func (d *draft) keep(f field) {
	d.endLine()
	if f.name == 0 {
		at := len(d.out)
		d.out = append(d.out, "X-Mailbox-Line: "...)
		d.note(Add, "X-Mailbox-Line", at, nil)
	}
	d.out = append(d.out, f.raw...)
}

// remove leaves a field out.
func (d *draft) remove(f field) {
	d.endLine()
	d.note(Remove, f.label(), len(d.out), f.raw)
}

// add writes a field of ours, folded, and free of what could end it.
func (d *draft) add(name, value string) {
	d.endLine()
	at := len(d.out)
	d.out = appendField(d.out, name, value)
	d.note(Add, name, at, nil)
}

// addRaw writes a field that is its own line end's keeper.
func (d *draft) addRaw(name string, write func(dst []byte) []byte) {
	d.endLine()
	at := len(d.out)
	d.out = write(d.out)
	d.note(Add, name, at, nil)
}

// once writes a field of ours in the place of f, and leaves f out when it is not the first of its kind.
func (d *draft) once(f field, name, value string, done *bool) {
	if *done {
		d.remove(f)
		return
	}
	*done = true
	d.endLine()
	at := len(d.out)
	d.out = appendField(d.out, name, value)
	d.note(Replace, name, at, f.raw)
}

// replaceRaw does so with octets that were made from those of f.
func (d *draft) replaceRaw(f field, raw []byte) {
	d.endLine()
	at := len(d.out)
	d.out = append(d.out, endLine(raw)...)
	d.note(Replace, f.label(), at, f.raw)
}

// endLine gives the last line the end that a header without a body may lack.
func (d *draft) endLine() {
	n := len(d.out)
	if n == 0 || d.out[n-1] == '\n' {
		return
	}
	if d.out[n-1] == '\r' {
		d.out = append(d.out, '\n')
	} else {
		d.out = append(d.out, '\r', '\n')
	}
	d.note(Add, "", n, nil)
}

// end writes the empty line; came is the one that was there, if any.
func (d *draft) end(came []byte) {
	d.endLine()
	at := len(d.out)
	d.out = append(d.out, '\r', '\n')
	switch {
	case len(came) == 0:
		d.note(Add, "", at, nil)
	case string(came) != "\r\n":
		d.note(Replace, "", at, came)
	}
}

// note records an edit; what stands behind at is New.
func (d *draft) note(op Op, name string, at int, old []byte) {
	d.edits = append(d.edits, Edit{Op: op, Field: name, At: at, Old: old, New: d.out[at:]})
}

// dressed gives the header and the record of it.
func (d *draft) dressed() Dressed {
	for i := range d.edits {
		e := &d.edits[i]
		n := len(e.New)
		if e.New = nil; n > 0 {
			e.New = d.out[e.At : e.At+n : e.At+n] // out has moved while it grew
		}
	}
	return Dressed{Head: d.out, Outer: len(d.out), Edits: d.edits, UTF8: d.utf8()}
}

// utf8 tells whether an edit put octets beyond ASCII where none were.
func (d *draft) utf8() bool {
	for _, e := range d.edits {
		if !lists.IsASCII(e.New) && lists.IsASCII(e.Old) {
			return true
		}
	}
	return false
}

// label is the name of a field for people.
func (f field) label() string {
	if f.name == 0 {
		return "From "
	}
	return string(f.raw[:f.name])
}
