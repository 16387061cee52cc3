package delivery

import (
	"context"
	"errors"
	"io"

	"superlistd/wire"
)

// ErrGone says that the client hung up before anything was committed. Nobody hears a reply; it will come again.
var ErrGone = errors.New("the client has gone")

// Job is one message with all that is to become of it.
type Job struct {
	Client wire.ClientInfo
	Routes []Route

	Relay    *Relay // recipients who were relayed at RCPT; nil: none
	RelayKey Key    // for the retry guard
	Content  io.Reader

	Gone func() bool // whether the client has left; asked once everything is armed
}

// Result tells what became of a job.
type Result struct {
	Relayed  wire.Reply // the reply to the relayed part; its Code is 0 when there was none, or when it was delivered before
	Posted   wire.Reply // the first reply to a copy; Code is 0 when none had to be sent
	Outcomes []Outcome  // one for each route
}

// Deliver arms the relayed part and all copies, asks whether the client is still there, and commits: what is
// relayed first, then the routes from small to large. Before the first dot any error leaves no trace at the
// next hop. After it the error is ErrPartial; the retry guard knows what is in, so that the client's next attempt
// delivers the rest and nothing twice.
func (d *Deliverer) Deliver(ctx context.Context, j Job) (Result, error) {
	release, relayClaim, err := d.claim(&j)
	defer release()
	if err != nil {
		return Result{}, err
	}
	if relayClaim != nil && relayClaim.Done {
		j.Relay.Abort() // it was delivered before
		j.Relay = nil
	}
	if j.Relay != nil {
		if err := j.Relay.Data(ctx, ctx); err != nil {
			return Result{}, err
		}
		if err := j.Relay.Fill(ctx, j.Content); err != nil {
			return Result{}, err
		}
	}
	e, err := d.Expand(ctx, j.Client, j.Routes)
	if err != nil {
		return Result{}, err
	}
	if j.Gone() {
		e.Abort()
		return Result{}, ErrGone
	}
	var r Result
	if j.Relay != nil {
		if r.Relayed, err = j.Relay.Commit(ctx); err == nil {
			err = Refusal("end of data", r.Relayed)
		}
		if err != nil {
			e.Abort()
			return r, err
		}
		d.noted(relayClaim.finish())
	}
	r.Outcomes, r.Posted, err = e.Commit(ctx, j.Relay == nil)
	return r, err
}

// claim takes everything that is guarded, or nothing.
func (d *Deliverer) claim(j *Job) (release func(), relay *Claim, err error) {
	var held []*Claim
	release = func() {
		for _, c := range held {
			c.Release()
		}
	}
	take := func(key Key) *Claim {
		if err != nil || d.guard == nil || key == (Key{}) {
			return nil
		}
		var c *Claim
		if c, err = d.guard.Claim(key); err != nil {
			return nil
		}
		held = append(held, c)
		return c
	}
	if j.Relay != nil {
		relay = take(j.RelayKey)
	}
	for i := range j.Routes {
		j.Routes[i].claim = take(j.Routes[i].Key)
	}
	return release, relay, err
}

// finish is Finish for a claim that may be nil.
func (c *Claim) finish() error {
	if c == nil {
		return nil
	}
	return c.Finish()
}

// noted logs a note that could not be written: the mail is in, only its retry would not be recognised.
func (d *Deliverer) noted(err error) {
	if err != nil {
		d.log.Error().Err(err).Msg("retry guard not written")
	}
}
