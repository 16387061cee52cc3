package smtpclient

import (
	"crypto/tls"
	"errors"
	"fmt"
)

// errHandshake marks a failed TLS handshake, after which a peer may be tried
// without TLS when TLS is opportunistic.
var errHandshake = errors.New("TLS handshake")

const codeStartTLS = 220 // RFC 3207 section 4

// secure does what TLSMode asks for.
func (c *Conn) secure() error {
	switch c.opts.TLS {
	case TLSOff, "":
		return nil
	case TLSOpportunistic, TLSRequired:
	default:
		return fmt.Errorf("%w: %v: unknown TLS mode %q", ErrUnreachable, c.opts.Hop, c.opts.TLS)
	}
	required := c.opts.TLS == TLSRequired
	if !c.caps.STARTTLS {
		if required {
			return fmt.Errorf("%w: %v: STARTTLS is required and not offered", ErrUnreachable, c.opts.Hop)
		}
		return nil
	}
	r, err := c.command("STARTTLS", "STARTTLS")
	if err != nil {
		return err
	}
	if r.Code != codeStartTLS {
		if required || r.Positive() { // any other 2xx leaves both sides out of step
			return c.refusal("STARTTLS", r)
		}
		return nil
	}
	// Whatever came in the clear behind the 220 was put there by somebody in
	// between, to be read as if it had come under TLS.
	if c.br.Buffered() > 0 {
		return fmt.Errorf("%w: %v: plaintext injected behind STARTTLS", ErrUnreachable, c.opts.Hop)
	}
	if err := c.handshake(required); err != nil {
		return err
	}
	return c.hello()
}

func (c *Conn) handshake(required bool) error {
	config := c.opts.TLSConfig.Clone()
	if config == nil {
		config = new(tls.Config)
	}
	if config.ServerName == "" {
		config.ServerName = c.opts.Hop.host()
	}
	if !required {
		// Whoever would take plaintext cannot insist on a name (RFC 7435).
		config.InsecureSkipVerify = true
	}
	tc := tls.Client(c.base, config)
	if err := c.base.SetDeadline(c.deadline()); err != nil {
		return c.fail("STARTTLS", err)
	}
	if c.ended.Load() {
		return c.fail("STARTTLS", c.ctx.Err())
	}
	if err := tc.Handshake(); err != nil {
		return c.fail("STARTTLS", fmt.Errorf("%w: %w", errHandshake, err))
	}
	c.nc = tc
	c.br.Reset((*reader)(c))
	return nil
}

// encrypted tells whether the session is under TLS.
func (c *Conn) encrypted() bool {
	_, ok := c.nc.(*tls.Conn)
	return ok
}
