// Package bounce reads what mail systems send back: who did not get a message, why, and whether that says anything
// about him. It knows RFC 3464 and RFC 6533 reports, the formats that are older than those or ignore them, one small
// file for each (format_*.go, table in formats.go, samples in testdata/bounce), and last what failure notices have in common.
// It keeps no state, sends nothing, knows no list, and never takes a recipient out of the message that came back.
package bounce

import (
	"bytes"
	"fmt"
	"io"

	"superlistd/lists"
	"superlistd/message"
)

// Kind is what a mail says about a recipient, or about all of them.
type Kind byte

// The kinds, from the least to the worst.
const (
	// None: nothing that counts against an address. The mail is no bounce, or it tells of a delay or of success, or
	// the message was refused for what it is or where it came from.
	None Kind = iota
	// Soft: the address could not take the message now. Mailbox full, no connection, no answer of the DNS.
	Soft
	// Hard: the address cannot take any message. User unknown, domain unknown, account disabled.
	Hard
)

// String gives "none", "soft" or "hard".
func (k Kind) String() string { return [...]string{"none", "soft", "hard"}[k] }

// Cause says why a mail counts as it does, in a word for logs.
type Cause string

// The causes.
const (
	Failed    Cause = "failed"     // somebody did not get the message: Kind is Soft or Hard
	Refused   Cause = "refused"    // the message was refused for its content, size or sender, or by policy
	Delayed   Cause = "delayed"    // it is still tried
	Delivered Cause = "delivered"  // it arrived, was expanded, or was relayed to a system that makes no reports
	Receipt   Cause = "receipt"    // RFC 8098: somebody has read or deleted it
	Complaint Cause = "complaint"  // RFC 5965: somebody calls it abuse
	Unnamed   Cause = "unnamed"    // a report of a failure that names nobody
	Other     Cause = "not bounce" // any other mail
)

// Report is what a mail says.
type Report struct {
	Kind   Kind  // the worst of the recipients
	Cause  Cause // never empty
	Format string
	// Recipients are those whom the mail names as not having the message, at most MaxRecipients. Of None they are
	// those who wait for it or whose system refused it; of other mail than reports there are none.
	Recipients []Recipient
	// MessageID is that of the message that came back, without angle brackets; empty if it is not told.
	MessageID string
	// Feedback is what there is to know of a Complaint.
	Feedback Feedback

	spelling spelling
}

// Recipient is one who did not get the message.
type Recipient struct {
	// Address is that to which the sender wrote, as far as the report knows it.
	Address lists.Address
	// Final is the one that failed, if Address was forwarded to it; else it is zero.
	Final lists.Address
	// Status is the code of RFC 3463 that the report gives or that its reply codes mean; empty: none.
	Status string
	// Diagnostic is what the system said, in one line of UTF-8 without controls, at most maxDiagnostic octets.
	Diagnostic string
	Kind       Kind

	cause Cause
}

// Limits of Read. What is beyond is not seen; none is an error.
const (
	// MaxRecipients is how many recipients a report may have.
	MaxRecipients = 5000

	maxStatus     = 1 << 20   // octets of machine-readable reports
	maxText       = 256 << 10 // octets of text for people
	maxPartHead   = 64 << 10  // octets of the header of a part
	maxDiagnostic = 1000
)

// Read reads one mail, as it came from the wire or from a file of a mailbox, in one pass, linear time and memory that does
// not grow with the mail. Any mail gives a Report; an error is one of r.
func Read(r io.Reader) (Report, error) {
	l, err := scan(r)
	if err != nil {
		return Report{}, fmt.Errorf("read bounce: %w", err)
	}
	return l.report(), nil
}

// report decides what a letter is.
func (l *letter) report() Report {
	o := l.origin()
	switch {
	case l.complaint:
		return Report{Cause: Complaint, Feedback: l.feedback()}
	case l.receipt && !l.hasStatus():
		return l.rejection(o)
	case o == person:
		return Report{Cause: Other}
	}
	n := newNotice(l, o)
	rep := Report{Cause: Other}
	if l.hasStatus() {
		rep.Format, rep.Cause = "rfc3464", Unnamed
		all, success := n.readStatus()
		rep.Recipients = all
		if len(all) == 0 && success {
			rep.Cause = Delivered
		}
	}
	if len(rep.Recipients) == 0 && rep.Cause != Delivered {
		if name, all := n.readText(); len(all) > 0 {
			rep.Format, rep.Recipients = name, all
		}
	}
	rep.settle()
	if rep.Cause != Other {
		rep.MessageID, rep.spelling = n.messageID(), l.spelling()
	}
	return rep
}

// settle gives the report the kind and the cause of its recipients.
func (r *Report) settle() {
	if len(r.Recipients) == 0 {
		return
	}
	r.Cause = r.Recipients[0].cause
	for _, one := range r.Recipients {
		if one.Kind > r.Kind {
			r.Kind, r.Cause = one.Kind, one.cause
		}
	}
}

// messageID is that of the message that came back: from its header, from what the report says, or from what the report answers.
func (n *notice) messageID() string {
	if id := message.ID(n.letter.original); id != "" {
		return id
	}
	if id := message.ID(message.ParseHeader(bytes.TrimLeft([]byte(n.rest), "\r\n \t"))); id != "" {
		return id
	}
	if n.originalID != "" {
		return n.originalID
	}
	if ids := message.Thread(n.letter.header); len(ids) > 0 {
		return ids[0]
	}
	return ""
}
