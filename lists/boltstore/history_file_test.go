package boltstore_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"superlistd/lists"
	"superlistd/lists/boltstore"
)

// noon is when the posts of these tests begin.
func noon() time.Time { return time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC) }

// numbered is a post that answers the one before it.
func numbered(n int, at time.Time) lists.Posted {
	return lists.Posted{
		Key: fmt.Sprint("key", n), Author: lists.Address{Local: fmt.Sprint("p", n%50), Domain: "x"},
		MessageID: fmt.Sprint(n, "@x"), References: []string{fmt.Sprint(n-1, "@x")}, At: at,
	}
}

// notedHistory makes a history of n posts, ten minutes apart, and returns its path.
func notedHistory(t testing.TB, n int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "state.db")
	h := openHistory(t, path, boltstore.Options{})
	for i := range n {
		if err := h.Note(t.Context(), team, numbered(i, noon().Add(time.Duration(i)*10*time.Minute))); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// everyHistoryMethod calls each method but Close.
func everyHistoryMethod(ctx context.Context, h lists.History) map[string]error {
	errs := map[string]error{}
	p := numbered(5000, noon().Add(time.Hour))
	_, _, errs["Recent"] = h.Recent(ctx, team, p.Author, "", noon())
	_, errs["InThread"] = h.InThread(ctx, team, p.Author, []string{"1@x", "7@x"}, noon())
	errs["Note"] = h.Note(ctx, team, p)
	errs["Forget"] = h.Forget(ctx, noon().Add(30*time.Minute))
	return errs
}

// wantErrors wants one error of all that are named, and none of the others.
func wantErrors(t *testing.T, errs map[string]error, want error, of ...string) {
	t.Helper()
	wanted := map[string]error{}
	for _, name := range of {
		wanted[name] = want
	}
	for name, err := range errs {
		if !errors.Is(err, wanted[name]) {
			t.Errorf("%s: got %v, want %v", name, err, wanted[name])
		}
	}
}

func TestHistoryWithoutAFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "data", "state.db")
	if _, err := boltstore.OpenHistory(path, boltstore.Options{}); !errors.Is(err, lists.ErrStore) {
		t.Errorf("without a folder: %v, want ErrStore", err)
	}
	if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	h := openHistory(t, path, boltstore.Options{})
	errs := everyHistoryMethod(t.Context(), openHistory(t, path, boltstore.Options{ReadOnly: true}))
	wantErrors(t, errs, lists.ErrStore, "Note", "Forget")
	if err := h.Forget(t.Context(), noon()); err != nil {
		t.Error(err)
	}
	if err := boltstore.CheckHistory(path); err != nil {
		t.Error(err)
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 0 {
		t.Errorf("files were made: %v, %v", left, err)
	}
	if err := os.Remove(filepath.Dir(path)); err != nil {
		t.Fatal(err)
	}
	wantErrors(t, everyHistoryMethod(t.Context(), h), lists.ErrStore, "Note", "Recent", "InThread", "Forget")
	if _, err := os.Stat(filepath.Dir(path)); !os.IsNotExist(err) {
		t.Errorf("the folder is there again: %v", err)
	}
}

func TestHistoryIsLocked(t *testing.T) {
	t.Parallel()
	path := notedHistory(t, 3)
	unlock := locked(t, path, syscall.LOCK_SH)
	defer unlock()
	h := openHistory(t, path, boltstore.Options{Timeout: 60 * time.Millisecond})
	wantErrors(t, everyHistoryMethod(t.Context(), h), lists.ErrStore, "Note", "Forget")
	unlock()
	wantErrors(t, everyHistoryMethod(t.Context(), h), nil)
}

// A file of lists is no history, nor the other way round, and neither is changed.
func TestOtherFile(t *testing.T) {
	t.Parallel()
	h := openHistory(t, filled(t, 3), boltstore.Options{})
	wantErrors(t, everyHistoryMethod(t.Context(), h), lists.ErrStore, "Note", "Recent", "InThread", "Forget")
	s := open(t, notedHistory(t, 3), boltstore.Options{})
	for name, err := range everyMethod(t.Context(), s, team) {
		if !errors.Is(err, lists.ErrStore) {
			t.Errorf("%s: got %v, want ErrStore", name, err)
		}
	}
}

func TestDamagedHistoryRecords(t *testing.T) {
	t.Parallel()
	sub := func(tx *bolt.Tx, name string) *bolt.Bucket {
		return tx.Bucket([]byte("history")).Bucket([]byte(team.Key())).Bucket([]byte(name))
	}
	generation := func(tx *bolt.Tx) *bolt.Bucket {
		return sub(tx, "threads").Bucket([]byte("\x00\x00\x00\x00\x00\x00\x00\x01"))
	}
	// all replaces the values of one kind.
	all := func(b *bolt.Bucket, prefix string, value []byte) error {
		var keys [][]byte
		err := b.ForEach(func(k, _ []byte) error {
			if len(prefix) == 0 || k[0] == prefix[0] {
				keys = append(keys, append([]byte(nil), k...))
			}
			return nil
		})
		for _, k := range keys {
			err = errors.Join(err, b.Put(k, value))
		}
		return err
	}
	for _, tt := range []struct {
		name string
		edit func(*bolt.Tx) error
		want error
		of   []string
	}{
		{"newer file", func(tx *bolt.Tx) error { return tx.Bucket([]byte("meta")).Put([]byte("schema"), []byte("2")) },
			lists.ErrSchema, []string{"Note", "Recent", "InThread", "Forget"}},
		{"bucket is missing", func(tx *bolt.Tx) error { return tx.DeleteBucket([]byte("history")) },
			lists.ErrStore, []string{"Note", "Recent", "InThread", "Forget"}},
		{"posts", func(tx *bolt.Tx) error { return all(sub(tx, "posts"), "", []byte("short")) },
			lists.ErrStore, []string{"Note", "Recent", "Forget"}},
		{"messages", func(tx *bolt.Tx) error { return all(generation(tx), "m", []byte("too short")) },
			lists.ErrStore, []string{"InThread"}},
		{"people", func(tx *bolt.Tx) error { return all(generation(tx), "p", nil) },
			lists.ErrStore, []string{"InThread", "Forget"}},
		{"start of a generation", func(tx *bolt.Tx) error { return generation(tx).Delete([]byte("s")) },
			lists.ErrStore, []string{"Note"}},
		{"count of entries", func(tx *bolt.Tx) error { return generation(tx).SetSequence(1) }, lists.ErrStore, nil},
		{"entry of nobody", func(tx *bolt.Tx) error { return generation(tx).Put([]byte("x"), make([]byte, 8)) }, lists.ErrStore, nil},
		{"list without posts", func(tx *bolt.Tx) error {
			return tx.Bucket([]byte("history")).Bucket([]byte(team.Key())).DeleteBucket([]byte("posts"))
		}, lists.ErrStore, nil},
		{"generation that is none", func(tx *bolt.Tx) error { return sub(tx, "threads").Put([]byte("zzzzzzzz"), nil) },
			lists.ErrStore, []string{"Forget"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := notedHistory(t, 20)
			edit(t, path, tt.edit)
			if err := boltstore.CheckHistory(path); !errors.Is(err, tt.want) {
				t.Errorf("CheckHistory: got %v, want %v", err, tt.want)
			}
			errs := everyHistoryMethod(t.Context(), openHistory(t, path, boltstore.Options{}))
			if tt.of == nil {
				if err := allKnown(errs); err != nil {
					t.Error(err)
				}
				return
			}
			wantErrors(t, errs, tt.want, tt.of...)
		})
	}
}

// childNote says which posts it has noted, until somebody kills it.
func childNote(path string) error {
	h, err := boltstore.OpenHistory(path, boltstore.Options{})
	if err != nil {
		return err
	}
	for i := range 10_000 {
		if err := h.Note(context.Background(), team, numbered(i, noon())); err != nil {
			return err
		}
		fmt.Println(i)
	}
	return errors.New("nobody has killed this process")
}

// What Note has said to be noted is there after a kill, and the file is in order.
func TestKilledNotes(t *testing.T) {
	t.Parallel()
	for kills := range 5 {
		path := filepath.Join(t.TempDir(), "state.db")
		cmd := exec.CommandContext(t.Context(), os.Args[0], path, "0")
		cmd.Env = append(os.Environ(), childMode+"=note")
		out, err := cmd.StdoutPipe()
		if err == nil {
			err = cmd.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		said := 0
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if said++; said == 1+kills*3 {
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
			}
		}
		_ = cmd.Wait() // killed, as it should be
		if err := boltstore.CheckHistory(path); err != nil {
			t.Error(err)
		}
		h := openHistory(t, path, boltstore.Options{})
		_, n, err := h.Recent(t.Context(), team, team, "", noon())
		if err != nil || said == 0 || n < said || n > said+1 {
			t.Errorf("%d posts, %v; %d were told", n, err, said)
		}
		if err := h.Note(t.Context(), team, numbered(20_000, noon())); err != nil {
			t.Error(err)
		}
	}
}
