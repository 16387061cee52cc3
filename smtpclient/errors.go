package smtpclient

import (
	"errors"
	"fmt"

	"superlistd/wire"
)

var (
	// ErrUnreachable: no session came about. Connecting, the banner, EHLO, TLS,
	// AUTH or XCLIENT failed. It is wrapped with the cause, never with an *Error:
	// what the next hop says to our greeting is no answer for a sender.
	ErrUnreachable = errors.New("next hop unreachable")
	// ErrLost: the session broke: a failed read or write, a timeout, the end of
	// the context, a reply that is none, or a 421. It is wrapped with the cause.
	// From Commit it means that the fate of the message is unknown, unless a
	// *Closing is beneath it.
	ErrLost = errors.New("connection to the next hop lost")
	// ErrUnknown: from Single, always with ErrLost: the end of the content went
	// out, and its answer did not come. The message may be queued or not.
	ErrUnknown = errors.New("fate of the message unknown")
	// ErrUTF8: the message needs SMTPUTF8, and the next hop does not offer it.
	ErrUTF8 = errors.New("next hop does not offer SMTPUTF8")
	// ErrSize: the message is larger than the next hop's SIZE.
	ErrSize = errors.New("message over the next hop's size limit")
	// ErrSyntax: an address or parameter given to us must not be written: it has
	// control octets, or unquoted blanks or angle brackets.
	ErrSyntax = errors.New("not fit for a command line")
	// ErrState: a call that the transaction cannot follow now, such as Rcpt after
	// Data, or Data when no recipient was accepted.
	ErrState = errors.New("out of order")
)

// Error is a negative reply of the next hop to a command of a transaction. The
// reply is meant for the sender. Command is MAIL, RCPT, DATA, BDAT or ".".
type Error struct {
	Command string
	Reply   wire.Reply
}

// Error names the command and the reply.
func (e *Error) Error() string { return fmt.Sprintf("next hop to %s: %v", e.Command, e.Reply) }

// TooMany says that the next hop takes no further recipients in this transaction
// (452 4.5.3; RFC 5321 section 4.5.3.1.10), which may go on with those it has.
type TooMany struct {
	Accepted int // accepted recipients
	Next     int // index of the first recipient that belongs into another transaction
}

// Error tells the limit that was found.
func (e *TooMany) Error() string {
	return fmt.Sprintf("next hop takes no more than %d recipients", e.Accepted)
}

// Closing is a 421: the next hop has hung up, and said so. It is an ErrLost, and
// on purpose no *Error: passed on to Postfix, a 421 would cut off its client.
type Closing struct {
	Command string
	Reply   wire.Reply
}

// Error names the command and the reply.
func (e *Closing) Error() string { return fmt.Sprintf("next hop to %s: %v", e.Command, e.Reply) }

// Unwrap makes it an ErrLost.
func (e *Closing) Unwrap() error { return ErrLost }

const codeClosing = 421 // RFC 5321 section 3.8: allowed as the answer to any command

// tooMany recognises "no more recipients": 452 with 4.5.3, and 452 or 552 with
// 5.5.3 or without an enhanced code. Codes such as 452 4.3.1 mean something else.
func tooMany(r wire.Reply) bool {
	if r.Code != 452 && r.Code != 552 {
		return false
	}
	switch r.Enhanced() {
	case "", "4.5.3", "5.5.3":
		return true
	}
	return false
}
