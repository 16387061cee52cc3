package smtpclient

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"
)

// Dial connects to the next hop and negotiates: banner, EHLO (HELO when it is
// refused; LHLO for LMTP), STARTTLS and EHLO, AUTH, XCLIENT and EHLO. Every
// error is an ErrUnreachable, or ErrSyntax for a Hostname that cannot be sent.
func Dial(ctx context.Context, o Options) (*Conn, error) {
	if err := checkLine(o.hostname(), false); err != nil {
		return nil, fmt.Errorf("hostname: %w", err)
	}
	c, err := connect(ctx, &o)
	if o.TLS == TLSOpportunistic && errors.Is(err, errHandshake) && ctx.Err() == nil {
		// A peer that offers TLS and cannot do it is no worse than one without.
		o.TLS = TLSOff
		c, err = connect(ctx, &o)
	}
	return c, err
}

func connect(ctx context.Context, o *Options) (*Conn, error) {
	d := net.Dialer{Timeout: o.connectTimeout()}
	nc, err := d.DialContext(ctx, o.Hop.Network, o.Hop.Address)
	if err != nil {
		if at, ok := ctx.Deadline(); ctx.Err() == nil && ok && !time.Now().Before(at) {
			err = context.DeadlineExceeded // the socket's timer was faster than the context's
		} else if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return nil, fmt.Errorf("%w: %v: %w", ErrUnreachable, o.Hop, err)
	}
	c := newConn(o, nc)
	if err := c.negotiate(ctx); err != nil {
		c.release()
		_ = c.Close() // negotiate's error is the one to tell
		return nil, err
	}
	c.release()
	c.lost = ErrLost
	return c, nil
}

func (c *Conn) negotiate(ctx context.Context) error {
	if err := c.use(ctx, "connect"); err != nil {
		return err
	}
	banner, err := c.reply("banner")
	if err != nil {
		return err
	}
	if !banner.Positive() { // Postfix takes any 2xx
		return c.refusal("banner", banner)
	}
	if err := c.hello(); err != nil {
		return err
	}
	if err := c.secure(); err != nil {
		return err
	}
	if err := c.authenticate(); err != nil {
		return err
	}
	return c.override()
}

// hello greets, and learns what the next hop can do. What it offered before is
// forgotten (RFC 3207 section 4.2).
func (c *Conn) hello() error {
	verb := "EHLO"
	if c.opts.LMTP {
		verb = "LHLO"
	}
	c.caps = Capabilities{}
	r, err := c.command(verb, verb+" "+c.opts.hostname())
	if err != nil {
		return err
	}
	if r.Positive() {
		c.caps = parseCapabilities(r)
		return nil
	}
	if !r.Permanent() || c.opts.LMTP {
		return c.refusal(verb, r)
	}
	if r, err = c.command("HELO", "HELO "+c.opts.hostname()); err != nil {
		return err
	}
	if !r.Positive() {
		return c.refusal("HELO", r)
	}
	return nil
}
