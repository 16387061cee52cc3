package audit

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

const (
	// tidied is the file whose time says when old months were looked for.
	tidied = "tidied"
	day    = 24 * time.Hour
)

// Tick forgets months that are too old, once a day, whoever asks: one month of each list, so that a clock that jumps ahead for an
// hour does not cost the whole book.
func (l *Log) Tick(now time.Time) error {
	if l.opts.Months == 0 {
		return nil
	}
	mark := filepath.Join(l.dir, tidied)
	switch info, err := os.Stat(mark); {
	case err == nil && now.Sub(info.ModTime()).Abs() < day:
		return nil
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("audit log: %w", err)
	}
	folders, err := os.ReadDir(l.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // nothing was ever written
	}
	if err != nil {
		return fmt.Errorf("audit log: %w", err)
	}
	now = now.UTC()
	first := time.Date(now.Year(), now.Month()-time.Month(l.opts.Months), 1, 0, 0, 0, 0, time.UTC).Format(month) + suffix
	var errs []error
	for _, f := range folders {
		if f.IsDir() {
			errs = append(errs, forget(filepath.Join(l.dir, f.Name()), first))
		}
	}
	errs = append(errs, l.mark(mark, now))
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("audit log: %w", err)
	}
	return nil
}

// forget removes the oldest file of a list when it is older than first, and the folder when it was the last one.
func forget(dir, first string) error {
	names, err := filesIn(dir)
	if err != nil || len(names) == 0 || names[0] >= first {
		return err
	}
	if err := os.Remove(filepath.Join(dir, names[0])); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if len(names) == 1 {
		_ = os.Remove(dir) // whoever has begun a new file in it keeps it
	}
	return nil
}

func (l *Log) mark(path string, now time.Time) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|syscall.O_NOFOLLOW, fileMode)
	if err == nil {
		err = errors.Join(giveAway(f, l.dir), f.Close())
	}
	if err == nil {
		err = os.Chtimes(path, now, now)
	}
	return err
}
