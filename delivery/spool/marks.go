package spool

import (
	"fmt"
	"path/filepath"
	"time"
)

// lookEvery is how long one look at the folder is believed.
const lookEvery = time.Second

// look makes the next Full look at the folder.
func (s *Spool) look() {
	s.mu.Lock()
	s.checked = time.Time{}
	s.mu.Unlock()
}

// Full gives ErrFull, with the reason, from a high mark on until everything is below the low ones. All processes
// agree on it by the file "full" in the spool.
func (s *Spool) Full() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if !s.checked.IsZero() && now.Sub(s.checked).Abs() < lookEvery {
		return s.full
	}
	s.checked, s.full = now, s.measure()
	return s.full
}

func (s *Spool) measure() error {
	mark := filepath.Join(s.dir, "full")
	_, err := s.disk.Stat(mark)
	above := err == nil
	reason := s.exceeded(above)
	switch {
	case reason == "" && above:
		_ = s.disk.Remove(mark) // the next look tries again
	case reason != "" && !above:
		if f, err := s.disk.Create(mark); err == nil { // without it each look still sees the high mark
			f.Close()
		}
	}
	if reason != "" {
		return fmt.Errorf("%w: %s", ErrFull, reason)
	}
	return nil
}

// exceeded tells which mark is passed: the high ones, or the low ones once they were.
func (s *Spool) exceeded(above bool) string {
	o := s.opts
	size, entries, free := o.High, o.Entries, o.Free
	if above {
		size, entries, free = o.Low, o.Entries*9/10, o.Free+o.Free/4
	}
	infos, err := s.list(s.dir)
	if err != nil {
		return err.Error()
	}
	var used int64
	for _, info := range infos {
		used += info.Size()
	}
	switch {
	case o.High > 0 && used > size:
		return fmt.Sprintf("%d octets in %d entries", used, len(infos))
	case o.Entries > 0 && len(infos) > entries:
		return fmt.Sprintf("%d entries", len(infos))
	case o.Free > 0:
		// The folder is made with the first entry; its disk is that of the folder above it.
		left, err := s.disk.Free(filepath.Dir(s.dir))
		if err != nil {
			return err.Error()
		}
		if left < free {
			return fmt.Sprintf("%d octets are free on its disk", left)
		}
	}
	return ""
}
