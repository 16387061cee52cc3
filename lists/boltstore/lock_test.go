package boltstore_test

import (
	"context"
	"errors"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"superlistd/lists"
	"superlistd/lists/boltstore"
)

// locked locks a file as another process would, until unlock.
func locked(t *testing.T, path string, how int) (unlock func()) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDONLY|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Flock(int(f.Fd()), how|syscall.LOCK_NB); err != nil {
		t.Fatal(err)
	}
	return sync.OnceFunc(func() { _ = f.Close() })
}

func isWriter(method string) bool {
	return method == "Change" || method == "Update" || method == "UpdateMember" || method == "Digest" || method == "Delete" || method == "Create"
}

func TestLocked(t *testing.T) {
	t.Parallel()
	const timeout = 60 * time.Millisecond
	for _, tt := range []struct {
		name, suffix string
		how          int
		readersMayGo bool
	}{
		{"file is locked by a writer", "", syscall.LOCK_EX, false},
		{"file is locked by a reader", "", syscall.LOCK_SH, true},
		{"turnstile is held by a writer", ".lock", syscall.LOCK_EX, false},
		{"turnstile is held by a reader", ".lock", syscall.LOCK_SH, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := filled(t, 3)
			unlock := locked(t, path+tt.suffix, tt.how)
			defer unlock()
			s := open(t, path, boltstore.Options{Timeout: timeout})
			start := time.Now()
			for name, err := range everyMethod(t.Context(), s, team) {
				if tt.readersMayGo && !isWriter(name) {
					if err != nil {
						t.Errorf("%s: %v", name, err)
					}
				} else if !errors.Is(err, lists.ErrStore) {
					t.Errorf("%s: got %v, want ErrStore", name, err)
				}
			}
			if d := time.Since(start); d > 10*timeout+5*time.Second {
				t.Errorf("ten calls took %v with a timeout of %v", d, timeout)
			}
			if _, err := s.Stamp(t.Context()); err != nil {
				t.Errorf("Stamp waits for nobody: %v", err)
			}
			unlock()
			if l, err := s.List(t.Context(), team); err != nil || l.Members != 3 {
				t.Errorf("afterwards: %+v, %v", l, err)
			}
			if _, err := s.Change(t.Context(), team, lists.Change{Add: manyMembers(4)}); err != nil {
				t.Errorf("afterwards: %v", err)
			}
		})
	}
}

func TestContextEndsTheWait(t *testing.T) {
	t.Parallel()
	for _, suffix := range []string{"", ".lock"} {
		path := filled(t, 3)
		unlock := locked(t, path+suffix, syscall.LOCK_EX)
		defer unlock()
		s := open(t, path, boltstore.Options{Timeout: time.Minute})
		for _, call := range []struct {
			name string
			do   func(context.Context) error
		}{
			{"List", func(ctx context.Context) error { _, err := s.List(ctx, team); return err }},
			{"Delete", func(ctx context.Context) error { return s.Delete(ctx, team) }},
		} {
			ctx, cancel := context.WithCancel(t.Context())
			timer := time.AfterFunc(20*time.Millisecond, cancel)
			start := time.Now()
			err := call.do(ctx)
			if !errors.Is(err, context.Canceled) || time.Since(start) > 10*time.Second {
				t.Errorf("%s with %q locked: %v after %v, want context.Canceled at once", call.name, suffix, err, time.Since(start))
			}
			timer.Stop()
			cancel()
			ctx, cancel = context.WithTimeout(t.Context(), 20*time.Millisecond)
			if err := call.do(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s with %q locked: %v, want context.DeadlineExceeded", call.name, suffix, err)
			}
			cancel()
		}
	}
}

// A second writer of the same process waits in line, and may lose patience there.
func TestContextEndsTheLine(t *testing.T) {
	t.Parallel()
	s := open(t, filled(t, 3), boltstore.Options{Timeout: time.Minute})
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	_, err := s.Update(t.Context(), team, func(*lists.Settings) error {
		err := s.Delete(ctx, team)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want context.DeadlineExceeded", err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// A wait ends with the context also while a change of a hundred thousand is under way.
func TestContextEndsAChange(t *testing.T) {
	t.Parallel()
	s := open(t, filled(t, 3), boltstore.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err := s.Change(ctx, team, lists.Change{Add: manyMembers(5000), Progress: func(done, _ int) {
		if done >= 2000 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	if l, err := s.List(t.Context(), team); err != nil || l.Members != 3 {
		t.Errorf("half a change was kept: %d members, %v", l.Members, err)
	}
}

// Readers who hold the file in turns, so that it is never free, starve a writer of plain
// bbolt for ever. The turnstile lets him in when those who are inside have left.
func TestWriterIsNotStarved(t *testing.T) {
	t.Parallel()
	path := filled(t, 100)
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for i := range 6 {
		s := open(t, path, boltstore.Options{Timeout: time.Minute})
		readers.Go(func() {
			time.Sleep(time.Duration(i) * 5 * time.Millisecond)
			for {
				select {
				case <-stop:
					return
				default:
				}
				if err := s.Hold(context.Background(), func() { time.Sleep(30 * time.Millisecond) }); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	s := open(t, path, boltstore.Options{Timeout: 10 * time.Second})
	for i := range 5 {
		if _, err := s.Update(t.Context(), team, func(v *lists.Settings) error { v.MaxSize = int64(i); return nil }); err != nil {
			t.Errorf("change %d: %v", i, err)
		}
	}
	close(stop)
	readers.Wait()
}
