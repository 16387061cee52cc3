package spool

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Slot is the right to one connection for the spool. All processes on a data folder share Options.Slots of them,
// each an octet of a file that is locked; a process that dies lets go of its own.
type Slot struct {
	file *os.File
	n    int
	at   int
}

// Slot returns a slot that is not taken yet. It belongs to one goroutine, and must be closed.
func (s *Spool) Slot() (*Slot, error) {
	if err := s.mkdir(s.dir); err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	path := filepath.Join(s.dir, "slots")
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_NOFOLLOW, 0)
	if errors.Is(err, fs.ErrNotExist) {
		if f, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, fileMode); err == nil {
			err = giveAway(path, f.Chown)
		}
	}
	if err != nil {
		f.Close() // nil or not
		return nil, fmt.Errorf("spool: %w", err)
	}
	return &Slot{file: f, n: max(s.opts.Slots, 1)}, nil
}

// Take takes a slot, or returns false when all are taken.
func (l *Slot) Take() (bool, error) {
	for range l.n {
		err := l.lock(unix.F_WRLCK)
		if err == nil {
			return true, nil
		}
		if !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EACCES) {
			return false, fmt.Errorf("spool slots: %w", err)
		}
		l.at = (l.at + 1) % l.n
	}
	return false, nil
}

// Free gives the slot back.
func (l *Slot) Free() { _ = l.lock(unix.F_UNLCK) }

// Close ends it, taken or not.
func (l *Slot) Close() {
	l.Free() // now, though a process that is being started may have a copy of our files
	l.file.Close()
}

// lock works on the open file description, so that slots of one process exclude each other too.
func (l *Slot) lock(how int16) error {
	return unix.FcntlFlock(l.file.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{Type: how, Start: int64(l.at), Len: 1})
}
