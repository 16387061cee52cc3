package delivery

import (
	"context"
	"errors"
	"time"

	"superlistd/delivery/spool"
	"superlistd/lists"
)

// scan claims entries that are due, as long as we hold few, and tells when to look again.
func (s *Spooler) scan(ctx context.Context, atRest bool) time.Duration {
	wait, err := s.readFolder(atRest)
	if err != nil {
		s.d.log.Error().Err(err).Msg("spool not readable")
		return scanEvery
	}
	waiting := map[string]lists.Address{}
	var left []string
	for i, id := range s.due {
		if ctx.Err() != nil || !s.claim(id, waiting) {
			left = append(left, s.due[i:]...)
			break
		}
		if _, ok := waiting[id]; ok {
			left = append(left, id)
		}
	}
	s.due, s.waiting = left, waiting
	return wait
}

// readFolder finds what is due, and tells when to look again. A full folder takes its time, and each transaction that ends
// wakes us: so it is read for a tenth of the time at most, unless there is nothing else to do. In between we take what was
// found before.
func (s *Spooler) readFolder(atRest bool) (time.Duration, error) {
	began := time.Now()
	if wait := s.lookNext.Sub(began); wait > 0 && !atRest {
		return wait, nil
	}
	ids, next, err := s.spool.Due()
	pause := min(10*time.Since(began), scanEvery)
	s.due, s.lookNext = ids, time.Now().Add(pause)
	if wait := next.Sub(s.spool.Now()); !next.IsZero() && wait < scanEvery {
		return max(wait, pause, 10*time.Millisecond), err
	}
	return scanEvery, err
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
func (s *Spooler) share() int { return 2 * s.perList() }

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
