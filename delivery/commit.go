package delivery

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"superlistd/delivery/spool"
	"superlistd/lists"
	"superlistd/wire"
)

// Outcome tells what became of one route of an expansion.
type Outcome struct {
	List         lists.Address
	Transactions int    // committed
	Accepted     int    // recipients in them
	Refused      int    // recipients that the next hop refused for good
	Before       bool   // the whole post was delivered at an earlier attempt, and nothing was sent now
	Entry        string // of the spool, which has what was not sent now; empty: none
	Audience     int    // members when it was spooled; 0 without Entry
	Gather       string // what the post is kept for; empty: it is sent
}

// Abort ends every transaction so that the next hop queues none of them; side by side, since each may wait for
// an answer of a hop that stalls.
func (e *Expansion) Abort() {
	var wg sync.WaitGroup
	for _, a := range e.txs {
		if a.tx == nil { // committed, or never begun: nothing to wait for
			a.drop()
			continue
		}
		wg.Go(a.drop)
	}
	wg.Wait()
	e.release()
}

// release gives slots and buffers back, once.
func (e *Expansion) release() {
	for _, a := range e.txs {
		a.share.close()
	}
	for _, s := range e.sources {
		e.d.stock.takeBackSlice(s.at)
	}
	e.sources = nil
	if e.slots > 0 {
		e.d.postSlots.Release(int64(e.slots))
		e.slots = 0
	}
}

// Commit sends the dots, small transactions first: the first one alone, since as long as it
// is not answered nothing is queued and its refusal can still stand for all; then the others
// side by side. It returns what was committed, the first positive reply, and an error: the next
// hop's refusal or loss when nothing is queued (unless first is false: the caller committed
// something before), else ErrPartial.
func (e *Expansion) Commit(ctx context.Context, first bool) ([]Outcome, wire.Reply, error) {
	defer e.Abort() // of what is left; the dot of a committed transaction is sent already
	txs := slices.DeleteFunc(slices.Clone(e.txs), func(a *armed) bool { return a.accepted == 0 })
	slices.SortStableFunc(txs, func(a, b *armed) int { return a.accepted - b.accepted })
	count(e.txs)
	replies := make([]wire.Reply, len(txs))
	errs := make([]error, len(txs))
	rest := 0
	if first && len(txs) > 0 {
		if replies[0], errs[0] = txs[0].commit(ctx); errs[0] != nil {
			return e.outcomes(nil, nil), wire.Reply{}, errs[0]
		}
		rest = 1
	}
	var wg sync.WaitGroup
	for i := rest; i < len(txs); i++ {
		wg.Go(func() { replies[i], errs[i] = txs[i].commit(ctx) })
	}
	wg.Wait()
	return e.result(txs, replies, errs)
}

func (e *Expansion) result(txs []*armed, replies []wire.Reply, errs []error) ([]Outcome, wire.Reply, error) {
	var reply wire.Reply
	var failed error
	for i, err := range errs {
		switch {
		case err != nil && failed == nil:
			failed = err
		case err == nil && reply.Code == 0:
			reply = replies[i]
		}
	}
	if failed != nil {
		failed = fmt.Errorf("%w: %w", ErrPartial, failed)
	}
	return e.outcomes(txs, errs), reply, failed
}

// outcomes sums up by route, in the order of the routes.
func (e *Expansion) outcomes(txs []*armed, errs []error) []Outcome {
	out := make([]Outcome, len(e.routes))
	index := make(map[*Route]*Outcome, len(e.routes))
	for i, r := range e.routes {
		out[i].List = r.List
		out[i].Before = r.before()
		index[r] = &out[i]
	}
	for _, a := range e.txs {
		index[a.route].Refused += len(a.refused)
	}
	for i, a := range txs {
		if errs[i] == nil {
			index[a.route].Transactions++
			index[a.route].Accepted += a.accepted
		}
	}
	return out
}

// commit is dot, with a note for the retry guard.
func (a *armed) commit(ctx context.Context) (wire.Reply, error) {
	reply, err := a.dot(ctx)
	if err == nil {
		a.note()
	}
	return reply, err
}

// dot sends the dot of one transaction. A refusal of the next hop is an
// *smtpclient.Error: nothing of this transaction is queued.
func (a *armed) dot(ctx context.Context) (wire.Reply, error) {
	replies, err := a.tx.Commit(ctx)
	a.tx = nil
	if err != nil {
		return wire.Reply{}, err
	}
	reply := worst(replies)
	if err := Refusal("end of data", reply); err != nil {
		return reply, err
	}
	a.in = true
	return reply, nil
}

// count tells each transaction what of its route is still to be done: every dot, and whoever was put off, also where a
// transaction has nobody else.
func count(txs []*armed) {
	pending := map[*Route]*atomic.Int32{}
	for _, a := range txs {
		if pending[a.route] == nil {
			pending[a.route] = new(atomic.Int32)
		}
		a.pending = pending[a.route]
		if a.accepted > 0 {
			a.pending.Add(1)
		}
		if len(a.later) > 0 {
			a.pending.Add(1) // the post is not done before the spool has it for them
		}
	}
}

// note remembers what is in: the whole post with its last transaction, before that who has it.
func (a *armed) note() {
	last := a.pending.Add(-1) == 0
	switch claim := a.route.claim; {
	case claim == nil:
	case last:
		a.d.noted(claim.Finish())
	default:
		a.d.noted(claim.Note(a.served()))
	}
}

// rest is what a route still has to send when its transactions are through.
type rest struct {
	route *Route
	had   []spool.Served
}

// rests returns the routes of which somebody was not served: a transaction failed, or recipients were put off.
func (e *Expansion) rests() []rest {
	var out []rest
	for _, r := range e.routes {
		had, left := slices.Clone(r.had()), false
		for _, a := range e.txs {
			if a.route != r {
				continue
			}
			left = left || !a.settled() || len(a.later) > 0
			if a.settled() {
				had = append(had, a.served())
			}
		}
		if left {
			out = append(out, rest{r, had})
		}
	}
	return out
}
