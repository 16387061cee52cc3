package spool_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"superlistd/delivery/spool"
	"superlistd/internal/faultdisk"
)

func TestEntryIsWholeForTheNext(t *testing.T) {
	t.Parallel()
	data, id := t.TempDir(), name("a")
	e := post(t, spool.Open(data, spool.Options{}), id) // all of it on the real disk
	wantWhole(t, e, id)
	must(t, e.Note(note(1), 1, 0))
	must(t, e.Note(spool.Served{Ranges: []spool.Range{{After: key(1), UpTo: key(5)}}, But: []string{key(3)}}, 3, 1))
	must(t, e.Note(spool.Served{}, 7, 0)) // of nobody in the roster
	must(t, e.Tried("first\nline"))
	must(t, e.Tried("second"))
	must(t, e.Told())
	before := e.State()
	must(t, e.Release(time.Now()))

	s := spool.Open(data, spool.Options{})
	e = claim(t, s, id)
	wantWhole(t, e, id)
	for _, state := range []spool.State{before, e.State()} {
		if state.Accepted != 11 || state.Refused != 1 || state.Attempts != 2 || state.Error != "second" || !state.Told || !state.Since.Equal(e.Plan().Accepted) {
			t.Errorf("state %+v", state)
		}
		for n := range 7 {
			if got, want := has(state.Served, key(n)), n >= 1 && n <= 5 && n != 3; got != want {
				t.Errorf("member %d has it: %v, want %v", n, got, want)
			}
		}
	}
	if body, err := io.ReadAll(e.Reader(3)); string(body) != postBody[3:] || err != nil {
		t.Errorf("body from 3: %q, %v", body, err)
	}
	must(t, e.Finish())
	if there(t, s, id) {
		t.Error("it is there after Finish")
	}
	_, err := s.Claim(id)
	wantErr(t, "Claim after Finish", err, spool.ErrGone)
}

func TestPublishReplacesNothing(t *testing.T) {
	t.Parallel()
	for _, held := range []bool{true, false} {
		data, id := t.TempDir(), name("a")
		s, other := open(data), open(data)
		first := post(t, s, id)
		must(t, first.Note(note(1), 1, 0))
		if !held {
			must(t, first.Release(time.Now()))
		}
		second, err := other.Prepare(planOf(id), []byte(postHead), strings.NewReader("another"), 7)
		must(t, err)
		wantErr(t, "Publish of a name that is taken", second.Publish(), fs.ErrExist)
		second.Discard()
		if left := unpublished(t, data); len(left) > 0 {
			t.Errorf("left: %q", left)
		}
		if held {
			_, err = other.Claim(id)
			wantErr(t, "Claim", err, spool.ErrHeld)
			must(t, first.Release(time.Now()))
		}
		first = claim(t, other, id)
		wantWhole(t, first, id)
		if !has(first.State().Served, key(1)) {
			t.Error("its journal is gone")
		}
		must(t, first.Finish())
	}
}

func TestPrepareRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(*spool.Plan)
		body   string
	}{
		{"a name that is a path", func(p *spool.Plan) { p.ID = "../../../../../../../../etc/passwd" }, postBody},
		{"a name with capitals", func(p *spool.Plan) { p.ID = strings.ToUpper(name("a")) }, postBody},
		{"a body that is too short", func(*spool.Plan) {}, postBody[1:]},
		{"a body that is too long", func(*spool.Plan) {}, postBody + "x"},
		{"a mailbox that JSON would change", func(p *spool.Plan) { p.Audience.Fixed = []string{"\xff@x.test"} }, postBody},
		{"a key that JSON would change", func(p *spool.Plan) { p.Had[0].But = []string{"\xff@x.test"} }, postBody},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			data := t.TempDir()
			p := planOf(name("a"))
			tt.change(&p)
			if _, err := open(data).Prepare(p, []byte(postHead), strings.NewReader(tt.body), int64(len(postBody))); err == nil {
				t.Error("it is taken")
			}
			if left := files(t, filepath.Join(data, "spool")); len(left) > 0 {
				t.Errorf("left: %q", left)
			}
		})
	}
}

// A full disk is ErrFull, at whatever step.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	for _, op := range []string{"mkdirall", "create", "reserve", "write", "sync", "rename", "syncdir", "syncdir later"} {
		for _, full := range []error{syscall.ENOSPC, syscall.EDQUOT} {
			data := t.TempDir()
			op, later := strings.CutSuffix(op, " later")
			if later {
				must(t, os.Mkdir(filepath.Join(data, "spool"), 0o700))
			}
			s := spool.Open(data, spool.Options{Disk: faultdisk.New(faultdisk.Fault{
				At: 1, Err: full, Match: func(o, _ string) bool { return o == op },
			})})
			e, err := s.Prepare(planOf(name("a")), []byte(postHead), strings.NewReader(postBody), int64(len(postBody)))
			if err == nil {
				err = e.Publish()
			}
			if !errors.Is(err, spool.ErrFull) || !errors.Is(err, full) {
				t.Errorf("%v at %s: %v", full, op, err)
			}
			if there(t, s, name("a")) {
				t.Errorf("%v at %s: it is there", full, op)
			}
		}
	}
}

// A line that was written before the disk was full does not count twice when the rest is written.
func TestShortWritesCountOnce(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	var mu sync.Mutex
	full := false
	s := spool.Open(data, spool.Options{Disk: faultdisk.New(faultdisk.Fault{
		At: 1, Forever: true, Err: syscall.ENOSPC, Match: func(op, _ string) bool {
			mu.Lock()
			defer mu.Unlock()
			return op == "write" && full
		},
	})})
	e := post(t, s, name("a"))
	for n := range 40 {
		mu.Lock()
		full = n%10 > 2 // the lines pile up, and each write puts half of them down
		mu.Unlock()
		if err := e.Note(note(n), 1, 0); (err != nil) != (n%10 > 2) {
			t.Fatal(n, err)
		}
	}
	mu.Lock()
	full = false
	mu.Unlock()
	must(t, e.Flush())
	must(t, e.Release(time.Now()))
	if got := claim(t, s, name("a")).State(); got.Accepted != 40 || !has(got.Served, key(0)) || !has(got.Served, key(39)) {
		t.Errorf("state %+v, want 40 accepted", got)
	}
}

func TestHeldAndReleased(t *testing.T) {
	t.Parallel()
	data, id := t.TempDir(), name("a")
	s, other := open(data), open(data)
	e := post(t, s, id)
	for _, o := range []*spool.Spool{s, other} {
		_, err := o.Claim(id)
		wantErr(t, "Claim", err, spool.ErrHeld)
		wantErr(t, "Retry", o.Retry(id), spool.ErrHeld)
		wantErr(t, "Delete", o.Delete(id), spool.ErrHeld)
		wantErr(t, "Condemn", o.Condemn(id), spool.ErrHeld)
		if i, err := o.Show(id); err != nil || !i.Held || i.Failed {
			t.Errorf("%+v, %v", i, err)
		}
	}
	must(t, e.Release(time.Now()))
	if err := e.Note(note(1), 1, 0); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Note after Release: %v", err)
	}
	held := claim(t, other, id) // what is not held any more cannot be ended
	for what, end := range map[string]func() error{
		"Finish": e.Finish, "Fail": e.Fail, "Release": func() error { return e.Release(time.Now()) },
	} {
		wantErr(t, what+" after Release", end(), os.ErrClosed)
	}
	must(t, held.Release(time.Now()))
	if i, err := other.Show(id); err != nil || i.Held {
		t.Errorf("%+v, %v", i, err)
	}
	must(t, claim(t, other, id).Release(time.Now()))
	must(t, s.Condemn(id)) // it can be read: nothing is done
	if !there(t, s, id) {
		t.Error("a good entry was condemned")
	}
}

// Whoever opened the file before it came to its end does not work on it afterwards.
func TestClaimOfWhatJustEnded(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		end  func(s *spool.Spool, e *spool.Entry) error
	}{
		{"finished", func(_ *spool.Spool, e *spool.Entry) error { return e.Finish() }},
		{"failed", func(_ *spool.Spool, e *spool.Entry) error { return e.Fail() }},
		{"another one has its name", func(s *spool.Spool, e *spool.Entry) error {
			return errors.Join(e.Finish(), post(t, s, name("a")).Release(time.Now()))
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			data := t.TempDir()
			s := open(data)
			e := post(t, s, name("a"))
			between := spool.Open(data, spool.Options{Disk: lateLock{end: func() { must(t, tt.end(s, e)) }}})
			_, err := between.Claim(name("a"))
			wantErr(t, "Claim", err, spool.ErrGone)
		})
	}
}

// lateLock does something between open and lock.
type lateLock struct {
	spool.RealDisk
	end func()
}

func (d lateLock) Open(path string) (spool.File, error) {
	f, err := d.RealDisk.Open(path)
	return lateFile{f, d.end}, err
}

type lateFile struct {
	spool.File
	end func()
}

func (f lateFile) Lock() (bool, error) {
	f.end()
	return f.File.Lock()
}
