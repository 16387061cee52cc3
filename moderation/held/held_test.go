package held_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"superlistd/lists"
	"superlistd/moderation/held"
)

func TestWhatIsHeldComesBack(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s := held.Open(data, held.Options{Now: at(start)})
	f := factsFor(t, "team@lists.test", "k1")
	id := put(t, s, f)
	got, err := held.Open(data, held.Options{}).Get(id)
	must(t, err)
	f.ID, f.At, f.Size = id, start, int64(len(post))
	if diff := cmp.Diff(f, got); diff != "" {
		t.Error(diff)
	}
	wantContent(t, s, id)
	if info, err := os.Stat(filepath.Join(data, "held", id)); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("file: %v, %v", info, err)
	}
}

func TestSamePostIsHeldOnce(t *testing.T) {
	t.Parallel()
	s := held.Open(t.TempDir(), held.Options{})
	team := factsFor(t, "team@lists.test", "k1")
	first := put(t, s, team)
	again := func(f held.Facts, want bool) {
		t.Helper()
		id, existed, err := s.Put(f, strings.NewReader(post), int64(len(post)))
		must(t, err)
		if existed != want || want != (id == first) {
			t.Errorf("key %q for %s: %s, existed %v; the first is %s", f.Key, f.List, id, existed, first)
		}
	}
	again(team, true)
	again(factsFor(t, "TEAM@lists.test", "k1"), true)
	again(factsFor(t, "team@lists.test", "k2"), false)
	again(factsFor(t, "other@lists.test", "k1"), false)
	again(factsFor(t, "team@lists.test", ""), false)
	again(factsFor(t, "team@lists.test", ""), false)
	_, err := s.Decide(first, held.Decision{Action: held.Discard, By: "bob@example.org"})
	must(t, err)
	again(team, true)
	finish(t, s, first)
	again(team, true) // its sender comes again after a moderator was quick
	must(t, s.Sweep(time.Now().Add(held.KeepNotes+time.Hour)))
	if _, existed, err := s.Put(team, strings.NewReader(post), int64(len(post))); existed || err != nil {
		t.Errorf("after the note is gone: existed %v, %v", existed, err)
	}
}

func TestPutRefuses(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ü\xff", 200_000)
	for _, tt := range []struct {
		name   string
		change func(f *held.Facts)
		size   int64
		want   string // in the error; "": none
	}{
		{"no list", func(f *held.Facts) { f.List = lists.Address{} }, int64(len(post)), "without a list"},
		{"an address that is not UTF-8", func(f *held.Facts) { f.Author.Local = "\xff" }, int64(len(post)), "address"},
		{"more content than said", func(*held.Facts) {}, int64(len(post)) - 1, "octets instead of"},
		{"less content than said", func(*held.Facts) {}, int64(len(post)) + 1, "octets instead of"},
		{"too many parts", func(f *held.Facts) { f.Remove = make([]int, 1001) }, int64(len(post)), "1001 parts"},
		{"texts without end are cut", func(f *held.Facts) {
			f.Subject, f.Text, f.Results, f.AuthorName, f.MessageID, f.Envelope.ReversePath = long, long, long, long, long, long
		}, int64(len(post)), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			data := t.TempDir()
			s := held.Open(data, held.Options{})
			f := factsFor(t, "team@lists.test", "k1")
			tt.change(&f)
			id, _, err := s.Put(f, strings.NewReader(post), tt.size)
			if tt.want == "" {
				must(t, err)
				wantContent(t, s, id)
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
			if left := files(t, data); len(left) > 0 {
				t.Errorf("left over: %q", left)
			}
		})
	}
}

func TestFirstDecisionWins(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	id := put(t, held.Open(data, held.Options{}), factsFor(t, "team@lists.test", "k1"))
	var wg sync.WaitGroup
	var mu sync.Mutex
	var won []string
	for _, by := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		wg.Go(func() { // a process each
			s := held.Open(data, held.Options{Now: at(start)})
			f, err := s.Decide(id, held.Decision{Action: held.Reject, By: by, Text: "no, says " + by})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won = append(won, f.Decided.By)
				return
			}
			wantError(t, err, held.ErrDecided)
		})
	}
	wg.Wait()
	if len(won) != 1 {
		t.Fatalf("won: %q", won)
	}
	s := held.Open(data, held.Options{})
	for range 2 { // before and after it is carried out
		f, err := s.Decide(id, held.Decision{Action: held.Approve, By: "late"})
		wantError(t, err, held.ErrDecided)
		want := held.Decision{Action: held.Reject, By: won[0], Text: "no, says " + won[0], At: start}
		if diff := cmp.Diff(&want, f.Decided); diff != "" {
			t.Error(diff)
		}
		if f.Subject != "Lunch" || f.List.String() != "team@lists.test" || f.Author.IsZero() {
			t.Errorf("what a later one is told: %+v", f)
		}
		if !f.Finished {
			finish(t, s, id)
		}
	}
	must(t, s.Sweep(start.Add(held.KeepNotes-time.Second)))
	if _, err := s.Get(id); err != nil {
		t.Errorf("the note is gone early: %v", err)
	}
	must(t, s.Sweep(start.Add(held.KeepNotes)))
	_, err := s.Decide(id, held.Decision{Action: held.Approve, By: "very late"})
	wantError(t, err, held.ErrGone)
	if left := files(t, data); len(left) > 0 {
		t.Errorf("left over: %q", left)
	}
}

func TestDecideWhatMakesNoSense(t *testing.T) {
	t.Parallel()
	s := held.Open(t.TempDir(), held.Options{})
	id := put(t, s, factsFor(t, "team@lists.test", "k1"))
	_, err := s.Decide(id, held.Decision{Action: "burn"})
	wantError(t, err, held.ErrFacts)
	for _, id := range []string{"aaaaaaaaaaaa", "", "../secret", strings.ToUpper(id), id + ".decided"} {
		_, err = s.Decide(id, held.Decision{Action: held.Approve})
		wantError(t, err, held.ErrGone)
		wantError(t, s.MarkNoticed("aaaaaaaaaaaa"), held.ErrGone)
	}
}

func TestOneCarriesItOut(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s := held.Open(data, held.Options{})
	id := put(t, s, factsFor(t, "team@lists.test", "k1"))
	_, err := s.Claim(id)
	wantError(t, err, held.ErrUndecided)
	_, err = s.Decide(id, held.Decision{Action: held.Approve, By: "bob"})
	must(t, err)
	p, err := s.Claim(id)
	must(t, err)
	_, err = held.Open(data, held.Options{}).Claim(id)
	wantError(t, err, held.ErrBusy)
	reader, err := s.Open(id) // which takes no lock
	must(t, err)
	if reader.Finish() == nil {
		t.Error("finished by who has not claimed it")
	}
	must(t, reader.Close())
	must(t, p.Close())
	p, err = s.Claim(id)
	must(t, err)
	must(t, p.Finish())
	must(t, p.Close())
	_, err = s.Claim(id)
	wantError(t, err, held.ErrGone)
}

func TestMarks(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s := held.Open(data, held.Options{})
	id := put(t, s, factsFor(t, "team@lists.test", "k1"))
	for range 2 {
		must(t, s.MarkNoticed(id))
		must(t, s.MarkTold(id))
		must(t, s.MarkCounted(id))
	}
	f, err := s.Get(id)
	must(t, err)
	if !f.Noticed || !f.Told || !f.Counted {
		t.Errorf("marks: %+v", f)
	}
	must(t, s.Sweep(time.Now().Add(100*held.KeepNotes)))
	if got := files(t, data); len(got) != 4 {
		t.Errorf("swept what is needed: %q", got)
	}
	_, err = s.Decide(id, held.Decision{Action: held.Approve})
	must(t, err)
	finish(t, s, id)
	if got := files(t, data); !slices.Equal(got, []string{id + ".decided"}) {
		t.Errorf("left: %q", got)
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	s := held.Open(t.TempDir(), held.Options{})
	all, err := s.List(lists.Address{}, "", 10)
	if err != nil || len(all) != 0 {
		t.Fatalf("of nothing: %v, %v", all, err)
	}
	var team, other []string
	for _, key := range []string{"1", "2", "3", "4", "5"} {
		team = append(team, put(t, s, factsFor(t, "team@lists.test", key)))
		other = append(other, put(t, s, factsFor(t, "other@lists.test", key)))
	}
	_, err = s.Decide(team[0], held.Decision{Action: held.Discard})
	must(t, err)
	finish(t, s, team[0])
	_, err = s.Decide(team[1], held.Decision{Action: held.Discard})
	must(t, err)
	team = sorted(team[1:]...)
	for _, tt := range []struct {
		name  string
		list  lists.Address
		after string
		n     int
		want  []string
	}{
		{"a list", address(t, "Team@lists.test"), "", 10, team},
		{"a page", address(t, "team@lists.test"), "", 2, team[:2]},
		{"the next page", address(t, "team@lists.test"), team[1], 2, team[2:]},
		{"all", lists.Address{}, "", 100, sorted(slices.Concat(team, other)...)},
		{"no such list", address(t, "none@lists.test"), "", 100, nil},
	} {
		got, err := s.List(tt.list, tt.after, tt.n)
		must(t, err)
		if !slices.Equal(ids(got), tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, ids(got), tt.want)
		}
	}
}
