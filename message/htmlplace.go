package message

import (
	"bytes"
	"html"
	"io"
	"strconv"
	"strings"
)

// intoHTML writes the texts for an HTML part: inside of its body element, as far as there is one. ASCII is enough for that.
func (e *editor) intoHTML(i int) (t textInto, ok bool, err error) {
	p := &e.b.parts[i]
	if p.encoding != "" && p.encoding != "quoted-printable" || p.binary || !asciiWithin(p.charset) || strings.HasPrefix(p.charset, "iso-2022-") {
		return t, false, nil
	}
	top, bottom, err := e.b.htmlPlaces(i)
	if err != nil {
		return t, false, err
	}
	t = textInto{part: i}
	for _, x := range []struct {
		into *inserted
		at   int64
		text string
	}{{&t.before, top, e.header}, {&t.after, bottom, e.footer}} {
		if x.text == "" {
			continue
		}
		text := "\r\n" + htmlOf(x.text) + "\r\n"
		if p.encoding != "" {
			text = "=\r\n" + string(quoted(strings.ReplaceAll(text[2:], "\r\n", "\n")))
		}
		if x.at == top {
			text += " " // what follows must not become the beginning of a line: it may look like a delimiter there
		}
		*x.into = inserted{at: p.body + x.at, text: []byte(text)}
	}
	return t, true, nil
}

// htmlPlaces finds where texts go in an HTML part, as offsets in its encoded body: before all that is shown, and behind it.
func (b *Body) htmlPlaces(i int) (top, bottom int64, err error) {
	s := newHTMLScanner(b.decoded(i))
	begun, ended := false, false
	bottom = b.parts[i].size()
	for {
		t, err := s.next()
		switch {
		case err == io.EOF:
			return top, max(bottom, top), nil
		case err != nil:
			return 0, 0, err
		case t.kind == htmlStart && t.name == "body" && !begun:
			top, begun = t.to, true
		case t.kind == htmlEnd && t.name == "body":
			bottom, ended = t.from, true
		case t.kind == htmlEnd && t.name == "html" && !ended:
			bottom = t.from
		case begun:
		case t.kind == htmlOther, t.kind == htmlStart && (t.name == "html" || t.name == "head"), t.kind == htmlEnd && t.name == "head":
			top = t.to
		case t.kind == htmlStart:
			begun = !inHead(t.name)
		case t.kind == htmlText:
			begun = len(bytes.TrimSpace(t.text)) > 0
		}
	}
}

// inHead tells elements that stand before what is shown.
func inHead(name string) bool {
	switch name {
	case "meta", "link", "base", "style", "script", "title":
		return true
	}
	return false
}

// htmlOf writes a cleaned text as ASCII lines of HTML, none of which begins with a hyphen.
func htmlOf(text string) string {
	w := htmlLines{}
	w.put("<div>")
	for i, l := range strings.Split(text, "\n") {
		if i > 0 {
			w.put("\r\n<br>")
			w.column = len("<br>")
		}
		for j, word := range strings.Split(l, " ") {
			if j > 0 {
				w.blank()
			}
			w.word(word)
		}
	}
	w.put("</div>")
	return w.b.String()
}

// htmlLines writes HTML in lines that are not too long.
type htmlLines struct {
	b      strings.Builder
	column int
}

const (
	htmlFold  = 72  // where lines are broken at a blank
	htmlBreak = 900 // where they are broken if there is none: RFC 5322 section 2.1.1 has 998
)

func (w *htmlLines) put(s string) {
	w.b.WriteString(s)
	w.column += len(s)
}

func (w *htmlLines) blank() {
	if w.column > htmlFold {
		w.b.WriteString("\r\n")
		w.column = 0
	}
	w.put(" ")
}

// word writes a word, as a link if it is one.
func (w *htmlLines) word(s string) {
	link := strings.TrimRight(strings.Trim(s, "<>()[]"), ".,;:!?")
	if (strings.HasPrefix(link, "https://") || strings.HasPrefix(link, "http://")) && len(link) < htmlBreak/2 {
		if before, after, ok := strings.Cut(s, link); ok {
			w.letters(before)
			w.put(`<a`)
			w.blank()
			w.put(`href="`)
			w.letters(link)
			w.put(`">`)
			w.letters(link)
			w.put("</a>")
			w.letters(after)
			return
		}
	}
	w.letters(s)
}

func (w *htmlLines) letters(s string) {
	for _, r := range s {
		if w.column > htmlBreak {
			w.put("<wbr\r\n>")
			w.column = 1
		}
		switch {
		case r > '~':
			w.put("&#" + strconv.Itoa(int(r)) + ";")
		case r < ' ':
			w.put(" ")
		default:
			w.put(html.EscapeString(string(r)))
		}
	}
}
