package storetest

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"superlistd/lists"
)

func testChanges(t *testing.T, s lists.Store) {
	list := create(t, s, "a@example.org")
	type texts = []string
	for _, step := range []struct {
		name                                      string
		add, remove                               texts
		replace                                   bool
		added, present, removed, absent, afterall texts
		utf8                                      int
	}{
		{name: "nothing", afterall: texts{}},
		{name: "remove from nothing", remove: texts{"ann@x"}, absent: texts{"ann@x"}, afterall: texts{}},
		{name: "add in the order given", add: texts{"Cat@x", "ann@x", "Bob@x"}, added: texts{"Cat@x", "ann@x", "Bob@x"}, afterall: texts{"ann@x", "Bob@x", "Cat@x"}},
		{name: "who is there stays as he is", add: texts{"ANN@x", "dan@x"}, added: texts{"dan@x"}, present: texts{"ANN@x"}, afterall: texts{"ann@x", "Bob@x", "Cat@x", "dan@x"}},
		{name: "twice in one change", add: texts{"eve@x", "EVE@x"}, added: texts{"eve@x"}, present: texts{"EVE@x"}, afterall: texts{"ann@x", "Bob@x", "Cat@x", "dan@x", "eve@x"}},
		{name: "remove by key, twice", remove: texts{"EVE@x", "eve@x", "nobody@x"}, removed: texts{"EVE@x"}, absent: texts{"eve@x", "nobody@x"}, afterall: texts{"ann@x", "Bob@x", "Cat@x", "dan@x"}},
		{name: "removals come before additions", add: texts{"DAN@x"}, remove: texts{"dan@x"}, added: texts{"DAN@x"}, removed: texts{"dan@x"}, afterall: texts{"ann@x", "Bob@x", "Cat@x", "DAN@x"}},
		{name: "UTF-8 and quotes are counted and kept", add: texts{"jörg@x", `"a b"@x`, "a@xn--bcher-kva.example"}, added: texts{"jörg@x", `"a b"@x`, "a@xn--bcher-kva.example"}, utf8: 1,
			afterall: texts{`"a b"@x`, "a@xn--bcher-kva.example", "ann@x", "Bob@x", "Cat@x", "DAN@x", "jörg@x"}},
		{name: "replace", replace: true, add: texts{"zoe@x", "bob@x", "zoe@x", "jörg@x"}, added: texts{"zoe@x"}, present: texts{"bob@x", "zoe@x", "jörg@x"}, utf8: 1,
			removed: texts{`"a b"@x`, "a@xn--bcher-kva.example", "ann@x", "Cat@x", "DAN@x"}, afterall: texts{"Bob@x", "jörg@x", "zoe@x"}},
		{name: "replace by the same", replace: true, add: texts{"Bob@x", "jörg@x", "zoe@x"}, present: texts{"Bob@x", "jörg@x", "zoe@x"}, utf8: 1, afterall: texts{"Bob@x", "jörg@x", "zoe@x"}},
		{name: "replace by nobody", replace: true, removed: texts{"Bob@x", "jörg@x", "zoe@x"}, afterall: texts{}},
	} {
		out := change(t, s, list, lists.Change{Add: members(t, step.add...), Remove: addresses(t, step.remove...), Replace: step.replace})
		equal(t, step.name, out, lists.Outcome{
			Added: addresses(t, step.added...), Present: addresses(t, step.present...),
			Removed: addresses(t, step.removed...), Absent: addresses(t, step.absent...),
		})
		equal(t, step.name+": roster", names(t, s, list), step.afterall)
		l := get(t, s, list)
		equal(t, step.name+": counts", [2]int{l.Members, l.UTF8Members}, [2]int{len(step.afterall), step.utf8})
	}
}

func testBadChange(t *testing.T, s lists.Store) {
	list := create(t, s, "a@example.org")
	change(t, s, list, lists.Change{Add: members(t, "ann@x")})
	good := members(t, "bob@x")
	before, err := s.Stamp(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	bad := lists.Address{Local: "x\r\nDATA", Domain: "x"}
	for name, c := range map[string]lists.Change{
		"address to add":    {Add: append(good, lists.Member{Address: bad})},
		"zero to add":       {Add: append(good, lists.Member{})},
		"address to remove": {Add: good, Remove: []lists.Address{bad}},
		"name with lines":   {Add: append(good, lists.Member{Address: mustParse(t, "c@x"), Name: "C\r\nBcc: all@x"})},
	} {
		_, err := s.Change(t.Context(), list, c)
		wantErr(t, name, err, lists.ErrAddress)
	}
	if _, err := s.Change(t.Context(), list, lists.Change{Add: good, Replace: true, Remove: addresses(t, "ann@x")}); err == nil {
		t.Error("Replace together with Remove was taken")
	}
	equal(t, "roster", names(t, s, list), []string{"ann@x"})
	if after, err := s.Stamp(t.Context()); err != nil || after != before {
		t.Errorf("something was committed: %v, %v, %v", before, after, err)
	}
}

func testProgress(t *testing.T, s lists.Store) {
	list := create(t, s, "a@example.org")
	var c lists.Change
	for i := range 2500 {
		c.Add = append(c.Add, members(t, fmt.Sprintf("m%d@x", i))...)
	}
	last := 0
	c.Progress = func(done, total int) {
		if total != 2500 || done <= last || done > total {
			t.Errorf("progress %d of %d after %d", done, total, last)
		}
		last = done
	}
	change(t, s, list, c)
	if last != 2500 {
		t.Errorf("progress ended at %d of 2500", last)
	}
}

func testMemberFields(t *testing.T, s lists.Store) {
	list := create(t, s, "a@example.org")
	since := time.Date(2026, 1, 2, 3, 4, 5, 678, time.FixedZone("EST", -5*3600))
	kept := time.Date(2026, 1, 2, 8, 4, 5, 0, time.UTC)
	change(t, s, list, lists.Change{Add: []lists.Member{
		{Address: mustParse(t, "Ann@x"), Name: "Ann Ä, \"the\" <first>", Since: since},
		{Address: mustParse(t, `"b b"@x`)},
		{Address: mustParse(t, "old@x"), Since: time.Date(1960, 1, 1, 0, 0, 0, 0, time.UTC)},
	}})
	for _, want := range []lists.Member{
		{Address: mustParse(t, "Ann@x"), Name: "Ann Ä, \"the\" <first>", Since: kept},
		{Address: mustParse(t, `"b b"@x`)},
		{Address: mustParse(t, "old@x"), Since: time.Date(1960, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		got, ok, err := s.Member(t.Context(), list, lists.Address{Local: want.Address.Key()[:len(want.Address.Key())-2], Domain: "x"})
		if !ok || err != nil {
			t.Errorf("%s: %v, %v", want.Address, ok, err)
		}
		equal(t, "member", got, want)
	}
	got, ok, err := s.Member(t.Context(), list, mustParse(t, "bob@x"))
	if ok || err != nil || !reflect.DeepEqual(got, lists.Member{}) {
		t.Errorf("somebody else: %v, %v, %v", got, ok, err)
	}

	out := change(t, s, list, lists.Change{Add: []lists.Member{
		{Address: mustParse(t, "ANN@x"), Name: "Ann", Since: day(9)},
		{Address: mustParse(t, "old@x"), Since: day(9)},
	}})
	equal(t, "outcome", out, lists.Outcome{Present: addresses(t, "ANN@x", "old@x"), Renamed: addresses(t, "ANN@x")})
	got, _, err = s.Member(t.Context(), list, mustParse(t, "ann@x"))
	if err != nil {
		t.Error(err)
	}
	equal(t, "a new name, the rest as it was", got, lists.Member{Address: mustParse(t, "Ann@x"), Name: "Ann", Since: kept})
	out = change(t, s, list, lists.Change{Replace: true, Add: members(t, "ann@x")})
	equal(t, "no name given", out.Renamed, []lists.Address(nil))
	got, _, err = s.Member(t.Context(), list, mustParse(t, "ann@x"))
	if err != nil || got.Name != "Ann" {
		t.Errorf("no name given: %v, %v; want the old name", got, err)
	}
}

func testMembers(t *testing.T, s lists.Store) {
	list := create(t, s, "a@example.org")
	create(t, s, "b@example.org")
	want := []string{}
	for i := range 30 {
		want = append(want, fmt.Sprintf("m%02d@x", i))
	}
	change(t, s, list, lists.Change{Add: members(t, want...)})
	for _, n := range []int{1, 7, 29, 30, 31, 1000} {
		all, err := roster(t.Context(), s, list, n)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, fmt.Sprintf("slices of %d", n), all, members(t, want...))
	}
	some, err := s.Members(t.Context(), list, mustParse(t, "m10a@x"), 1)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "after somebody who is not there", some, members(t, "m11@x"))
	if some, err := s.Members(t.Context(), list, lists.Address{}, 0); err != nil || len(some) != 0 {
		t.Errorf("at most 0 members: %v, %v", some, err)
	}
}

func testContains(t *testing.T, s lists.Store) {
	list := create(t, s, "a@example.org")
	change(t, s, list, lists.Change{Add: members(t, "Ann@x", `"b b"@x`, "jörg@x")})
	keys := [][]byte{[]byte("zoe@x"), []byte("jörg@x"), []byte("ann@x"), []byte("Ann@x"), []byte("b b@x"), {}, []byte("ann@"), []byte("ann@x")}
	in := []bool{true, false, false, true, false, true, true, false}
	if err := s.Contains(t.Context(), list, lists.PresentIssue, keys, in); err != nil {
		t.Fatal(err)
	}
	equal(t, "in", in, []bool{false, true, true, false, true, false, false, true})
	if err := s.Contains(t.Context(), list, lists.PresentIssue, nil, nil); err != nil {
		t.Error(err)
	}
}

func testNoList(t *testing.T, s lists.Store) {
	// Before and after the first list is made: an engine may have no file till then.
	for range 2 {
		for _, a := range []lists.Address{mustParse(t, "no@example.org"), {}} {
			for name, err := range everyMethod(t.Context(), s, a) {
				if name == "Lists" || name == "Stamp" || name == "Create" {
					continue
				}
				if !errors.Is(err, lists.ErrNoList) {
					t.Errorf("%s of %q: got error %v, want ErrNoList", name, a, err)
				}
			}
		}
		if _, err := s.List(t.Context(), mustParse(t, "yes@example.org")); err != nil {
			create(t, s, "yes@example.org")
		}
	}
}
