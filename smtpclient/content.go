package smtpclient

import (
	"context"
	"fmt"
	"io"
	"net"

	"superlistd/wire"
)

// writer is where stuffed content goes: it waits in c.out, so that a small
// message leaves together with its dot. Large pieces pass without a copy when
// nothing is waiting.
type writer Conn

func (w *writer) Write(p []byte) (int, error) {
	c := (*Conn)(w)
	if cap(c.out) < writeSize {
		c.out = append(make([]byte, 0, writeSize), c.out...)
	}
	n := len(p)
	for len(p) > 0 {
		if len(c.out) == 0 && len(p) >= writeSize {
			if err := c.direct(p); err != nil {
				return n - len(p), err
			}
			break
		}
		room := min(writeSize-len(c.out), len(p))
		c.out = append(c.out, p[:room]...)
		p = p[room:]
		if len(c.out) < writeSize {
			break
		}
		if err := c.flush("content"); err != nil {
			return n - len(p), err
		}
	}
	return n, nil
}

func (c *Conn) direct(p []byte) error {
	if c.broken {
		return c.fail("content", net.ErrClosed)
	}
	if err := c.write(p); err != nil {
		return c.fail("content", err)
	}
	return nil
}

// Write takes content in any form: it leaves with CRLF line ends only, and
// stuffed or in chunks. It is buffered (64 KiB); Hold and Commit send the rest.
// An error is an ErrLost, or an *Error when a chunk was refused.
func (t *Transaction) Write(p []byte) (int, error) {
	if t.stage != content {
		if t.c.broken {
			return 0, t.c.fail("content", net.ErrClosed)
		}
		return 0, fmt.Errorf("%w: content", ErrState)
	}
	var n int
	var err error
	if t.chunking {
		n, err = t.writeChunks(p)
	} else {
		n, err = t.c.dot.Write(p)
	}
	if err != nil {
		return n, t.fail(err)
	}
	return n, nil
}

const copySize = 32 << 10

// ReadFrom takes content from r until io.EOF, without a copy when r is an
// io.WriterTo. An error of r is returned as it is, and leaves the session alone.
func (t *Transaction) ReadFrom(r io.Reader) (int64, error) {
	if w, ok := r.(io.WriterTo); ok {
		return w.WriteTo(onlyWriter{t})
	}
	if t.c.copied == nil {
		t.c.copied = make([]byte, copySize)
	}
	return io.CopyBuffer(onlyWriter{t}, onlyReader{r}, t.c.copied)
}

// onlyWriter hides ReadFrom from a WriterTo that would use it.
type onlyWriter struct{ t *Transaction }

func (w onlyWriter) Write(p []byte) (int, error) { return w.t.Write(p) }

type onlyReader struct{ io.Reader }

// Hold sends what is left of the content and keeps the dot back: one Commit is
// then all that is missing. With BDAT, all chunks are answered when it returns.
func (t *Transaction) Hold(ctx context.Context) error {
	if err := t.enter(ctx, "content", content, content); err != nil {
		return err
	}
	if t.chunking {
		if err := t.holdChunks(); err != nil {
			return t.fail(err)
		}
		t.stage = held
		return nil
	}
	if err := t.c.dot.Finish(); err != nil {
		return t.fail(err)
	}
	if err := t.c.flush("content"); err != nil {
		return t.fail(err)
	}
	t.stage = held
	return nil
}

// Commit sends the dot, or the last chunk, and reads the answer: one reply, or
// with LMTP one for each accepted recipient, in their order. Over SMTP a 4xx or
// 5xx also comes back as an *Error. Over LMTP err is nil when every recipient
// has a reply, whatever it says. After an ErrLost the replies that did come are
// returned, and the fate of the message is unknown, unless a *Closing is beneath
// it or DotSent says that the dot never went out.
//
// The connection can be used for another transaction afterwards.
func (t *Transaction) Commit(ctx context.Context) ([]wire.Reply, error) {
	if err := t.enter(ctx, ".", content, held); err != nil {
		return nil, err
	}
	if t.stage == held && !t.c.quiet() || !t.chunking && t.c.br.Buffered() > 0 {
		return nil, t.fail(t.c.goneBefore("."))
	}
	if err := t.sendEnd(); err != nil {
		return nil, t.fail(err)
	}
	n := 1
	if t.c.opts.LMTP {
		n = t.accepted
	}
	replies := make([]wire.Reply, 0, n)
	positive := true
	for range n {
		r, err := t.c.reply(".")
		if err == nil && r.Code/100 == 3 {
			err = t.c.fail(".", fmt.Errorf("unexpected reply %v", r))
		}
		if err != nil {
			return replies, t.fail(err)
		}
		replies = append(replies, r)
		positive = positive && r.Positive()
	}
	return replies, t.committed(replies, positive)
}

// DotSent tells whether the dot, or the last chunk, may have reached the next
// hop. As long as it is false nothing can have been queued, whatever failed.
func (t *Transaction) DotSent() bool { return t.dotSent }

// sendEnd writes the dot or the last chunk, in one write with the content that
// is still waiting.
func (t *Transaction) sendEnd() error {
	if t.chunking {
		return t.lastChunk()
	}
	if t.stage == content {
		if err := t.c.dot.Finish(); err != nil {
			return err
		}
	}
	t.dotSent = true
	t.c.out = append(t.c.out, wire.EndOfData...)
	return t.c.flush(".")
}

func (t *Transaction) committed(replies []wire.Reply, positive bool) error {
	c := t.c
	t.stage = finished
	c.tx = nil
	c.release()
	if positive {
		c.refusals, c.resets = 0, 0
		return nil
	}
	c.refusals++
	if c.opts.LMTP {
		return nil
	}
	return &Error{Command: ".", Reply: replies[0]}
}

// goneBefore says why command was not sent: what came before it is no answer to
// it. Nothing is queued.
func (c *Conn) goneBefore(command string) error {
	r, err := c.reply(command)
	if err != nil {
		return err
	}
	return c.fail(command, fmt.Errorf("unsolicited reply %v", r))
}
