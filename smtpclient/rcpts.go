package smtpclient

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"

	"superlistd/wire"
)

const (
	// Window is the most recipients that Rcpts has in flight: whoever wants to name
	// a refused one need not remember more than the last so many. Postfix forgives
	// 1000 recipients over its limit (smtpd_recipient_overshoot_limit) before it
	// counts errors and hangs up, so no more may be on the way when the first 452
	// comes; and no fewer, so that a batch of 1000 needs one round trip.
	Window = 1000

	rcptBlock = 250      // recipients in one write; Window is a multiple
	blockSize = 16 << 10 // and octets, about
	// inlineSize is what any pair of socket buffers holds, so that writing it
	// cannot wait for a peer that waits for us to read.
	inlineSize = 8 << 10
)

// pipeline sends recipients while it reads the replies to earlier ones. Blocks of
// commands are written by one goroutine, so that the caller's, which composes
// and reads, never waits for a peer that itself waits to be read.
type pipeline struct {
	t       *Transaction
	next    func() ([]byte, bool)
	refused func(int, wire.Reply)

	more     bool  // next may have another one
	inFlight int   // recipients without a reply
	index    int   // of the next reply
	accepted int   // in this call
	err      error // why no more are sent

	held   []wire.Reply // negative replies from the first "too many" on
	heldAt int
}

// Rcpts sends many recipients, pipelined if the next hop allows it. Next returns
// the mailbox of the next recipient, with its quotes and without brackets, valid
// until the next call, or false. Refused is called for each refused one, in
// order, with its index in the order of next. Both run on the caller's goroutine.
// Every recipient that was taken from next and not refused is accepted, if err
// is nil.
//
// A next hop that takes no further recipients gives *TooMany; those from its
// Next on were neither accepted nor passed to refused. A refused MAIL gives
// *Error. After any other error the transaction is only good for Abort.
func (t *Transaction) Rcpts(ctx context.Context, next func() ([]byte, bool), refused func(i int, r wire.Reply)) (accepted int, err error) {
	if err := t.enter(ctx, "RCPT", fresh, opened); err != nil {
		return 0, err
	}
	p := pipeline{t: t, next: next, refused: refused, more: true}
	if t.c.caps.Pipelining {
		err = p.run()
	} else {
		err = p.lockStep()
	}
	t.accepted += p.accepted
	if err != nil {
		return p.accepted, t.fail(err)
	}
	if len(p.held) > 0 {
		return p.accepted, &TooMany{Accepted: t.accepted, Next: p.heldAt}
	}
	return p.accepted, nil
}

// lockStep is for a next hop without PIPELINING.
func (p *pipeline) lockStep() error {
	t := p.t
	for p.wants() {
		if t.stage == opened {
			t.c.out = t.c.out[:0]
		}
		mail := len(t.c.out)
		b, n := p.fill(t.c.out, 1)
		if n == 0 {
			break
		}
		t.c.out = b[:mail]
		rcpt := string(b[mail:])
		if t.stage == fresh {
			if err := t.openSlowly(); err != nil {
				return err
			}
		}
		t.c.out = append(t.c.out[:0], rcpt...)
		if err := t.c.flush("RCPT"); err != nil {
			return err
		}
		if err := p.readOne(); err != nil {
			return err
		}
	}
	return p.err
}

// run keeps blocks on the way until next has no more. When all recipients fit
// into one write, there is no goroutine.
func (p *pipeline) run() error {
	c := p.t.c
	first, n := p.fill(append(c.blocks[0][:0], c.out...), rcptBlock)
	c.blocks[0] = first
	if n == 0 {
		return p.err
	}
	c.out, c.read = c.out[:0], false
	if !p.more && len(first) <= inlineSize {
		c.out = append(c.out, first...)
		if err := c.flush("RCPT"); err != nil {
			return err
		}
		return p.read(nil, nil)
	}
	free, full := make(chan []byte, len(c.blocks)), make(chan []byte, len(c.blocks))
	for _, b := range c.blocks[1:] {
		free <- b
	}
	full <- first
	var wg sync.WaitGroup
	var writeErr error
	wg.Go(func() { writeErr = c.writeBlocks(full, free) })
	err := p.read(free, full)
	close(full)
	wg.Wait()
	for i := range c.blocks {
		c.blocks[i] = <-free
	}
	if writeErr == nil || errors.Is(writeErr, net.ErrClosed) {
		return err
	}
	lost := c.fail("RCPT", writeErr)
	if err == nil || errors.Is(err, net.ErrClosed) {
		return lost // the reading side only saw that writeBlocks closed
	}
	return err
}

// writeBlocks writes until full is closed, and gives each block back. After an
// error it closes the connection, which wakes the reading side.
func (c *Conn) writeBlocks(full <-chan []byte, free chan<- []byte) (err error) {
	for b := range full {
		if err == nil {
			if err = c.write(b); err != nil {
				_ = c.Close() // the write's error is the one to tell
			}
		}
		free <- b
	}
	return err
}

// read reads a reply for each recipient, and composes further blocks whenever it
// would have to wait for the next one.
func (p *pipeline) read(free <-chan []byte, full chan<- []byte) error {
	c := p.t.c
	p.refill(free, full)
	if p.t.stage == fresh {
		if err := p.t.readOpening(); c.broken {
			return err
		} else if err != nil {
			p.err = err // the recipients on the way are still answered
		}
	}
	for p.inFlight > 0 || p.wants() {
		p.refill(free, full)
		for ready := p.inFlight > 0; ready; ready = p.inFlight > 0 && c.br.Buffered() > 0 {
			if err := p.readOne(); err != nil {
				return err
			}
		}
	}
	return p.err
}

// wants tells whether more recipients are to be sent.
func (p *pipeline) wants() bool { return p.more && p.err == nil && len(p.held) == 0 }

// refill composes blocks while one is free and the window has room. With nothing
// in flight every block has been written, so that waiting for one is short.
func (p *pipeline) refill(free <-chan []byte, full chan<- []byte) {
	for p.wants() && p.inFlight+rcptBlock <= Window {
		var b []byte
		if p.inFlight == 0 {
			b = <-free
		} else {
			select {
			case b = <-free:
			default:
				return
			}
		}
		b, _ = p.fill(b[:0], rcptBlock)
		full <- b
	}
}

// fill appends commands for at most limit recipients.
func (p *pipeline) fill(b []byte, limit int) (block []byte, n int) {
	if cap(b) < blockSize {
		b = append(make([]byte, 0, blockSize), b...)
	}
	for n < limit && len(b) < blockSize-maxUsual && p.more {
		mailbox, ok := p.next()
		if !ok {
			p.more = false
			break
		}
		if err := checkMailbox(mailbox); err != nil {
			p.err = fmt.Errorf("recipient %d: %w", p.index+p.inFlight+n, err)
			p.more = false
			break
		}
		b = append(append(append(b, "RCPT TO:<"...), mailbox...), ">\r\n"...)
		n++
	}
	p.inFlight += n
	return b, n
}

// maxUsual is an address that leaves a block where it is; longer ones grow it.
const maxUsual = 512
