package delivery

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"superlistd/delivery/spool"
	"superlistd/smtpclient"
	"superlistd/wire"
)

// armed is one transaction of an expansion, from its connection to its last octet
// before the dot.
type armed struct {
	d      *Deliverer
	route  *Route
	source *source
	share  share

	conn     *smtpclient.Conn
	tx       *smtpclient.Transaction
	accepted int
	pending  *atomic.Int32 // transactions of the route that are not committed yet
	refused  []refusal
	answered int      // negative replies
	deferred error    // the last of those that ask to come again
	later    []string // keys of the recipients who got one
	dealErr  error
	in       bool // committed
}

// served is what is to be noted of a transaction that is in, or of which every recipient was refused for good.
func (a *armed) served() spool.Served { return spool.Served{Ranges: a.share.spans, But: a.later} }

// settled tells whether nobody of its share is left who could still be served.
func (a *armed) settled() bool { return a.in || a.accepted == 0 && len(a.later) == 0 }

// refusal is a recipient that the next hop will not have.
type refusal struct{ address, why string }

// allRefused is ErrAllRefused with one of the replies, since that is what whoever mends the next hop must know.
func allRefused(who []refusal) error {
	return fmt.Errorf("%w: %s: %s", ErrAllRefused, who[0].address, who[0].why)
}

// arm sends one transaction, all but the dot. A kept connection that turns out to be
// dead is replaced once, as long as no recipient was answered on it.
func (a *armed) arm(ctx context.Context, client wire.ClientInfo) error {
	conn, reused, err := a.d.pool.Get(ctx)
	if err != nil {
		return err
	}
	a.conn = conn
	err = a.send(ctx, client)
	if err == nil || !reused || ctx.Err() != nil || !errors.Is(err, smtpclient.ErrLost) ||
		a.accepted+a.answered > 0 || !a.share.rewind() {
		return err
	}
	a.drop()
	if a.conn, err = a.d.pool.Fresh(ctx); err != nil {
		return err
	}
	return a.send(ctx, client)
}

func (a *armed) send(ctx context.Context, client wire.ClientInfo) error {
	caps := a.conn.Capabilities()
	if caps.RcptMax > 0 && caps.RcptMax < a.d.batch() {
		a.d.learn(caps.RcptMax)
		if a.share.given+a.share.room > caps.RcptMax {
			return errReplan
		}
	}
	utf8 := a.route.UTF8 || a.route.AnyUTF8 && caps.SMTPUTF8
	var err error
	a.tx, err = a.conn.Begin(smtpclient.Envelope{
		Client: &client, ReversePath: a.route.ReversePath.String(), Size: a.route.size(),
		Body8Bit: a.route.EightBit, UTF8: utf8, XVERP: a.route.XVERP,
	})
	if err != nil {
		return err
	}
	if err := a.recipients(ctx, utf8); err != nil || a.accepted == 0 {
		return err
	}
	return a.content(ctx)
}

// recipients pipelines the RCPT commands of this transaction's share.
func (a *armed) recipients(ctx context.Context, utf8 bool) error {
	var narrow func(string)
	if !utf8 {
		narrow = func(address string) { a.refuse(address, "it needs SMTPUTF8, which the next hop does not offer") }
	}
	next := func() ([]byte, bool) {
		address, ok, err := a.share.next(ctx, a.source, narrow)
		if err != nil {
			a.dealErr = err
		}
		return address, ok
	}
	var err error
	a.accepted, err = a.tx.Rcpts(ctx, next, func(i int, reply wire.Reply) {
		a.answered++
		if reply.Temporary() {
			a.deferred = fmt.Errorf("%w: %s: %s", ErrDeferred, a.share.name(i), reply)
			a.later = append(a.later, a.route.Audience.keyOf(a.share.name(i)))
			return
		}
		a.refuse(a.share.name(i), reply.String())
	})
	var many *smtpclient.TooMany
	switch {
	case errors.As(err, &many):
		a.d.learn(many.Accepted)
		a.d.log.Info().Int("recipients", many.Accepted).Msg("the next hop takes no more recipients in a transaction")
		return fmt.Errorf("%w: %w", errReplan, err)
	case err != nil:
		return err
	case a.dealErr != nil:
		return a.dealErr
	}
	if a.d.opts.Spool == nil {
		return a.deferred // nobody here could keep the mail for them
	}
	return nil
}

func (a *armed) refuse(address, why string) {
	a.refused = append(a.refused, refusal{address, why})
}

// content sends header and body, and holds the dot back; in chunks if the next hop takes them and
// it is worth it.
func (a *armed) content(ctx context.Context) error {
	a.tx.SetChunking(a.route.size())
	if err := a.tx.Data(ctx); err != nil {
		return err
	}
	if _, err := a.tx.Write(a.route.Head); err != nil {
		return err
	}
	if _, err := a.tx.ReadFrom(a.route.Body.Reader(a.route.BodyOffset)); err != nil {
		return err
	}
	return a.tx.Hold(ctx)
}

// drop aborts the transaction, if there is one, and gives its connection back.
func (a *armed) drop() {
	if a.tx != nil {
		a.tx.Abort()
		a.tx = nil
	}
	if a.conn != nil {
		a.d.pool.Put(a.conn)
		a.conn = nil
	}
}
