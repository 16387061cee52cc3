package delivery_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"superlistd/delivery"
	"superlistd/delivery/spool"
	"superlistd/internal/faultdisk"
	"superlistd/internal/smtptest"
	"superlistd/lists"
)

// shelf keeps what is gathered.
type shelf struct {
	mu    sync.Mutex
	asked int
	kept  map[string]delivery.Gathered // by ID
	text  map[string]string            // likewise, head and body
	fail  func(n int) error            // what the n-th call comes to
}

func newShelf(o *delivery.Options) *shelf {
	s := &shelf{kept: map[string]delivery.Gathered{}, text: map[string]string{}, fail: func(int) error { return nil }}
	o.Gather = map[string]delivery.Gather{"digest": s.take}
	return s
}

func (s *shelf) take(_ context.Context, g delivery.Gathered) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	if err := s.fail(s.asked); err != nil {
		return err
	}
	rest, err := io.ReadAll(g.Body.Reader(0))
	if err != nil {
		return err
	}
	s.kept[g.ID], s.text[g.ID] = g, string(g.Head)+string(rest)
	return nil
}

// digested is a post that is kept for the digest number 7.
func (h *house) digested(list lists.Address, key byte) delivery.Route {
	h.t.Helper()
	r := h.post(list, key)
	r.Gather, r.EightBit = "digest", true
	r.Audience.Select = lists.Selection{Delivery: lists.DeliveryDigest, Issue: 7}
	return r
}

// only is the one post that was gathered.
func (s *shelf) only(t *testing.T) (delivery.Gathered, string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.kept) != 1 {
		t.Fatalf("%d posts were gathered", len(s.kept))
	}
	for id, g := range s.kept {
		return g, s.text[id]
	}
	return delivery.Gathered{}, ""
}

func TestGathering(t *testing.T) {
	t.Parallel()
	o := spooling(t.TempDir())
	s := newShelf(&o)
	h := newHouse(t, o)
	members := numbered(5)
	team := h.list("team@lists.test", members...)
	began := time.Now()
	for range 2 { // the second time is a client that lost our 250
		r, err := h.deliver(h.digested(team, 1), h.post(team, 2))
		if err != nil {
			t.Fatal(err)
		}
		if kept := r.Outcomes[0]; kept.Accepted > 0 || (kept.Entry == "") != kept.Before {
			t.Errorf("outcome %+v", kept)
		}
		h.drain(o, 20*time.Second)
	}
	h.wantOnce(members...)
	g, text := s.only(t)
	if g.List != team || g.Issue != 7 || g.MessageID != "<post@m.test>" || !g.EightBit || g.UTF8 || g.ID != h.digested(team, 1).Key.ID() {
		t.Errorf("gathered %+v", g)
	}
	if g.At.Before(began.Add(-time.Second)) || g.At.After(time.Now().Add(time.Second)) {
		t.Errorf("at %s", g.At)
	}
	if text != "List-Id: <team.lists.test>\r\n\r\n"+body {
		t.Errorf("the post: %q", text)
	}
	if s.asked != 1 {
		t.Errorf("asked %d times", s.asked)
	}
}

// What is only gathered needs neither the next hop nor one of its slots.
func TestGatheringNeedsNoHop(t *testing.T) {
	t.Parallel()
	o := spooling(t.TempDir())
	o.Connections, o.RelayShare, o.MaxArmed = 2, 1, 1
	s := newShelf(&o)
	h := newHouse(t, o)
	h.peer.Close()
	if _, err := h.deliver(h.digested(h.list("team@lists.test"), 1)); err != nil {
		t.Fatal(err)
	}
	h.drain(o, 20*time.Second)
	s.only(t)
}

func TestGatheringThatFails(t *testing.T) {
	t.Parallel()
	broken := errors.New("no room")
	for _, tt := range []struct {
		name   string
		kind   string
		fail   func(n int) error
		asked  int
		failed int // entries
	}{
		{"for a while", "digest", func(n int) error {
			if n < 4 {
				return broken
			}
			return nil
		}, 4, 0},
		{"the list is gone", "digest", func(int) error { return fmt.Errorf("read: %w", lists.ErrNoList) }, 1, 0},
		{"for ever", "digest", func(int) error { return broken }, 5, 1},
		{"nobody knows how", "another", nil, 0, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := spooling(t.TempDir())
			if tt.failed > 0 {
				o.Lifetime = 0
			}
			s := newShelf(&o)
			s.fail = tt.fail
			h := newHouse(t, o)
			r := h.digested(h.list("team@lists.test", numbered(5)...), 1)
			r.Gather = tt.kind
			if _, err := h.deliver(r); err != nil {
				t.Fatal(err)
			}
			h.drain(o, 20*time.Second)
			if s.asked != tt.asked || h.failedEntries(o) != tt.failed {
				t.Errorf("asked %d times, %d entries failed", s.asked, h.failedEntries(o))
			}
			for _, m := range h.peer.Messages() {
				if tt.failed == 0 || len(m.Rcpts) != 1 || m.Rcpts[0] != "owner@m.test" || !strings.Contains(m.Content, "<post@m.test>") {
					t.Errorf("%q got %q", m.Rcpts, m.Content)
				}
			}
		})
	}
}

// Without a spool nobody gets it as if it were mail.
func TestGatheringWithoutASpool(t *testing.T) {
	t.Parallel()
	o := usual
	newShelf(&o)
	h := newHouse(t, o)
	team := h.list("team@lists.test", numbered(5)...)
	if _, err := h.deliver(h.digested(team, 1), h.post(team, 2)); err == nil {
		t.Error("it was taken")
	}
	h.wantNothing()
}

// The law, with the n-th step of the disk failing: who was told 250 has the post in the digest, once, and with the members.
func TestFaultsOfGathering(t *testing.T) {
	t.Parallel()
	for _, f := range diskFaults {
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			f.EachStep(t, 10, func(_ int, disk *faultdisk.Disk) { gatherOnDisk(t, f, disk) })
		})
	}
}

func gatherOnDisk(t *testing.T, f diskFault, disk *faultdisk.Disk) {
	dir := t.TempDir()
	o := roads[0].options(dir)
	o.SpoolConnections = 1 // so that one transaction is in flight
	s := newShelf(&o)
	o.Spool = spool.Open(dir, spool.Options{Slots: 1, Disk: disk})
	h := newHouse(t, o, roughHop()...)
	members := numbered(faultMembers)
	team := h.list("team@lists.test", members...)
	post := func() (err error) {
		for range 10 {
			if _, err = h.deliver(h.digested(team, 1), h.post(team, 2)); err == nil {
				return nil
			}
		}
		return err
	}
	told := post() == nil
	h.workUntil(f, disk)
	o.Spool = spool.Open(dir, spool.Options{Slots: 1})
	h.renew(o)
	if err := post(); err != nil { // told or not, it comes again
		t.Error(err)
	}
	h.drain(o, 20*time.Second)
	h.wantLaw(o, members, true, f.twice)
	s.only(t)
	if t.Failed() {
		t.Logf("told 250 before: %v\n%s", told, h.tail())
	}
}

// countingDisk counts how often the spool's own folder is looked at: each worker does that as it begins.
type countingDisk struct {
	spool.RealDisk
	dir   string
	looks *atomic.Int64
}

func (d countingDisk) Stat(path string) (fs.FileInfo, error) {
	if path == d.dir {
		d.looks.Add(1)
	}
	return d.RealDisk.Stat(path)
}

// While a list has all the transactions that it may have, no workers come and go in vain; and what is gathered for it does not wait.
func TestAListWithItsShareAtRest(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	o := spooling(dir)
	o.SpoolPerList = 1
	var looks atomic.Int64
	o.Spool = spool.Open(dir, spool.Options{Slots: 4, Disk: countingDisk{dir: dir + "/spool", looks: &looks}})
	s := newShelf(&o)
	hold := make(chan struct{})
	h := newHouse(t, o, smtptest.FinalReply(func(string) string {
		<-hold
		return ""
	}))
	team := h.list("team@lists.test", numbered(95)...)
	if _, err := h.deliver(h.post(team, 1), h.post(team, 2), h.digested(team, 3)); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(300*time.Millisecond, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if len(s.kept) != 1 {
			t.Error("the post for the digest waits for the others")
		}
		if n := looks.Load(); n > 100 {
			t.Errorf("%d workers for one transaction", n)
		}
		close(hold)
	})
	defer timer.Stop()
	h.drain(o, 20*time.Second)
}
