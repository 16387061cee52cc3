package delivery

import (
	"context"
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

	released bool // what is added is only left for others

	// Scan's own:
	due      []string                 // entries that the last look into the folder found, and that are still to be claimed
	lookNext time.Time                // the folder is not read again before, as long as there is something else to do
	waiting  map[string]lists.Address // due entries of lists that have their share
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
	s.due, s.lookNext = nil, time.Time{}
	for {
		mu.Lock()
		atRest := running == 0 && s.ready() == 0
		mu.Unlock()
		wait := time.Hour
		if scan {
			wait = s.scan(ctx, atRest)
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
		over := untilIdle && atRest && running == 0 && s.ready() == 0
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

// ready counts the transactions that could begin now.
func (s *Spooler) ready() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	its := map[lists.Address]int{} // transactions for the list that are under way or could begin
	for _, j := range s.jobs {
		switch {
		case j.busy < 0 || j.route.Gather != "" && !j.resting():
			n++
		case j.resting():
			its[j.plan.List] += j.busy
		default:
			its[j.plan.List] += s.perList()
		}
	}
	for _, could := range its {
		n += min(could, s.perList()) // counting more would start workers that find nothing to do, again and again
	}
	return n
}

// perList is how many transactions for one list may be under way.
func (s *Spooler) perList() int { return max(s.d.opts.SpoolPerList, 1) }

// next picks the entry whose turn it is, and counts a transaction of it. It returns nil when none may begin one.
func (s *Spooler) next() *job {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range s.jobs {
		s.turn = (s.turn + 1) % len(s.jobs)
		j := s.jobs[s.turn]
		if j.busy < 0 || j.resting() || !s.room(j) {
			continue
		}
		j.busy++
		return j
	}
	return nil
}

// room tells whether another transaction of j may begin. What is only gathered is no load for the next hop, and needs one.
func (s *Spooler) room(j *job) bool {
	if j.route.Gather != "" {
		return j.busy == 0
	}
	busy := 0
	for _, other := range s.jobs {
		if other.plan.List == j.plan.List && other.route.Gather == "" {
			busy += max(other.busy, 0)
		}
	}
	return busy < s.perList()
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
		if j.route.Gather != "" {
			j.send(ctx)
		} else if err := s.take(ctx, slot); err == nil {
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
