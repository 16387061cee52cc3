package spool_test

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"superlistd/delivery/spool"
	"superlistd/internal/faultdisk"
	"superlistd/internal/housetest"
)

// promise is what the law demands of one entry.
type promise struct {
	published bool         // Publish returned nil
	tried     bool         // Publish was called
	given     map[int]bool // the members that were noted
	noted     map[int]bool // those whose Note returned nil, itself or in a Flush
	ended     bool         // Finish or Delete was called
	gone      bool         // and returned nil
	deleted   bool         // it was Delete, which a power cut does not undo
	safe      map[int]bool // those that were noted when Release or Finish returned nil: a power cut does not undo that
	waits     bool         // Retry returned nil
}

// story does everything to a spool whose disk may fail, and remembers what it was told.
type story struct {
	t     *testing.T
	s     *spool.Spool
	data  string
	known map[string]*promise
}

func newStory(t *testing.T, data string, disk spool.Disk, pace time.Duration) *story {
	var mu sync.Mutex
	now := time.Now()
	clock := func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		now = now.Add(pace)
		return now
	}
	return &story{t, spool.Open(data, spool.Options{Disk: disk, Now: clock, High: 1 << 20, Entries: 3, Free: 1, Slots: 2}), data, map[string]*promise{}}
}

// post returns nil when it was told no.
func (y *story) post(id string) *spool.Entry {
	p := &promise{given: map[int]bool{}, noted: map[int]bool{}, safe: map[int]bool{}}
	y.known[id] = p
	e, err := y.s.Prepare(planOf(id), []byte(postHead), strings.NewReader(postBody), int64(len(postBody)))
	if err != nil {
		return nil
	}
	p.tried = true
	if e.Publish() != nil {
		return nil
	}
	p.published = true
	return e
}

func (y *story) note(e *spool.Entry, ns ...int) {
	p := y.known[e.Plan().ID]
	for _, n := range ns {
		p.given[n] = true
		if err := e.Note(note(n), 1, 0); err == nil || e.Flush() == nil {
			p.noted[n] = true
		}
	}
}

func (y *story) release(e *spool.Entry) {
	if p := y.known[e.Plan().ID]; e.Release(y.s.Now()) == nil {
		p.safe = maps.Clone(p.noted)
	}
}

func (y *story) finish(e *spool.Entry) {
	p := y.known[e.Plan().ID]
	p.ended = true
	if p.gone = e.Finish() == nil; p.gone {
		p.safe = maps.Clone(p.noted)
	}
}

// claim returns nil when it cannot.
func (y *story) claim(id string) *spool.Entry {
	e, err := y.s.Claim(id)
	if err != nil {
		return nil
	}
	return e
}

func (y *story) run() {
	y.first()
	y.second()
	third, fourth := name("c"), name("d")
	if e := y.post(third); e != nil {
		y.release(e)
		p := y.known[third]
		p.ended = true
		p.deleted = y.s.Delete(third) == nil
	}
	if e, err := y.s.Prepare(planOf(fourth), []byte(postHead), strings.NewReader(postBody), int64(len(postBody))); err == nil {
		e.Discard()
	}
	for _, id := range []string{name("e"), name("f")} {
		if e := y.post(id); e != nil {
			y.note(e, 3, 4)
			y.release(e)
		}
	}
	_ = y.s.Full()
	_, _ = y.s.Entries()
	_ = y.s.Sweep()
}

// first is delivered, in three turns.
func (y *story) first() {
	id := name("a")
	e := y.post(id)
	if e == nil {
		return
	}
	y.note(e, 1, 2, 5)
	_ = e.Tried("no answer")
	y.release(e)
	_ = y.s.Full()
	if ids, _, err := y.s.Due(); err != nil || !slices.Contains(ids, id) {
		return
	}
	if e = y.claim(id); e == nil {
		return
	}
	y.note(e, 6)
	y.release(e)
	if e = y.claim(id); e != nil {
		y.note(e, 7, 8)
		y.finish(e)
	}
}

// second fails, comes back and goes on.
func (y *story) second() {
	id := name("b")
	e := y.post(id)
	if e == nil {
		return
	}
	p := y.known[id]
	y.note(e, 1)
	_ = e.Told()
	if e.Fail() == nil {
		if i, err := spool.Open(y.data, spool.Options{}).Show(id); err != nil || !i.Failed {
			y.t.Errorf("entry b did not fail: %+v, %v", i, err)
		}
	}
	p.waits = y.s.Retry(id) == nil
	if e = y.claim(id); e != nil {
		y.note(e, 2)
		y.release(e)
	}
}

// check is the law, looked at by a process after a restart.
func (y *story) check(power, synced bool) {
	t := y.t
	s := spool.Open(y.data, spool.Options{Disk: faultdisk.New(faultdisk.Fault{})}) // which syncs nothing
	all, err := s.Entries()
	must(t, err)
	for _, i := range all {
		if p := y.known[i.ID]; p == nil || !p.tried || i.Fault != "" || i.Held {
			t.Errorf("unexpected entry: %+v", i)
		}
	}
	for id, p := range y.known {
		i, err := s.Show(id)
		switch {
		case errors.Is(err, spool.ErrGone):
			if p.published && !p.ended {
				t.Errorf("entry %.1s is lost", id)
			}
			continue
		case err != nil:
			t.Errorf("entry %.1s: %v", id, err)
			continue
		case p.gone && !power, p.deleted:
			t.Errorf("entry %.1s is back", id)
		case p.waits && i.Failed:
			t.Errorf("entry %.1s has failed again", id)
		}
		for n := range 9 {
			if got := has(i.State.Served, key(n)); got && !p.given[n] || !got && p.noted[n] && (!power || synced) || !got && p.safe[n] {
				t.Errorf("entry %.1s: member %d noted %v; given %v, told nil %v", id, n, got, p.given[n], p.noted[n])
			}
		}
		if i.Failed {
			must(t, s.Retry(id))
		}
		e := claim(t, s, id)
		wantWhole(t, e, id)
		must(t, e.Finish())
	}
	y.checkRest(s)
}

// checkRest finds nothing but what is known, once Sweep was there.
func (y *story) checkRest(s *spool.Spool) {
	t := y.t
	age(t, 2*time.Minute, unpublished(t, y.data)...)
	must(t, s.Sweep())
	left := slices.DeleteFunc(files(t, filepath.Join(y.data, "spool")), func(n string) bool { return n == "full" || n == "slots" })
	if left = append(left, files(t, filepath.Join(y.data, "failed"))...); len(left) > 0 {
		t.Errorf("left over: %q", left)
	}
}

// The n-th step fails, for every n. Publish returned nil ⇒ the entry is there, whole, until it is ended; who was noted
// is noted; nothing is left over.
func TestFaults(t *testing.T) {
	t.Parallel()
	noRoom := housetest.ENOSPCForEver.Where(takesRoom)
	noRoom.Name = "no room for ever"
	for _, f := range []housetest.DiskFault{
		housetest.EIOOnce, housetest.ENOSPCOnce, housetest.EIOForEver, housetest.ENOSPCForEver, noRoom,
		housetest.Kill, housetest.PowerCut, housetest.PowerCutKeepNames,
	} {
		for _, pace := range []time.Duration{2 * time.Second, 0} {
			if pace == 0 && !f.Power {
				continue // what is synced, and what is not, makes no other difference
			}
			t.Run(fmt.Sprintf("%s/pace %s", f.Name, pace), func(t *testing.T) {
				t.Parallel()
				f.EachStep(t, 20, func(_ int, disk *faultdisk.Disk) {
					data := t.TempDir()
					y := newStory(t, data, disk, pace)
					y.run()
					f.End(t, disk)
					y.check(f.Power, pace > 0) // at that pace each note is synced
					_ = os.RemoveAll(data)
				})
			})
		}
	}
}

func takesRoom(op, _ string) bool { return op == "write" || op == "create" || op == "reserve" }
