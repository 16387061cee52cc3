package smtpclient

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"

	"superlistd/wire"
)

// single is one call of Single.
type single struct {
	c        *Conn
	forwards int
	lines    []byte // commands that are still to be sent, without PIPELINING
	chunk    bool   // BDAT, behind the recipient
	ended    bool   // the end of the content is out, all of it
	refused  *Error // the first one
}

// Single sends one message to one recipient (a mailbox with its quotes, without
// brackets). It is the decision as well: whoever calls it wants the message
// sent, and there is no Abort. It costs two round trips: XFORWARD, MAIL, RCPT
// and DATA, then the content with its dot, each in one write (content over
// 64 KiB in more). With CHUNKING, content of up to 64 KiB in memory leaves
// together with its commands: one round trip, one write. A next hop without
// PIPELINING is asked command by command.
//
// The answers are:
//
//   - nil: queued, once. LastReply is what the next hop said.
//   - *Error: not queued. With the command RCPT it is the recipient that was
//     refused; with MAIL, DATA or "." (the dot, or BDAT) it is the transaction.
//     The session goes on, with one RSET before the dot, unless Reusable says no:
//     the next hop has had many errors, or gave 354 with no recipient to stand
//     behind it.
//   - ErrLost with ErrUnknown: the session broke after the end of the content
//     went out. The message may be queued.
//   - ErrLost without it: not queued, the session is over.
//   - ErrUTF8, ErrSize, ErrSyntax, ErrState: nothing was written.
//   - any other is an error of Body, as it is: not queued, and the session is
//     over, since nothing else ends content without queueing it.
//
// The watch over ctx stays for the next call under the same context, until one
// comes under another, or Quit, or the Put of a Pool. With it, and no errors,
// Single allocates nothing.
func (c *Conn) Single(ctx context.Context, env Envelope, mailbox []byte, m Content) error {
	c.said = c.said[:0]
	if err := checkMailbox(mailbox); err != nil {
		return fmt.Errorf("recipient: %w", err)
	}
	s := single{c: c}
	var err error
	if s.forwards, err = c.compose(&env); err != nil {
		return err
	}
	c.out = append(append(append(c.out, "RCPT TO:<"...), mailbox...), ">\r\n"...)
	s.chunk = c.caps.Chunking && c.caps.Pipelining && m.small()
	if err = c.use(ctx, "MAIL"); err == nil {
		err = s.run(&m)
	}
	return s.verdict(err)
}

// LastReply is the reply to the dot of the last Single, if that was not an error.
func (c *Conn) LastReply() wire.Reply {
	r, err := wire.ReadReply(bufio.NewReader(bytes.NewReader(c.said)))
	if err != nil {
		return wire.Reply{} // there is none
	}
	return r
}

// run goes as far as the next hop takes it.
func (s *single) run(m *Content) error {
	if err := s.open(m); err != nil {
		return err
	}
	if !s.chunk {
		if err := s.ask("DATA", codeStart/100); err != nil || s.refused != nil {
			return err
		}
		if err := s.write(m); err != nil {
			return err
		}
	}
	// With BDAT the reply is read whatever became of the recipient.
	return s.ask(".", 2)
}

// open sends all commands but the dot, and reads the replies up to RCPT's.
func (s *single) open(m *Content) error {
	c := s.c
	if err := c.inSync("MAIL"); err != nil {
		return err
	}
	if s.chunk {
		if err := s.sendAll(m); err != nil {
			return err
		}
	} else {
		c.out = append(c.out, "DATA\r\n"...)
		if s.lines = c.out; c.caps.Pipelining {
			s.lines = nil
			if err := c.flush("MAIL"); err != nil {
				return err
			}
		}
		c.out = c.out[:0]
	}
	for range s.forwards {
		if _, err := s.command("XFORWARD"); err != nil { // a refusal is no reason to refuse mail
			return err
		}
	}
	if err := s.ask("MAIL", 2); err != nil {
		return err
	}
	return s.ask("RCPT", 2)
}

// ask waits for the reply to a command, which should be of this class. A refusal
// is noted. Without PIPELINING nothing is asked after one.
func (s *single) ask(verb string, class int) error {
	if s.refused != nil && !s.c.caps.Pipelining {
		return nil
	}
	r, err := s.command(verb)
	switch {
	case err != nil:
		return err
	case r.Temporary(), r.Permanent():
		s.c.refusals++ // Postfix counts each of a group
		if s.refused == nil {
			s.refused = &Error{Command: verb, Reply: r}
		}
		return nil
	case r.Code/100 != class || class == 3 && (r.Code != codeStart || s.refused != nil):
		// RFC 2920 section 3.1 would have a lone dot answer a 354 that no recipient
		// stands behind. But only closing makes sure that nothing is queued.
		return s.c.fail(verb, fmt.Errorf("unexpected reply %v", r))
	}
	return nil
}

// command reads a reply, after it has sent the command if that is not out yet.
func (s *single) command(verb string) (wire.Reply, error) {
	c := s.c
	if len(s.lines) > 0 {
		n := bytes.IndexByte(s.lines, '\n') + 1
		line := s.lines[:n]
		s.lines = s.lines[n:]
		if err := c.inSync(verb); err != nil {
			return wire.Reply{}, err
		}
		if err := c.send(verb, line); err != nil {
			return wire.Reply{}, err
		}
	}
	if head, err := c.br.Peek(1); err != nil || head[0] != '2' && head[0] != '3' {
		return c.reply(verb)
	}
	code, err := c.passReply(verb, verb == ".")
	return wire.Reply{Code: code}, err
}

// sendAll sends the commands, and the content as the only chunk, in one write.
func (s *single) sendAll(m *Content) error {
	c := s.c
	commands := len(c.out)
	var head [chunkHead]byte
	c.out = append(c.out, head[:]...) // room for BDAT; its size is known in the end
	from := len(c.out)
	c.out = appendContent(c.out, m)
	bdat := appendBDAT(head[:0], len(c.out)-from, " LAST")
	start := chunkHead - len(bdat)
	copy(c.out[start:], c.out[:commands])
	copy(c.out[start+commands:], bdat)
	all := c.out[start:]
	c.out = c.out[:0]
	if !c.quiet() { // an idle session that has ended would leave us in doubt
		return c.goneBefore("MAIL")
	}
	if err := c.send("MAIL", all); err != nil {
		return err // some of it is missing: that is no chunk
	}
	s.ended = true
	return nil
}

// write sends the content and the dot.
func (s *single) write(m *Content) error {
	c := s.c
	if c.br.Buffered() > 0 {
		return c.goneBefore("content")
	}
	c.dot.Reset((*writer)(c))
	if err := c.put(m); err != nil {
		return err
	}
	if c.br.Buffered() > 0 {
		return c.goneBefore(".")
	}
	c.out = append(c.out, wire.EndOfData...)
	if err := c.flush("."); err != nil {
		return err // some of it is missing: that is no end
	}
	s.ended = true
	return nil
}

// verdict says what became of the message, and leaves the session fit for the
// next one or closed.
func (s *single) verdict(err error) error {
	c := s.c
	c.out = c.out[:0]
	if err != nil || s.refused != nil {
		c.said = c.said[:0]
	}
	if err != nil {
		if !c.broken { // Body failed in mid-content
			c.broken = true
			_ = c.Close() // the error of Body is the one to tell
		}
		c.release()
	}
	switch {
	case s.refused != nil: // stands, whatever became of the session after it
		s.settle()
		return s.refused
	case err != nil && s.ended:
		return inDoubt(err)
	case err != nil:
		return err
	}
	c.refusals, c.resets = 0, 0
	return nil
}

// inDoubt is for a loss after the end of the content. A 421 leaves no doubt.
func inDoubt(err error) error {
	if closing := (*Closing)(nil); errors.As(err, &closing) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrUnknown, err)
}

// settle takes a refused transaction back, and its XFORWARD with it. A refused
// dot has ended it already; of a refused BDAT, RFC 3030 does not say so.
func (s *single) settle() {
	c := s.c
	if c.broken || s.refused.Command == "." && !s.chunk {
		return
	}
	ended := c.ended.Load()
	c.release()
	if ended || c.refusals >= maxRefusals {
		c.broken = true
		_ = c.Close() // there is nothing in flight that could be saved
		return
	}
	c.reset()
}
