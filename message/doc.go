// Package message holds mail content: it spools what a client sends once, reads and edits
// a header without touching what it does not understand, dresses the header of the copies
// of a list, maps the parts of a body and puts texts of a list into it, and finds loops. It
// never opens a socket, never decides who may post, and never re-serialises what a stranger
// wrote: octets are kept as slices of what came in, or as stretches of where they are stored.
package message

import "errors"

// What can be wrong with content. Everything else that Spool returns is trouble with its file.
var (
	// ErrHeader: no end of the header within MaxHeader octets.
	ErrHeader = errors.New("message header is unreadable or too big")
	// ErrLoop: the list has handled this message before.
	ErrLoop = errors.New("mail loop")
	// ErrHops: more than MaxHops Received fields.
	ErrHops = errors.New("too many hops")
	// ErrTooBig: the content passes the limit of the spool.
	ErrTooBig = errors.New("message is too big")
	// ErrNote: a note of our own cannot be composed, because a field of it is missing or bad.
	ErrNote = errors.New("note cannot be composed")
)

const (
	// MaxHeader is the most octets of a header that are looked at.
	MaxHeader = 256 << 10
	// MaxHops is the most Received fields that a message may carry: Postfix's default of
	// hopcount_limit. RFC 5321 section 6.3 asks for at least 100 where hops are the only
	// guard; here they are the second one.
	MaxHops = 50
)
