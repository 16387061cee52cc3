package spool

import (
	"fmt"
	"path/filepath"
	"sync"
	"time"
)

// lookEvery is how long one look at the folder is believed.
const lookEvery = time.Second

// marks is what the last look at the folder saw, and what we did to it since.
type marks struct {
	mu      sync.Mutex
	checked time.Time // zero: look again
	above   bool      // a high mark was passed, and a low one not reached since
	used    int64     // octets
	entries int
	left    int64 // octets that are free
	fault   error // of the look
	full    error // the verdict
}

// look makes the next Full look at the folder.
func (s *Spool) look() {
	s.marks.mu.Lock()
	s.marks.checked = time.Time{}
	s.marks.mu.Unlock()
}

// count spares a look after each entry that we add or remove, unless that passes a mark.
func (s *Spool) count(entries int, size int64) {
	m := &s.marks
	m.mu.Lock()
	defer m.mu.Unlock()
	m.entries += entries
	m.used += size
	if (m.passed(s.opts) != "") != (m.full != nil) {
		m.checked = time.Time{}
	}
}

// Full gives ErrFull, with the reason, from a high mark on until everything is below the low ones. All processes
// agree on it by the file "full" in the spool. It costs a look at the folder once a second.
func (s *Spool) Full() error {
	m := &s.marks
	m.mu.Lock()
	defer m.mu.Unlock()
	now := s.now()
	if m.checked.IsZero() || now.Sub(m.checked).Abs() >= lookEvery {
		m.checked, m.full = now, s.measure(m)
	}
	return m.full
}

// measure looks at the folder; the caller holds mu.
func (s *Spool) measure(m *marks) error {
	mark := filepath.Join(s.dir, "full")
	_, err := s.disk.Stat(mark)
	marked := err == nil
	m.above = marked
	m.used, m.entries, m.left, m.fault = 0, 0, 0, nil
	if s.opts.High > 0 || s.opts.Entries > 0 {
		infos, err := s.list(s.dir)
		for _, info := range infos {
			m.used += info.Size()
		}
		m.entries, m.fault = len(infos), err
	}
	if s.opts.Free > 0 && m.fault == nil {
		// The folder is made with the first entry; its disk is that of the folder above it.
		m.left, m.fault = s.disk.Free(filepath.Dir(s.dir))
	}
	reason := m.passed(s.opts)
	m.above = reason != ""
	switch {
	case !m.above && marked:
		_ = s.disk.Remove(mark) // the next look tries again
	case m.above && !marked:
		if f, err := s.disk.Create(mark); err == nil { // without it each look still sees the high mark
			f.Close()
		}
	}
	if m.above {
		return fmt.Errorf("%w: %s", ErrFull, reason)
	}
	return nil
}

// passed tells which mark is passed: the high ones, or the low ones once they were.
func (m *marks) passed(o Options) string {
	size, entries, free := o.High, o.Entries, o.Free
	if m.above {
		size, entries, free = o.Low, o.Entries*9/10, o.Free+o.Free/4
	}
	switch {
	case m.fault != nil:
		return m.fault.Error()
	case o.High > 0 && m.used > size:
		return fmt.Sprintf("%d octets in %d entries", m.used, m.entries)
	case o.Entries > 0 && m.entries > entries:
		return fmt.Sprintf("%d entries", m.entries)
	case o.Free > 0 && m.left < free:
		return fmt.Sprintf("%d octets are free on its disk", m.left)
	}
	return ""
}
