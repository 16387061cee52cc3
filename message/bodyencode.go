package message

import (
	"bytes"
	"io"
	"strings"
	"unicode/utf8"

	"superlistd/lists"
)

// quoter writes quoted-printable (RFC 2045 section 6.7). No line of it begins with a hyphen, so that nothing that is
// encoded can be taken for a delimiter, whatever boundary a stranger chose.
type quoter struct {
	column int
	blank  byte // a blank that may end its line; 0: none
}

const maxQuoted = 76 // octets of a line, with the "=" of a soft line break

// append encodes src, whose line ends are "\n".
func (q *quoter) append(dst, src []byte) []byte {
	for _, c := range src {
		switch {
		case c == '\n':
			dst = q.end(dst)
			dst = append(dst, '\r', '\n')
			q.column = 0
		case c == ' ' || c == '\t':
			dst = q.flush(dst)
			q.blank = c
		default:
			dst = q.flush(dst)
			dst = q.put(dst, c, c < '!' || c > '~' || c == '=')
		}
	}
	return dst
}

func (q *quoter) flush(dst []byte) []byte {
	if q.blank == 0 {
		return dst
	}
	c := q.blank
	q.blank = 0
	return q.put(dst, c, false)
}

// end encodes what would be lost at the end of a line.
func (q *quoter) end(dst []byte) []byte {
	if q.blank == 0 {
		return dst
	}
	c := q.blank
	q.blank = 0
	return q.put(dst, c, true)
}

func (q *quoter) put(dst []byte, c byte, encode bool) []byte {
	const hex = "0123456789ABCDEF"
	size := 1
	if encode {
		size = 3
	}
	if q.column+size >= maxQuoted {
		dst = append(dst, "=\r\n"...)
		q.column = 0
	}
	if encode || q.column == 0 && (c == '-' || c == '.') {
		q.column += 3
		return append(dst, '=', hex[c>>4], hex[c&15])
	}
	q.column++
	return append(dst, c)
}

// quoted encodes text.
func quoted(text string) []byte {
	var q quoter
	return q.end(q.append(nil, []byte(text)))
}

// quotingReader encodes what it reads.
type quotingReader struct {
	in  io.Reader
	q   quoter
	buf [2 << 10]byte
	out []byte
	off int
	err error
}

func (r *quotingReader) Read(p []byte) (int, error) {
	for r.off == len(r.out) {
		if r.err != nil {
			return 0, r.err
		}
		var n int
		n, r.err = r.in.Read(r.buf[:])
		r.out, r.off = r.q.append(r.out[:0], r.buf[:n]), 0
		if r.err != nil {
			r.out = r.q.end(r.out)
		}
	}
	n := copy(p, r.out[r.off:])
	r.off += n
	return n, nil
}

// encodeCharset gives text in a charset; false: it lacks a letter, or cannot be written without knowing all that
// came before.
func encodeCharset(name, text string) ([]byte, bool) {
	switch name {
	case "utf-8", "utf8":
		return []byte(text), true
	case "":
		name = "us-ascii"
	}
	if !asciiWithin(name) {
		return nil, false
	}
	if lists.IsASCII(text) {
		if strings.HasPrefix(name, "iso-2022-") {
			text = "\x1b(B" + text // RFC 1468: back to ASCII, if what came before has not done so
		}
		return []byte(text), true
	}
	letters := lettersOf(name)
	out := make([]byte, 0, len(text))
	for _, r := range text {
		c, ok := letters[r]
		switch {
		case r < utf8.RuneSelf:
			out = append(out, byte(r))
		case ok:
			out = append(out, c)
		default:
			return nil, false
		}
	}
	return out, true
}

// asciiWithin tells a charset that is known, and in which ASCII stands for itself.
func asciiWithin(name string) bool {
	if name == "" {
		return true
	}
	all := make([]byte, 0, 0x80)
	for c := byte(' '); c <= '~'; c++ {
		all = append(all, c)
	}
	all = append(all, "\r\n\t"...)
	text, ok := DecodeCharset(name, all)
	return ok && bytes.Equal(text, all)
}

// lettersOf gives the octet of each character beyond ASCII that takes one.
func lettersOf(name string) map[rune]byte {
	letters := make(map[rune]byte, 0x80)
	if name == "us-ascii" || strings.HasPrefix(name, "iso-2022-") {
		return letters
	}
	for c := 0x80; c <= 0xff; c++ {
		text, ok := DecodeCharset(name, []byte{byte(c)})
		if r, size := utf8.DecodeRune(text); ok && size == len(text) && r != utf8.RuneError && r >= utf8.RuneSelf {
			letters[r] = byte(c)
		}
	}
	return letters
}

// cleanText is text of ours as it may be written into a message: UTF-8, "\n" at line ends, none at the end, no controls, and no blanks
// that end a line, but those of "-- " (RFC 3676 section 4.3).
func cleanText(s string) string {
	s = strings.ToValidUTF8(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(s), "\uFFFD")
	s = strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f {
			return -1
		}
		return r
	}, s)
	lines := strings.Split(strings.Trim(s, "\n"), "\n")
	for i, l := range lines {
		if lines[i] = strings.TrimRight(l, " \t"); lines[i] == "--" && l != "--" {
			lines[i] = "-- "
		}
	}
	return strings.Join(lines, "\n")
}

// stuffed is cleaned text for a part that is format=flowed (RFC 3676 section 4.4).
func stuffed(s string) string {
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		if mustStuff([]byte(l)) {
			lines[i] = " " + l
		}
	}
	return strings.Join(lines, "\n")
}
