package message

import (
	"bytes"
	"slices"
)

// foldAt is where lines are folded, RFC 5322 section 2.1.1.
const foldAt = 78

// Delete removes all fields of these names.
func (h *Header) Delete(names ...string) {
	kept := make([]field, 0, len(h.fields))
	for _, f := range h.fields {
		if !slices.ContainsFunc(names, f.is) {
			kept = append(kept, f)
		}
	}
	h.fields = kept
}

// Replace gives the first field of that name this value, where it stands, and removes the
// others of that name. If there is none, it is Append.
func (h *Header) Replace(name, value string) {
	nf, ok := newField(name, value)
	if !ok {
		return
	}
	kept, done := make([]field, 0, len(h.fields)), false
	for _, f := range h.fields {
		switch {
		case !f.is(name):
			kept = append(kept, f)
		case !done:
			kept, done = append(kept, nf), true
		}
	}
	h.fields = kept
	if !done {
		h.add(nf)
	}
}

// Prepend puts a field above all others, but below the "From " line of an mbox file. The value
// is folded at blanks; an octet in it that could end the field (any control) becomes a blank.
// A name that RFC 5322 section 2.2 does not allow is a fault of the caller: nothing is added.
func (h *Header) Prepend(name, value string) {
	if f, ok := newField(name, value); ok {
		h.push(f)
	}
}

// Append puts a field below all others, on the terms of Prepend.
func (h *Header) Append(name, value string) {
	if f, ok := newField(name, value); ok {
		h.add(f)
	}
}

// push puts f at the top.
func (h *Header) push(f field) {
	i := 0
	for i < len(h.fields) && h.fields[i].name == 0 {
		i++
	}
	fields := make([]field, 0, len(h.fields)+1)
	fields = append(append(append(fields, h.fields[:i]...), f), h.fields[i:]...)
	if i > 0 {
		fields[i-1].raw = endLine(fields[i-1].raw)
	}
	h.fields = fields
}

// add puts f at the bottom.
func (h *Header) add(f field) {
	n := len(h.fields)
	fields := make([]field, n, n+4)
	copy(fields, h.fields)
	if n > 0 {
		fields[n-1].raw = endLine(fields[n-1].raw)
	}
	h.fields = append(fields, f)
}

// endLine gives raw the line end that the last line of a message without body may lack.
func endLine(raw []byte) []byte {
	switch {
	case bytes.HasSuffix(raw, []byte("\n")):
		return raw
	case bytes.HasSuffix(raw, []byte("\r")):
		return append(bytes.Clone(raw), '\n')
	}
	return append(bytes.Clone(raw), '\r', '\n')
}

// newField is a field of our own.
func newField(name, value string) (field, bool) {
	if name == "" {
		return field{}, false
	}
	for i := range len(name) {
		if c := name[i]; c < '!' || c > '~' || c == ':' {
			return field{}, false
		}
	}
	raw := appendField(make([]byte, 0, len(name)+len(value)+16), name, value)
	return field{raw: raw, name: len(name), value: len(name) + 1}, true
}

// appendField appends "name: value", folded at blanks of the value, with CRLF. The blank where
// a line is folded stays as the first octet of the next line, so unfolding gives the value back.
func appendField(dst []byte, name, value string) []byte {
	dst = append(append(dst, name...), ": "...)
	dst = appendFolded(dst, len(name)+2, value)
	return append(dst, '\r', '\n')
}

// appendFolded appends value in lines, the first of which begins at column.
func appendFolded(dst []byte, column int, value string) []byte {
	for first := true; value != ""; first = false {
		n := wordEnd(value)
		if !first && column+n > foldAt && trimmed(value[:n]) {
			dst = append(dst, '\r', '\n')
			column = 0
		}
		for i := range n {
			c := value[i]
			if c < ' ' || c == 0x7f { // whatever could end the line, or hide in it
				c = ' '
			}
			dst = append(dst, c)
		}
		column += n
		value = value[n:]
	}
	return dst
}

// wordEnd is the end of the first word of s: blanks, then what is not blank.
func wordEnd(s string) int {
	i := 0
	for i < len(s) && blank(s[i]) {
		i++
	}
	for i < len(s) && !blank(s[i]) {
		i++
	}
	return i
}

// trimmed tells whether a word is more than blanks: a line of blanks would look like the end of
// the header to many (RFC 5322 section 3.2.2 forbids it).
func trimmed(word string) bool { return word != "" && !blank(word[len(word)-1]) }

// blank tells what may separate words of a value, and every control, which will be written as one.
func blank(c byte) bool { return c <= ' ' || c == 0x7f }
