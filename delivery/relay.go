package delivery

import (
	"context"
	"errors"
	"io"
	"strings"

	"superlistd/smtpclient"
	"superlistd/wire"
)

// Relay is the live transaction of mail that passes untouched: the client's own
// MAIL and RCPT lines are forwarded when they come, and the next hop's replies are
// handed back. It belongs to one session and is not safe for concurrent use.
type Relay struct {
	d      *Deliverer
	client wire.ClientInfo
	mail   string

	conn     *smtpclient.Conn
	tx       *smtpclient.Transaction
	reused   bool
	accepted int
}

// NewRelay prepares the transaction of a client's MAIL line (what follows the verb,
// as it came). Nothing is connected before the first recipient.
func (d *Deliverer) NewRelay(client wire.ClientInfo, mail string) *Relay {
	return &Relay{d: d, client: client, mail: mail}
}

// Accepted counts the recipients that the next hop has taken.
func (r *Relay) Accepted() int { return r.accepted }

// Rcpt forwards what follows the RCPT verb and returns the next hop's reply. Before the first
// recipient it connects, and sends XFORWARD and MAIL ahead; a MAIL that is refused comes back
// as the reply, and the next recipient tries again with a new transaction, as Postfix does.
func (r *Relay) Rcpt(ctx context.Context, args string) (wire.Reply, error) {
	if r.Lost() {
		// A new transaction would not hold the recipients who were promised theirs.
		return wire.Reply{}, smtpclient.ErrLost
	}
	if r.tx == nil {
		return r.first(ctx, args)
	}
	reply, err := r.tx.Rcpt(ctx, args)
	switch {
	case errors.Is(err, smtpclient.ErrSyntax): // nothing was written: the others keep their transaction
		return wire.Reply{}, err
	case err != nil:
		return r.failed(err)
	}
	r.count(reply)
	return reply, nil
}

// first opens the transaction. A kept connection that turns out to be dead is replaced once:
// it has seen no dot, so nothing can be doubled.
func (r *Relay) first(ctx context.Context, args string) (wire.Reply, error) {
	if err := acquire(ctx, r.d.relaySlots, 1); err != nil {
		return wire.Reply{}, err
	}
	conn, reused, err := r.d.pool.Get(ctx)
	if err != nil {
		r.d.relaySlots.Release(1)
		return wire.Reply{}, err
	}
	r.conn, r.reused = conn, reused
	reply, err := r.begin(ctx, args)
	if err != nil && r.reused && errors.Is(err, smtpclient.ErrLost) && ctx.Err() == nil {
		r.conn.Close()
		if r.conn, err = r.d.pool.Fresh(ctx); err != nil {
			r.conn, r.tx = nil, nil
			r.d.relaySlots.Release(1)
			return wire.Reply{}, err
		}
		reply, err = r.begin(ctx, args)
	}
	if err != nil {
		return r.failed(err)
	}
	r.count(reply)
	return reply, nil
}

func (r *Relay) begin(ctx context.Context, args string) (wire.Reply, error) {
	var err error
	if r.tx, err = r.conn.Begin(smtpclient.Envelope{Client: &r.client, Raw: r.mail}); err != nil {
		return wire.Reply{}, err
	}
	return r.tx.Rcpt(ctx, args)
}

func (r *Relay) count(reply wire.Reply) {
	if reply.Positive() {
		r.accepted++
	}
}

// failed ends the transaction after an error. A refused MAIL is no error to the
// session: it is the reply to its recipient.
func (r *Relay) failed(err error) (wire.Reply, error) {
	r.Abort()
	var refusal *smtpclient.Error
	if errors.As(err, &refusal) && strings.HasPrefix(refusal.Command, "MAIL") {
		return refusal.Reply, nil
	}
	return wire.Reply{}, err
}

// Lost tells that recipients were accepted and that their transaction is gone
// since: the session must not promise them anything any more.
func (r *Relay) Lost() bool { return r.tx == nil && r.accepted > 0 }

// Data asks the next hop to take the content. A refusal is an *smtpclient.Error,
// after which the transaction is over. ctx bounds the command; content is in force for each Write
// after it, which comes at the client's pace and may take longer.
func (r *Relay) Data(ctx, content context.Context) error {
	if r.tx == nil {
		return smtpclient.ErrLost
	}
	err := r.tx.Data(ctx)
	if err == nil {
		err = r.tx.Under(content)
	}
	if err != nil {
		r.Abort()
	}
	return err
}

// Write sends content; it is cleaned and dot-stuffed on its way.
func (r *Relay) Write(p []byte) (int, error) {
	if r.tx == nil {
		return 0, smtpclient.ErrLost
	}
	return r.tx.Write(p)
}

// Fill sends the whole content from src, under the content's context, and flushes it: the transaction is armed.
func (r *Relay) Fill(ctx context.Context, src io.Reader) error {
	if r.tx == nil {
		return smtpclient.ErrLost
	}
	if _, err := r.tx.ReadFrom(src); err != nil {
		return err
	}
	return r.tx.Hold(ctx)
}

// Commit sends the dot and returns the next hop's reply; over LMTP (a next hop that
// speaks it) the first refusal, if there is one. The transaction is over in any case.
func (r *Relay) Commit(ctx context.Context) (wire.Reply, error) {
	if r.tx == nil {
		return wire.Reply{}, smtpclient.ErrLost
	}
	replies, err := r.tx.Commit(ctx)
	r.release()
	if err != nil {
		return wire.Reply{}, err
	}
	return worst(replies), nil
}

// Abort ends the transaction so that the next hop queues nothing. It may be called at any time.
func (r *Relay) Abort() {
	if r.tx != nil {
		r.tx.Abort()
	}
	r.release()
}

func (r *Relay) release() {
	if r.conn != nil {
		r.d.pool.Put(r.conn)
		r.d.relaySlots.Release(1)
	}
	r.conn, r.tx = nil, nil
}

// worst picks the reply that stands for all of a commit.
func worst(replies []wire.Reply) wire.Reply {
	for _, r := range replies {
		if !r.Positive() {
			return r
		}
	}
	return replies[0]
}

// Refusal makes an error (*smtpclient.Error) of a reply that is not positive.
func Refusal(command string, r wire.Reply) error {
	if r.Positive() {
		return nil
	}
	return &smtpclient.Error{Command: command, Reply: r}
}
