package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// bulk is the yardstick of an expansion: connections, open already, that share transactions of a batch among them. What
// it sends is composed before it is measured, and it promises nothing.
type bulk struct {
	clients   []*client
	envelopes []envelope
	content   []byte
}

// plan is who gets a post in how many transactions over how many connections.
type plan struct {
	members, batch, connections int
	xverp                       string // parameter of MAIL, with its blank
}

// newBulk dials, and composes all envelopes.
func newBulk(address string, p plan, content []byte) (*bulk, error) {
	b := &bulk{content: content}
	for first := 0; first < p.members; first += p.batch {
		b.envelopes = append(b.envelopes, newEnvelope(first, min(p.batch, p.members-first), p.xverp))
	}
	for range min(p.connections, len(b.envelopes)) {
		c, err := dial(address)
		if err == nil {
			err = c.hurry()
		}
		if err != nil {
			c.close()
			b.close()
			return nil, err
		}
		b.clients = append(b.clients, c)
	}
	return b, nil
}

func (b *bulk) close() {
	if b == nil {
		return
	}
	for _, c := range b.clients {
		c.close()
	}
}

// send sends all transactions, side by side as far as there are connections, and returns how long that took.
func (b *bulk) send(ctx context.Context) (time.Duration, error) {
	begin := time.Now()
	errs := make([]error, len(b.clients))
	var next atomic.Int64
	var wg sync.WaitGroup
	for i, c := range b.clients {
		wg.Go(func() {
			for n := next.Add(1); errs[i] == nil && n <= int64(len(b.envelopes)) && ctx.Err() == nil; n = next.Add(1) {
				errs[i] = c.bulk(b.envelopes[n-1], b.content)
			}
		})
	}
	wg.Wait()
	return time.Since(begin), errors.Join(append(errs, ctx.Err())...)
}

// hurry makes a client acknowledge at once what it reads. Under Nagle's algorithm the next hop keeps its next replies
// until then, and a yardstick that waits 40 ms now and then is none.
func (c *client) hurry() error {
	raw, err := c.conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		return err
	}
	c.r.Reset(hurried{c.conn, raw})
	return nil
}

// hurried is read from only.
type hurried struct {
	io.Reader
	raw syscall.RawConn
}

func (h hurried) Read(p []byte) (int, error) {
	n, err := h.Reader.Read(p)
	if err != nil {
		return n, err
	}
	var failed error
	err = h.raw.Control(func(fd uintptr) { failed = acknowledge(int(fd)) })
	return n, errors.Join(err, failed)
}

// acknowledge asks the kernel to send its acknowledgement now; the option does not last (tcp(7)).
func acknowledge(fd int) error {
	return syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_QUICKACK, 1)
}

// envelope is a whole transaction up to DATA, to be written at once.
type envelope struct {
	text       []byte
	recipients int
}

// newEnvelope names the members from first on.
func newEnvelope(first, n int, xverp string) envelope {
	b := []byte("MAIL FROM:<bounces@" + domain + ">" + xverp + "\r\n")
	for i := range n {
		b = fmt.Appendf(b, "RCPT TO:<%s>\r\n", member(first+i))
	}
	return envelope{append(b, "DATA\r\n"...), n}
}

// bulk sends a transaction, pipelined as far as it goes: the envelope, all the replies, the content.
func (c *client) bulk(e envelope, content []byte) error {
	if err := c.pour(e); err != nil {
		return err
	}
	if err := c.expect("354"); err != nil {
		return err
	}
	_, err := c.finish(content)
	return err
}

// oneWrite is how many recipients go out in one write, because all the replies fit into a socket's buffer, so that
// neither side waits for the other.
const oneWrite = 1000

// pour writes an envelope and reads the replies of MAIL and RCPT, at the same time when they are many.
func (c *client) pour(e envelope) error {
	if e.recipients <= oneWrite {
		if err := c.write(e.text); err != nil {
			return err
		}
		return c.answers(1 + e.recipients)
	}
	var wg sync.WaitGroup
	var writing error
	wg.Go(func() {
		for block := range slices.Chunk(e.text, 64<<10) {
			if writing = c.write(block); writing != nil {
				c.close() // wakes the reading side
				return
			}
		}
	})
	reading := c.answers(1 + e.recipients)
	if reading != nil {
		c.close() // wakes the writing side
	}
	wg.Wait()
	return errors.Join(writing, reading)
}

func (c *client) answers(n int) error {
	for range n {
		if err := c.expect("250"); err != nil {
			return err
		}
	}
	return nil
}
