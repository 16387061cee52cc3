package message

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

// htmlReader is the text of an HTML document, as UTF-8 with "\n" at line ends. With flow it is format=flowed (RFC 3676),
// else a paragraph is one line. It keeps nothing but the word and the line that it is at.
type htmlReader struct {
	in  *htmlScanner
	w   textWriter
	off int // what was read of w.out
	err error

	link   string // of the anchor that is open
	anchor []byte // its text, to see whether that is the link
}

const (
	flowAt    = 72 // RFC 3676 section 4.2 wants lines under 80
	maxQuotes = 10
	maxLists  = 8
	maxAnchor = 256
	maxWordAt = 256 // octets of a word that are held before they are written
)

func newHTMLReader(in octets, flow bool) *htmlReader {
	return &htmlReader{in: newHTMLScanner(in), w: textWriter{flow: flow}}
}

func (r *htmlReader) Read(p []byte) (int, error) {
	for r.off == len(r.w.out) {
		r.w.out, r.off = r.w.out[:0], 0
		if r.err != nil {
			return 0, r.err
		}
		t, err := r.in.next()
		if err != nil {
			r.w.finish()
			r.err = err
			continue
		}
		r.token(t)
	}
	n := copy(p, r.w.out[r.off:])
	r.off += n
	return n, nil
}

func (r *htmlReader) token(t htmlToken) {
	switch t.kind {
	case htmlText:
		r.text(t.text)
	case htmlStart:
		r.open(t)
	case htmlEnd:
		r.closed(t.name)
	}
}

func (r *htmlReader) text(b []byte) {
	if r.link != "" && len(r.anchor) < maxAnchor {
		r.anchor = append(r.anchor, b[:min(len(b), maxAnchor)]...)
	}
	r.w.text(b)
}

func (r *htmlReader) open(t htmlToken) {
	w := &r.w
	switch t.name {
	case "br":
		w.newline()
	case "a":
		r.closeAnchor()
		r.link, r.anchor = usableLink(t.href), r.anchor[:0]
	case "img":
		if alt := strings.TrimSpace(t.alt); alt != "" {
			r.text([]byte("[" + alt + "]"))
		}
	case "hr":
		w.block(1)
		w.text([]byte(strings.Repeat("-", 40)))
		w.block(1)
	case "li":
		w.block(1)
		w.item()
	case "ul", "ol":
		w.block(w.apart())
		w.list(t.name == "ol", t.start)
	case "blockquote":
		w.block(2)
		w.quote = min(w.quote+1, maxQuotes)
	case "pre":
		w.block(2)
		w.pre++
	case "td", "th":
		w.blank()
	default:
		w.block(blockOf(t.name))
	}
}

func (r *htmlReader) closed(name string) {
	w := &r.w
	switch name {
	case "a":
		r.closeAnchor()
	case "ul", "ol":
		w.lists = w.lists[:max(len(w.lists)-1, 0)]
		w.block(w.apart())
	case "blockquote":
		w.block(2)
		w.quote = max(w.quote-1, 0)
	case "pre":
		w.block(2)
		w.pre = max(w.pre-1, 0)
	case "td", "th":
		w.blank()
	case "br":
		w.newline()
	default:
		w.block(blockOf(name))
	}
}

// blockOf is how many line ends an element puts around it.
func blockOf(name string) int {
	switch name {
	case "p", "h1", "h2", "h3", "h4", "h5", "h6", "table", "dl", "figure", "form", "fieldset":
		return 2
	case "div", "tr", "dt", "dd", "li", "section", "article", "header", "footer", "main", "aside", "nav", "address",
		"center", "caption", "figcaption", "details", "summary", "body", "thead", "tbody", "tfoot", "legend", "option":
		return 1
	}
	return 0
}

// closeAnchor writes where a link leads, unless its text says so.
func (r *htmlReader) closeAnchor() {
	if r.link != "" && bareLink(r.link) != bareLink(string(bytes.TrimSpace(r.anchor))) {
		if len(bytes.TrimSpace(r.anchor)) > 0 {
			r.w.blank()
		}
		r.w.text([]byte("<" + r.link + ">"))
	}
	r.link = ""
}

// bareLink is what people would write of a link.
func bareLink(s string) string {
	s = strings.ToLower(s)
	for _, scheme := range []string{"mailto:", "tel:", "http://", "https://"} {
		s = strings.TrimPrefix(s, scheme)
	}
	return strings.TrimSuffix(s, "/")
}

// usableLink is a link that means something outside of its document, else "".
func usableLink(href string) string {
	href = strings.TrimSpace(href)
	scheme, _, ok := strings.Cut(href, ":")
	if !ok {
		return ""
	}
	switch strings.ToLower(scheme) {
	case "http", "https", "ftp", "mailto", "tel", "xmpp", "news":
	default:
		return ""
	}
	unfit := func(r rune) bool {
		return r <= ' ' || r == '<' || r == '>' || r == utf8.RuneError || !unicode.IsGraphic(r) || unicode.IsSpace(r)
	}
	if strings.IndexFunc(href, unfit) >= 0 {
		return ""
	}
	return href
}
