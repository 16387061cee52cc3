package message

import (
	"bytes"
	"io"

	"superlistd/lists"
)

// Reading is a stretch of what a reader sees of a message: a text, or a file that he is offered.
type Reading struct {
	// Text is UTF-8; its line ends are those that came. Nil for a file.
	Text io.Reader
	// Part is what is known of the part. The Size of a file is that which it has when it is saved.
	Part lists.PartFact
	// Subject is that of a mail that is a file, decoded.
	Subject string
}

// Readings returns the texts and files of the body, in its order: of the alternatives for the same the first with plain text in it, or
// else the first with HTML, as text; and whatever is attached. The errors are those of reading.
func (b *Body) Readings() ([]Reading, error) {
	var r readings
	if err := r.add(b, 0, false); err != nil {
		return nil, err
	}
	return r.all, nil
}

type readings struct{ all []Reading }

// add adds part i; with filesOnly nothing but what is attached.
func (r *readings) add(b *Body, i int, filesOnly bool) error {
	p := &b.parts[i]
	switch {
	case p.leaf():
		return r.leaf(b, i, filesOnly)
	case p.kind != "multipart/alternative":
		for _, c := range p.children {
			if err := r.add(b, c, filesOnly); err != nil {
				return err
			}
		}
		return nil
	}
	shown, err := b.shownOf(i)
	if err != nil {
		return err
	}
	for _, c := range p.children {
		if err := r.add(b, c, filesOnly || c != shown); err != nil {
			return err
		}
	}
	return nil
}

func (r *readings) leaf(b *Body, i int, filesOnly bool) (err error) {
	p := &b.parts[i]
	seen := Reading{Part: p.fact()}
	switch {
	case p.attached(), p.opaque:
	case filesOnly:
		return nil
	case p.plain():
		seen.Text = b.inText(i)
	case p.html():
		seen.Text = newHTMLReader(bare(b.inText(i)), false)
	}
	if seen.Text == nil {
		if seen.Part.Size, err = b.savedSize(i); err == nil {
			seen.Subject, err = b.subjectWithin(i)
		}
	}
	r.all = append(r.all, seen)
	return err
}

// savedSize is how many octets part i has without its transfer encoding.
func (b *Body) savedSize(i int) (int64, error) {
	switch p := &b.parts[i]; p.encoding {
	case "quoted-printable", "base64":
		return io.Copy(io.Discard, reads(b.decoded(i)))
	default:
		return p.size(), nil
	}
}

// subjectWithin is the subject of the mail that part i is, "" if it is none.
func (b *Body) subjectWithin(i int) (string, error) {
	switch p := &b.parts[i]; {
	case p.hidden(), p.kind != "message/rfc822" && p.kind != "message/global":
		return "", nil
	}
	head, err := io.ReadAll(io.LimitReader(reads(b.decoded(i)), maxPartHeader))
	if err != nil {
		return "", err
	}
	for _, s := range Texts(ParseHeader(head), "Subject") {
		return s, nil
	}
	return "", nil
}

// shownOf is the child of an alternative that a reader of text is shown.
func (b *Body) shownOf(i int) (int, error) {
	children := b.parts[i].children
	html := -1
	for _, c := range children {
		plain, err := b.hasText(c)
		if err != nil {
			return -1, err
		}
		if plain {
			return c, nil
		}
		if html < 0 && b.hasHTML(c) {
			html = c
		}
	}
	if html < 0 {
		html = children[0]
	}
	return html, nil
}

// hasText tells whether part i is, or holds, plain text that is not empty.
func (b *Body) hasText(i int) (bool, error) {
	p := &b.parts[i]
	for _, c := range p.children {
		if found, err := b.hasText(c); found || err != nil {
			return found, err
		}
	}
	if !p.plain() {
		return false, nil
	}
	start := make([]byte, maxBlank)
	n, err := io.ReadFull(b.inText(i), start)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return false, err
	}
	return len(bytes.TrimSpace(start[:n])) > 0, nil
}

func (b *Body) hasHTML(i int) bool {
	p := &b.parts[i]
	for _, c := range p.children {
		if b.hasHTML(c) {
			return true
		}
	}
	return p.html()
}
