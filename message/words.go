package message

import (
	"bytes"
	"encoding/base64"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/emersion/go-message/charset"
)

// kind is what a span of a value is.
type kind byte

const (
	plain  kind = iota // octets as they came, line ends included
	gap                // blanks between two encoded-words: they do not count (RFC 2047 section 6.2)
	word               // an encoded-word that could be read
	opaque             // an encoded-word in a charset that is not known, or damaged
)

// span is a stretch of an unstructured value: raw[from:to], which reads as text[start:end].
type span struct {
	kind       kind
	from, to   int
	start, end int
	charset    string // of an encoded-word, as written
	encoding   byte   // b or q, as written
	octets     []byte // its content, in the charset
}

// reading is an unstructured value as people read it (RFC 5322 section 2.2.1, RFC 2047). It serves decisions: text
// may hold any control, decoded from a stranger's word, and is never written as it is.
type reading struct {
	raw   []byte
	text  []byte // of plain spans the octets as they are, so that offsets agree
	spans []span
}

// readWords reads raw in one pass. Encoded-words are seen wherever they stand, as most readers do.
func readWords(raw []byte) reading {
	r := reading{raw: raw}
	if !bytes.Contains(raw, []byte("=?")) {
		r.text = raw
		if len(raw) > 0 {
			r.spans = []span{{kind: plain, to: len(raw), end: len(raw)}}
		}
		return r
	}
	r.text = make([]byte, 0, len(raw))
	from := 0 // of the plain span
	for i := 0; i+1 < len(raw); {
		n := bytes.Index(raw[i:], []byte("=?"))
		if n < 0 {
			break
		}
		i += n
		w, size := readWord(raw[i:])
		if size == 0 {
			i += 2
			continue
		}
		r.addPlain(from, i, true)
		w.from, w.to = i, i+size
		r.addWord(w)
		i += size
		from = i
	}
	r.addPlain(from, len(raw), false)
	return r
}

// addPlain adds raw[from:to]; inner: an encoded-word follows.
func (r *reading) addPlain(from, to int, inner bool) {
	if from == to {
		return
	}
	s := span{kind: plain, from: from, to: to, start: len(r.text)}
	if inner && len(r.spans) > 0 && allBlank(r.raw[from:to]) {
		s.kind = gap
	} else {
		r.text = append(r.text, r.raw[from:to]...)
	}
	s.end = len(r.text)
	r.spans = append(r.spans, s)
}

func (r *reading) addWord(w span) {
	w.start = len(r.text)
	if text, ok := DecodeCharset(w.charset, w.octets); ok {
		w.kind = word
		r.text = append(r.text, text...)
	} else {
		w.kind = opaque
		r.text = append(append(r.text, "\uFFFD"...), w.octets...) // its ASCII may tell something, but it starts nothing
	}
	w.end = len(r.text)
	r.spans = append(r.spans, w)
}

func allBlank(b []byte) bool {
	for _, c := range b {
		if c != ' ' && c != '\t' && c != '\r' && c != '\n' {
			return false
		}
	}
	return true
}

const maxCharset = 40 // octets of a name that is worth looking up

// readWord reads the encoded-word that b starts with, and returns its length; 0: there is none. It stops at the first
// octet that cannot be in one, so that looking for words costs no more than one pass.
func readWord(b []byte) (w span, size int) {
	i := 2
	for i < len(b) && i < 2+maxCharset && inCharset(b[i]) {
		i++
	}
	if i == 2 || i+3 > len(b) || b[i] != '?' || b[i+2] != '?' {
		return span{}, 0
	}
	w.charset = string(b[2:i])
	switch b[i+1] {
	case 'b', 'B', 'q', 'Q':
		w.encoding = b[i+1]
	default:
		return span{}, 0
	}
	i += 3
	n := bytes.IndexAny(b[i:], "?\r\n")
	if n < 0 || i+n+1 >= len(b) || b[i+n] != '?' || b[i+n+1] != '=' {
		return span{}, 0
	}
	ok := false
	if lower(w.encoding) == 'b' {
		w.octets, ok = decodeB(b[i : i+n])
	} else {
		w.octets, ok = decodeQ(b[i : i+n])
	}
	if !ok {
		return span{}, 0
	}
	return w, i + n + 2
}

// inCharset tells the octets of a charset's name, and of the language behind it (RFC 2231 section 5).
func inCharset(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-_.:+*", c) >= 0
}

// decodeB takes base64 with or without its padding.
func decodeB(b []byte) ([]byte, bool) {
	b = bytes.TrimRight(b, "= ")
	out := make([]byte, base64.RawStdEncoding.DecodedLen(len(b)))
	n, err := base64.RawStdEncoding.Decode(out, b)
	return out[:n], err == nil
}

func decodeQ(b []byte) ([]byte, bool) {
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		switch c := b[i]; c {
		case '_':
			out = append(out, ' ')
		case '=':
			if i+2 >= len(b) {
				return nil, false
			}
			hi, ok1 := unhex(b[i+1])
			lo, ok2 := unhex(b[i+2])
			if !ok1 || !ok2 {
				return nil, false
			}
			out = append(out, hi<<4|lo)
			i += 2
		default:
			out = append(out, c)
		}
	}
	return out, true
}

func unhex(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= lower(c) && lower(c) <= 'f':
		return lower(c) - 'a' + 10, true
	}
	return 0, false
}

// DecodeCharset gives the UTF-8 of octets; false: the charset is not known.
func DecodeCharset(name string, octets []byte) ([]byte, bool) {
	name, _, _ = strings.Cut(name, "*")
	switch strings.ToLower(name) {
	case "utf-8", "utf8", "us-ascii":
		return octets, true
	}
	r, err := charset.Reader(name, bytes.NewReader(octets))
	if err != nil {
		return nil, false
	}
	text, err := io.ReadAll(r)
	return text, err == nil
}

// appendWord appends octets of a charset as an encoded-word; charset and encoding are such as readWord has read.
func appendWord(dst []byte, charset string, encoding byte, octets []byte) []byte {
	dst = append(append(dst, "=?"...), charset...)
	dst = append(dst, '?', encoding, '?')
	if lower(encoding) == 'b' {
		return append(base64.StdEncoding.AppendEncode(dst, octets), "?="...)
	}
	const hex = "0123456789ABCDEF"
	for _, c := range octets {
		switch {
		case c == ' ':
			dst = append(dst, '_')
		case plainInQ(c):
			dst = append(dst, c)
		default:
			dst = append(dst, '=', hex[c>>4], hex[c&15])
		}
	}
	return append(dst, "?="...)
}

// plainInQ tells the octets that may stand for themselves in a Q word of an unstructured value (RFC 2047 section 4.2).
func plainInQ(c byte) bool {
	return '!' <= c && c <= '~' && c != '=' && c != '?' && c != '_'
}

// maxWord is how long an encoded-word may be (RFC 2047 section 2).
const maxWord = 75

// appendWords appends UTF-8 text of ours as encoded-words with blanks between them.
func appendWords(dst []byte, encoding byte, s string) []byte {
	const room = maxWord - len("=?utf-8?q??=")
	for first := true; s != ""; first = false {
		n := 0
		for used := 0; n < len(s); {
			_, size := utf8.DecodeRuneInString(s[n:])
			if lower(encoding) == 'b' {
				used = base64.StdEncoding.EncodedLen(n + size)
			} else {
				for i := range size {
					if c := s[n+i]; c == ' ' || plainInQ(c) {
						used++
					} else {
						used += 3
					}
				}
			}
			if used > room {
				break
			}
			n += size
		}
		if !first {
			dst = append(dst, ' ')
		}
		dst = appendWord(dst, "utf-8", encoding, []byte(s[:n]))
		s = s[n:]
	}
	return dst
}

// appendText writes text of ours for an unstructured value: as it is, or as encoded-words.
func appendText(dst []byte, s string) []byte {
	if asIs(s) {
		return append(dst, s...)
	}
	return appendWords(dst, 'q', s)
}

// asIs tells text that needs no encoded-word, and that nobody will take for one.
func asIs(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return !strings.Contains(s, "=?")
}
