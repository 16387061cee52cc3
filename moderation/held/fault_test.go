package held_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"superlistd/internal/faultdisk"
	"superlistd/internal/housetest"
	"superlistd/lists"
	"superlistd/moderation/held"
)

// promise is what the law demands of one post.
type promise struct {
	id      string
	put     bool          // Put returned nil
	asked   []held.Action // what was asked for
	decided held.Action   // what Decide told to be decided, itself or by ErrDecided
	ending  bool          // Finish was called
	ended   bool          // and returned nil
}

// story does everything to a store whose disk may fail, and remembers what it was told.
type story struct {
	t     *testing.T
	s     *held.Store
	posts map[string]*promise // by key
}

func (y *story) put(key string) {
	p := y.posts[key]
	if p == nil {
		p = &promise{}
		y.posts[key] = p
	}
	f := factsFor(y.t, "team@lists.test", strings.TrimPrefix(key, "without key "))
	if key != f.Key {
		f.Key = ""
	}
	id, _, err := y.s.Put(f, strings.NewReader(post), int64(len(post)))
	if err != nil {
		return
	}
	if p.id != "" && p.id != id {
		y.t.Errorf("%q is held as %s and %s", key, p.id, id)
	}
	p.id, p.put = id, true
}

func (y *story) decide(key string, a held.Action) {
	p := y.posts[key]
	if !p.put {
		return
	}
	p.asked = append(p.asked, a)
	_, err := y.s.Decide(p.id, held.Decision{Action: a, By: "by " + string(a)})
	var lost *held.DecidedError
	told := a
	if errors.As(err, &lost) {
		told, err = lost.Decision.Action, nil
	}
	if err != nil {
		return
	}
	if p.decided != "" && p.decided != told {
		y.t.Errorf("%q: decided %s, and %s", key, p.decided, told)
	}
	p.decided = told
}

func (y *story) finish(key string) {
	p := y.posts[key]
	if !p.put {
		return
	}
	c, err := y.s.Claim(p.id)
	if err != nil {
		return
	}
	p.ending = true
	p.ended = c.Finish() == nil
	_ = c.Close()
}

func (y *story) run() {
	y.put("a")
	y.put("without key b")
	y.decide("a", held.Approve)
	y.decide("a", held.Discard)
	y.put("a")
	if p := y.posts["a"]; p.put {
		_ = y.s.MarkNoticed(p.id)
		_ = y.s.MarkCounted(p.id)
	}
	y.finish("a")
	y.put("a")
	y.decide("a", held.Reject)
	if p := y.posts["without key b"]; p.put {
		_ = y.s.MarkTold(p.id)
	}
	y.decide("without key b", held.Reject)
	y.put("c")
	_, _ = y.s.List(lists.Address{}, "", 10)
	_ = y.s.Full(factsFor(y.t, "team@lists.test", "").List)
	_ = y.s.Sweep(start)
	y.decide("c", held.Discard)
	y.finish("c")
}

// check is the law, looked at by a process after a restart.
func (y *story) check(data string, once bool) {
	t := y.t
	s := held.Open(data, held.Options{Now: at(start)})
	all, err := s.List(lists.Address{}, "", 100)
	must(t, err)
	known := map[string]bool{}
	for _, p := range y.posts {
		known[p.id] = true
	}
	for _, f := range all {
		if f.Fault != "" {
			t.Errorf("damaged: %+v", f)
		}
		// One whose Put failed may be there, since its sender comes again and finds it by its key. Without a key he would not.
		if once && !known[f.ID] && f.Key == "" {
			t.Errorf("%s is there, though its sender was told no", f.ID)
		}
	}
	for key, p := range y.posts {
		if !p.put {
			continue
		}
		f, err := s.Get(p.id)
		switch {
		case err != nil:
			t.Errorf("%q is lost: %v", key, err)
			continue
		case f.Finished && !p.ending:
			t.Errorf("%q is finished by nobody", key)
		case p.ended && !f.Finished:
			t.Errorf("%q is back", key)
		case p.decided != "" && (f.Decided == nil || f.Decided.Action != p.decided):
			t.Errorf("%q: decided %+v, told %s", key, f.Decided, p.decided)
		case f.Decided != nil && !asked(p, f.Decided):
			t.Errorf("%q: decided %+v, asked for %q", key, f.Decided, p.asked)
		}
		if !f.Finished {
			wantContent(t, s, p.id)
		}
	}
	y.end(data, s)
}

func asked(p *promise, d *held.Decision) bool {
	for _, a := range p.asked {
		if d.Action == a && d.By == "by "+string(a) {
			return true
		}
	}
	return false
}

// end finishes everything, after which nothing is left over.
func (y *story) end(data string, s *held.Store) {
	t := y.t
	all, err := s.List(lists.Address{}, "", 100)
	must(t, err)
	for _, f := range all {
		if f.Decided == nil {
			_, err := s.Decide(f.ID, held.Decision{Action: held.Expire})
			must(t, err)
		}
		finish(t, s, f.ID)
	}
	must(t, s.Sweep(time.Now().Add(held.KeepNotes+time.Hour)))
	must(t, s.Sweep(start.Add(held.KeepNotes+time.Hour)))
	if left := files(t, data); len(left) > 0 {
		t.Errorf("left over: %q", left)
	}
}

// The n-th step fails, for every n. Put returned nil ⇒ the post is there, whole, until it is finished; what Decide told is
// decided, and nothing else ever is; what is finished does not come back; nothing is left over.
func TestFaults(t *testing.T) {
	t.Parallel()
	faults := []housetest.DiskFault{housetest.EIOOnce, housetest.ENOSPCOnce, housetest.EIOForEver, housetest.ENOSPCForEver}
	for _, f := range append(faults, housetest.Ends...) {
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			f.EachStep(t, 40, func(_ int, disk *faultdisk.Disk) {
				data := t.TempDir()
				y := &story{t, held.Open(data, held.Options{Disk: disk, Now: at(start), Entries: 10, ListSize: 1 << 20, Free: 1}), map[string]*promise{}}
				y.run()
				f.End(t, disk)
				y.check(data, !f.Fault.Forever && !f.Fault.Crash)
				_ = os.RemoveAll(data)
			})
		})
	}
}

// A full disk is one that a sender may try again.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	disk := faultdisk.New(faultdisk.Fault{At: 1, Err: syscall.ENOSPC, Match: func(op, _ string) bool { return op == "write" }})
	s := held.Open(data, held.Options{Disk: disk})
	_, _, err := s.Put(factsFor(t, "team@lists.test", "k1"), strings.NewReader(post), int64(len(post)))
	wantError(t, err, held.ErrFull)
	if left, _ := filepath.Glob(filepath.Join(data, "held", "*")); len(left) > 0 {
		t.Errorf("left over: %q", left)
	}
}
