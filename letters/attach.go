package letters

import (
	"crypto/rand"
	"encoding/hex"
	"io"
	"strings"
	"unicode/utf8"

	"superlistd/message"
)

// content is a message body of several pieces, one behind the other.
type content []message.Content

func (c content) Size() (n int64) {
	for _, p := range c {
		n += p.Size()
	}
	return n
}

func (c content) Reader(off int64) io.Reader {
	var all []io.Reader
	for _, p := range c {
		if size := p.Size(); off >= size {
			off -= size
			continue
		}
		all = append(all, p.Reader(off))
		off = 0
	}
	return io.MultiReader(all...)
}

// Attachment is a mail that goes along with a letter: whole, or only its header.
type Attachment struct {
	kind     string // media type
	content  message.Content
	whole    bool
	eightBit bool
	utf8     bool
}

// Whole tells that all of the mail goes along.
func (a Attachment) Whole() bool { return a.whole }

// Attach makes an attachment of a mail that has at most room octets, and of the header of a larger one (RFC 6522 section 4). The
// content is read again when the letter is sent. utf8Mail says that the mail came with SMTPUTF8.
func Attach(p message.Content, utf8Mail bool, room int64) (Attachment, error) {
	raw, err := io.ReadAll(io.LimitReader(p.Reader(0), message.MaxHeader))
	if err != nil {
		return Attachment{}, err
	}
	h := message.ParseHeader(raw)
	head := h.Bytes()
	a := Attachment{kind: "message/rfc822", content: p, whole: p.Size() <= room}
	a.eightBit = !ascii(head)
	a.utf8 = a.eightBit && utf8Mail && utf8.Valid(head)
	if !a.whole {
		a.kind, a.content = "text/rfc822-headers", message.Octets(head)
		return a, nil
	}
	if a.utf8 { // RFC 6532 section 3.7
		a.kind = "message/global"
	}
	if !a.eightBit {
		a.eightBit, err = message.BeyondASCII(p.Reader(0))
	}
	return a, err
}

// attach makes a text one of several parts (RFC 2046 section 5.1.3): its own fields move into the part.
func attach(head *message.Header, text message.Content, attached []Attachment) message.Content {
	var b [16]byte
	rand.Read(b[:]) // never fails; nobody who writes a post can guess it
	boundary := "=_" + hex.EncodeToString(b[:])
	var part strings.Builder
	part.WriteString("--" + boundary + "\r\n")
	for _, name := range []string{"Content-Type", "Content-Transfer-Encoding"} {
		for _, v := range head.Values(name) {
			part.WriteString(name + ": " + v + "\r\n")
		}
		head.Delete(name)
	}
	part.WriteString("\r\n")
	all := content{message.Octets(part.String()), text}
	eightBit := false
	for _, a := range attached {
		lines := []string{"", "--" + boundary, "Content-Type: " + a.kind, "Content-Disposition: attachment"}
		if a.eightBit {
			eightBit = true
			lines = append(lines, "Content-Transfer-Encoding: 8bit")
		}
		all = append(all, message.Octets(strings.Join(append(lines, "", ""), "\r\n")), a.content)
	}
	if eightBit {
		head.Replace("Content-Transfer-Encoding", "8bit")
	}
	if !head.Has("MIME-Version") {
		head.Append("MIME-Version", "1.0")
	}
	head.Append("Content-Type", `multipart/mixed; boundary="`+boundary+`"`)
	return append(all, message.Octets("\r\n--"+boundary+"--\r\n"))
}
