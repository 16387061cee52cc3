package spool_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"superlistd/delivery/spool"
	"superlistd/internal/housetest"
	"superlistd/lists"
	"superlistd/wire"
)

const (
	postHead = "Subject: Lunch\r\nX-Odd: \x00\xff\r\n\r\n"
	postBody = "At noon?\r\n\nno end of line"
)

var team = lists.Address{Local: "team", Domain: "lists.test"}

// name makes an id that begins so.
func name(prefix string) string { return prefix + strings.Repeat("0", 32-len(prefix)) }

func planOf(id string) spool.Plan {
	return spool.Plan{
		ID: id, List: team, ReversePath: lists.Address{Local: "team-bounces", Domain: team.Domain}, MessageID: "<lunch@x.test>",
		Client: wire.ClientInfo{Name: "mail.x.test", Addr: "192.0.2.25"}, EightBit: true, XVERP: "-=",
		Audience: spool.Audience{List: team, Members: 100, Not: []lists.Address{{Local: "all", Domain: team.Domain}}, NotAt: []int{3}, Except: []string{"ü@x.test"}},
		Had:      []spool.Served{{Ranges: []spool.Range{{After: "", UpTo: "a@x.test"}}, But: []string{"a\"b\"@x.test"}}},
		Owners:   []string{"olga@x.test"},
	}
}

// idle is a disk that syncs nothing.
type idle struct{ spool.RealDisk }

func (idle) SyncDir(string) error { return nil }

func (d idle) Create(path string) (spool.File, error) {
	f, err := d.RealDisk.Create(path)
	return idleFile{f}, err
}

func (d idle) Open(path string) (spool.File, error) {
	f, err := d.RealDisk.Open(path)
	return idleFile{f}, err
}

type idleFile struct{ spool.File }

func (idleFile) Sync() error { return nil }

// open is another process on a folder, on a disk that need not be waited for.
func open(data string) *spool.Spool { return spool.Open(data, spool.Options{Disk: idle{}}) }

// post makes an entry, and holds it.
func post(t testing.TB, s *spool.Spool, id string) *spool.Entry {
	t.Helper()
	e, err := s.Prepare(planOf(id), []byte(postHead), strings.NewReader(postBody), int64(len(postBody)))
	if err == nil {
		err = e.Publish()
	}
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// waiting makes an entry that is due, and not held.
func waiting(t testing.TB, s *spool.Spool, id string) {
	t.Helper()
	must(t, post(t, s, id).Release(time.Now()))
}

var must = housetest.Must

func claim(t testing.TB, s *spool.Spool, id string) *spool.Entry {
	t.Helper()
	e, err := s.Claim(id)
	must(t, err)
	return e
}

func there(t testing.TB, s *spool.Spool, id string) bool {
	t.Helper()
	yes, err := s.Has(id)
	must(t, err)
	return yes
}

// wantWhole compares an entry with what post made it of.
func wantWhole(t testing.TB, e *spool.Entry, id string) {
	t.Helper()
	want, got := planOf(id), e.Plan()
	want.Head, want.Body, want.Accepted = int64(len(postHead)), int64(len(postBody)), got.Accepted
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("plan (-got +want)\n%s", diff)
	}
	body, err := io.ReadAll(e.Reader(0))
	if string(e.Head()) != postHead || string(body) != postBody || err != nil || e.Size() != int64(len(postBody)) {
		t.Errorf("head %q, body %q, %v", e.Head(), body, err)
	}
}

func wantErr(t testing.TB, what string, got, want error) {
	t.Helper()
	if !errors.Is(got, want) || want == nil && got != nil {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// note is one of the member with this number; the numbers before it are others.
func note(n int) spool.Served {
	return spool.Served{Ranges: []spool.Range{{After: key(n - 1), UpTo: key(n)}}}
}

func key(n int) string { return fmt.Sprintf("member%07d@x.test", n) }

// has tells whether notes serve a member, in the plainest way.
func has(notes []spool.Served, key string) bool {
	for _, n := range notes {
		in := false
		for _, r := range n.Ranges {
			in = in || r.After < key && key <= r.UpTo
		}
		for _, but := range n.But {
			in = in && but != key
		}
		if in {
			return true
		}
	}
	return false
}

// files lists a folder.
func files(t testing.TB, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// age makes files look older.
func age(t testing.TB, d time.Duration, paths ...string) {
	t.Helper()
	for _, p := range paths {
		must(t, os.Chtimes(p, time.Now().Add(-d), time.Now().Add(-d)))
	}
}

func unpublished(t testing.TB, data string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(data, "spool", ".*"))
	must(t, err)
	return paths
}
