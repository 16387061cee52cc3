package smtpclient

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"superlistd/wire"
)

const (
	readSize  = 16 << 10  // replies; some 500 of them in one read when pipelined
	writeSize = 64 << 10  // content and commands wait up to here for one write
	pieceSize = 256 << 10 // a larger write is cut, so that its deadline follows its progress

	// Postfix slows a session down from smtpd_soft_error_limit (10) errors on and
	// ends it at 20; RSETs count from smtpd_junk_command_limit (100) on. Both start
	// again with a delivered message. A connection nearing them is not used again.
	maxRefusals = 8
	maxResets   = 50
)

// Conn is a session with the next hop. It runs one transaction at a time, and
// only Close may be called while another method runs.
type Conn struct {
	opts *Options
	base net.Conn // what was dialed; deadlines are set here, below TLS
	nc   net.Conn // base, or TLS over it
	raw  syscall.RawConn
	look func(fd uintptr) bool // sets idle: the socket has nothing to read
	idle bool
	br   *bufio.Reader
	out  []byte // commands or content not yet written
	caps Capabilities
	lost error // what an I/O error means now: ErrUnreachable, then ErrLost

	tx       *Transaction
	read     bool // since the last command: the peer may wait for our acknowledgement
	broken   bool
	refusals int // negative replies since the last delivered message
	resets   int

	dot    wire.DotWriter
	blocks [4][]byte // of pipelined RCPT commands
	copied []byte    // for readers that cannot write themselves
	said   []byte    // to the dot of the last Single

	forward   []byte // XFORWARD of the last transaction that had one
	forwarded wire.ClientInfo

	ctx   context.Context // of the operation under way
	limit time.Time       // its deadline
	stop  func() bool
	mu    sync.Mutex // orders interrupt and release
	watch int        // which watch is in force
	ended atomic.Bool
	gone  atomic.Bool // closed
}

func newConn(o *Options, nc net.Conn) *Conn {
	c := &Conn{opts: o, base: nc, nc: nc, lost: ErrUnreachable}
	c.br = bufio.NewReaderSize((*reader)(c), readSize)
	c.look = c.peek
	if sc, ok := nc.(syscall.Conn); ok {
		c.raw, _ = sc.SyscallConn() // nil only costs us the look at idle connections
	}
	return c
}

// Capabilities are those of the last EHLO.
func (c *Conn) Capabilities() Capabilities { return c.caps }

// Reusable tells whether another transaction can begin: none is open, nothing
// failed, and the next hop has not been annoyed with many errors.
func (c *Conn) Reusable() bool {
	return !c.broken && !c.gone.Load() && c.tx == nil && c.br.Buffered() == 0 &&
		c.refusals < maxRefusals && c.resets < maxResets
}

// Close closes the connection, and with it whatever is not committed. It may be
// called at any time and more than once.
func (c *Conn) Close() error {
	if c.gone.Swap(true) {
		return nil
	}
	return c.nc.Close()
}

// Quit takes leave and closes. As Postfix does, it does not wait for the 221:
// nobody needs it, and it would keep us.
func (c *Conn) Quit() {
	if !c.broken && !c.gone.Load() && c.tx == nil {
		_ = c.base.SetWriteDeadline(time.Now().Add(time.Second)) // best effort all along
		_, _ = io.WriteString(c.nc, "QUIT\r\n")
	}
	c.release()
	_ = c.Close()
}

// use puts the following reads and writes under ctx. The watch stays until
// release or until another context comes, so that a transaction pays for it once.
func (c *Conn) use(ctx context.Context, command string) error {
	if c.ctx == nil || ctx.Done() != c.ctx.Done() {
		c.release()
		if ctx.Done() != nil {
			watch := c.watch
			c.stop = context.AfterFunc(ctx, func() { c.interrupt(watch) })
		}
	}
	c.ctx = ctx
	c.limit, _ = ctx.Deadline()
	if ctx.Err() != nil {
		return c.fail(command, context.Cause(ctx))
	}
	return nil
}

// interrupt ends blocked reads and writes. An interrupt that comes after its
// watch was released must not disturb the next one's.
func (c *Conn) interrupt(watch int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if watch == c.watch {
		c.ended.Store(true) // first: whoever sets a later deadline looks at it afterwards
		_ = c.base.SetDeadline(time.Unix(1, 0))
	}
}

func (c *Conn) release() {
	if c.stop != nil {
		c.stop()
		c.stop = nil
	}
	c.mu.Lock()
	c.watch++
	c.ended.Store(false)
	c.mu.Unlock()
	c.ctx, c.limit = nil, time.Time{}
}

func (c *Conn) deadline() time.Time {
	d := time.Now().Add(c.opts.timeout())
	if !c.limit.IsZero() && c.limit.Before(d) {
		return c.limit
	}
	return d
}

// reader is what the buffered reader reads from: each read gets its deadline.
type reader Conn

func (r *reader) Read(p []byte) (int, error) {
	c := (*Conn)(r)
	if err := c.base.SetReadDeadline(c.deadline()); err != nil {
		return 0, err
	}
	if c.ended.Load() {
		return 0, context.Canceled // fail finds the cause
	}
	if c.read {
		c.acknowledge()
	}
	c.read = true
	return c.nc.Read(p)
}

// write writes p at once, past c.out. Each piece gets its deadline.
func (c *Conn) write(p []byte) error {
	for len(p) > 0 {
		if err := c.base.SetWriteDeadline(c.deadline()); err != nil {
			return err
		}
		if c.ended.Load() {
			return context.Canceled
		}
		n, err := c.nc.Write(p[:min(len(p), pieceSize)])
		if err != nil {
			return err
		}
		p = p[n:]
	}
	return nil
}

func (c *Conn) flush(command string) error {
	out := c.out
	c.out = c.out[:0]
	return c.send(command, out)
}

// send is for commands and for the end of content: a reply follows.
func (c *Conn) send(command string, p []byte) error {
	if c.broken {
		return c.fail(command, net.ErrClosed)
	}
	c.read = false
	if err := c.write(p); err != nil {
		return c.fail(command, err)
	}
	return nil
}

// fail marks the connection as unusable, closes it, and says what that means.
func (c *Conn) fail(command string, err error) error {
	c.broken = true
	_ = c.Close() // the error that brought us here is the one to tell
	switch {
	case c.ctx != nil && c.ctx.Err() != nil:
		err = context.Cause(c.ctx)
	case errors.Is(err, os.ErrDeadlineExceeded) && !c.limit.IsZero() && !time.Now().Before(c.limit):
		err = context.DeadlineExceeded // our timer was faster than the context's
	}
	return fmt.Errorf("%w: %v: %s: %w", c.lost, c.opts.Hop, command, err)
}

// reply reads the reply to command. A 421 ends the session.
func (c *Conn) reply(command string) (wire.Reply, error) {
	r, err := wire.ReadReply(c.br)
	if err != nil {
		return r, c.fail(command, err)
	}
	if r.Code == codeClosing {
		return r, c.closing(command, r)
	}
	return r, nil
}

func (c *Conn) closing(command string, r wire.Reply) error {
	c.broken = true
	_ = c.Close() // it has hung up itself
	if c.lost == ErrUnreachable {
		return c.refusal(command, r)
	}
	return &Closing{Command: command, Reply: r}
}

// refusal is a negative or unexpected reply that is no answer for a sender.
func (c *Conn) refusal(command string, r wire.Reply) error {
	return fmt.Errorf("%w: %v: %s: %v", c.lost, c.opts.Hop, command, r)
}

// inSync is asked before a command: a reply that nobody waited for must not be
// taken for the answer to it.
func (c *Conn) inSync(command string) error {
	if c.broken {
		return c.fail(command, net.ErrClosed)
	}
	if c.br.Buffered() == 0 {
		return nil
	}
	r, err := c.reply(command)
	if err != nil {
		return err
	}
	return c.fail(command, fmt.Errorf("unsolicited reply %v", r))
}

// command sends one line and waits for its reply. Verb is what errors call it:
// a line may hold a secret.
func (c *Conn) command(verb, line string) (wire.Reply, error) {
	if err := c.inSync(verb); err != nil {
		return wire.Reply{}, err
	}
	c.out = append(append(c.out, line...), "\r\n"...)
	if err := c.flush(verb); err != nil {
		return wire.Reply{}, err
	}
	return c.reply(verb)
}
