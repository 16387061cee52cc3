package boltstore_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"superlistd/lists"
	"superlistd/lists/boltstore"
)

// count is how many entries the history of team has in a bucket, and below it.
func count(t *testing.T, path, name string) (entries int) {
	t.Helper()
	var below func(b *bolt.Bucket) error
	below = func(b *bolt.Bucket) error {
		return b.ForEach(func(k, v []byte) error {
			if v == nil {
				return below(b.Bucket(k))
			}
			entries++
			return nil
		})
	}
	edit(t, path, func(tx *bolt.Tx) error {
		return below(tx.Bucket([]byte("history")).Bucket([]byte(team.Key())).Bucket([]byte(name)))
	})
	return entries
}

// A list with too many posts forgets the oldest, of the hour and of threads.
func TestHistoryIsBounded(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state.db")
	h := openHistory(t, path, boltstore.Options{})
	h.SetLimits(20, 12, 3)
	const posts = 100
	author := func(n int) lists.Address { return lists.Address{Local: fmt.Sprint("p", n), Domain: "x"} }
	for i := range posts {
		p := lists.Posted{Key: fmt.Sprint(i), Author: author(i), MessageID: fmt.Sprint(i), At: noon().Add(time.Duration(i) * time.Second)}
		if err := h.Note(t.Context(), team, p); err != nil {
			t.Fatal(err)
		}
		if n := count(t, path, "posts"); n > 20 {
			t.Fatalf("%d posts are kept", n)
		}
		if n := count(t, path, "threads"); n > 3*(12+2) {
			t.Fatalf("%d entries of threads are kept", n)
		}
	}
	byAuthor, byList, err := h.Recent(t.Context(), team, author(posts-20), "", noon())
	if err != nil || byAuthor != 1 || byList != 20 {
		t.Errorf("the oldest that is kept: %d of %d, %v; want 1 of 20", byAuthor, byList, err)
	}
	for n := range posts {
		is, err := h.InThread(t.Context(), team, author(n), []string{fmt.Sprint(n)}, noon())
		// Of 6 posts a generation, the newest generation has 4, and two are full.
		if want := n >= posts-4-2*6; err != nil || is != want {
			t.Errorf("post %d in its thread: %v, %v; want %v", n, is, err, want)
		}
	}
	if err := boltstore.CheckHistory(path); err != nil {
		t.Error(err)
	}
}

// A busy year does not make the file grow without end.
func TestHistoryOfAYear(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state.db")
	h := openHistory(t, path, boltstore.Options{})
	day := func(n int) time.Time { return noon().AddDate(0, 0, n) }
	most := 0
	for n := range 365 {
		if err := h.Note(t.Context(), team, numbered(n, day(n))); err != nil {
			t.Fatal(err)
		}
		if n%50 == 49 {
			most = max(most, count(t, path, "threads"))
		}
	}
	// In 80 days, three entries a post, one a generation, and some parents once more.
	if posts := count(t, path, "posts"); posts != 1 || most > 80*4 {
		t.Errorf("%d posts of an hour and %d entries of threads are kept", posts, most)
	}
	is, err := h.InThread(t.Context(), team, numbered(310, noon()).Author, []string{"364@x"}, day(365-60))
	if err != nil || !is {
		t.Errorf("the thread goes back 60 days: %v, %v", is, err)
	}
	if err := h.Forget(t.Context(), day(400)); err != nil {
		t.Fatal(err)
	}
	edit(t, path, func(tx *bolt.Tx) error {
		if k, _ := tx.Bucket([]byte("history")).Cursor().First(); k != nil {
			t.Errorf("after a year, %s is left", k)
		}
		return nil
	})
}

// Forget works in several steps when there is much, and reaches every list.
func TestForgetManyLists(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "state.db")
	h := openHistory(t, path, boltstore.Options{})
	list := func(n int) lists.Address { return lists.Address{Local: fmt.Sprint("list", n), Domain: "example.org"} }
	const all = 30
	for n := range all {
		for i, at := range []time.Time{noon(), noon().Add(time.Hour)} {
			if i == 1 && n%3 == 0 {
				continue
			}
			if err := h.Note(t.Context(), list(n), numbered(2*n+i, at)); err != nil {
				t.Fatal(err)
			}
		}
	}
	h.SetForgetBatch(7)
	if err := h.Forget(t.Context(), noon().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if err := boltstore.CheckHistory(path); err != nil {
		t.Error(err)
	}
	for n := range all {
		_, byList, err := h.Recent(t.Context(), list(n), list(n), "", noon())
		if want := min(n%3, 1); err != nil || byList != want {
			t.Errorf("list %d: %d posts, %v; want %d", n, byList, err, want)
		}
	}
}
