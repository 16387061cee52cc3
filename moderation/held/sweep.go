package held

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"
)

// Sweep removes what nobody needs any more: notes of decisions that were carried out, KeepNotes after they were made, marks whose
// post is gone, and what processes that died left half written.
func (s *Store) Sweep(now time.Time) error {
	entries, err := s.disk.ReadDir(s.dir)
	if err != nil {
		return fmt.Errorf("held posts: %w", err)
	}
	var errs []error
	for _, e := range entries {
		name := e.Name()
		if rest, ok := strings.CutPrefix(name, "."); ok && len(rest) > idLength && Valid(rest[:idLength]) {
			errs = append(errs, s.sweepTemp(e, now))
			continue
		}
		id, suffix, ok := strings.Cut(name, ".")
		if ok && Valid(id) {
			errs = append(errs, s.sweepNote(id, "."+suffix, now))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("held posts: %w", err)
	}
	return nil
}

// sweepNote removes a file of a post that is gone.
func (s *Store) sweepNote(id, suffix string, now time.Time) error {
	there, err := s.exists(id)
	if err != nil || there {
		return err
	}
	if suffix == decidedFile {
		n, decided, err := s.decision(id)
		if err != nil && !errors.Is(err, ErrDamaged) || err == nil && !decided {
			return err
		}
		if err == nil && now.Sub(n.Decision.At).Abs() < KeepNotes {
			return nil
		}
	}
	return gone(s.disk.Remove(s.path(id + suffix)))
}

// sweepTemp removes a file that is being written when nobody is at it any more.
func (s *Store) sweepTemp(e fs.DirEntry, now time.Time) error {
	info, err := e.Info()
	if err != nil || !info.Mode().IsRegular() || now.Sub(info.ModTime()).Abs() < time.Minute {
		return nil // its maker may not hold its lock yet
	}
	path := s.path(e.Name())
	file, err := s.disk.Open(path)
	if err != nil {
		return gone(err)
	}
	defer file.Close()
	dead, err := file.Lock()
	if err != nil || !dead {
		return err
	}
	return gone(s.disk.Remove(path))
}

// gone is an error, but for what is not there.
func gone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
