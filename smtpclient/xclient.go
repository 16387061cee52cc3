package smtpclient

import (
	"bytes"
	"fmt"
)

// override tells the next hop whose session this is to be. Success is a new
// banner, after which everything but TLS starts again. Each command is alone in
// its packet: Postfix hangs up on a client that pipelines behind XCLIENT.
func (c *Conn) override() error {
	if c.opts.XClient == nil {
		return nil
	}
	if len(c.caps.XClient) == 0 {
		return fmt.Errorf("%w: %v: XCLIENT is not offered", ErrUnreachable, c.opts.Hop)
	}
	lines := c.opts.XClient.AppendXClient(nil, c.caps.XClient)
	for line := range bytes.Lines(lines) {
		r, err := c.command("XCLIENT", string(bytes.TrimRight(line, "\r\n")))
		if err != nil {
			return err
		}
		if !r.Positive() {
			return c.refusal("XCLIENT", r)
		}
		if err := c.hello(); err != nil {
			return err
		}
	}
	return nil
}
