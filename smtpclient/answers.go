package smtpclient

import (
	"fmt"
	"strconv"

	"superlistd/wire"
)

// readOne reads one reply. An accepted recipient costs no allocation.
func (p *pipeline) readOne() error {
	c := p.t.c
	if head, err := c.br.Peek(4); err == nil && head[0] == '2' && (head[3] == ' ' || head[3] == '-') {
		if _, err := c.passReply("RCPT", false); err != nil {
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

// passReply reads a positive reply whose text nobody wants, or which is kept, as
// it came, in c.said. A 421 is none and must not come here.
func (c *Conn) passReply(command string, keep bool) (first int, err error) {
	for range maxReplyLines {
		code, more, text, err := wire.ReadReplyLine(c.br)
		switch {
		case err != nil:
			return 0, c.fail(command, err)
		case first != 0 && code != first:
			return 0, c.fail(command, fmt.Errorf("%w: code %d after %d", wire.ErrReply, code, first))
		}
		if keep {
			c.said = appendAnswer(c.said, code, more, text)
		}
		if first = code; !more {
			return code, nil
		}
	}
	return 0, c.fail(command, fmt.Errorf("%w: too many lines", wire.ErrReply))
}

func appendAnswer(b []byte, code int, more bool, text []byte) []byte {
	b = strconv.AppendInt(b, int64(code), 10)
	sep := byte(' ')
	if more {
		sep = '-'
	}
	return append(append(append(b, sep), text...), "\r\n"...)
}
