package smtpclient

import (
	"fmt"

	"superlistd/wire"
)

// readOne reads one reply. An accepted recipient costs no allocation.
func (p *pipeline) readOne() error {
	c := p.t.c
	if head, err := c.br.Peek(4); err == nil && head[0] == '2' && (head[3] == ' ' || head[3] == '-') {
		if err := c.skipReply("RCPT"); err != nil {
			return err
		}
		p.inFlight--
		p.index++
		p.accept()
		return nil
	}
	r, err := c.reply("RCPT")
	if err != nil {
		return err
	}
	p.inFlight--
	p.index++
	switch {
	case r.Positive():
		p.accept()
	case r.Temporary(), r.Permanent():
		p.refuse(p.index-1, r)
	default:
		return c.fail("RCPT", fmt.Errorf("unexpected reply %v", r))
	}
	return nil
}

// accept counts a recipient. If others were held back for "too many" it was no
// limit: mailbox quotas have the same code. They are refusals like any other.
func (p *pipeline) accept() {
	if len(p.held) > 0 {
		for i, r := range p.held {
			p.tell(p.heldAt+i, r)
		}
		p.held = p.held[:0]
	}
	p.accepted++
}

func (p *pipeline) refuse(i int, r wire.Reply) {
	p.t.c.refusals++
	switch {
	case len(p.held) > 0:
		p.held = append(p.held, r)
	case p.err == nil && tooMany(r) && p.t.accepted+p.accepted > 0:
		p.held, p.heldAt = append(p.held, r), i
	default:
		p.tell(i, r)
	}
}

func (p *pipeline) tell(i int, r wire.Reply) {
	if p.err == nil && p.refused != nil {
		p.refused(i, r)
	}
}

const maxReplyLines = 128 // as in wire.ReadReply

// skipReply reads a positive reply whose text nobody wants.
func (c *Conn) skipReply(command string) error {
	first := 0
	for range maxReplyLines {
		code, more, _, err := wire.ReadReplyLine(c.br)
		switch {
		case err != nil:
			return c.fail(command, err)
		case first != 0 && code != first:
			return c.fail(command, fmt.Errorf("%w: code %d after %d", wire.ErrReply, code, first))
		case !more:
			return nil
		}
		first = code
	}
	return c.fail(command, fmt.Errorf("%w: too many lines", wire.ErrReply))
}
