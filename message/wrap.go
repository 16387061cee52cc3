package message

import (
	"strings"
	"unicode/utf8"

	"superlistd/lists"
)

// wrap puts a header of the list's own before the post, which becomes the one part of a message/rfc822: its header, but for
// what harmful tells, and its body stay as they came, and with them the author's From and signature. The outer header has what
// readers sort and thread by, and the trace, by which hops are counted. It keeps the post's Message-ID: an answer
// to it must find its thread wherever else the post went.
func (p *plan) wrap() Dressed {
	d := newDraft(2*p.h.Len() + 2048)
	p.top(d, p.trace)
	var replyTo, subject bool
	var buf [maxKnownName]byte
	for i, f := range p.h.fields {
		at := len(d.out)
		switch string(f.known(&buf)) {
		case "received", "date", "message-id", "in-reply-to", "references", "to", "auto-submitted", "require-tls-esmtp":
			d.out = append(d.out, endLine(f.raw)...)
		case "reply-to":
			if p.replies.replyTo != "" || p.replies.first && replyTo {
				continue
			}
			replyTo = true
			d.out = append(d.out, endLine(f.raw)...)
		case "cc":
			raw := endLine(f.raw)
			if len(p.replies.cc) > 0 && i == p.replies.into {
				raw = extend(f, joinMailboxes(p.replies.cc))
			}
			d.out = append(d.out, raw...)
		case "subject":
			subject = true
			raw, ok := []byte(nil), false
			if p.prefix != "" {
				raw, ok = prefixSubject(f, p.prefix)
			}
			if !ok {
				raw = f.raw
			}
			d.out = append(d.out, endLine(raw)...)
		default:
			continue
		}
		d.note(Add, f.label(), at, nil)
	}
	p.missing(d, false, replyTo, subject)
	p.wrapper(d)
	p.listFields(d)
	d.addRaw("", func(dst []byte) []byte { return append(dst, '\r', '\n') })
	outer := len(d.out)
	for _, f := range p.h.fields {
		if name := f.known(&buf); harmful(name) || p.unwanted(name, f) {
			d.remove(f)
		} else {
			d.keep(f)
		}
	}
	d.end(p.h.blank)
	dressed := d.dressed()
	dressed.Outer = outer
	return dressed
}

// wrapper writes what the outer header says of its part. RFC 2046 section 5.2.1 allows no encoding but those that change nothing.
func (p *plan) wrapper(d *draft) {
	eightBit, global := p.d.EightBit, false
	for _, f := range p.h.fields {
		if !lists.IsASCII(f.raw) {
			eightBit, global = true, global || utf8.Valid(f.raw)
		}
		if f.is("Content-Transfer-Encoding") {
			how := strings.ToLower(f.text())
			eightBit = eightBit || how == "8bit" || how == "binary"
		}
	}
	d.add("MIME-Version", "1.0")
	if global { // RFC 6532 section 3.7
		d.add("Content-Type", "message/global")
	} else {
		d.add("Content-Type", "message/rfc822")
	}
	d.add("Content-Disposition", "inline")
	if eightBit {
		d.add("Content-Transfer-Encoding", "8bit")
	}
}
