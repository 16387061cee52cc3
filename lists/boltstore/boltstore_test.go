package boltstore_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"superlistd/lists"
	"superlistd/lists/boltstore"
	"superlistd/lists/storetest"
)

// open returns the store at path.
func open(t testing.TB, path string, opts boltstore.Options) *boltstore.Store {
	t.Helper()
	s, err := boltstore.Open(path, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestStore(t *testing.T) {
	t.Parallel()
	storetest.Run(t, func(t *testing.T) lists.Store {
		path := filepath.Join(t.TempDir(), "lists.db")
		t.Cleanup(func() { // whatever the test did, the file is in order
			if err := boltstore.Check(path); err != nil {
				t.Error(err)
			}
		})
		return open(t, path, boltstore.Options{})
	})
}

func mustParse(t testing.TB, s string) lists.Address {
	t.Helper()
	a, err := lists.ParseAddress(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// team is the list that filled makes.
var team = lists.Address{Local: "team", Domain: "lists.example.org"}

// filled makes a store with one list of n members, and returns its path.
func filled(t testing.TB, n int) string {
	t.Helper()
	return filledWith(t, manyMembers(n))
}

func filledWith(t testing.TB, members []lists.Member) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "lists.db")
	s := open(t, path, boltstore.Options{})
	if err := s.Create(t.Context(), lists.List{Address: team}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Change(t.Context(), team, lists.Change{Add: members}); err != nil {
		t.Fatal(err)
	}
	return path
}

// manyMembers are not in the order of their keys.
func manyMembers(n int) []lists.Member {
	ms := make([]lists.Member, n)
	for i := range ms {
		ms[i].Address = lists.Address{Local: fmt.Sprintf("%07d.member", (i*7919+1)%9999991), Domain: "example.org"}
	}
	return ms
}

// everyMethod calls each method but Stamp, which opens no transaction, and Close.
func everyMethod(ctx context.Context, s lists.Store, list lists.Address) map[string]error {
	errs := map[string]error{}
	_, errs["List"] = s.List(ctx, list)
	_, errs["Lists"] = s.Lists(ctx, lists.Address{}, 10)
	_, _, errs["Member"] = s.Member(ctx, list, team)
	_, errs["UpdateMember"] = s.UpdateMember(ctx, list, manyMembers(1)[0].Address, func(*lists.Member) error { return nil })
	_, errs["Members"] = s.Members(ctx, list, lists.Address{}, 10)
	errs["Contains"] = s.Contains(ctx, list, lists.PresentIssue, [][]byte{[]byte("ann@x")}, make([]bool, 1))
	errs["Recipients"] = s.Recipients(ctx, list, new(lists.Recipients), 10)
	_, errs["Change"] = s.Change(ctx, list, lists.Change{Add: []lists.Member{{Address: team}}})
	_, errs["Update"] = s.Update(ctx, list, func(v *lists.Settings) error { v.MaxSize = 1; return nil })
	_, errs["Digest"] = s.Digest(ctx, list, func(d *lists.Digests) error { d.Number++; return nil })
	errs["Delete"] = s.Delete(ctx, list)
	errs["Create"] = s.Create(ctx, lists.List{Address: list}, nil)
	return errs
}
