package delivery

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"superlistd/delivery/spool"
	"superlistd/lists"
	"superlistd/smtpclient"
)

// job is an entry of the spool that is being worked on. It goes in rounds: each deals out whoever was not served yet.
type job struct {
	d     *Deliverer
	entry *spool.Entry
	plan  spool.Plan
	route *Route
	began time.Time
	busy  int // transactions under way; the Spooler's lock guards it

	mu     sync.Mutex
	source *source
	stop   bool  // nothing more is begun in this round
	later  error // why the entry must be tried again
	fatal  error // why it never will go out
	anew   bool  // only the limits changed: the next round follows at once
	limits int   // so often in a row, without a copy that was accepted
	full   bool  // the journal cannot be written

	gathered bool // nothing is left to do for a post that is only kept
}

// small is how much of a body is kept in memory while its entry is worked on.
const small = 256 << 10

func (d *Deliverer) newJob(e *spool.Entry) *job {
	p := e.Plan()
	j := &job{d: d, entry: e, plan: p, began: time.Now()}
	j.route = &Route{
		List: p.List, ReversePath: p.ReversePath, Head: e.Head(), Body: e,
		EightBit: p.EightBit, UTF8: p.UTF8, AnyUTF8: p.AnyUTF8, XVERP: p.XVERP, Personal: p.Personal, Note: p.Note, Gather: p.Gather,
		Audience: Audience{
			List: p.Audience.List, Members: p.Audience.Members, Select: p.Audience.Select, Not: p.Audience.Not, NotAt: p.Audience.NotAt, Fixed: p.Audience.Fixed,
		},
	}
	if len(p.Audience.Except) > 0 {
		j.route.Audience.Except = make(map[string]struct{}, len(p.Audience.Except))
		for _, key := range p.Audience.Except {
			j.route.Audience.Except[key] = struct{}{}
		}
	}
	return j
}

// resting tells that no transaction may begin in this round.
func (j *job) resting() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.stop || j.gathered || j.source != nil && j.source.exhausted()
}

// deal returns the source of this round.
func (j *job) deal() (*source, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.source != nil {
		return j.source, nil
	}
	if b, ok := j.route.Body.(*spool.Entry); ok && b.Size() <= small {
		body, err := io.ReadAll(b.Reader(0))
		if err != nil {
			return nil, err
		}
		j.route.Body = held(body)
	}
	j.source = j.d.newSource(&j.route.Audience, append(j.plan.Had[:len(j.plan.Had):len(j.plan.Had)], j.entry.State().Served...))
	return j.source, nil
}

// held is a body in memory.
type held []byte

func (h held) Reader(off int64) io.Reader { return bytes.NewReader(h[min(off, int64(len(h))):]) }
func (h held) Size() int64                { return int64(len(h)) }

func (j *job) close() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.source != nil {
		j.d.stock.takeBackSlice(j.source.at)
		j.source = nil
	}
}

// send sends one transaction, or, for personal copies, one hand of members.
func (j *job) send(ctx context.Context) {
	// What was begun is brought to its end when ctx ends: a dot whose reply nobody reads is a post that comes twice.
	whole, cancel := context.WithTimeout(context.WithoutCancel(ctx), j.d.timeout())
	defer cancel()
	if j.route.Gather != "" {
		j.gather(whole)
		return
	}
	src, err := j.deal()
	if err != nil {
		j.fail(err)
		return
	}
	if j.route.Personal != "" {
		j.sendPersonal(ctx, whole, src)
		return
	}
	arming, cancelArming := context.WithCancel(whole)
	defer cancelArming()
	defer context.AfterFunc(ctx, cancelArming)()
	a := &armed{d: j.d, route: j.route, source: src, share: share{stock: &j.d.stock, room: j.d.batch()}}
	defer a.share.close()
	defer a.drop()
	if err := a.arm(arming, j.plan.Client); err != nil {
		j.fail(err)
		return
	}
	if a.accepted > 0 {
		if _, err := a.dot(whole); err != nil {
			j.fail(err)
			return
		}
	}
	j.settle(a)
}

// settle notes what became of the recipients of a transaction.
func (j *job) settle(a *armed) {
	switch {
	case a.deferred != nil && a.accepted == 0:
		j.fail(a.deferred)
		return
	case a.accepted == 0 && len(a.refused) > 0 && j.nobodyYet():
		j.fail(allRefused(a.refused))
		return
	}
	a.report()
	if len(a.share.spans) > 0 {
		j.put(func() { j.limits = 0 })
		j.note(a.served(), a.accepted, len(a.refused))
	}
	if a.deferred != nil {
		j.put(func() { j.later = a.deferred })
	}
}

// nobodyYet tells that no copy of the post was ever accepted.
func (j *job) nobodyYet() bool { return len(j.plan.Had) == 0 && j.entry.State().Accepted == 0 }

// note writes the journal. While that fails nothing more is sent.
func (j *job) note(served spool.Served, accepted, refused int) {
	if err := j.entry.Note(served, accepted, refused); err != nil {
		j.put(func() { j.stop, j.full, j.later = true, true, err })
	}
}

// errStopped says that another transaction has ended the round.
var errStopped = errors.New("the round has ended")

func (j *job) stopped() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.stop
}

func (j *job) put(change func()) {
	j.mu.Lock()
	defer j.mu.Unlock()
	change()
}

// fail ends the round: for good when the next hop refused the message itself, else for a while.
func (j *job) fail(err error) {
	j.put(func() {
		j.stop = true
		var refusal *smtpclient.Error
		switch {
		case errors.Is(err, errStopped):
		case errors.Is(err, errReplan):
			j.anew = true
		case errors.Is(err, lists.ErrNoList): // there is no list any more, and so no member
		case errors.As(err, &refusal) && refusal.Reply.Permanent(), errors.Is(err, smtpclient.ErrSize), errors.Is(err, smtpclient.ErrUTF8):
			j.fatal = err
		case j.later == nil || !errors.Is(err, context.Canceled):
			j.later = err
		}
	})
}

// round ends one: it tells whether another one follows at once. Otherwise the entry is let go, or at its end.
func (j *job) round(ctx context.Context) (again bool) {
	j.mu.Lock()
	fatal, later, anew, full := j.fatal, j.later, j.anew, j.full
	j.stop, j.fatal, j.later, j.anew, j.full = false, nil, nil, false, false
	j.mu.Unlock()
	j.close()
	if full {
		return j.flush(ctx)
	}
	switch {
	case fatal != nil:
		j.failed(fatal)
	case later != nil:
		j.tryLater(later)
	case anew && j.limits < maxPlans:
		j.limits++
		return true
	case anew:
		j.tryLater(errReplan)
	default:
		j.finish()
	}
	return false
}

// flush waits until the journal can be written: as long as we hold the entry, what it should know is not forgotten.
func (j *job) flush(ctx context.Context) (again bool) {
	for wait := 10 * time.Millisecond; ; wait = min(2*wait, 10*time.Second) {
		err := j.entry.Flush()
		if err == nil {
			return true
		}
		j.log().Err(err).Msg("journal not written; nothing more is sent before it is")
		if pause(ctx, wait) != nil {
			j.release(j.d.spooler.spool.Now())
			return false
		}
	}
}

func (j *job) release(due time.Time) { j.d.spooler.letGo(j, due) }

func (j *job) finish() {
	s := j.entry.State()
	j.remember()
	if err := j.entry.Finish(); err != nil {
		j.log().Err(err).Msg("delivered spool entry not removed")
		return
	}
	e := j.d.log.Info().Stringer("list", j.plan.List).Str("entry", j.plan.ID)
	if j.gathered {
		e.Str("for", j.route.Gather).Msg("spooled post gathered")
		return
	}
	e = e.Int("members", s.Accepted)
	if s.Refused > 0 {
		e = e.Int("refused", s.Refused)
	}
	e.Stringer("took", time.Since(j.began).Round(time.Millisecond)).Msg("spooled post delivered")
}

// remember tells the retry guard of an entry that is about to end.
func (j *job) remember() {
	if j.d.guard != nil && !j.plan.Notice {
		j.d.noted(j.d.guard.Remember(j.plan.ID))
	}
}

// tryLater gives the entry another turn, or none when its time is over.
func (j *job) tryLater(cause error) {
	err := j.entry.Tried(cause.Error())
	s, now := j.entry.State(), j.d.spooler.spool.Now()
	if now.Sub(s.Since) > j.d.opts.Lifetime && s.Attempts >= minAttempts {
		j.failed(fmt.Errorf("given up after %d attempts: %w", s.Attempts, cause))
		return
	}
	wait := j.d.backoff(s.Attempts)
	j.d.log.Warn().Stringer("list", j.plan.List).Str("entry", j.plan.ID).Int("members", s.Accepted).
		Int("attempt", s.Attempts).Stringer("next", wait.Round(time.Second)).AnErr("journal", err).Err(cause).Msg("spooled post deferred")
	j.release(now.Add(wait))
}
