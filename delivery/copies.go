package delivery

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"superlistd/delivery/spool"
	"superlistd/lists"
	"superlistd/smtpclient"
)

// copiesInTurn is how many personal copies an entry sends before another one has its turn.
const copiesInTurn = 100

// copies sends one transaction for each of a hand of members, over one connection.
type copies struct {
	j      *job
	make   Personal
	conn   *smtpclient.Conn
	hand   *hand
	copy   Copy
	utf8   bool // the next hop offers SMTPUTF8
	body   []byte
	lineUp bool // the body ends in mid-line

	accepted int
	held     []spool.Served // refused members, until it is known that not everybody is
	why      []refusal
}

// sendPersonal is send for personal copies.
func (j *job) sendPersonal(ctx, whole context.Context, src *source) {
	c := &copies{j: j, make: j.d.opts.Personal[j.route.Personal], hand: j.d.stock.hand()}
	c.hand.keyed = true
	defer j.d.stock.takeBack([]*hand{c.hand})
	err := c.run(ctx, whole, src)
	if c.conn != nil {
		j.d.pool.Put(c.conn)
	}
	switch {
	case c.accepted > 0 || !j.nobodyYet():
		c.settleRefused()
	case err == nil && len(c.held) > 0: // with an error they are asked about again
		err = allRefused(c.why)
	}
	if err != nil {
		j.fail(err)
	}
}

func (c *copies) run(ctx, whole context.Context, src *source) error {
	j := c.j
	if c.make == nil {
		return fmt.Errorf("personal copies of the unknown kind %q", j.route.Personal)
	}
	if err := src.deal(whole, c.hand, copiesInTurn, nil); err != nil || c.hand.len() == 0 {
		return err
	}
	if err := c.prepareBody(); err != nil {
		return err
	}
	var err error
	var reused bool
	if c.conn, reused, err = j.d.pool.Get(whole); err != nil {
		return err
	}
	c.utf8 = c.conn.Capabilities().SMTPUTF8
	after := c.hand.span.After
	for i, key := range c.hand.keys {
		if ctx.Err() != nil {
			return nil // the rest is for whoever works on the entry next
		}
		err := c.send(whole, c.hand.at(i), true)
		if c.refusedPath(err) { // one strange member must not keep the post from all others
			err = c.send(whole, c.hand.at(i), false)
		}
		if i == 0 && reused && errors.Is(err, smtpclient.ErrLost) && !errors.Is(err, smtpclient.ErrUnknown) {
			err = c.again(whole) // the next hop had hung up on a kept connection
		}
		if err := c.settle(spool.Range{After: after, UpTo: key}, string(c.hand.at(i)), err); err != nil {
			return err
		}
		after = key
	}
	return nil
}

// again sends the first copy over a new connection.
func (c *copies) again(ctx context.Context) (err error) {
	c.j.d.pool.Put(c.conn)
	if c.conn, err = c.j.d.pool.Fresh(ctx); err != nil {
		return err
	}
	return c.send(ctx, c.hand.at(0), true)
}

// prepareBody finds out whether a footer would begin in mid-line.
func (c *copies) prepareBody() error {
	b, size := c.j.route.Body, c.j.route.Body.Size()
	if m, ok := b.(held); ok {
		c.body = m
	}
	end := make([]byte, min(size, 2))
	if _, err := io.ReadFull(b.Reader(size-int64(len(end))), end); err != nil {
		return err
	}
	c.lineUp = size > 0 && !bytes.HasSuffix(end, []byte("\n"))
	return nil
}

// refusedPath tells that the next hop refuses the reverse-path of the copy's own.
func (c *copies) refusedPath(err error) bool {
	var refused *smtpclient.Error
	return c.copy.ReversePath != "" && errors.As(err, &refused) && refused.Command == "MAIL" && refused.Reply.Permanent()
}

// send makes one copy, and sends it; without its own reverse-path, by that of the route.
func (c *copies) send(ctx context.Context, member []byte, own bool) error {
	r := c.j.route
	c.copy.ReversePath, c.copy.Fields, c.copy.Footer = "", c.copy.Fields[:0], c.copy.Footer[:0]
	if err := c.make(Person{r.List, member, r.ReversePath, r.Head, r.Note}, &c.copy); err != nil {
		return err
	}
	env := smtpclient.Envelope{
		Client: &c.j.plan.Client, ReversePath: c.copy.ReversePath, Body8Bit: r.EightBit,
		UTF8: r.UTF8 || c.utf8 && !lists.IsASCII(member),
		Size: int64(len(c.copy.Fields)+len(c.copy.Footer)) + r.size(),
	}
	if env.ReversePath == "" || !own {
		env.ReversePath = r.ReversePath.String()
	}
	if !env.UTF8 && !lists.IsASCII(member) {
		return errNarrow
	}
	m := smtpclient.Content{Parts: [][]byte{c.copy.Fields, r.Head, c.body}}
	if c.body == nil {
		m.Body = r.Body.Reader(0)
	}
	if len(c.copy.Footer) > 0 {
		m.Tail = [][]byte{nil, c.copy.Footer}
		if c.lineUp {
			m.Tail[0] = []byte("\r\n")
		}
	}
	return c.conn.Single(ctx, env, member, m)
}

// errNarrow is a refusal of ours.
var errNarrow = errors.New("it needs SMTPUTF8, which the next hop does not offer")

// settle notes what became of one member's copy; an error ends the hand.
func (c *copies) settle(at spool.Range, member string, err error) error {
	var refused *smtpclient.Error
	served := spool.Served{Ranges: []spool.Range{at}}
	switch {
	case err == nil:
		c.accepted++
		c.j.note(served, 1, 0)
		if c.j.stopped() {
			return errStopped
		}
	case errors.Is(err, errNarrow):
		c.refuse(served, member, err.Error())
	case errors.As(err, &refused) && refused.Command == "RCPT" && refused.Reply.Permanent():
		c.refuse(served, member, refused.Reply.String())
	case errors.As(err, &refused) && refused.Command == "RCPT":
		c.j.put(func() { c.j.later = fmt.Errorf("%w: %s: %s", ErrDeferred, member, refused.Reply) })
	default:
		return err
	}
	return nil
}

func (c *copies) refuse(served spool.Served, member, why string) {
	c.held = append(c.held, served)
	c.why = append(c.why, refusal{member, why})
}

// settleRefused notes and reports who was refused.
func (c *copies) settleRefused() {
	for i, served := range c.held {
		if c.j.d.opts.Refused != nil {
			c.j.d.opts.Refused(c.j.route.List, c.why[i].address, c.why[i].why)
		}
		c.j.note(served, 0, 1)
	}
}
