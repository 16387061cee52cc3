package message

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// bodyInfo is what the header of a part says, as far as it can be read. All of it is bounded.
type bodyInfo struct {
	kind        string // "text/plain", lower case
	charset     string // lower case
	encoding    string // of transfer, lower case; empty for what leaves the octets as they are: 7bit, 8bit, binary, none
	eightBit    bool   // it says 8bit
	binary      bool   // it says binary
	disposition string // "attachment", "inline" or ""
	filename    string // decoded, for people
	boundary    string
	flowed      bool // RFC 3676
	opaque      bool // beyond a limit
}

const (
	maxPartHeader = 64 << 10 // octets of the header of a part
	maxPartType   = 255      // octets of a media type, RFC 6838 section 4.2 (127 on each side)
	maxFilename   = 255      // octets of a name
	maxBoundary   = 998      // octets of a boundary; RFC 2046 section 5.1.1 has 70
)

func (d *bodyInfo) multipart() bool { return strings.HasPrefix(d.kind, "multipart/") }

// readInfo reads a header; assumed is the type of what names none.
func readInfo(h Header, assumed string) bodyInfo {
	d := bodyInfo{kind: assumed}
	var ct contentType
	if vs := h.Values("Content-Type"); len(vs) > 0 {
		ct = parseContentType(vs[0])
	}
	switch {
	case len(ct.kind) > maxPartType:
		d.kind, d.opaque = "application/octet-stream", true
	case ct.kind != "":
		d.kind = ct.kind
	}
	d.flowed = strings.EqualFold(ct.param("format"), "flowed")
	d.charset = strings.ToLower(ct.param("charset"))
	if len(d.charset) > maxCharset {
		d.charset = "unknown"
	}
	if d.multipart() {
		d.boundary = strings.TrimRight(ct.param("boundary"), " ") // RFC 2046: it never ends with a blank
		if len(d.boundary) > maxBoundary {
			d.boundary, d.opaque = "", true
		}
	}
	d.readEncoding(h)
	var cd contentType
	if vs := h.Values("Content-Disposition"); len(vs) > 0 {
		cd = parseContentType(vs[0])
		word, _ := cutToken(vs[0], ";")
		switch strings.ToLower(word) {
		case "":
		case "inline":
			d.disposition = "inline"
		default:
			d.disposition = "attachment" // RFC 2183 section 2.8: so are those that nobody knows
		}
	}
	if d.filename = fileName(cd.text("filename")); d.filename == "" {
		d.filename = fileName(ct.text("name"))
	}
	return d
}

func (d *bodyInfo) readEncoding(h Header) {
	vs := h.Values("Content-Transfer-Encoding")
	if len(vs) == 0 {
		return
	}
	word, _ := cutToken(vs[0], ";")
	switch word = strings.ToLower(word); word {
	case "", "7bit":
	case "8bit":
		d.eightBit = true
	case "binary":
		d.binary = true
	case "quoted-printable", "base64":
		d.encoding = word
	default:
		d.encoding = "unknown"
	}
}

// text returns a parameter for people: RFC 2231 (continuations, charset and language) before the plain form, in which
// many write encoded-words though RFC 2047 section 5 forbids it.
func (ct contentType) text(name string) string {
	if v := ct.param(name + "*"); v != "" {
		return decodeExtended(v)
	}
	var octets []byte
	charset, found := "", false
	for i := range maxParams {
		at := name + "*" + strconv.Itoa(i)
		n := slices.IndexFunc(ct.params, func(p param) bool { return p.name == at || p.name == at+"*" })
		if n < 0 {
			break
		}
		found = true
		v := ct.params[n].value
		if strings.HasSuffix(ct.params[n].name, "*") {
			if i == 0 {
				charset, v = cutCharset(v)
			}
			v = percent(v)
		}
		octets = append(octets, v...)
	}
	if found {
		return inUTF8(charset, octets)
	}
	return string(readWords([]byte(ct.param(name))).text)
}

// decodeExtended reads charset'language'text (RFC 2231 section 4).
func decodeExtended(v string) string {
	charset, v := cutCharset(v)
	return inUTF8(charset, []byte(percent(v)))
}

func cutCharset(v string) (charset, rest string) {
	charset, rest, ok := strings.Cut(v, "'")
	if !ok || len(charset) > maxCharset {
		return "", v
	}
	if _, after, ok := strings.Cut(rest, "'"); ok {
		rest = after
	}
	return charset, rest
}

// percent undoes %XX where it is that.
func percent(v string) string {
	if s, err := url.PathUnescape(v); err == nil {
		return s
	}
	return v
}

func inUTF8(charset string, octets []byte) string {
	if charset != "" {
		if text, ok := DecodeCharset(charset, octets); ok {
			octets = text
		}
	}
	return string(octets)
}

// fileName is a name that can be shown, of bounded length. Its end tells what it opens with, so it is the middle that goes.
func fileName(name string) string {
	const more = 8 // octets for each that is kept
	if len(name) > maxFilename*more {
		name = name[:maxFilename*more/2] + name[len(name)-maxFilename*more/2:]
	}
	name = shown([]byte(strings.ToValidUTF8(name, "\uFFFD")))
	if len(name) > maxFilename {
		const half = maxFilename/2 - len("…")
		name = strings.ToValidUTF8(name[:half], "") + "…" + strings.ToValidUTF8(name[len(name)-half:], "")
	}
	return name
}
