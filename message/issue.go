package message

import (
	"io"
	"strings"
	"time"

	"superlistd/lists"
)

// Issue is the header of a mail that a list writes to its members: a digest.
type Issue struct {
	// Subject is UTF-8 text, MessageID without angle brackets.
	Subject, MessageID string
	Date               time.Time
	// Unsubscribe is the https URL of a page where one leaves the list; "": there is none.
	Unsubscribe string
	// Personal leaves List-Unsubscribe out: each copy gets one of its own (AppendPersonal).
	Personal bool
	// Type is the value of Content-Type, Encoding that of Content-Transfer-Encoding.
	Type, Encoding string
}

// Head returns the header, with its empty line. It says of the list what the header of a post says (see Dress), our Received among it: by
// these CheckLoop knows a digest that comes back. It comes from the list, and answers go where the list wants them.
func (i Issue) Head(l lists.List, t Trace) []byte {
	p := &plan{l: l, trace: t, d: Dressing{Unsubscribe: i.Unsubscribe, Personal: i.Personal}}
	list := mailbox{listName(l), l.Address}
	d := newDraft(2048)
	p.top(d, t)
	d.add("From", list.String())
	d.add("To", list.String())
	if to := replyTarget(l).address; l.Settings.Post == lists.PostNobody {
		d.add("Reply-To", l.Owner().String())
	} else if !to.IsZero() && to != l.Address {
		d.add("Reply-To", to.String())
	}
	d.add("Subject", string(appendText(nil, shown([]byte(i.Subject)))))
	d.add("Date", i.Date.Format(time.RFC1123Z))
	d.add("Message-ID", "<"+i.MessageID+">")
	d.add("MIME-Version", "1.0")
	d.add("Content-Type", i.Type)
	d.add("Content-Transfer-Encoding", i.Encoding)
	// RFC 3834 section 5: nobody's absence shall answer it, and no list shall take it for a post.
	d.add("Auto-Submitted", "auto-generated")
	p.listFields(d)
	d.end(nil)
	return d.out
}

// ListName is what a list is called in one or two words: its description if that is short, or the local part of its address.
func ListName(l lists.List) string { return listName(l) }

// Topic is what a message is about: its Subject as people read it, without the marks of a reply and without the list's
// prefix.
func Topic(h Header, prefix string) string {
	subject := ""
	for _, f := range h.fields {
		if f.is("Subject") {
			subject = shown(readWords(f.raw[f.value:]).text)
			break
		}
	}
	prefix = shown([]byte(prefix))
	for {
		rest := subject[behindMarks([]byte(subject)):]
		if n := len(prefix); n > 0 && len(rest) >= n && strings.EqualFold(rest[:n], prefix) {
			rest = strings.TrimLeft(rest[n:], " ")
		}
		if len(rest) == len(subject) {
			return subject
		}
		subject = rest
	}
}

// TextPart is a part of a multipart with a text of ours: its header and body, without the line end that belongs to the delimiter behind it. No line
// of it is a delimiter of anything.
func TextPart(text string) []byte {
	if text = cleanText(text); text == "" {
		text = "\n"
	}
	return textPart(text)
}

// Quoting returns text, whose line ends are "\n", in quoted-printable (RFC 2045 section 6.7).
func Quoting(text io.Reader) io.Reader { return &quotingReader{in: text} }
