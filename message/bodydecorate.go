package message

import (
	"fmt"
	"slices"
	"strconv"

	"superlistd/lists"
)

// Decoration is what a list does to the body of a post.
type Decoration struct {
	// Header and Footer are UTF-8 texts, lines ended by "\n"; "" is none.
	Header, Footer string
	// Remove are the parts to take out, by their place in Body.Parts. What is not there is passed over.
	Remove []int
	// HTML is lists.HTMLText to turn HTML into plain text; all else leaves it.
	HTML string
	// Removed makes the note that stands where a part was, in UTF-8; nil: the note is in English.
	Removed func(lists.PartFact) string
}

// Rewritten is a message as Decorate leaves it. Body is the whole, header included, and reads from the Content that
// was inspected: it is good as long as that is.
type Rewritten struct {
	Header     Header
	Body       Content
	BodyOffset int64
	// Changed: it is not the original. If false, Header and Body are those of Inspect.
	Changed bool
	Edits   []BodyEdit
	// EightBit: octets that were added need 8BITMIME (RFC 6152), whatever the client declared of the original.
	EightBit bool
}

// BodyOp is what a BodyEdit did.
type BodyOp byte

// The edits of a body.
const (
	PartRemoved  BodyOp = iota + 1 // a note stands for the part
	HTMLDropped                    // the plain text beside it is all that is left
	HTMLToText                     // text was made of it
	EmptyDropped                   // plain text with nothing in it, beside such HTML
	HeaderPut                      // into the part
	FooterPut                      // into the part
	HeaderAdded                    // as a part before the others
	FooterAdded                    // as a part behind the others
	Wrapped                        // the message is the one part of a multipart/mixed, but for the texts of the list
)

// BodyEdit is one change that Decorate made. Part is the number of a part of the original as IMAP counts (RFC 9051 section
// 6.4.5.1), "" is the message itself.
type BodyEdit struct {
	Op   BodyOp
	Part string
	Fact lists.PartFact
}

// String describes the edit in one line of UTF-8 without controls.
func (e BodyEdit) String() string {
	what := "the message"
	if e.Part != "" {
		what = "part " + e.Part
	}
	switch e.Op {
	case PartRemoved:
		name := e.Fact.Type
		if e.Fact.Filename != "" {
			name = e.Fact.Filename + ", " + name
		}
		return fmt.Sprintf("%s removed (%s, %d octets)", what, shown([]byte(name)), e.Fact.Size)
	case HTMLDropped:
		return what + ": HTML dropped, its plain text kept"
	case HTMLToText:
		return what + ": HTML turned into plain text"
	case EmptyDropped:
		return what + ": empty text dropped"
	case HeaderPut:
		return "header put into " + what
	case FooterPut:
		return "footer put into " + what
	case HeaderAdded:
		return "header added as a part of its own"
	case FooterAdded:
		return "footer added as a part of its own"
	case Wrapped:
		return "the message wrapped in a multipart/mixed"
	}
	return "unknown"
}

// editor is what was decided about a message before an octet of it is written.
type editor struct {
	b              *Body
	d              Decoration
	header, footer string // cleaned
	changes        []partChange
	edits          []BodyEdit
	wrapped        bool
	eightBit       bool
	room           int // octets of made text that may still be held in memory
}

// partChange is what happens to one part.
type partChange struct {
	dropped bool
	lost    bool      // HTML of it was dropped or turned into text
	only    int       // the one part that is left of it, which stands in its place; 0: none, for that is the message
	mixed   bool      // its type becomes multipart/mixed
	eight   bool      // its transfer encoding becomes 8bit
	made    *madePart // what stands in its place
	before  inserted  // into its body
	after   inserted
	first   []byte // further parts of it, with their headers
	last    []byte
}

type inserted struct {
	at   int64
	text []byte
}

// madePart is a part that we wrote.
type madePart struct {
	bodyInfo
	fields []field
	pieces []piece
}

// Decorate does to a message what d says, and touches no octet that need not change. All parts that it leaves stand where they
// stood; what a reader could not open afterwards, or no longer verify, gets no texts. The errors are those of reading.
//
// The texts go into the text where there is nothing else, be it plain, HTML, or both as alternatives; as parts of
// their own into a multipart/mixed; else such is put around the message. What is encrypted gets none.
func (b *Body) Decorate(d Decoration) (Rewritten, error) {
	same := Rewritten{Header: b.header, Body: b.content, BodyOffset: int64(b.header.Len())}
	e := &editor{b: b, d: d, header: cleanText(d.Header), footer: cleanText(d.Footer), room: maxMade}
	if e.header == "" && e.footer == "" && len(d.Remove) == 0 && d.HTML != lists.HTMLText {
		return same, nil
	}
	e.changes = make([]partChange, len(b.parts))
	e.remove()
	if d.HTML == lists.HTMLText && !b.limited {
		if err := e.toPlain(); err != nil {
			return Rewritten{}, err
		}
	}
	if err := e.addTexts(); err != nil {
		return Rewritten{}, err
	}
	if len(e.edits) == 0 {
		return same, nil
	}
	return e.write()
}

// note records an edit of part i.
func (e *editor) note(op BodyOp, i int) {
	p := &e.b.parts[i]
	e.edits = append(e.edits, BodyEdit{Op: op, Part: e.b.number(i), Fact: p.fact()})
}

// number is that of a part. A message that is no multipart has no number, though IMAP counts it as 1.
func (b *Body) number(i int) string {
	s := ""
	for p := b.parts[i].parent; p >= 0; i, p = p, b.parts[p].parent {
		n := strconv.Itoa(1 + slices.Index(b.parts[p].children, i))
		if s != "" {
			n += "." + s
		}
		s = n
	}
	return s
}

// info is what part i will be.
func (e *editor) info(i int) *bodyInfo {
	if m := e.changes[i].made; m != nil {
		return &m.bodyInfo
	}
	return &e.b.parts[i].bodyInfo
}

// place is the part that stands in the place of part i.
func (e *editor) place(i int) int {
	for e.changes[i].only != 0 {
		i = e.changes[i].only
	}
	return i
}

// left are the parts of part i that are not dropped.
func (e *editor) left(i int) []int {
	var left []int
	for _, c := range e.b.parts[i].children {
		if !e.changes[c].dropped {
			left = append(left, c)
		}
	}
	return left
}

// remove puts notes where parts were.
func (e *editor) remove() {
	for _, n := range e.d.Remove {
		if n < 0 || n >= len(e.b.leaves) {
			continue
		}
		i := e.b.leaves[n]
		if e.changes[i].made != nil {
			continue
		}
		fact := e.b.parts[i].fact()
		text := "[A part was removed here: " + fact.Type + " " + fact.Filename + "]"
		if e.d.Removed != nil {
			text = e.d.Removed(fact)
		}
		e.changes[i].made = makeText(cleanText(text))
		e.note(PartRemoved, i)
	}
}

// makeText makes a part of a cleaned text. Whatever boundary is around it, no line of it is a delimiter.
func makeText(text string) *madePart {
	m := &madePart{bodyInfo: bodyInfo{kind: "text/plain", charset: "us-ascii"}}
	body := []byte(crlf(text) + "\r\n")
	if !plainEnough(text) {
		m.charset, m.encoding = "utf-8", "quoted-printable"
		body = quoted(text + "\n")
	}
	m.fields = textFields(&m.bodyInfo)
	m.pieces = []piece{{text: body, size: int64(len(body))}}
	return m
}

// textFields are those of a text of ours.
func textFields(d *bodyInfo) []field {
	kind, encoding := "text/plain; charset="+d.charset, "7bit"
	if d.flowed {
		kind += "; format=flowed"
	}
	if d.encoding != "" {
		encoding = d.encoding
	}
	fields := make([]field, 0, 3)
	for _, v := range [][2]string{{"Content-Type", kind}, {"Content-Transfer-Encoding", encoding}, {"Content-Disposition", "inline"}} {
		f, _ := newField(v[0], v[1])
		fields = append(fields, f)
	}
	return fields
}
