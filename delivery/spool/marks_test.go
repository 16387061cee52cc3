package spool_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"superlistd/delivery/spool"
	"superlistd/internal/faultdisk"
)

// clock stands still until it is moved.
type clock struct{ at atomic.Int64 }

func newClock() *clock {
	c := new(clock)
	c.at.Store(time.Now().UnixNano())
	return c
}

func (c *clock) now() time.Time         { return time.Unix(0, c.at.Load()) }
func (c *clock) move(d time.Duration)   { c.at.Add(int64(d)) }
func (c *clock) options() spool.Options { return spool.Options{Now: c.now, Disk: idle{}} }

// wantFull asks two processes: one that did the work, and another, a second later and more.
func wantFull(t *testing.T, c *clock, s, other *spool.Spool, why string) {
	t.Helper()
	for i, o := range []*spool.Spool{s, other, s} {
		err := o.Full()
		if (why == "") != (err == nil) || why != "" && (!errors.Is(err, spool.ErrFull) || !strings.Contains(err.Error(), why)) {
			t.Errorf("look %d: %v, want %q", i, err, why)
		}
		c.move(1100 * time.Millisecond)
	}
}

func TestMarksOfEntries(t *testing.T) {
	t.Parallel()
	data, c := t.TempDir(), newClock()
	o := c.options()
	o.Entries = 10
	s, other := spool.Open(data, o), spool.Open(data, o)
	ids := "0123456789ab"
	for i, id := range ids {
		why := ""
		if i > 10 {
			why = "11 entries"
		}
		wantFull(t, c, s, other, why)
		waiting(t, s, name(string(id)))
	}
	wantFull(t, c, s, other, "12 entries")
	mark := filepath.Join(data, "spool", "full")
	for i, id := range ids[:4] {
		if _, err := os.Stat(mark); err != nil {
			t.Errorf("no mark: %v", err)
		}
		must(t, claim(t, s, name(string(id))).Finish())
		why := "entries" // the low mark is 9
		if left := 12 - i - 1; left <= 9 {
			why = ""
		}
		wantFull(t, c, s, other, why)
		if why == "" {
			break
		}
	}
	if _, err := os.Stat(mark); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the mark is still there: %v", err)
	}
	// It may fill up to the high mark again.
	waiting(t, s, name("c"))
	wantFull(t, c, s, other, "")
	waiting(t, other, name("d"))
	wantFull(t, c, s, other, "11 entries")
	// A failed entry does not count, and one that comes back does.
	must(t, claim(t, s, name("c")).Fail())
	must(t, s.Delete(name("d")))
	wantFull(t, c, s, other, "")
}

func TestMarksOfOctets(t *testing.T) {
	t.Parallel()
	data, c := t.TempDir(), newClock()
	o := c.options()
	o.High, o.Low = 100_000, 50_000
	s, other := spool.Open(data, o), spool.Open(data, o)
	body := strings.Repeat("x", 30_000)
	fill := func(prefix string) {
		e, err := s.Prepare(planOf(name(prefix)), nil, strings.NewReader(body), int64(len(body)))
		must(t, err)
		must(t, e.Publish())
		must(t, e.Release(c.now()))
	}
	for _, id := range []string{"a", "b", "c"} {
		fill(id)
		wantFull(t, c, s, other, "")
	}
	fill("d")
	wantFull(t, c, s, other, "octets in 4 entries")
	must(t, s.Delete(name("a")))
	must(t, s.Delete(name("b")))
	wantFull(t, c, s, other, "octets in 2 entries") // more than the low mark
	must(t, s.Delete(name("c")))
	wantFull(t, c, s, other, "")
}

// room is a disk of which so much is free.
type room struct {
	idle
	left *atomic.Int64
}

func (r room) Free(string) (int64, error) { return r.left.Load(), nil }

func TestMarksOfFreeRoom(t *testing.T) {
	t.Parallel()
	data, c := t.TempDir(), newClock()
	var left atomic.Int64
	o := c.options()
	o.Free, o.Disk = 1000, room{left: &left}
	s, other := spool.Open(data, o), spool.Open(data, o)
	waiting(t, s, name("a"))
	for _, tt := range []struct {
		left int64
		why  string
	}{{1000, ""}, {999, "999 octets are free"}, {1200, "1200 octets are free"}, {1250, ""}, {1001, ""}} {
		left.Store(tt.left)
		c.move(2 * time.Second)
		wantFull(t, c, s, other, tt.why)
	}
}

// One look at the folder serves for a second, however often we are asked and whatever we do meanwhile; but the entry that
// passes a mark is seen at once, and a clock that jumps does not make it last.
func TestFullIsCheap(t *testing.T) {
	t.Parallel()
	c := newClock()
	var looks atomic.Int64
	o := c.options()
	o.Entries, o.Disk = 20, faultdisk.New(faultdisk.Fault{Match: func(op, _ string) bool {
		if op == "readdir" {
			looks.Add(1)
		}
		return false
	}})
	s := spool.Open(t.TempDir(), o)
	for i := range 20 {
		waiting(t, s, name(string(rune('a'+i%6))+string(rune('a'+i/6))))
		for range 10 {
			must(t, s.Full())
		}
	}
	if n := looks.Load(); n != 1 {
		t.Errorf("%d looks, want 1", n)
	}
	waiting(t, s, name("0"))
	wantErr(t, "Full above the mark", s.Full(), spool.ErrFull)
	for _, jump := range []time.Duration{time.Hour, -100 * time.Hour, -time.Second} {
		before := looks.Load()
		c.move(jump)
		wantErr(t, "Full", s.Full(), spool.ErrFull)
		if n := looks.Load() - before; n != 1 {
			t.Errorf("a clock that jumps by %s: %d looks, want 1", jump, n)
		}
	}
}

// What cannot be looked at takes nothing more.
func TestFullWhenItCannotBeKnown(t *testing.T) {
	t.Parallel()
	for _, op := range []string{"readdir", "free"} {
		s := spool.Open(t.TempDir(), spool.Options{Entries: 1, Free: 1, Disk: faultdisk.New(faultdisk.Fault{
			At: 1, Forever: true, Err: syscall.EIO, Match: func(o, _ string) bool { return o == op },
		})})
		if err := s.Full(); !errors.Is(err, spool.ErrFull) {
			t.Errorf("EIO at %s: %v", op, err)
		}
	}
}
