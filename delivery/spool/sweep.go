package spool

import (
	"errors"
	"fmt"
	"io/fs"
	"time"
)

// Sweep removes what processes that died while they wrote an entry left behind; nobody was told 250 for it.
func (s *Spool) Sweep() error {
	entries, err := s.disk.ReadDir(s.dir)
	if err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	var errs []error
	for _, d := range entries {
		if unpublished(d.Name()) {
			errs = append(errs, s.sweep(d))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	return nil
}

// unpublished tells whether a name is that of an entry that is being written.
func unpublished(name string) bool {
	return len(name) == 42 && name[0] == '.' && name[33] == '.' && valid(name[1:33])
}

func (s *Spool) sweep(d fs.DirEntry) error {
	info, err := d.Info()
	if err != nil || !info.Mode().IsRegular() || s.now().Sub(info.ModTime()).Abs() < time.Minute {
		return nil // its maker may not hold its lock yet
	}
	path := s.path(d.Name())
	f, err := s.disk.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	dead, err := f.Lock()
	if dead {
		err = s.disk.Remove(path)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it was published meanwhile
	}
	return err
}
