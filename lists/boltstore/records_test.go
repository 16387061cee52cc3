package boltstore_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"superlistd/lists"
	"superlistd/lists/boltstore"
)

func openRecords(t testing.TB, path, of string) *boltstore.Records {
	t.Helper()
	r, err := boltstore.OpenRecords(path, of, boltstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestRecords(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "bounces.db")
	r := openRecords(t, path, "bounces")
	team := lists.Address{Local: "Team", Domain: "lists.test"}
	odd := lists.Address{Local: "a b@c", Domain: "lists.test"}
	change := func(list lists.Address, fn func(*boltstore.Table) error) {
		t.Helper()
		if err := r.Update(t.Context(), list, fn); err != nil {
			t.Fatal(err)
		}
	}
	seen := func(list lists.Address, prefix string) (all []string) {
		t.Helper()
		err := r.View(t.Context(), list, func(tb *boltstore.Table) error {
			for k, v := range tb.All(prefix) {
				all = append(all, k+"="+string(v)+string(tb.Get(k)))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	if got := seen(team, ""); got != nil {
		t.Errorf("before the first value: %q", got)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("reading has made the file: %v", err)
	}
	put := func(tb *boltstore.Table) error {
		return errors.Join(tb.Put("m1", []byte("a")), tb.Put("m2", []byte("b")), tb.Put("x", []byte("c")), tb.Put("y", nil))
	}
	change(team, put)
	change(odd, put)
	if got := seen(lists.Address{Local: "tEAM", Domain: "lists.test"}, "m"); !slices.Equal(got, []string{"m1=aa", "m2=bb"}) {
		t.Errorf("prefix m: %q", got)
	}
	change(team, func(tb *boltstore.Table) error { // deleting while it is read
		for k := range tb.All("m") {
			if err := errors.Join(tb.Delete(k), tb.Put("z"+k, nil)); err != nil {
				return err
			}
		}
		return tb.Delete("not there")
	})
	if got := seen(team, ""); !slices.Equal(got, []string{"x=cc", "y=", "zm1=", "zm2="}) {
		t.Errorf("after the change: %q", got)
	}
	all, err := r.Lists(t.Context())
	if err != nil || len(all) != 2 || all[0].Key() != odd.Key() || all[1].Key() != team.Key() {
		t.Errorf("lists: %q, %v", all, err)
	}
	if err := errors.Join(r.Drop(t.Context(), team), r.Drop(t.Context(), team)); err != nil {
		t.Error(err)
	}
	if got := seen(team, ""); got != nil {
		t.Errorf("after Drop: %q", got)
	}
	if got := seen(odd, "x"); len(got) != 1 {
		t.Errorf("another list: %q", got)
	}
}

// What changes nothing, or fails, leaves the file as it is.
func TestRecordsThatChangeNothing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "bounces.db")
	r := openRecords(t, path, "bounces")
	team := lists.Address{Local: "team", Domain: "lists.test"}
	fill := func(tb *boltstore.Table) error { return tb.Put("a", []byte("1")) }
	if err := r.Update(t.Context(), team, fill); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	bad := errors.New("bad")
	for name, change := range map[string]func(*boltstore.Table) error{
		"the same":       fill,
		"nothing":        func(*boltstore.Table) error { return nil },
		"deletes none":   func(tb *boltstore.Table) error { return tb.Delete("b") },
		"fails after it": func(tb *boltstore.Table) error { return errors.Join(tb.Put("a", []byte("2")), bad) },
	} {
		want := error(nil)
		if strings.HasPrefix(name, "fails") {
			want = bad
		}
		if err := r.Update(t.Context(), team, change); !errors.Is(err, want) {
			t.Errorf("%s: %v", name, err)
		}
		if after, err := os.ReadFile(path); err != nil || string(after) != string(before) {
			t.Errorf("%s: the file has changed, %v", name, err)
		}
	}
}

func TestRecordsOfSomethingElse(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "bounces.db")
	team := lists.Address{Local: "team", Domain: "lists.test"}
	err := openRecords(t, path, "bounces").Update(t.Context(), team, func(tb *boltstore.Table) error { return tb.Put("a", nil) })
	if err != nil {
		t.Fatal(err)
	}
	look := func(*boltstore.Table) error { return fmt.Errorf("it was read") }
	if err := openRecords(t, path, "requests").View(t.Context(), team, look); !errors.Is(err, lists.ErrStore) {
		t.Errorf("error %v, want ErrStore", err)
	}
	if err := os.WriteFile(path, []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := openRecords(t, path, "bounces").View(t.Context(), team, look); !errors.Is(err, lists.ErrStore) {
		t.Errorf("error %v, want ErrStore", err)
	}
}

// Edits of several lists are one commit, and one that fails is none.
func TestRecordsUpdateAll(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "bounces.db")
	r := openRecords(t, path, "bounces")
	team, choir := lists.Address{Local: "team", Domain: "lists.test"}, lists.Address{Local: "choir", Domain: "lists.test"}
	put := func(key string) func(*boltstore.Table) error {
		return func(tb *boltstore.Table) error { return tb.Put(key, nil) }
	}
	bad := errors.New("bad")
	for _, tt := range []struct {
		name  string
		edits []boltstore.Edit
		want  error
	}{
		{"two lists, one of them twice", []boltstore.Edit{{team, put("a")}, {choir, put("b")}, {team, put("c")}}, nil},
		{"the last one fails", []boltstore.Edit{{team, put("d")}, {choir, func(*boltstore.Table) error { return bad }}}, bad},
		{"nothing", nil, nil},
	} {
		if err := r.UpdateAll(t.Context(), tt.edits); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, err, tt.want)
		}
	}
	for list, want := range map[lists.Address][]string{team: {"a", "c"}, choir: {"b"}} {
		var got []string
		err := r.View(t.Context(), list, func(tb *boltstore.Table) error {
			for key := range tb.All("") {
				got = append(got, key)
			}
			return nil
		})
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, %v, want %q", list, got, err, want)
		}
	}
}
