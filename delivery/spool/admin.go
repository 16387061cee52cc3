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
func (s *Spool) Show(id string) (Info, error) {
	if !valid(id) {
		return Info{}, ErrGone
	}
	i, err := s.peek(s.dir, id)
	if errors.Is(err, ErrGone) {
		return s.peek(s.failed, id)
	}
	return i, err
}

// peek reads an entry without holding it.
func (s *Spool) peek(dir, id string) (Info, error) {
	e := &Entry{spool: s, path: filepath.Join(dir, id)}
	var err error
	if e.file, err = s.disk.Open(e.path); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return Info{}, ErrGone
		}
		return Info{}, fmt.Errorf("spool: %w", err)
	}
	defer e.file.Close() // which also gives a lock back
	stat, err := e.file.Stat()
	if err != nil {
		return Info{}, fmt.Errorf("spool: %w", err)
	}
	info := Info{ID: id, Due: stat.ModTime(), Size: stat.Size(), Failed: dir == s.failed}
	if err := e.read(); errors.Is(err, ErrDamaged) {
		info.Fault = err.Error()
	} else if err != nil {
		return Info{}, fmt.Errorf("spool entry %s: %w", id, err)
	}
	free, err := e.file.Lock()
	info.Held = err == nil && !free
	info.Plan, info.State = e.plan, e.state
	return info, nil
}

// Retry makes an entry due now, with its whole lifetime before it; a failed one comes back. ErrHeld, ErrGone.
func (s *Spool) Retry(id string) error {
	e, failed, err := s.find(id)
	if err != nil {
		return err
	}
	if err := e.again(); err != nil {
		e.close()
		return err
	}
	if failed {
		if err := s.disk.Rename(e.path, s.path(id)); err != nil {
			e.close()
			return fmt.Errorf("spool: %w", err)
		}
		e.path = s.path(id)
		if err := errors.Join(s.disk.SyncDir(s.dir), s.disk.SyncDir(s.failed)); err != nil {
			e.close()
			return fmt.Errorf("spool: %w", err)
		}
	}
	s.look()
	return e.Release(s.now())
}

// Delete removes an entry for good: who does not have the post yet will not get it. ErrHeld, ErrGone.
func (s *Spool) Delete(id string) error {
	e, _, err := s.find(id)
	if errors.Is(err, ErrDamaged) {
		return s.removeDamaged(id)
	}
	if err != nil {
		return err
	}
	return e.Finish()
}

func (s *Spool) removeDamaged(id string) error {
	for _, dir := range []string{s.dir, s.failed} {
		err := s.disk.Remove(filepath.Join(dir, id))
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return ErrGone
}

// find claims an entry, wherever it is.
func (s *Spool) find(id string) (e *Entry, failed bool, err error) {
	e, err = s.claim(s.dir, id)
	if errors.Is(err, ErrGone) {
		e, err = s.claim(s.failed, id)
		failed = true
	}
	return e, failed, err
}
