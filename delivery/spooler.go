package delivery

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"superlistd/delivery/spool"
	"superlistd/lists"
)

// Spooler delivers what is in the spool: entries take turns transaction by transaction, so that a giant list does not
// stall the others. Any number of processes may have one on the same folder.
type Spooler struct {
	d     *Deliverer
	spool *spool.Spool

	mu   sync.Mutex
	jobs []*job // entries that we hold
	turn int    // index in jobs of the next one
	wake chan struct{}

	released bool                     // what is added is only left for others
	waiting  map[string]lists.Address // due entries of lists that have their share; scan's own
}

const (
	scanEvery = 5 * time.Second // entries of other processes are found within this time
	slotPause = 5 * time.Millisecond
	// minAttempts keeps a clock that jumps ahead from ending entries that were hardly tried.
	minAttempts = 5
)

func newSpooler(d *Deliverer) *Spooler {
	return &Spooler{d: d, spool: d.opts.Spool, wake: make(chan struct{}, 1)}
}

// Run works on the spool until ctx ends. Transactions under way are then brought to their end, and all entries let go.
func (s *Spooler) Run(ctx context.Context) { s.work(ctx, true, false) }

// Drain works on everything that is due, and returns when nothing more is, or ctx ends.
func (s *Spooler) Drain(ctx context.Context) { s.work(ctx, true, true) }

// Linger works on the entries that this process has accepted, and returns when they are done or must wait, or ctx ends.
func (s *Spooler) Linger(ctx context.Context) { s.work(ctx, false, true) }

// Release leaves entries that this process has accepted to others.
func (s *Spooler) Release() {
	s.mu.Lock()
	s.released = true
	jobs := s.jobs
	s.jobs = nil
	s.mu.Unlock()
	for _, j := range jobs {
		s.letGo(j, s.spool.Now())
	}
}

// add takes an entry that was just accepted.
func (s *Spooler) add(e *spool.Entry) {
	j := s.d.newJob(e)
	s.mu.Lock()
	released := s.released
	if !released {
		s.jobs = append(s.jobs, j)
	}
	s.mu.Unlock()
	if released {
		s.letGo(j, s.spool.Now())
		return
	}
	s.nudge()
}

func (s *Spooler) nudge() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// work runs the workers: they are started as there is work, and each ends when there is none for it.
func (s *Spooler) work(ctx context.Context, scan, untilIdle bool) {
	var wg sync.WaitGroup
	defer s.Release()
	defer wg.Wait()
	idle := make(chan struct{}, 1)
	running := 0
	var mu sync.Mutex
	most := max(s.d.opts.SpoolConnections, 1)
	timer := time.NewTimer(0)
	defer timer.Stop()
	<-timer.C
	for {
		wait := time.Hour
		if scan {
			wait = s.scan(ctx)
		}
		mu.Lock()
		for range min(s.ready(), most) - running {
			running++
			wg.Go(func() {
				s.worker(ctx)
				mu.Lock()
				running--
				mu.Unlock()
				select {
				case idle <- struct{}{}:
				default:
				}
			})
		}
		over := running == 0 && untilIdle && s.ready() == 0
		mu.Unlock()
		if over || ctx.Err() != nil {
			return
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
		case <-s.wake:
		case <-idle:
		case <-timer.C:
		}
	}
}

// scan claims entries that are due, as long as we hold few, and tells when to look again.
func (s *Spooler) scan(ctx context.Context) time.Duration {
	ids, next, err := s.spool.Due()
	if err != nil {
		s.d.log.Error().Err(err).Msg("spool not readable")
		return scanEvery
	}
	waiting := map[string]lists.Address{}
	for _, id := range ids {
		if ctx.Err() != nil || !s.claim(id, waiting) {
			break
		}
	}
	s.waiting = waiting
	if wait := next.Sub(s.spool.Now()); !next.IsZero() && wait < scanEvery {
		return max(wait, 10*time.Millisecond)
	}
	return scanEvery
}

// claim takes one entry, unless its list has its share of what we hold. It returns false when we hold enough.
func (s *Spooler) claim(id string, waiting map[string]lists.Address) bool {
	if held, _ := s.held(lists.Address{}); held >= 4*max(s.d.opts.SpoolConnections, 1) {
		return false
	}
	if list, known := s.waiting[id]; known {
		if _, its := s.held(list); its >= s.share() {
			waiting[id] = list
			return true
		}
	}
	e, err := s.spool.Claim(id)
	switch {
	case errors.Is(err, spool.ErrHeld), errors.Is(err, spool.ErrGone):
		return true
	case errors.Is(err, spool.ErrDamaged):
		err = errors.Join(err, s.spool.Condemn(id))
		s.d.log.Error().Err(err).Str("entry", id).Msg("damaged spool entry moved to the failed ones")
		return true
	case err != nil:
		s.d.log.Error().Err(err).Str("entry", id).Msg("spool entry not readable")
		return true
	}
	j := s.d.newJob(e)
	if _, its := s.held(j.plan.List); its >= s.share() {
		waiting[id] = j.plan.List
		s.letGo(j, s.spool.Now())
		return true
	}
	s.mu.Lock()
	s.jobs = append(s.jobs, j)
	s.mu.Unlock()
	return true
}

// share is how many entries of one list we hold.
func (s *Spooler) share() int { return 2 * max(s.d.opts.SpoolPerList, 1) }

// held counts the entries that we hold, and those of a list among them.
func (s *Spooler) held(list lists.Address) (all, its int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, j := range s.jobs {
		if j.plan.List == list {
			its++
		}
	}
	return len(s.jobs), its
}

// ready counts the transactions that could begin now.
func (s *Spooler) ready() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, j := range s.jobs {
		switch {
		case j.busy < 0:
			n++
		case j.resting():
			n += j.busy
		default:
			n += max(s.d.opts.SpoolPerList, 1)
		}
	}
	return n
}

// next picks the entry whose turn it is, and counts a transaction of it. It returns nil when none may begin one.
func (s *Spooler) next() *job {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range s.jobs {
		s.turn = (s.turn + 1) % len(s.jobs)
		j := s.jobs[s.turn]
		if j.busy < 0 || j.resting() || s.busy(j) >= max(s.d.opts.SpoolPerList, 1) {
			continue
		}
		j.busy++
		return j
	}
	return nil
}

// busy counts the transactions under way for the list of j.
func (s *Spooler) busy(j *job) (n int) {
	for _, other := range s.jobs {
		if other.plan.List == j.plan.List {
			n += max(other.busy, 0)
		}
	}
	return n
}

// worker sends transaction after transaction as long as there are any.
func (s *Spooler) worker(ctx context.Context) {
	slot, err := s.spool.Slot()
	if err != nil {
		s.d.log.Error().Err(err).Msg("spool not usable")
		pause(ctx, time.Second)
		return
	}
	defer slot.Close()
	for ctx.Err() == nil {
		j := s.next()
		if j == nil {
			return
		}
		if err := s.take(ctx, slot); err == nil {
			j.send(ctx)
			s.d.postSlots.Release(1)
			slot.Free()
		}
		s.done(ctx, j)
	}
}

// take waits for a connection that we may have: one of ours, and one of all processes.
func (s *Spooler) take(ctx context.Context, slot *spool.Slot) error {
	for {
		ok, err := slot.Take()
		if err != nil {
			s.d.log.Error().Err(err).Msg("spool not usable")
			pause(ctx, time.Second)
			return err
		}
		if ok {
			break
		}
		if err := pause(ctx, slotPause); err != nil {
			return err
		}
	}
	if err := acquire(ctx, s.d.postSlots, 1); err != nil {
		slot.Free()
		return err
	}
	return nil
}

// done counts a transaction out, and ends the entry's round with its last one.
func (s *Spooler) done(ctx context.Context, j *job) {
	s.mu.Lock()
	j.busy--
	over := j.busy == 0 && j.resting() && ctx.Err() == nil
	if over {
		j.busy = -1 // nobody else may end it
	}
	s.mu.Unlock()
	if !over {
		return
	}
	again := j.round(ctx)
	s.mu.Lock()
	j.busy = 0
	if !again {
		for i := range s.jobs {
			if s.jobs[i] == j {
				s.jobs = append(s.jobs[:i:i], s.jobs[i+1:]...)
				break
			}
		}
	}
	s.mu.Unlock()
	s.nudge()
}

// letGo leaves an entry to whoever takes it next.
func (s *Spooler) letGo(j *job, due time.Time) {
	j.close()
	if err := j.entry.Release(due); err != nil {
		s.d.log.Error().Err(err).Str("entry", j.plan.ID).Msg("spool entry not let go in order")
	}
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// backoff is the wait after the n-th attempt, spread so that entries that failed together do not come back together.
func (d *Deliverer) backoff(attempt int) time.Duration {
	if d.opts.Backoff != nil {
		return d.opts.Backoff(attempt)
	}
	wait := min(10*time.Second<<min(max(attempt-1, 0), 10), 30*time.Minute)
	return wait - rand.N(wait/4)
}
