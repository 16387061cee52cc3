package delivery

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"superlistd/delivery/spool"
	"superlistd/lists"
	"superlistd/wire"
)

// Content is the stored message: its octets from an offset on, for any number of
// readers at once (message.Spool).
type Content interface {
	Reader(off int64) io.Reader
	Size() int64
}

// Route is one dressed copy of a message and the recipients who share it.
type Route struct {
	List        lists.Address // the list or service address it is for, for the log
	ReversePath lists.Address // RFC 5321 section 3.9.2: bounces reach the list, not the author
	Head        []byte        // the header of the copies with its blank line
	Body        Content
	BodyOffset  int64 // where the body begins in Body
	EightBit    bool  // the client declared BODY=8BITMIME
	UTF8        bool  // the content or the reverse-path needs SMTPUTF8 (RFC 6531)
	AnyUTF8     bool  // some recipient needs it
	// XVERP asks the next hop for a reverse-path of each recipient's own (Postfix VERP_README); see smtpclient.Envelope.
	XVERP    string
	Audience Audience

	Personal  string   // kind of personal copies (Options.Personal), one for each member; empty: all copies are the same
	Note      string   // what the maker of personal copies must know of the post; UTF-8
	Gather    string   // kind of gathering (Options.Gather): nothing is sent, and who takes it keeps the post; empty: it is sent
	Spooled   bool     // by the spool, if there is one, however small it is: what the next hop refuses for good ends there, and the owners hear of it
	Owners    []string // mailboxes that are told when the spool has to give it up
	Language  string   // in which they are told; empty: English
	MessageID string   // of the post, for people who look at the spool

	Key   Key    // for the retry guard; zero: not guarded
	claim *Claim // while it is delivered
}

// had is what the retry guard knows.
func (r *Route) had() []spool.Served {
	if r.claim == nil {
		return nil
	}
	return r.claim.Had
}

// before tells whether the whole route was delivered at an earlier attempt.
func (r *Route) before() bool { return r.claim != nil && r.claim.Done }

func (r *Route) size() int64 { return int64(len(r.Head)) + r.Body.Size() - r.BodyOffset }

// Expansion is a post whose transactions are armed: everything is sent but the dots.
// One of Commit and Abort must be called.
type Expansion struct {
	d      *Deliverer
	routes []*Route
	slots  int
	txs    []*armed

	sources []*source
}

var (
	// errReplan says that the next hop takes fewer recipients than the plan gave a
	// transaction, and that a new plan knows that.
	errReplan = errors.New("the expansion must be planned anew")
	// errGrown says that a roster has more members than were counted.
	errGrown = fmt.Errorf("a roster has grown: %w", errReplan)
)

// maxPlans bounds how often one post is planned: each new plan follows something learned.
const maxPlans = 6

// Expand arms the transactions of all routes side by side. On an error everything is
// aborted and nothing was queued. ctx bounds the whole of it.
func (d *Deliverer) Expand(ctx context.Context, client wire.ClientInfo, routes []Route) (*Expansion, error) {
	all := make([]*Route, len(routes))
	for i := range routes {
		all[i] = &routes[i]
	}
	return d.expand(ctx, client, all)
}

func (d *Deliverer) expand(ctx context.Context, client wire.ClientInfo, routes []*Route) (*Expansion, error) {
	var err error
	extra := make([]int, len(routes))
	for range maxPlans {
		var e *Expansion
		if e, err = d.arm(ctx, client, routes, extra); !errors.Is(err, errReplan) {
			return e, err
		}
		d.log.Debug().Err(err).Int("batch", d.batch()).Msg("expansion planned anew")
	}
	return nil, fmt.Errorf("%w: %w", ErrTooLarge, err)
}

// arm makes one attempt. Where it fails with errGrown it has raised extra.
func (d *Deliverer) arm(ctx context.Context, client wire.ClientInfo, routes []*Route, extra []int) (*Expansion, error) {
	e := d.plan(routes, extra)
	if len(e.txs) > d.opts.MaxArmed {
		return nil, fmt.Errorf("%w: %d needed, %d allowed", ErrTooLarge, len(e.txs), d.opts.MaxArmed)
	}
	if len(e.txs) == 0 {
		return e, nil
	}
	if err := acquire(ctx, d.postSlots, len(e.txs)); err != nil {
		return nil, err
	}
	e.slots = len(e.txs)
	err := e.armAll(ctx, client)
	if err == nil {
		err = e.complete(extra)
	}
	if err != nil {
		e.Abort()
		return nil, err
	}
	return e, nil
}

// plan gives each route as many transactions as its audience may need, and extra ones.
func (d *Deliverer) plan(routes []*Route, extra []int) *Expansion {
	e := &Expansion{d: d, routes: routes}
	batch := d.batch()
	for i, r := range routes {
		if r.before() {
			continue
		}
		src := d.newSource(&r.Audience, r.had())
		e.sources = append(e.sources, src)
		for range (r.Audience.size()+batch-1)/batch + extra[i] {
			e.txs = append(e.txs, &armed{d: d, route: r, source: src, share: share{stock: &d.stock, room: batch}})
		}
	}
	return e
}

// armAll arms the transactions side by side; the first cause is the error.
func (e *Expansion) armAll(ctx context.Context, client wire.ClientInfo) error {
	if len(e.txs) == 1 {
		return e.txs[0].arm(ctx, client)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	var once sync.Once
	var first error
	for _, a := range e.txs {
		wg.Go(func() {
			if err := a.arm(ctx, client); err != nil {
				once.Do(func() { first = err; cancel() })
			}
		})
	}
	wg.Wait()
	return first
}

// complete checks that the transactions hold the whole audience, and that not all of it was refused. Refusals
// are told now, not from attempts that come to nothing.
func (e *Expansion) complete(extra []int) error {
	accepted := 0
	var refused []refusal
	var deferred error
	for _, a := range e.txs {
		if !a.source.exhausted() {
			return e.grow(a.route, extra)
		}
		accepted += a.accepted
		refused = append(refused, a.refused...)
		if a.deferred != nil {
			deferred = a.deferred
		}
	}
	if accepted == 0 && deferred != nil {
		return deferred // the sender keeps the mail
	}
	for _, a := range e.txs {
		a.report()
	}
	if accepted == 0 && len(refused) > 0 {
		return allRefused(refused)
	}
	return nil
}

// report tells of those who were refused for good; not when nobody was accepted and some shall be tried again, for then all are.
func (a *armed) report() {
	if a.d.opts.Refused == nil || a.accepted == 0 && len(a.later) > 0 {
		return
	}
	for _, r := range a.refused {
		a.d.opts.Refused(a.route.List, r.address, r.why)
	}
}

// grow gives a route whose roster has grown since it was counted more transactions in the next plan, in
// larger and larger steps, since nobody knows how many are needed.
func (e *Expansion) grow(r *Route, extra []int) error {
	room := e.d.opts.MaxArmed - len(e.txs)
	if room == 0 {
		return fmt.Errorf("%w: the roster of %s has grown", ErrTooLarge, r.List)
	}
	for i := range e.routes {
		if r == e.routes[i] {
			extra[i] += min(room, 1+3*extra[i])
		}
	}
	return errGrown
}
