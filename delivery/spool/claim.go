package spool

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
)

// Claim takes an entry to work on it. ErrHeld: somebody does; ErrGone: it has ended; ErrDamaged: it cannot be read,
// and Condemn takes it out of the way.
func (s *Spool) Claim(id string) (*Entry, error) {
	e, err := s.hold(s.dir, id)
	if err != nil {
		return nil, err
	}
	if err := e.read(); err != nil {
		e.close()
		return nil, fmt.Errorf("spool entry %s: %w", id, err)
	}
	return e, nil
}

// hold locks an entry, whether it can be read or not. What is no file cannot be held, and is ErrDamaged.
func (s *Spool) hold(dir, id string) (*Entry, error) {
	e, err := s.open(dir, id)
	if err != nil {
		return nil, err
	}
	if err := e.take(); err != nil {
		e.close()
		return nil, fmt.Errorf("spool entry %s: %w", id, err)
	}
	return e, nil
}

func (s *Spool) open(dir, id string) (*Entry, error) {
	if !valid(id) {
		return nil, ErrGone
	}
	e := s.entry(filepath.Join(dir, id))
	e.published = true
	var err error
	if e.file, err = s.disk.Open(e.path); err == nil {
		return e, nil
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrGone
	}
	if info, failed := s.disk.Stat(e.path); failed == nil && !info.Mode().IsRegular() {
		err = errForeign // a link, a folder
	}
	return nil, fmt.Errorf("spool entry %s: %w", id, err)
}

// Condemn moves an entry that cannot be read to the failed ones. ErrGone; ErrHeld: somebody has it, and so it is another one.
func (s *Spool) Condemn(id string) error {
	e, err := s.hold(s.dir, id)
	if err == nil {
		defer e.close()
		err = e.read()
	}
	if err == nil {
		return nil // it was another one of that name
	}
	if !errors.Is(err, ErrDamaged) {
		return err
	}
	if err := s.condemn(s.path(id), id); err != nil {
		return wrap("spool", err)
	}
	return nil
}
