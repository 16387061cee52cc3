package smtpclient

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"superlistd/wire"
)

// Envelope opens a transaction.
type Envelope struct {
	// Client is told by XFORWARD, as far as the next hop takes it; nil: no XFORWARD.
	Client *wire.ClientInfo
	// Raw is what followed MAIL in the client's own line, with all parameters
	// ("FROM:<a@b> SIZE=1"). If it is empty, MAIL is composed from ReversePath (a
	// mailbox with its quotes, without brackets; empty for the null reverse-path)
	// and the fields below.
	Raw         string
	ReversePath string
	Size        int64  // octets, 0 unknown; checked against SIZE in any case
	Body8Bit    bool   // BODY=8BITMIME, when it is offered
	UTF8        bool   // the message needs SMTPUTF8; checked in any case
	XVERP       string // "" none, " " plain XVERP, or two delimiters such as "-="; asked for where the next hop offers it
}

// stage is how far a transaction has come.
type stage int

const (
	fresh    stage = iota // nothing is on the wire
	opened                // MAIL was accepted: recipients
	failed                // MAIL, DATA or a chunk was refused, or the session is lost
	content               // the next hop takes content
	held                  // all content is out, the dot is not
	finished              // committed or aborted
)

// Transaction is one message on its way: recipients, DATA, content, and then the
// dot or not. It ends with Commit or Abort; after either, Abort does nothing.
//
// The context of each call is in force for the calls without one that follow:
// the one given to Data bounds Write and ReadFrom until Hold or Commit.
type Transaction struct {
	c        *Conn
	stage    stage
	forwards int // XFORWARD commands before MAIL
	accepted int
	refused  *Error // to XFORWARD
	dotSent  bool

	chunking bool
	cleaner  wire.Cleaner
	unread   int // replies to chunks
	lineOpen bool
}

// Begin begins a transaction. Nothing is written yet: XFORWARD and MAIL go out
// with the first recipient. It fails with ErrUTF8 or ErrSize when the
// next hop cannot take the message, and the connection is then as good as before.
func (c *Conn) Begin(env Envelope) (*Transaction, error) {
	forwards, err := c.compose(&env)
	if err != nil {
		return nil, err
	}
	t := &Transaction{c: c, forwards: forwards}
	c.tx = t
	return t, nil
}

// Rcpt sends one recipient and waits for the answer. Args is what follows RCPT,
// parameters included ("TO:<x@y> NOTIFY=NEVER"). The first call carries XFORWARD
// and MAIL in the same write if the next hop allows pipelining. A 4xx or 5xx is
// the Reply, not an error. A refused MAIL is an *Error and ends the transaction.
func (t *Transaction) Rcpt(ctx context.Context, args string) (wire.Reply, error) {
	if err := checkLine(args, true); err != nil {
		return wire.Reply{}, err
	}
	if err := t.enter(ctx, "RCPT", fresh, opened); err != nil {
		return wire.Reply{}, err
	}
	first := t.stage == fresh
	if first && !t.c.caps.Pipelining {
		if err := t.openSlowly(); err != nil {
			return wire.Reply{}, err
		}
	}
	t.c.out = append(append(append(t.c.out, "RCPT "...), args...), "\r\n"...)
	if err := t.c.flush("RCPT"); err != nil {
		return wire.Reply{}, t.fail(err)
	}
	var refusal error
	if first && t.c.caps.Pipelining {
		if refusal = t.readOpening(); t.c.broken {
			return wire.Reply{}, refusal
		}
	}
	r, err := t.c.reply("RCPT")
	if refusal != nil { // MAIL's answer stands, whatever became of the recipient
		return wire.Reply{}, t.fail(refusal)
	}
	if err != nil {
		return wire.Reply{}, t.fail(err)
	}
	return r, t.judge(r)
}

// judge counts the reply to a recipient; an error is a reply that is none.
func (t *Transaction) judge(r wire.Reply) error {
	switch {
	case r.Positive():
		t.accepted++
	case r.Temporary(), r.Permanent():
		t.c.refusals++
	default:
		return t.fail(t.c.fail("RCPT", fmt.Errorf("unexpected reply %v", r)))
	}
	return nil
}

// enter begins a call that is allowed in these two stages.
func (t *Transaction) enter(ctx context.Context, command string, a, b stage) error {
	if t.stage == failed && t.c.broken {
		return t.c.fail(command, net.ErrClosed)
	}
	if t.stage != a && t.stage != b {
		return fmt.Errorf("%w: %s", ErrState, command)
	}
	if err := t.c.use(ctx, command); err != nil {
		return t.fail(err)
	}
	if t.stage == content || t.stage == held {
		return nil // the next hop may complain early; its final reply comes after that
	}
	if err := t.c.inSync(command); err != nil {
		return t.fail(err)
	}
	return nil
}

func (t *Transaction) fail(err error) error {
	t.stage = failed
	return err
}

// Data sends DATA and waits for 354; a refusal is an *Error. With SetChunking
// nothing is sent, because BDAT needs no leave. One recipient must be accepted.
func (t *Transaction) Data(ctx context.Context) error {
	if err := t.enter(ctx, "DATA", opened, opened); err != nil {
		return err
	}
	if t.accepted == 0 {
		return fmt.Errorf("%w: DATA without an accepted recipient", ErrState)
	}
	if t.chunking {
		t.startChunk()
		t.stage = content
		return nil
	}
	r, err := t.c.command("DATA", "DATA")
	switch {
	case err != nil:
		return t.fail(err)
	case r.Code == codeStart:
		t.c.dot.Reset((*writer)(t.c))
		t.stage = content
		return nil
	case r.Positive():
		return t.fail(t.c.fail("DATA", fmt.Errorf("unexpected reply %v", r)))
	}
	return t.fail(t.verdict("DATA", r))
}

const codeStart = 354

// Under puts the calls without a context that follow under ctx. It is for content that comes
// at a pace of its own, when the context of Data was for the command alone.
func (t *Transaction) Under(ctx context.Context) error {
	switch {
	case t.stage == finished:
		return fmt.Errorf("%w: content", ErrState)
	case t.c.broken:
		return t.c.fail("content", net.ErrClosed)
	}
	if err := t.c.use(ctx, "content"); err != nil {
		return t.fail(err)
	}
	return nil
}

// Abort ends the transaction so that nothing of it is queued. Before DATA the
// session is kept, with one RSET if anything was sent; the RSET also takes the
// XFORWARD attributes back. In content only closing helps. After Commit it does
// nothing.
func (t *Transaction) Abort() {
	if t.stage == finished {
		return
	}
	sent := t.stage != fresh
	inContent := t.stage == content || t.stage == held || t.unread > 0 || t.chunking && sent
	t.stage = finished
	c := t.c
	ended := c.ended.Load()
	c.release()
	c.tx, c.out = nil, c.out[:0]
	switch {
	case c.broken || !sent && !ended:
	case inContent || ended || !c.caps.Pipelining || c.refusals >= maxRefusals:
		c.broken = true
		_ = c.Close() // there is nothing in flight that could be saved
	default:
		c.reset()
	}
}

// resetPatience bounds the RSET of Abort, which has no context.
const resetPatience = 5 * time.Second

func (c *Conn) reset() {
	c.resets++
	c.limit = time.Now().Add(resetPatience)
	defer c.release()
	if r, err := c.command("RSET", "RSET"); err == nil && !r.Positive() {
		_ = c.fail("RSET", errors.New("refused")) // only marks and closes
	}
}
