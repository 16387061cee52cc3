package smtpclient

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"superlistd/wire"
)

// compose puts XFORWARD and MAIL into c.out, if the next hop can take the
// message, and tells how many lines of XFORWARD there are.
func (c *Conn) compose(env *Envelope) (forwards int, err error) {
	switch {
	case c.broken || c.gone.Load():
		return 0, c.fail("MAIL", net.ErrClosed)
	case c.tx != nil:
		return 0, fmt.Errorf("%w: another transaction is open", ErrState)
	case env.UTF8 && !c.caps.SMTPUTF8:
		return 0, ErrUTF8
	case c.caps.Size > 0 && env.Size > c.caps.Size:
		return 0, fmt.Errorf("%w of %d octets", ErrSize, c.caps.Size)
	}
	c.out = c.out[:0]
	if env.Client != nil && len(c.caps.XForward) > 0 {
		forwards = c.appendForward(env.Client)
	}
	if err := c.appendMail(env); err != nil {
		c.out = c.out[:0]
		return 0, err
	}
	return forwards, nil
}

// appendForward composes XFORWARD. Many messages in a row are the same client's.
func (c *Conn) appendForward(client *wire.ClientInfo) int {
	if len(c.forward) == 0 || c.forwarded != *client {
		c.forward = client.AppendXForward(c.forward[:0], c.caps.XForward)
		c.forwarded = *client
	}
	c.out = append(c.out, c.forward...)
	return wire.CountLines(c.forward)
}

// appendMail composes the MAIL line, behind XFORWARD in c.out.
func (c *Conn) appendMail(env *Envelope) error {
	b := append(c.out, "MAIL "...)
	if env.Raw != "" {
		if err := checkLine(env.Raw, true); err != nil {
			return err
		}
		c.out = append(append(b, env.Raw...), "\r\n"...)
		return nil
	}
	if err := errors.Join(checkMailbox(env.ReversePath), checkLine(env.XVERP, true)); err != nil {
		return err
	}
	b = append(append(append(b, "FROM:<"...), env.ReversePath...), '>')
	if env.Size > 0 && c.caps.HasSize {
		b = strconv.AppendInt(append(b, " SIZE="...), env.Size, 10)
	}
	if env.Body8Bit && c.caps.EightBitMIME {
		b = append(b, " BODY=8BITMIME"...)
	}
	if env.UTF8 {
		b = append(b, " SMTPUTF8"...)
	}
	switch {
	case env.XVERP == "" || !c.caps.XVERP:
	case env.XVERP == " ":
		b = append(b, " XVERP"...)
	default:
		b = append(append(b, " XVERP="...), env.XVERP...)
	}
	c.out = append(b, "\r\n"...)
	return nil
}

// readOpening reads the replies to XFORWARD and MAIL. A refused XFORWARD is no
// reason to refuse mail, as in Postfix's own client.
func (t *Transaction) readOpening() error {
	for range t.forwards {
		r, err := t.c.reply("XFORWARD")
		if err != nil {
			return t.fail(err)
		}
		t.forwarded(r)
	}
	r, err := t.c.reply("MAIL")
	if err != nil {
		return t.fail(err)
	}
	return t.mailed(r)
}

func (t *Transaction) forwarded(r wire.Reply) {
	if !r.Positive() && t.refused == nil {
		t.refused = &Error{Command: "XFORWARD", Reply: r}
	}
}

func (t *Transaction) mailed(r wire.Reply) error {
	if err := t.verdict("MAIL", r); err != nil {
		return t.fail(err)
	}
	t.stage = opened
	return nil
}

// verdict is nil for 2xx, an *Error for 4xx and 5xx, else the end of the session.
func (t *Transaction) verdict(command string, r wire.Reply) error {
	switch {
	case r.Positive():
		return nil
	case r.Temporary(), r.Permanent():
		t.c.refusals++
		return &Error{Command: command, Reply: r}
	}
	return t.c.fail(command, fmt.Errorf("unexpected reply %v", r))
}

// ForwardRefused is the first refusal of an XFORWARD of this transaction, or
// nil. The message went on without it: its log lines will miss the real client.
func (t *Transaction) ForwardRefused() *Error { return t.refused }

// openSlowly sends XFORWARD and MAIL one by one.
func (t *Transaction) openSlowly() error {
	lines := strings.Split(strings.TrimSuffix(string(t.c.out), "\r\n"), "\r\n")
	t.c.out = t.c.out[:0]
	last := len(lines) - 1
	for _, line := range lines[:last] {
		r, err := t.c.command("XFORWARD", line)
		if err != nil {
			return t.fail(err)
		}
		t.forwarded(r)
	}
	r, err := t.c.command("MAIL", lines[last])
	if err != nil {
		return t.fail(err)
	}
	return t.mailed(r)
}
