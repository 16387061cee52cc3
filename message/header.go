package message

import (
	"bytes"
	"strings"
)

// Header is the header of a message or of a part: its fields in order, each with the octets
// that came in, and the empty line behind them if there was one. Where it ends is what
// Postfix's cleanup(8) thinks, since that is what readers of the copies get to see: at the
// empty line, or at the first line that is neither a field nor a continuation of one; the
// latter is body already. "From " lines of an mbox file are kept at the top.
//
// A Header shares the octets it was parsed from, and a copy of a Header can be edited without
// changing the original. The zero Header is empty and usable.
type Header struct {
	fields []field
	blank  []byte // the empty line, with its line end; empty: there was none
}

// field is one field, or a "From " line when name is 0.
type field struct {
	raw   []byte // with all continuations and line ends
	name  int    // octets of the name in raw
	value int    // where the value starts in raw: behind the colon
}

// ParseHeader reads the header that raw starts with. Any input gives a header: what follows
// its end is not looked at, and Bytes of the result is raw[:Len()].
func ParseHeader(raw []byte) Header {
	h := Header{fields: make([]field, 0, min(32, 1+len(raw)/40))}
	for pos := 0; pos < len(raw); {
		line := firstLine(raw[pos:])
		if isBlankLine(line) {
			h.blank = line
			break
		}
		n, value := fieldName(line)
		if n == 0 && (!isMboxLine(line) || len(h.fields) > 0 && h.fields[len(h.fields)-1].name > 0) {
			break
		}
		end := pos + len(line)
		for n > 0 && end < len(raw) && (raw[end] == ' ' || raw[end] == '\t') {
			end += len(firstLine(raw[end:]))
		}
		h.fields = append(h.fields, field{raw: raw[pos:end:end], name: n, value: value})
		pos = end
	}
	return h
}

// firstLine returns the first line of b with its LF, clipped so that nobody can append into
// what follows.
func firstLine(b []byte) []byte {
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		return b[: i+1 : i+1]
	}
	return b[:len(b):len(b)]
}

func isBlankLine(line []byte) bool {
	return len(line) == 1 && line[0] == '\n' || len(line) == 2 && line[0] == '\r' && line[1] == '\n'
}

// maxFieldName keeps a name within the line limit of RFC 5322 section 2.1.1. Without a limit, a line of
// body without end would have to be read whole to know it for one.
const maxFieldName = 998

// fieldName returns the length of the field name that line starts with, and the place behind
// its colon. RFC 5322 section 2.2, with the blanks before the colon of section 4.5.3, as
// Postfix takes them. A length of 0: the line is no field.
func fieldName(line []byte) (name, value int) {
	for i, c := range line {
		switch {
		case i > maxFieldName:
			return 0, 0
		case c == ':':
			if name == 0 {
				name = i
			}
			return name, i + 1
		case c == ' ' || c == '\t':
			if i == 0 {
				return 0, 0
			}
			if name == 0 {
				name = i
			}
		case c < '!' || c > '~' || name > 0:
			return 0, 0
		}
	}
	return 0, 0
}

// isMboxLine tells the line that mbox files put before a message, quoted or not.
func isMboxLine(line []byte) bool {
	return bytes.HasPrefix(bytes.TrimLeft(line, ">"), []byte("From "))
}

// is compares the name of the field without regard to case.
func (f field) is(name string) bool {
	return f.name == len(name) && f.name > 0 && equalFold(f.raw[:f.name], name)
}

// equalFold compares ASCII without regard to case; b and s are of the same length.
func equalFold(b []byte, s string) bool {
	for i, c := range b {
		if lower(c) != lower(s[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + ('a' - 'A')
	}
	return c
}

// text returns the value unfolded (RFC 5322 section 2.2.3) and without blanks around it.
func (f field) text() string {
	v := bytes.Trim(f.raw[f.value:], " \t\r\n")
	if bytes.IndexByte(v, '\n') < 0 {
		return string(v)
	}
	var b strings.Builder
	b.Grow(len(v))
	for len(v) > 0 {
		line := firstLine(v)
		v = v[len(line):]
		if n := len(line); line[n-1] == '\n' {
			line = line[:n-1]
			if n > 1 && line[n-2] == '\r' {
				line = line[:n-2]
			}
		}
		b.Write(line)
	}
	return b.String()
}

// Len is the number of octets that Bytes returns. Of a header as parsed, it is where the body starts.
func (h Header) Len() int {
	n := len(h.blank)
	for _, f := range h.fields {
		n += len(f.raw)
	}
	return n
}

// AppendTo appends the header to dst, with the empty line at its end if there was one.
func (h Header) AppendTo(dst []byte) []byte {
	for _, f := range h.fields {
		dst = append(dst, f.raw...)
	}
	return append(dst, h.blank...)
}

// Bytes returns the header as AppendTo appends it, in memory of its own.
func (h Header) Bytes() []byte { return h.AppendTo(make([]byte, 0, h.Len())) }

// Has tells whether there is a field of that name. Case of names does not matter here nor below.
func (h Header) Has(name string) bool {
	for _, f := range h.fields {
		if f.is(name) {
			return true
		}
	}
	return false
}

// Values returns the values of all fields of that name, in order, unfolded and trimmed. They
// are a stranger's octets otherwise: nothing is decoded, and controls may be in them.
func (h Header) Values(name string) []string {
	var vs []string
	for _, f := range h.fields {
		if f.is(name) {
			vs = append(vs, f.text())
		}
	}
	return vs
}
