package message

import (
	"bytes"
	"io"
	"slices"

	"superlistd/lists"
)

// Content is stored mail: its octets from an offset on, for any number of readers at once. Spool has it.
type Content interface {
	Reader(off int64) io.Reader
	Size() int64
}

var _ Content = (*Spool)(nil)

// Body is the map of a whole message: where its parts lie and what they are. Nothing of the parts is held in memory,
// so that it takes no more than a few MB for any message. It is read only, and safe for use by many goroutines.
type Body struct {
	content Content
	header  Header
	parts   []bodyPart // in the order of the message: the first is the message itself
	leaves  []int      // those that hold no parts
	depth   int        // of the deepest part
	limited bool
	mark    string // what a boundary of ours is made of, see bodyScan
	command bool
}

// bodyPart is one part of a message, or the message. All places are offsets in the content.
type bodyPart struct {
	bodyInfo
	parent   int // -1: the message
	children []int

	delimiter   int64 // where the delimiter before it starts, with the line end before that
	line        int64 // the same, without the line end
	start       int64 // of its header
	body        int64 // of its body, behind the empty line
	end         int64
	closing     int64 // where the closing delimiter of its children starts, with the line end before it
	closingLine int64 // the same, without the line end
	next        int64 // behind the last delimiter, while it is read

	blank  bool // its header ends with an empty line
	closed bool // closing is there
	active bool // delimiters of it are looked for
	full   bool // MaxParts was reached in it
	torn   bool // the delimiter before it has no line end, or one that belongs to the delimiter behind it
	pgp    bool // a line of its body begins an armor of RFC 9580
}

// Inspect reads a message once and returns the map of its parts: those that Parse finds, within the same limits. The errors
// are those of reading, and ErrHeader. What the result reads later, it reads from c.
func Inspect(c Content) (*Body, error) {
	h, err := ReadHeader(c)
	if err != nil {
		return nil, err
	}
	b := &Body{content: c, header: h}
	if err := b.scan(); err != nil {
		return nil, err
	}
	b.command, err = b.readCommand()
	return b, err
}

// ReadHeader reads the header of a whole message, as Spool.Header does. ErrHeader; other errors are of reading.
func ReadHeader(c Content) (Header, error) {
	if s, ok := c.(*Spool); ok {
		return s.Header()
	}
	for n := int64(16 << 10); ; n *= 4 {
		n = min(n, c.Size(), MaxHeader+1)
		raw := make([]byte, n)
		if _, err := io.ReadFull(c.Reader(0), raw); err != nil {
			return Header{}, err
		}
		size := ParseHeader(raw).Len()
		if size > MaxHeader {
			return Header{}, ErrHeader
		}
		h, rest := ParseHeader(bytes.Clone(raw[:size])), raw[size:]
		switch { // as Spool.Header ends it
		case len(h.blank) > 0 || len(rest) > maxFieldName+1 || bytes.IndexByte(rest, '\n') >= 0, n == c.Size():
			return h, nil
		case n > MaxHeader:
			return Header{}, ErrHeader
		}
	}
}

// Parts returns what is known of the parts that hold no others, in the order of the message: lists.Verdict.Remove are places in
// it. A message/rfc822 is one. So is what lies beyond MaxDepth or MaxParts, or cannot be looked into: it counts as
// an attachment of application/octet-stream, so that no rule about attachments can be evaded by it.
func (b *Body) Parts() []lists.PartFact {
	facts := make([]lists.PartFact, len(b.leaves))
	for i, l := range b.leaves {
		facts[i] = b.parts[l].fact()
		facts[i].Sealed = b.inEncrypted(l)
	}
	return facts
}

// inEncrypted tells a part of a multipart/encrypted: the post itself, whatever it looks like.
func (b *Body) inEncrypted(part int) bool {
	for i := range b.parts {
		if p := &b.parts[i]; encrypted(p.kind) && slices.Contains(p.children, part) {
			return true
		}
	}
	return false
}

// HasHTML tells whether there is HTML that a reader sees: not an attachment.
func (b *Body) HasHTML() bool {
	for _, l := range b.leaves {
		if b.parts[l].html() {
			return true
		}
	}
	return false
}

// Limited tells that there is more to the message than MaxDepth, MaxParts and the limits of the parts' headers let see. Decorate
// puts no texts into such a message.
func (b *Body) Limited() bool { return b.limited }

// Command tells whether the post is nothing but a command for a list manager: "unsubscribe", "leave", "remove me", "help" and
// their kin in English, French and German, in the subject, or in the only line of the text, or in both. Quotes, signatures and
// words of courtesy do not count.
func (b *Body) Command() bool { return b.command }

func (p *bodyPart) size() int64 { return p.end - p.body }

func (p *bodyPart) leaf() bool { return len(p.children) == 0 }

// hidden tells a leaf that may hold parts which nobody has seen.
func (p *bodyPart) hidden() bool {
	return p.opaque || p.leaf() && p.multipart() && p.encoding != ""
}

func (p *bodyPart) fact() lists.PartFact {
	if p.hidden() {
		return lists.PartFact{Type: "application/octet-stream", Filename: p.filename, Disposition: "attachment", Size: p.size()}
	}
	return lists.PartFact{Type: p.kind, Filename: p.filename, Disposition: p.disposition, Size: p.size()}
}

// attached tells a part that readers offer for saving, and do not show.
func (p *bodyPart) attached() bool {
	return p.disposition == "attachment" || p.filename != "" && p.disposition == ""
}

// html tells HTML that is shown.
func (p *bodyPart) html() bool { return p.leaf() && isHTML(p.kind) && !p.attached() && !p.opaque }

// plain tells plain text that is shown.
func (p *bodyPart) plain() bool {
	return p.leaf() && p.kind == "text/plain" && !p.attached() && !p.opaque
}

func isHTML(kind string) bool {
	return kind == "text/html" || kind == "application/xhtml+xml" || kind == "text/x-amp-html"
}

// sealed tells what must keep each octet, or is of no use to those who cannot open it.
func sealed(kind string) bool { return kind == "multipart/signed" || encrypted(kind) }

// encrypted: RFC 3156 section 4, RFC 8551 section 3.2. The latter may be a signature only, which is as opaque.
func encrypted(kind string) bool {
	return kind == "multipart/encrypted" || kind == "application/pkcs7-mime" || kind == "application/x-pkcs7-mime"
}

// sealed tells whether part i is, or lies in, something sealed.
func (b *Body) sealed(i int) bool {
	for ; i >= 0; i = b.parts[i].parent {
		if sealed(b.parts[i].kind) {
			return true
		}
	}
	return false
}
