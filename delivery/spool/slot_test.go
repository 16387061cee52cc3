package spool_test

import (
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"superlistd/delivery/spool"
)

func TestSlotsAreNeverMoreThanTheyAre(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	const n = 3
	var taken, most, turns atomic.Int64
	var wg sync.WaitGroup
	for range 2 {
		s := spool.Open(data, spool.Options{Slots: n}) // two processes, as far as locks go
		for range 5 {
			wg.Go(func() {
				l, err := s.Slot()
				if err != nil {
					t.Error(err)
					return
				}
				defer l.Close()
				for range 200 {
					ok, err := l.Take()
					if err != nil {
						t.Error(err)
						return
					}
					if !ok {
						continue
					}
					now := taken.Add(1)
					for was := most.Load(); now > was && !most.CompareAndSwap(was, now); was = most.Load() {
					}
					turns.Add(1)
					taken.Add(-1)
					l.Free()
				}
			})
		}
	}
	wg.Wait()
	if most.Load() > n || turns.Load() == 0 {
		t.Errorf("%d at a time, want at most %d; %d turns", most.Load(), n, turns.Load())
	}
}

func TestSlotsComeBack(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s := spool.Open(data, spool.Options{Slots: 2})
	var slots []*spool.Slot
	for i, want := range []bool{true, true, false} {
		l, err := s.Slot()
		must(t, err)
		defer l.Close()
		if ok, err := l.Take(); ok != want || err != nil {
			t.Fatalf("slot %d: %v, %v", i, ok, err)
		}
		slots = append(slots, l)
	}
	slots[0].Free()
	if ok, err := slots[2].Take(); !ok || err != nil {
		t.Errorf("after Free: %v, %v", ok, err)
	}
	slots[1].Close()
	if ok, err := slots[0].Take(); !ok || err != nil {
		t.Errorf("after Close: %v, %v", ok, err)
	}
}

func TestSlotsFollowNoLink(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(data, "spool"), 0o700))
	must(t, os.Symlink("elsewhere", filepath.Join(data, "spool", "slots")))
	if _, err := spool.Open(data, spool.Options{Slots: 1}).Slot(); err == nil {
		t.Error("a link was followed")
	}
}
