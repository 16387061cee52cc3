package storetest

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"

	"superlistd/lists"
)

func testRecipients(t *testing.T, s lists.Store) {
	list := create(t, s, "a@example.org")
	var r lists.Recipients
	if err := s.Recipients(t.Context(), list, &r, 5); err != nil || r.Len() != 0 || !r.Done() {
		t.Errorf("nobody: %d, done %v, %v", r.Len(), r.Done(), err)
	}
	change(t, s, list, lists.Change{Add: members(t, "Cat@x", `"a b"@x`, "jörg@x", "bob@x", "dan@x")})
	want := []string{`"a b"@x a b@x`, "bob@x bob@x", "Cat@x cat@x", "dan@x dan@x", "jörg@x jörg@x UTF-8"}
	for n := 1; n <= 7; n++ {
		r.Rewind()
		got := []string{}
		for !r.Done() {
			r.Reset()
			if err := s.Recipients(t.Context(), list, &r, n); err != nil {
				t.Fatal(err)
			}
			if r.Len() > n {
				t.Fatalf("%d recipients, asked for at most %d", r.Len(), n)
			}
			got = append(got, written(&r)...)
		}
		equal(t, fmt.Sprintf("slices of %d", n), got, want)
	}
	r.Rewind()
	for _, n := range []int{2, 0, 3} { // without Reset they gather
		if err := s.Recipients(t.Context(), list, &r, n); err != nil {
			t.Fatal(err)
		}
	}
	equal(t, "gathered", written(&r), want)
	if !r.Done() {
		t.Error("the end was reached, and is not told")
	}
}

func written(r *lists.Recipients) []string {
	var texts []string
	for i := range r.Len() {
		text := string(r.Address(i)) + " " + string(r.Key(i))
		if r.UTF8(i) {
			text += " UTF-8"
		}
		texts = append(texts, text)
	}
	return texts
}

// Members who stay come once, whoever comes and goes between two slices.
func testRecipientsAcrossChanges(t *testing.T, s lists.Store) {
	list := create(t, s, "a@example.org")
	var stay []string
	for i := range 40 {
		stay = append(stay, fmt.Sprintf("m%02d@x", i))
	}
	change(t, s, list, lists.Change{Add: members(t, stay...)})
	guests := addresses(t, "a@x", "m05a@x", "m20a@x", "m39a@x", "z@x")
	var r lists.Recipients
	seen := map[string]int{}
	for turn := 0; !r.Done(); turn++ {
		r.Reset()
		if err := s.Recipients(t.Context(), list, &r, 3); err != nil {
			t.Fatal(err)
		}
		for i := range r.Len() {
			seen[string(r.Address(i))]++
		}
		if r.Len() == 0 {
			continue
		}
		// The member at the cursor goes for a moment and is away at the next slice.
		last := mustParse(t, string(r.Address(r.Len()-1)))
		if turn%2 == 0 {
			change(t, s, list, lists.Change{Remove: []lists.Address{last}, Add: []lists.Member{{Address: guests[turn%5]}}})
		} else {
			change(t, s, list, lists.Change{Remove: guests})
		}
	}
	for _, name := range stay {
		if seen[name] != 1 {
			t.Errorf("%s came %d times", name, seen[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(seen)) {
		if seen[name] > 1 {
			t.Errorf("%s came %d times", name, seen[name])
		}
	}
}

func testStamp(t *testing.T, s lists.Store) {
	seen := map[lists.Stamp]string{}
	var list lists.Address
	for i, step := range []struct {
		name string
		do   func()
	}{
		{"nothing", func() {}},
		{"create", func() { list = create(t, s, "a@example.org") }},
		{"create another", func() { create(t, s, "b@example.org") }},
		{"add", func() { change(t, s, list, lists.Change{Add: members(t, "ann@x")}) }},
		{"remove", func() { change(t, s, list, lists.Change{Remove: addresses(t, "ann@x")}) }},
		{"add again", func() { change(t, s, list, lists.Change{Add: members(t, "ann@x")}) }},
		{"update a member", func() {
			if err := lists.CountPost(t.Context(), s, list, mustParse(t, "ann@x")); err != nil {
				t.Fatal(err)
			}
		}},
		{"update", func() {
			if _, err := s.Update(t.Context(), list, func(v *lists.Settings) error { v.MaxSize++; return nil }); err != nil {
				t.Fatal(err)
			}
		}},
		{"delete", func() {
			if err := s.Delete(t.Context(), list); err != nil {
				t.Fatal(err)
			}
		}},
		{"create as before", func() { create(t, s, "a@example.org") }},
	} {
		step.do()
		stamp, err := s.Stamp(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if earlier, ok := seen[stamp]; ok {
			t.Errorf("same stamp after %s as after %s", step.name, earlier)
		}
		seen[stamp] = step.name
		if i == 0 {
			continue
		}
		for name, err := range everyReader(t.Context(), s, mustParse(t, "b@example.org")) {
			if err != nil && i > 1 {
				t.Errorf("%s: %v", name, err)
			}
		}
		if again, err := s.Stamp(t.Context()); err != nil || again != stamp {
			t.Errorf("after %s reading changed the stamp: %v, %v, %v", step.name, stamp, again, err)
		}
	}
}

func testContext(t *testing.T, s lists.Store) {
	list := create(t, s, "a@example.org")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, err := range everyMethod(ctx, s, list) {
		wantErr(t, name, err, context.Canceled)
	}
	equal(t, "nothing was done", get(t, s, list).Settings, lists.DefaultSettings())
	if _, err := s.List(t.Context(), mustParse(t, "new@example.org")); err == nil {
		t.Error("a list was created with a context that had ended")
	}
}

// everyReader calls each method that reads.
func everyReader(ctx context.Context, s lists.Store, list lists.Address) map[string]error {
	errs := map[string]error{}
	somebody := lists.Address{Local: "ann", Domain: "x"}
	_, errs["List"] = s.List(ctx, list)
	_, errs["Lists"] = s.Lists(ctx, lists.Address{}, 10)
	_, _, errs["Member"] = s.Member(ctx, list, somebody)
	_, errs["Members"] = s.Members(ctx, list, lists.Address{}, 10)
	errs["Contains"] = s.Contains(ctx, list, lists.PresentIssue, [][]byte{[]byte("ann@x")}, make([]bool, 1))
	errs["Recipients"] = s.Recipients(ctx, list, new(lists.Recipients), 10)
	_, errs["Stamp"] = s.Stamp(ctx)
	return errs
}

// everyMethod calls each method but Close. Create makes "new@example.org".
func everyMethod(ctx context.Context, s lists.Store, list lists.Address) map[string]error {
	errs := everyReader(ctx, s, list)
	somebody := lists.Address{Local: "ann", Domain: "x"}
	_, errs["Change"] = s.Change(ctx, list, lists.Change{Add: []lists.Member{{Address: somebody}}})
	_, errs["UpdateMember"] = s.UpdateMember(ctx, list, somebody, func(m *lists.Member) error { m.Posts++; return nil })
	_, errs["Update"] = s.Update(ctx, list, func(v *lists.Settings) error { v.MaxSize = 1; return nil })
	_, errs["Digest"] = s.Digest(ctx, list, func(d *lists.Digests) error { d.Number++; return nil })
	if ctx.Err() != nil {
		errs["Create"] = s.Create(ctx, lists.List{Address: lists.Address{Local: "new", Domain: "example.org"}}, nil)
	}
	errs["Delete"] = s.Delete(ctx, list)
	return errs
}
