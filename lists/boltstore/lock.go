package boltstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"
)

// Locks are flock(2), the same that bbolt takes: the descriptor that it uses must be
// locked by us before it is handed over, so one function locks both files.

const (
	firstPause = 100 * time.Microsecond
	lastPause  = 2 * time.Millisecond // who waits long must not be passed by who comes late
	fileMode   = 0o640                // the group may read: Postfix's spawn runs as another user
)

// wait is the patience of one operation: all its locks share one deadline.
type wait struct {
	ctx      context.Context
	deadline time.Time
	timeout  time.Duration
}

func (d *dataFile) newWait(ctx context.Context) *wait {
	return &wait{ctx: ctx, deadline: time.Now().Add(d.timeout), timeout: d.timeout}
}

// lock takes the lock of f, shared or exclusive. It gives the error of the context, or
// ErrStore when somebody holds the lock longer than the timeout.
func (d *dataFile) lock(w *wait, f *os.File, exclusive bool) error {
	how := syscall.LOCK_SH
	if exclusive {
		how = syscall.LOCK_EX
	}
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, syscall.EINTR):
			continue
		case !errors.Is(err, syscall.EWOULDBLOCK):
			return d.unusable(fmt.Errorf("lock %s: %w", f.Name(), err))
		case !time.Now().Before(w.deadline):
			return d.unusable(fmt.Errorf("%s is locked by somebody else for more than %v", f.Name(), w.timeout))
		}
		timer := time.NewTimer(min(pause, time.Until(w.deadline)))
		select {
		case <-w.ctx.Done():
			timer.Stop()
			return fmt.Errorf("wait for the lock of %s: %w", f.Name(), w.ctx.Err())
		case <-timer.C:
		}
	}
}

func (d *dataFile) turnstile() string { return d.path + ".lock" }

// made is what the turnstile of a file says once the file has been there.
const made = "made\n"

// markMade notes at the turnstile that the file was there. Without the note, which the next writer makes then, a file that is
// lost looks like one that never was.
func (d *dataFile) markMade() {
	info, err := os.Stat(d.turnstile())
	if !d.layout.kept || err != nil || info.Size() > 0 {
		return
	}
	if f, err := os.OpenFile(d.turnstile(), os.O_WRONLY, 0); err == nil {
		_, _ = f.WriteString(made)
		_ = f.Close()
	}
}

// wasMade reads that note.
func (d *dataFile) wasMade() bool {
	info, err := os.Stat(d.turnstile())
	return d.layout.kept && err == nil && info.Size() > 0
}

// passTurnstile waits until no writer is waiting or writing. No turnstile: there never
// was a writer.
func (d *dataFile) passTurnstile(w *wait) error {
	f, err := os.Open(d.turnstile())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return d.unusable(err)
	}
	defer f.Close()
	return d.lock(w, f, false)
}

// holdTurnstile keeps other writers and new readers out until leave is called. The
// writers of one process stand in line before it, so that each process has one.
func (d *dataFile) holdTurnstile(w *wait) (leave func(), err error) {
	timer := time.NewTimer(time.Until(w.deadline))
	defer timer.Stop()
	select {
	case d.writer <- struct{}{}:
	case <-w.ctx.Done():
		return nil, fmt.Errorf("wait for the lock of %s: %w", d.turnstile(), w.ctx.Err())
	case <-timer.C:
		return nil, d.unusable(fmt.Errorf("%s is locked by ourselves for more than %v", d.turnstile(), w.timeout))
	}
	f, err := d.lockTurnstile(w)
	if err != nil {
		<-d.writer
		return nil, err
	}
	return func() {
		_ = f.Close() // unlocks
		<-d.writer
	}, nil
}

func (d *dataFile) lockTurnstile(w *wait) (*os.File, error) {
	f, err := os.OpenFile(d.turnstile(), os.O_RDONLY|os.O_CREATE, fileMode)
	if err != nil {
		return nil, d.unusable(err)
	}
	if err = d.lock(w, f, true); err == nil {
		err = d.giveAway(f)
		if err != nil {
			err = d.unusable(err)
		}
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}
