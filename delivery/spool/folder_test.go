package spool_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"superlistd/delivery/spool"
	"superlistd/internal/faultdisk"
)

func TestDueInTheirOrder(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	now := time.Now()
	s := spool.Open(data, spool.Options{Now: func() time.Time { return now }})
	for id, due := range map[string]time.Duration{
		"a": -time.Minute, "b": -time.Hour, "c": time.Minute, "d": 30 * time.Second,
		"e": 3 * time.Hour, // the clock went back
	} {
		must(t, post(t, s, name(id)).Release(now.Add(due)))
	}
	for _, foreign := range []string{"README", "a", strings.Repeat("A", 32), strings.Repeat("0", 33)} {
		must(t, os.WriteFile(filepath.Join(data, "spool", foreign), nil, 0o600))
	}
	for _, tt := range []struct {
		name  string
		jump  time.Duration
		want  string
		wants time.Duration // until the next, from then on
	}{
		{"on time", 0, "bae", 30 * time.Second},
		{"later", 45 * time.Second, "bade", 15 * time.Second},
		{"a clock that jumps ahead", 100 * time.Hour, "badce", 0},
		{"one that jumps back a little", -30 * time.Minute, "be", 29 * time.Minute},
		{"one that jumps back far", -100 * time.Hour, "badce", 0},
	} {
		was := now
		now = now.Add(tt.jump)
		ids, next, err := s.Due()
		got := ""
		for _, id := range ids {
			got += id[:1]
		}
		until := time.Duration(0)
		if !next.IsZero() {
			until = next.Sub(now).Round(time.Millisecond)
		}
		if got != tt.want || until != tt.wants || err != nil {
			t.Errorf("%s: %q, the next in %s, %v; want %q, %s", tt.name, got, until, err, tt.want, tt.wants)
		}
		now = was
	}
}

func TestNothingIsThereYet(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s := spool.Open(data, spool.Options{High: 1, Entries: 1, Free: 1})
	ids, next, err := s.Due()
	if len(ids) > 0 || !next.IsZero() || err != nil {
		t.Errorf("Due: %q, %v, %v", ids, next, err)
	}
	all, err := s.Entries()
	if len(all) > 0 || err != nil {
		t.Errorf("Entries: %v, %v", all, err)
	}
	must(t, s.Full())
	must(t, s.Sweep())
	for _, id := range []string{name("a"), "", "..", "full"} {
		_, err := s.Claim(id)
		wantErr(t, "Claim", err, spool.ErrGone)
		_, err = s.Show(id)
		wantErr(t, "Show", err, spool.ErrGone)
		wantErr(t, "Retry", s.Retry(id), spool.ErrGone)
		wantErr(t, "Delete", s.Delete(id), spool.ErrGone)
		wantErr(t, "Condemn", s.Condemn(id), spool.ErrGone)
	}
	if left := files(t, data); len(left) > 0 {
		t.Errorf("reading made %q", left)
	}
}

func TestSweep(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s := open(data)
	waiting(t, s, name("a"))
	disk := faultdisk.New(faultdisk.Fault{})
	dying := spool.Open(data, spool.Options{Disk: disk})
	for _, id := range []string{"b", "c"} {
		_, err := dying.Prepare(planOf(name(id)), nil, strings.NewReader(""), 0)
		must(t, err)
	}
	disk.Crash()
	living, err := s.Prepare(planOf(name("d")), nil, strings.NewReader(""), 0)
	must(t, err)
	defer living.Discard()
	dir := filepath.Join(data, "spool")
	left := unpublished(t, data)
	must(t, os.WriteFile(filepath.Join(dir, ".nfs0001"), nil, 0o600))
	must(t, os.Mkdir(filepath.Join(dir, "."+name("e")+".00000000"), 0o700))
	for _, n := range left {
		if !strings.HasPrefix(filepath.Base(n), ".c") {
			age(t, 2*time.Minute, n)
		}
	}
	age(t, 2*time.Minute, filepath.Join(dir, name("a")), filepath.Join(dir, ".nfs0001"))
	must(t, s.Sweep())
	got := ""
	for _, n := range files(t, dir) {
		got += " " + n[:2]
	}
	if want := " .c .d .e .n a0"; got != want {
		t.Errorf("there are%s, want%s: only what is dead, ours and a minute old is swept", got, want)
	}
}

func TestFailedNamesakes(t *testing.T) {
	t.Parallel()
	data, id := t.TempDir(), name("a")
	s := open(data)
	for n := range 3 {
		e := post(t, s, id)
		must(t, e.Note(note(n), 1, 0))
		must(t, e.Fail())
	}
	all, err := s.Entries()
	must(t, err)
	seen := map[int]bool{}
	for _, i := range all {
		for n := range 3 {
			seen[n] = seen[n] || has(i.State.Served, key(n))
		}
		if !i.Failed || i.Fault != "" || i.Plan.ID != i.ID {
			t.Errorf("%+v", i)
		}
	}
	if len(all) != 3 || len(seen) != 3 {
		t.Fatalf("%d entries, want 3: no failed entry replaces another", len(all))
	}
	// Each comes back under the name it has now, and one that waits is meant before one that failed.
	for _, i := range all {
		must(t, s.Retry(i.ID))
	}
	if ids, _, err := s.Due(); err != nil || len(ids) != 3 {
		t.Errorf("due: %q, %v", ids, err)
	}
	must(t, claim(t, s, id).Fail())
	waiting(t, s, id)
	must(t, s.Delete(id))
	if i, err := s.Show(id); err != nil || !i.Failed {
		t.Errorf("after Delete of the one that waits: %+v, %v", i, err)
	}
	must(t, s.Delete(id))
	_, err = s.Show(id)
	wantErr(t, "Show", err, spool.ErrGone)
}

func TestRetry(t *testing.T) {
	t.Parallel()
	now := time.Now()
	data, id := t.TempDir(), name("a")
	s := spool.Open(data, spool.Options{Now: func() time.Time { return now }})
	for _, failed := range []bool{false, true} {
		e := post(t, s, id)
		must(t, e.Note(note(1), 1, 0))
		must(t, e.Tried("no answer"))
		if failed {
			must(t, e.Fail())
		} else {
			must(t, e.Release(now.Add(time.Hour)))
		}
		now = now.Add(10 * time.Minute).Truncate(time.Second)
		must(t, s.Retry(id))
		if ids, _, err := s.Due(); err != nil || !slices.Equal(ids, []string{id}) {
			t.Errorf("failed %v: due %q, %v", failed, ids, err)
		}
		if n := len(files(t, filepath.Join(data, "failed"))); n > 0 {
			t.Errorf("%d failed entries", n)
		}
		e = claim(t, s, id)
		if got := e.State(); got.Attempts != 0 || !got.Since.Equal(now) || got.Error != "no answer" || got.Accepted != 1 || !has(got.Served, key(1)) {
			t.Errorf("failed %v: state %+v", failed, got)
		}
		must(t, e.Finish())
	}
}

// The folder's own name must be on the disk before an entry in it is a promise, also when the first attempt at that failed.
func TestNewFolderSurvivesAPowerCut(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	disk := faultdisk.New(faultdisk.Fault{At: 1, Match: func(op, _ string) bool { return op == "syncdir" }})
	s := spool.Open(data, spool.Options{Disk: disk})
	if _, err := s.Prepare(planOf(name("a")), nil, strings.NewReader(""), 0); err == nil || !disk.Tripped() {
		t.Fatalf("Prepare: %v", err)
	}
	post(t, s, name("b"))
	must(t, disk.PowerCut(false))
	wantWhole(t, claim(t, open(data), name("b")), name("b"))
}
