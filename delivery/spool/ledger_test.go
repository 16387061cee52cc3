package spool

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// covers tells whether a note serves a key, in the plainest way.
func covers(n Served, key string) bool {
	return !slices.Contains(n.But, key) &&
		slices.ContainsFunc(n.Ranges, func(r Range) bool { return r.After < key && key <= r.UpTo })
}

func wantSame(t *testing.T, got, notes []Served, keys []string) {
	t.Helper()
	for _, k := range keys {
		g := slices.ContainsFunc(got, func(n Served) bool { return covers(n, k) })
		w := slices.ContainsFunc(notes, func(n Served) bool { return covers(n, k) })
		if g != w {
			t.Fatalf("key %q is served: %v, want %v\nnotes %+v\nadded up %+v", k, g, w, notes, got)
		}
	}
}

// Whoever some note serves is served by what they add up to, and nobody else; and that is said in order, in one note.
func TestLedgerAgainstItsNotes(t *testing.T) {
	t.Parallel()
	keys := make([]string, 40)
	for i := range keys {
		keys[i] = fmt.Sprintf("%02d", i)
	}
	for seed := range uint64(1000) {
		r := rand.New(rand.NewPCG(seed, 0))
		var l ledger
		var notes []Served
		for range r.IntN(100) {
			var n Served
			for range r.IntN(3) {
				a := r.IntN(len(keys))
				n.Ranges = append(n.Ranges, Range{keys[a], keys[min(max(a+r.IntN(7)-1, 0), len(keys)-1)]})
			}
			for range r.IntN(4) * r.IntN(2) {
				n.But = append(n.But, keys[r.IntN(len(keys))])
			}
			notes = append(notes, n)
			l.add(n)
			if r.IntN(5) == 0 {
				l.served()
			}
		}
		got := l.served()
		wantSame(t, got, notes, keys)
		if len(got) > 1 {
			t.Fatalf("%d notes", len(got))
		}
		for _, n := range got {
			if !slices.IsSorted(n.But) || !slices.Equal(Merge(slices.Clone(n.Ranges)), n.Ranges) {
				t.Fatalf("not in order, or not merged: %+v", n)
			}
		}
	}
}

// What State gave away does not change.
func TestServedIsNotWrittenTo(t *testing.T) {
	t.Parallel()
	var l ledger
	l.add(Served{Ranges: []Range{{"a", "b"}, {"d", "e"}}, But: []string{"e"}})
	got := l.served()
	want := fmt.Sprint(got)
	for _, n := range []Served{{Ranges: []Range{{"b", "c"}}}, {Ranges: []Range{{"c", "f"}}, But: []string{"d5"}}, {Ranges: []Range{{"", "z"}}}} {
		l.add(n)
		l.served()
	}
	if fmt.Sprint(got) != want {
		t.Errorf("it was %s, and is %v", want, got)
	}
}

// Any number of copies, one note each, are a few stretches at any time, also when several connections take turns.
func TestLedgerStaysSmall(t *testing.T) {
	t.Parallel()
	const hands, n = 10, 50_000
	var l ledger
	most := 0
	at := [hands]int{}
	r := rand.New(rand.NewPCG(1, 2))
	for i := range hands {
		at[i] = i * n / hands
	}
	for range n {
		h := r.IntN(hands)
		l.add(Served{Ranges: []Range{{fmt.Sprintf("%07d", at[h]), fmt.Sprintf("%07d", at[h]+1)}}})
		at[h]++
		most = max(most, len(l.loose)+len(l.whole)+len(l.but))
	}
	if most > 2*fewLoose+hands {
		t.Errorf("%d stretches at a time", most)
	}
}

func TestMerge(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, want string }{
		{"nothing", "", ""},
		{"apart", "c-d a-b", "a-b c-d"},
		{"touching", "b-c a-b", "a-c"},
		{"within", "a-z c-d", "a-z"},
		{"overlapping", "a-d c-f x-y", "a-f x-y"},
		{"that hold nothing", "a-a d-c b-e z-a", "b-e"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var in []Range
			for _, w := range strings.Fields(tt.in) {
				in = append(in, Range{w[:1], w[2:]})
			}
			var got []string
			for _, r := range Merge(in) {
				got = append(got, r.After+"-"+r.UpTo)
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

// The way to rename on a file system that has no RENAME_NOREPLACE.
func TestLink(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	from, to := filepath.Join(dir, "from"), filepath.Join(dir, "to")
	if err := os.WriteFile(from, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := link(from, to); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(from, []byte("y"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := link(from, to); !os.IsExist(err) {
		t.Errorf("over another: %v", err)
	}
	if got, _ := os.ReadFile(to); string(got) != "x" {
		t.Errorf("it holds %q", got)
	}
}
