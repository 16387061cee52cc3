package message

import (
	"bytes"
	"strings"

	"superlistd/lists"
)

// Dressing is what Dress must be told about a post, beside what its list decides.
type Dressing struct {
	// Author is whom the post was judged as; zero: the first address of From.
	Author lists.Address
	// AuthorName is the name of that member; it serves when From has none.
	AuthorName string
	// Rewrite tells that the policy of the author's domain asks for it (from = dmarc). What from_domains
	// names, Dress sees itself.
	Rewrite bool
	// Results is the value of our Authentication-Results (RFC 8601); empty: there is none.
	Results string
	// Key makes the Message-IDs of anonymous lists. Without one, who knows an id can tell what it is mapped to.
	Key []byte
	// EightBit tells that the body was declared to be 8BITMIME, for the post that is wrapped.
	EightBit bool
	// Unsubscribe is the https URL of a page where one leaves the list. One that no line of a header can hold is left out.
	Unsubscribe string
	// Personal leaves List-Unsubscribe out: each copy gets one of its own (AppendPersonal).
	Personal bool
}

// Dressed is what a post of a list begins with; the body follows as it came.
type Dressed struct {
	// Head is the header with its empty line. A wrapped post's goes on with the header of the post
	// that is inside, and the empty line of that.
	Head []byte
	// Outer is where the header ends in Head. What comes behind it is body to whoever signs or counts.
	Outer int
	// Edits are the differences between Head and the header that came, in the order of Head.
	Edits []Edit
	// UTF8 tells that something in Head that did not come with the post needs SMTPUTF8 (RFC 6531).
	UTF8 bool
}

// Dress returns the header of the copies of list l. It changes nothing but this, and keeps the order and octets of all else:
//
//   - our Received is on top (RFC 5321 section 4.4), and above it our Authentication-Results; others that
//     bear our name are gone (RFC 8601 section 5);
//   - the fields of another list, Precedence, requests for receipts and what else dropped tells are gone;
//   - List-Id (RFC 2919), List-Post, -Help, -Subscribe, -Unsubscribe and -Owner (RFC 2369) and
//     Precedence are below the last field, so that the trace fields above stay together;
//   - what the settings subject_prefix, reply_to, from, anonymous, keep_dkim and archive_url ask for.
//
// So where subject_prefix, reply_to and a From to be rewritten do not step in, no field that signatures cover by habit is touched.
// Require-TLS-ESMTP is kept: it is how Postfix carries REQUIRETLS past a filter.
func Dress(h Header, l lists.List, t Trace, d Dressing) Dressed {
	p := newPlan(h, l, t, d)
	switch {
	case l.Settings.Anonymous:
		return p.anonymous()
	case l.Settings.From == lists.FromWrap:
		return p.wrap()
	}
	return p.dress()
}

// plan is what was decided about a post before the first octet is written.
type plan struct {
	h        Header
	l        lists.List
	trace    Trace
	d        Dressing
	who      mailbox // the author, where it matters
	from     string  // the new From; empty: as it came
	prefix   string  // of the subject; empty: none
	archived string  // the value of Archived-At; empty: as it came
	replies  replies
}

func newPlan(h Header, l lists.List, t Trace, d Dressing) *plan {
	p := &plan{h: h, l: l, trace: t, d: d}
	s := &l.Settings
	if s.SubjectPrefix != "" {
		p.prefix = shown([]byte(s.SubjectPrefix))
	}
	if s.From != lists.FromKeep || s.Anonymous || replyTarget(l).address != (lists.Address{}) {
		p.who = author(h, d)
	}
	rewritten := false
	switch s.From {
	case lists.FromList, lists.FromWrap:
		rewritten = true
	case lists.FromDMARC:
		rewritten = d.Rewrite || s.RewritesFrom(p.who.address.Domain)
	}
	if rewritten {
		p.from = viaList(p.who, l)
	}
	if s.ArchiveURL != "" && !s.Anonymous {
		p.archived = archivedAt(s.ArchiveURL, identifier(h))
	}
	if !s.Anonymous {
		p.replies = planReplies(h, l, p.who, rewritten)
	}
	return p
}

// dress writes the header of a post that stays what it is.
func (p *plan) dress() Dressed {
	d := newDraft(p.h.Len() + 1536)
	p.top(d, p.trace)
	var from, replyTo, subject bool
	var buf [maxKnownName]byte
	for i, f := range p.h.fields {
		switch name := f.known(&buf); {
		case dropped(name), p.unwanted(name, f):
			d.remove(f)
		case string(name) == "from" && p.from != "":
			d.once(f, "From", p.from, &from)
		case string(name) == "reply-to" && p.replies.replyTo != "":
			d.once(f, "Reply-To", p.replies.replyTo, &replyTo)
		case string(name) == "reply-to" && p.replies.first && replyTo:
			d.remove(f)
		case string(name) == "cc" && len(p.replies.cc) > 0 && i == p.replies.into:
			d.replaceRaw(f, extend(f, joinMailboxes(p.replies.cc)))
		case string(name) == "subject":
			subject = true
			p.subject(d, f)
		case string(name) == "archived-at" && p.archived != "":
			d.remove(f)
		default:
			replyTo = replyTo || string(name) == "reply-to"
			d.keep(f)
		}
	}
	p.missing(d, from, replyTo, subject)
	p.listFields(d)
	d.end(p.h.blank)
	return d.dressed()
}

// top writes the trace fields of ours.
func (p *plan) top(d *draft, t Trace) {
	if p.d.Results != "" && !p.l.Settings.Anonymous {
		d.add("Authentication-Results", p.d.Results)
	}
	d.addRaw("Received", func(dst []byte) []byte { return appendReceived(dst, t) })
}

// missing writes what should have taken the place of fields that are not there.
func (p *plan) missing(d *draft, from, replyTo, subject bool) {
	if p.from != "" && !from {
		d.add("From", p.from)
	}
	if p.replies.replyTo != "" && !replyTo {
		d.add("Reply-To", p.replies.replyTo)
	}
	if len(p.replies.cc) > 0 && p.replies.into < 0 {
		d.add("Cc", joinMailboxes(p.replies.cc))
	}
	if p.prefix != "" && !subject {
		d.addRaw("Subject", func(dst []byte) []byte { return p.bareSubject(dst) })
	}
	if p.archived != "" {
		d.add("Archived-At", p.archived)
	}
}

// subject writes a Subject with the prefix, or as it came. If there are several, each gets it: readers differ in which they show.
func (p *plan) subject(d *draft, f field) {
	if p.prefix != "" {
		if raw, ok := prefixSubject(f, p.prefix); ok {
			d.replaceRaw(f, raw)
			return
		}
	}
	d.keep(f)
}

// bareSubject is that of a post without one: the prefix alone, for we do not put words in the author's mouth.
func (p *plan) bareSubject(dst []byte) []byte {
	raw, _ := prefixSubject(field{raw: []byte("Subject:"), name: 7, value: 8}, p.prefix)
	return append(append(dst, raw...), '\r', '\n')
}

// unwanted tells the fields of authentication that may not stay. name is in lower case.
func (p *plan) unwanted(name []byte, f field) bool {
	if string(name) == "authentication-results" && claimsToBe(f.text(), p.trace.Hostname) {
		return true // RFC 8601 section 5: nobody but us says what we found
	}
	if p.l.Settings.KeepDKIM {
		return false
	}
	switch string(name) {
	case "dkim-signature", "domainkey-signature", "authentication-results":
		return true
	}
	return bytes.HasPrefix(name, []byte("arc-"))
}

// claimsToBe tells whether the value of an Authentication-Results has hostname as the name of who wrote it (RFC 8601 section 2.2). Where that
// name cannot be made out, since a quote is not closed, say, any mention counts: who knows what other programs make of it.
func claimsToBe(value, hostname string) bool {
	hostname = strings.ToLower(strings.TrimSuffix(hostname, "."))
	id, _ := cutToken(value, ";")
	id, _, _ = strings.Cut(id, " ") // the version
	a, err := lists.ParseAddress("x@" + strings.TrimSuffix(id, "."))
	if err != nil {
		return hostname != "" && strings.Contains(strings.ToLower(value), hostname)
	}
	return a.Domain == hostname
}

// maxKnownName is longer than the name of any field that is not passed on as it is.
const maxKnownName = 64

// known returns the name in lower case, in buf; nil for a "From " line and for names longer than any that means something here.
func (f field) known(buf *[maxKnownName]byte) []byte {
	if f.name == 0 || f.name > len(buf) {
		return nil
	}
	name := buf[:f.name]
	for i, c := range f.raw[:f.name] {
		name[i] = lower(c)
	}
	return name
}

// Forward returns the header for mail to a service address that goes on to people: our Received on
// top, no Return-Path (RFC 5321 section 4.4: final delivery writes it), all else untouched, and
// the empty line.
func Forward(h Header, t Trace) []byte {
	d := newDraft(h.Len() + 512)
	d.addRaw("Received", func(dst []byte) []byte { return appendReceived(dst, t) })
	for _, f := range h.fields {
		if f.is("Return-Path") {
			d.remove(f)
		} else {
			d.keep(f)
		}
	}
	d.end(h.blank)
	return d.out
}

// dropped tells the fields that copies of a list do not carry. name is in lower case.
func dropped(name []byte) bool {
	if bytes.HasPrefix(name, []byte("list-")) {
		return true // RFC 2369 section 4: a list does not let through what another list wrote
	}
	switch string(name) {
	case "precedence":
		return true // ours is the only one
	case "return-path", "errors-to":
		return true // the way back is the envelope's, and leads to us
	case "delivered-to":
		// Postfix's local(8) takes it for proof of a forwarding loop: a post naming a member there, by malice
		// or because it came through that member's alias, would bounce for that member. Our own
		// Received fields find loops (CheckLoop).
		return true
	}
	return harmful(name)
}

// harmful tells the fields that no member may get to see, not even inside of a wrapped post.
func harmful(name []byte) bool {
	switch string(name) {
	case "return-receipt-to", "return-receipt-requested", "x-return-receipt-to", "receipt-requested-to",
		"disposition-notification-to", "disposition-notification-options", "generate-delivery-report",
		"x-confirm-reading-to", "read-receipt-to", "registered-mail-reply-requested-by",
		"notice-requested-upon-delivery-to", "acknowledge-to", "x-pmrqc":
		return true // one post must not draw a receipt from every member
	case "approved", "approve", "x-approved", "x-approve":
		return true // other list managers take the moderator's password here: never show it to the members
	case "bcc", "resent-bcc":
		return true // RFC 5322 section 3.6.3
	}
	return false
}
