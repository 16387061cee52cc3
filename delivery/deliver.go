package delivery

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

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

// Deliver arms the relayed part and all copies that go through at once, asks whether the client is still there, and
// commits: what is relayed first, then the routes from small to large. Before the first dot any error leaves no trace
// at the next hop. What fails after it, what the next hop put off, and what is too large to go through, goes to
// the spool, which has it safely when Deliver returns nil. Without a spool, or when its disk fails too, the error is
// ErrPartial; the retry guard knows what is in, so that the client's next attempt delivers the rest and nothing twice.
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
	if err := j.fillRelay(ctx); err != nil {
		return Result{}, err
	}
	p := &parking{d: d}
	defer p.discard()
	e, err := d.prepare(ctx, &j, p)
	if err != nil {
		return Result{}, err
	}
	if j.Gone() {
		e.Abort()
		return Result{}, ErrGone
	}
	d.noteIssues(&j)
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
	outcomes, posted, err := e.Commit(ctx, j.Relay == nil)
	r.Posted = posted
	ids := map[*Route]string{}
	if err == nil || errors.Is(err, ErrPartial) {
		ids, err = d.promise(&j, e, p, r.Relayed.Positive() || posted.Positive(), err)
	}
	r.Outcomes = j.outcomes(e, outcomes, ids)
	return r, err
}

// fillRelay arms the relayed part.
func (j *Job) fillRelay(ctx context.Context) error {
	if j.Relay == nil {
		return nil
	}
	if err := j.Relay.Data(ctx, ctx); err != nil {
		return err
	}
	return j.Relay.Fill(ctx, j.Content)
}

// prepare writes what goes to the spool, and arms what goes through.
func (d *Deliverer) prepare(ctx context.Context, j *Job, p *parking) (*Expansion, error) {
	if d.opts.Spool == nil && slices.ContainsFunc(j.Routes, func(r Route) bool { return r.Gather != "" }) {
		return nil, errNoSpool // sent like any other it would go to those who asked for something else
	}
	through, parked := d.split(j.Routes)
	for {
		for _, r := range parked[len(p.entries):] {
			if err := p.add(j.Client, r, r.had()); err != nil {
				return nil, err
			}
		}
		e, err := d.expand(ctx, j.Client, through)
		if !errors.Is(err, ErrTooLarge) || d.opts.Spool == nil {
			return e, err
		}
		through, parked = shift(through, parked)
	}
}

// promise gives the spool what is not through: what was meant for it, and what failed. Failed is why something did.
func (d *Deliverer) promise(j *Job, e *Expansion, p *parking, committed bool, failed error) (map[*Route]string, error) {
	if d.opts.Spool == nil {
		return nil, failed
	}
	if failed != nil {
		d.log.Warn().Err(failed).Msg("a transaction failed after others were in: the rest goes to the spool")
	}
	ids, err := d.parkRests(j.Client, e.rests())
	published, late := p.publish()
	maps.Copy(ids, published)
	if err = errors.Join(err, late); err != nil && (committed || len(ids) > 0) {
		err = fmt.Errorf("%w: %w", ErrPartial, err)
	}
	return ids, err
}

// outcomes brings what became of the routes into their order.
func (j *Job) outcomes(e *Expansion, through []Outcome, ids map[*Route]string) []Outcome {
	out := make([]Outcome, len(j.Routes))
	for i := range j.Routes {
		r := &j.Routes[i]
		out[i].List = r.List
		if n := slices.Index(e.routes, r); n >= 0 {
			out[i] = through[n]
		}
		out[i].Gather = r.Gather
		if out[i].Entry = ids[r]; out[i].Entry != "" {
			out[i].Audience = r.Audience.size()
		}
	}
	return out
}

// claim takes everything that is guarded, or nothing.
func (d *Deliverer) claim(j *Job) (release func(), relay *Claim, err error) {
	var held []*Claim
	release = func() {
		for _, c := range held {
			c.Release()
		}
	}
	take := func(key Key, spooled func(string) (bool, error)) *Claim {
		if err != nil || d.guard == nil || key == (Key{}) {
			return nil
		}
		var c *Claim
		if c, err = d.guard.claim(key, spooled); err != nil {
			return nil
		}
		held = append(held, c)
		return c
	}
	if j.Relay != nil {
		relay = take(j.RelayKey, nil)
	}
	var spooled func(string) (bool, error)
	if d.opts.Spool != nil {
		spooled = d.opts.Spool.Has
	}
	for i := range j.Routes {
		r := &j.Routes[i]
		r.claim = take(r.Key, spooled)
	}
	j.keepIssues()
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
