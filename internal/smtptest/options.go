package smtptest

import (
	"crypto/tls"
	"slices"
	"time"
)

// Option changes what a Peer does.
type Option func(*Peer)

// Fault is a way to break a step. A step is each command (or content) read and
// each reply written, counted from 1 over all connections; the banner is step 1.
// Any other text than the ones below is a reply that is given instead.
type Fault string

const (
	// Drop takes the step and then closes the connection.
	Drop Fault = "drop"
	// Stall says nothing any more, until the client gives up.
	Stall Fault = "stall"
	// Garbage answers with octets that are no reply.
	Garbage Fault = "garbage"
	// HalfReply writes the first half of the reply and closes the connection.
	HalfReply Fault = "half"
	// RST resets the connection instead of the step.
	RST Fault = "rst"
)

// Fail breaks the n-th step. When that is the reading of a command, faults of
// replies hit the next reply.
func Fail(n int, how Fault) Option {
	return func(p *Peer) { p.script.failAt, p.script.fault = n, how }
}

// DropAfter closes the connection after the n-th step.
func DropAfter(n int) Option { return Fail(n, Drop) }

// ReplyAt answers with reply at the n-th step. A 421 also closes.
func ReplyAt(n int, reply string) Option { return Fail(n, Fault(reply)) }

// StallAt falls silent at the n-th step.
func StallAt(n int) Option { return Fail(n, Stall) }

// GarbageAt answers with garbage at the n-th step.
func GarbageAt(n int) Option { return Fail(n, Garbage) }

// HalfReplyAt answers with half a reply at the n-th step.
func HalfReplyAt(n int) Option { return Fail(n, HalfReply) }

// RSTAt resets the connection at the n-th step.
func RSTAt(n int) Option { return Fail(n, RST) }

// On gives every command of a verb a fixed reply: "550 5.1.1 no", or several
// lines with "\n" between them. "CONNECT" stands for the banner, "." for the end
// of the content. What is not answered with 2xx has no effect.
func On(verb, reply string) Option { return func(p *Peer) { p.script.on[verb] = reply } }

// MailReply answers MAIL for each reverse-path; "" accepts.
func MailReply(f func(path string) string) Option { return func(p *Peer) { p.script.mailReply = f } }

// RcptReply answers RCPT for each mailbox; "" accepts.
func RcptReply(f func(addr string) string) Option { return func(p *Peer) { p.script.rcptReply = f } }

// FinalReply answers the content, over LMTP for each accepted recipient, else
// once with the first of them; "" accepts.
func FinalReply(f func(addr string) string) Option { return func(p *Peer) { p.script.final = f } }

// MaxRcpts answers 452 4.5.3 from the n+1st accepted recipient of a transaction on.
func MaxRcpts(n int) Option { return func(p *Peer) { p.script.maxRcpts = n } }

// Ext offers these EHLO lines instead of the usual ones, which are PIPELINING,
// SIZE 10240000, VRFY, ENHANCEDSTATUSCODES, 8BITMIME, DSN, SMTPUTF8, CHUNKING,
// XVERP and XFORWARD with all its attributes.
func Ext(lines ...string) Option { return func(p *Peer) { p.script.ext = slices.Clone(lines) } }

// Also offers more EHLO lines besides.
func Also(lines ...string) Option {
	return func(p *Peer) { p.script.ext = append(p.script.ext, lines...) }
}

// LMTP makes it an LMTP server (RFC 2033).
func LMTP() Option { return func(p *Peer) { p.script.lmtp = true } }

// Unix listens on a socket in a directory of the test.
func Unix() Option { return func(p *Peer) { p.script.network = "unix" } }

// TLS offers STARTTLS.
func TLS(cert tls.Certificate) Option { return func(p *Peer) { p.script.cert = &cert } }

// Auth offers these mechanisms (PLAIN, LOGIN, CRAM-MD5) for one user, and asks
// for no login otherwise.
func Auth(user, password string, mechanisms ...string) Option {
	return func(p *Peer) {
		p.script.user, p.script.password = user, password
		line := "AUTH"
		for _, m := range mechanisms {
			line += " " + m
		}
		p.script.ext = append(p.script.ext, line)
	}
}

// XClient offers XCLIENT with all its attributes.
func XClient() Option {
	return Also("XCLIENT NAME ADDR PROTO HELO REVERSE_NAME PORT LOGIN DESTADDR DESTPORT")
}

// Delay waits before each reply.
func Delay(d time.Duration) Option { return func(p *Peer) { p.script.delay = d } }

// Quiet keeps no transcript: for benchmarks.
func Quiet() Option { return func(p *Peer) { p.script.quiet = true } }
