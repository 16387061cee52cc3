package spool

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"time"
)

// Info is an entry as an administrator sees it.
type Info struct {
	ID     string
	Plan   Plan
	State  State
	Due    time.Time // of a failed one: when it failed
	Size   int64     // octets on the disk
	Held   bool      // somebody works on it
	Failed bool
	Fault  string // why it cannot be read; Plan and State are empty then
}

func sortByTime(infos []fs.FileInfo) {
	slices.SortStableFunc(infos, func(a, b fs.FileInfo) int { return a.ModTime().Compare(b.ModTime()) })
}

// Entries returns all entries, those that wait and those that failed, the oldest first.
func (s *Spool) Entries() ([]Info, error) {
	var all []Info
	for _, dir := range []string{s.dir, s.failed} {
		infos, err := s.list(dir)
		if err != nil {
			return nil, err
		}
		for _, info := range infos {
			if i, err := s.peek(dir, info.Name()); err == nil {
				all = append(all, i)
			} else if !errors.Is(err, ErrGone) {
				return nil, err
			}
		}
	}
	slices.SortStableFunc(all, func(a, b Info) int {
		return cmp.Or(a.Plan.Accepted.Compare(b.Plan.Accepted), cmp.Compare(a.ID, b.ID))
	})
	return all, nil
}

// Show returns one entry, or ErrGone.
func (s *Spool) Show(id string) (i Info, err error) {
	for _, dir := range s.everywhere() {
		if i, err = s.peek(dir, id); !errors.Is(err, ErrGone) {
			return i, err
		}
	}
	return i, err
}

// everywhere is where an entry may be; it may come back while we look.
func (s *Spool) everywhere() [3]string { return [3]string{s.dir, s.failed, s.dir} }

// peek reads an entry without holding it. One that cannot be read has a Fault.
func (s *Spool) peek(dir, id string) (Info, error) {
	info := Info{ID: id, Failed: dir == s.failed}
	e, err := s.open(dir, id)
	if errors.Is(err, ErrDamaged) {
		info.Fault = err.Error()
		return info, nil
	}
	if err != nil {
		return info, err
	}
	defer e.close() // which also gives a lock back
	stat, err := e.file.Stat()
	if err != nil {
		return info, fmt.Errorf("spool entry %s: %w", id, err)
	}
	info.Due, info.Size = stat.ModTime(), stat.Size()
	if err := e.read(); err != nil {
		info.Fault = err.Error()
		return info, nil
	}
	info.Plan, info.State = e.plan, e.State()
	free, err := e.file.Lock()
	info.Held = err == nil && !free
	return info, nil
}

// Retry makes an entry due now, with its whole lifetime before it; a failed one comes back. Where one waits and another
// one failed under the same name, the one that waits is meant. ErrHeld, ErrGone, ErrDamaged.
func (s *Spool) Retry(id string) error {
	e, err := s.find(id)
	if err != nil {
		return err
	}
	if err = e.read(); err == nil {
		err = e.again()
	}
	if err == nil && e.path != s.path(id) {
		err = s.bringBack(e)
	}
	if err != nil {
		e.close()
		return fmt.Errorf("spool entry %s: %w", id, err)
	}
	return e.Release(s.now())
}

func (s *Spool) bringBack(e *Entry) error {
	if err := s.mkdir(s.dir); err != nil {
		return err
	}
	if err := s.disk.Rename(e.path, s.path(e.id)); err != nil {
		return err
	}
	e.path = s.path(e.id)
	s.count(1, e.end())
	return errors.Join(s.disk.SyncDir(s.dir), s.disk.SyncDir(s.failed))
}

// Delete removes an entry for good, damaged or not: who does not have the post yet will not get it. Where one waits and
// another one failed under the same name, the one that waits is meant. ErrHeld, ErrGone.
func (s *Spool) Delete(id string) error {
	for _, dir := range s.everywhere() {
		e, err := s.hold(dir, id)
		if errors.Is(err, ErrGone) {
			continue
		}
		if err == nil {
			defer e.close()
		} else if !errors.Is(err, ErrDamaged) { // then nothing can be held
			return err
		}
		s.look()
		if err := errors.Join(s.disk.Remove(filepath.Join(dir, id)), s.disk.SyncDir(dir)); err != nil {
			return fmt.Errorf("spool entry %s: %w", id, err)
		}
		return nil
	}
	return ErrGone
}

// find holds an entry, wherever it is.
func (s *Spool) find(id string) (e *Entry, err error) {
	for _, dir := range s.everywhere() {
		if e, err = s.hold(dir, id); !errors.Is(err, ErrGone) {
			return e, err
		}
	}
	return nil, err
}
