package smtpclient

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"superlistd/wire"
)

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
	switch env.XVERP {
	case "":
	case " ":
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
