package message

import (
	"bytes"

	"superlistd/lists"
)

// replies is where answers go: what becomes of Reply-To and Cc.
//
//	               From as it came                    From rewritten to the list
//	author         Reply-To as it came                Reply-To as it came, and the author in Cc unless it names him;
//	                                                  none came: the author
//	list, ADDRESS  that one; what Reply-To named      that one; the author and what Reply-To named in Cc
//	               in Cc
//
// A member who answers reaches whom the list wants, who answers all reaches the author too, and
// nobody is named twice.
type replies struct {
	replyTo string // the value of the one Reply-To; empty: as it came
	first   bool   // only the first Reply-To that came stays
	cc      []mailbox
	into    int // the index of the Cc field that takes cc; -1: a new one does
}

// planReplies decides for a post of who. rewritten: From does not name him any more.
func planReplies(h Header, l lists.List, who mailbox, rewritten bool) replies {
	target := replyTarget(l)
	if !rewritten && target.address.IsZero() && !h.severalReplyTo() {
		return replies{}
	}
	came, fields := h.mailboxesOf("Reply-To", maxNamed)
	p := replies{into: -1}
	var cc []mailbox
	switch {
	case !target.address.IsZero():
		p.replyTo = target.String()
		cc = came
		if rewritten {
			cc = append([]mailbox{who}, came...)
		}
	case rewritten && len(came) == 0:
		if !who.address.IsZero() {
			p.replyTo = who.String()
		}
		return p
	case fields > 1 && len(came) > 0: // RFC 5322 section 3.6 allows one
		p.replyTo = joinMailboxes(came)
	case fields > 1:
		p.first = true
	}
	if rewritten && target.address.IsZero() {
		cc = []mailbox{who}
	}
	p.copyTo(h, cc, func(a lists.Address) bool {
		switch key := a.Key(); {
		case a.IsZero(), key == l.Address.Key(), key == target.address.Key():
			return false
		case !rewritten:
			return key != who.address.Key()
		case target.address.IsZero(): // the author, unless Reply-To names him
			return !contains(came, key)
		}
		return true
	})
	return p
}

func (h Header) severalReplyTo() bool {
	n := 0
	for _, f := range h.fields {
		if f.is("Reply-To") {
			n++
		}
	}
	return n > 1
}

// replyTarget is the address that the list wants answers at; zero: the author's.
func replyTarget(l lists.List) mailbox {
	switch to := l.Settings.ReplyTo; to {
	case "", lists.ReplyToAuthor:
		return mailbox{}
	case lists.ReplyToList:
		return mailbox{address: l.Address}
	default:
		a, err := lists.ParseAddress(to)
		if err != nil {
			return mailbox{} // no setting would have let it pass
		}
		return mailbox{address: a}
	}
}

// copyTo notes those of all for Cc that may be there, and that neither To nor Cc names already.
func (p *replies) copyTo(h Header, all []mailbox, may func(lists.Address) bool) {
	for _, m := range all {
		if may(m.address) && !contains(p.cc, m.address.Key()) {
			p.cc = append(p.cc, m)
		}
	}
	if len(p.cc) == 0 {
		return
	}
	named := make([]bool, len(p.cc))
	for i, f := range h.fields {
		isCc := f.is("Cc")
		if !isCc && !f.is("To") {
			continue
		}
		clear := true
		for m := (mailboxes{rest: f.raw[f.value:]}); m.next(); {
			a, ok := m.address()
			if !ok {
				clear = clear && !m.unclear
				continue
			}
			for j := range p.cc {
				named[j] = named[j] || p.cc[j].address.Domain == a.Domain && p.cc[j].address.Key() == a.Key()
			}
		}
		if isCc && clear && extensible(f) {
			p.into = i
		}
	}
	kept := p.cc[:0]
	for j, m := range p.cc {
		if !named[j] {
			kept = append(kept, m)
		}
	}
	p.cc = kept
}

func contains(all []mailbox, key string) bool {
	for _, m := range all {
		if m.address.Key() == key {
			return true
		}
	}
	return false
}

func joinMailboxes(all []mailbox) string {
	s := ""
	for i, m := range all {
		if i > 0 {
			s += ", "
		}
		s += m.String()
	}
	return s
}

// extensible tells whether more addresses can be written behind the value of f.
func extensible(f field) bool {
	return !bytes.HasSuffix(bytes.TrimRight(f.raw[f.value:], " \t\r\n"), []byte(`\`))
}

// extend returns the octets of the address list f with more behind what is there.
func extend(f field, more string) []byte {
	end := f.value + len(bytes.TrimRight(f.raw[f.value:], " \t\r\n"))
	raw := make([]byte, 0, end+len(more)+16)
	raw = append(raw, f.raw[:end]...)
	switch {
	case end == f.value:
		raw = appendFolded(append(raw, ' '), end+1, more)
	case raw[end-1] == ',':
		raw = appendFolded(append(raw, '\r', '\n'), 0, " "+more)
	default:
		raw = appendFolded(append(raw, ",\r\n"...), 0, " "+more)
	}
	return append(raw, '\r', '\n')
}
