package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"superlistd/lists"
)

// away is suspended from one day to another, counted from today.
func away(from, until int) lists.Suspension {
	today := time.Now().UTC().Truncate(24 * time.Hour)
	return lists.Suspension{From: today.AddDate(0, 0, from), Until: today.AddDate(0, 0, until)}
}

// receivers is a roster of members who get posts now and of some who do not. The days are such that
// midnight may come while the test runs.
func receivers(t testing.TB) (all []lists.Member, get []string) {
	t.Helper()
	gone := lists.Disable("550 5.1.1 no such user", day(3))
	for i, m := range []lists.Member{
		{},
		{Delivery: lists.DeliveryNone},
		{NoMeToo: true, Language: "fr", Posts: 3},
		{Suspended: away(-1, 2)},
		{Suspended: away(-9, -1)},
		{Suspended: away(2, 9), Moderated: true},
		{Disabled: gone, Aliases: addresses(t, "m06@home")},
		{Disabled: gone, Delivery: lists.DeliveryNone, Suspended: away(-400, 400)},
		{},
		{Delivery: lists.DeliveryNone, PostOK: true},
		{Delivery: lists.DeliveryDigest},
		{Delivery: lists.DeliveryPlain, Suspended: away(-1, 2), Aliases: addresses(t, "m11@home")},
	} {
		m.Address, m.Since = mustParse(t, fmt.Sprintf("M%02d@x", i)), day(1)
		if i%2 == 0 {
			m.Name = "Name"
		}
		all = append(all, m)
		if m.Gets(lists.Selection{}, time.Now()) {
			get = append(get, fmt.Sprintf("M%02d@x m%02d@x", i, i))
		}
	}
	return all, get
}

// Who gets no posts now is a member in all else.
func testReceiving(t *testing.T, s lists.Store) {
	list := create(t, s, "a@example.org")
	all, get := receivers(t)
	equal(t, "who receives", len(get), 5)
	change(t, s, list, lists.Change{Add: all})
	found, err := roster(t.Context(), s, list, 3)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "roster", found, all)
	l, err := s.List(t.Context(), list)
	if err != nil || l.Members != len(all) {
		t.Errorf("%d members, %v; want %d", l.Members, err, len(all))
	}
	keys, in, want := [][]byte{}, make([]bool, len(all)+1), []bool{}
	for _, m := range all {
		got, ok, err := s.Member(t.Context(), list, m.Address)
		if err != nil || !ok {
			t.Errorf("%s: %v, %v", m.Address, ok, err)
		}
		equal(t, "member", got, m)
		keys, want = append(keys, m.Address.AppendKey(nil)), append(want, m.Gets(lists.Selection{}, time.Now()))
	}
	if err := s.Contains(t.Context(), list, lists.PresentIssue, append(keys, []byte("m06@home")), in); err != nil {
		t.Fatal(err)
	}
	equal(t, "contains who receives", in, append(want, false))
	for n := 1; n <= len(all)+1; n++ {
		got, err := recipients(t, s, list, n)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, fmt.Sprintf("recipients, slices of %d", n), got, get)
	}
	for _, m := range all {
		update(t, s, list, m.Address.Key(), func(m *lists.Member) {
			m.Delivery, m.Suspended, m.Disabled = lists.DeliveryMail, lists.Suspension{}, lists.Disabled{}
		})
	}
	again, err := selected(t, s, list, 3, lists.Selection{Issue: 1})
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "recipients of the next issue when all want mail again", len(again), len(all))
}

// The cursor passes who gets nothing: the next slice goes on behind him, and whoever gets
// mail again behind the cursor has missed this post.
func testReceivingCursor(t *testing.T, s lists.Store) {
	list := create(t, s, "a@example.org")
	change(t, s, list, lists.Change{Add: members(t, "a@x", "b@x", "c@x", "d@x")})
	mute := func(who string) {
		update(t, s, list, who, func(m *lists.Member) { m.Delivery = lists.DeliveryNone })
	}
	mute("a@x")
	mute("b@x")
	mute("d@x")
	var r lists.Recipients
	step := func(want string, n int) {
		t.Helper()
		r.Reset()
		if err := s.Recipients(t.Context(), list, &r, n); err != nil {
			t.Fatal(err)
		}
		equal(t, "slice", fmt.Sprint(written(&r)), want)
	}
	step("[]", 0)
	equal(t, "cursor", string(r.Cursor()), "")
	step("[c@x c@x]", 1)
	update(t, s, list, "a@x", func(m *lists.Member) { m.Delivery = lists.DeliveryMail })
	step("[]", 5)
	equal(t, "cursor at the end", string(r.Cursor()), "d@x")
	equal(t, "done", r.Done(), true)
	r.Rewind()
	step("[a@x a@x c@x c@x]", 5)
}

// A long stretch without receivers is passed in slices that end, and nobody behind it is lost.
func testManyWithoutPosts(t *testing.T, s lists.Store) {
	list := create(t, s, "a@example.org")
	var all []lists.Member
	for i := range 25_000 {
		m := lists.Member{Address: lists.Address{Local: fmt.Sprintf("m%05d", i), Domain: "x"}, Delivery: lists.DeliveryNone}
		if i%12_000 == 11_999 {
			m.Delivery = lists.DeliveryMail
		}
		all = append(all, m)
	}
	change(t, s, list, lists.Change{Add: all})
	for _, n := range []int{1, 2, 1000} {
		got, err := recipients(t, s, list, n)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, fmt.Sprintf("slices of %d", n), got, []string{"m11999@x m11999@x", "m23999@x m23999@x"})
	}
}

// What no member may have is refused, and times are kept to the day or the second.
func testReceivingFields(t *testing.T, s lists.Store) {
	list := create(t, s, "a@example.org")
	change(t, s, list, lists.Change{Add: members(t, "ann@x")})
	noon := time.Date(2026, 12, 1, 13, 0, 0, 5, time.FixedZone("CET", 3600))
	got := update(t, s, list, "ann@x", func(m *lists.Member) {
		m.Suspended = lists.Suspension{From: noon, Until: noon.AddDate(0, 0, 14)}
		m.Disabled = lists.Disabled{Why: "Ä", Since: noon}
	})
	first := time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	want := members(t, "ann@x")[0]
	want.Suspended = lists.Suspension{From: first, Until: first.AddDate(0, 0, 14)}
	want.Disabled = lists.Disabled{Why: "Ä", Since: first.Add(12 * time.Hour)}
	equal(t, "returned", got, want)
	got, _, err := s.Member(t.Context(), list, want.Address)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "kept", got, want)
	added := want
	added.Address, added.Suspended.From, added.Disabled.Since = mustParse(t, "bob@x"), noon, noon
	change(t, s, list, lists.Change{Add: []lists.Member{added}})
	got, _, err = s.Member(t.Context(), list, added.Address)
	want.Address = added.Address
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "added", got, want)

	for name, spoil := range map[string]func(*lists.Member){
		"delivery":      func(m *lists.Member) { m.Delivery = "weekly" },
		"days reversed": func(m *lists.Member) { m.Suspended.Until = m.Suspended.From.AddDate(0, 0, -1) },
		"no last day":   func(m *lists.Member) { m.Suspended.Until = time.Time{} },
		"year 10000":    func(m *lists.Member) { m.Suspended.Until = m.Suspended.From.AddDate(8000, 0, 0) },
		"no reason":     func(m *lists.Member) { m.Disabled.Why = "" },
		"lines":         func(m *lists.Member) { m.Disabled.Why = "a\r\nb" },
		"no time":       func(m *lists.Member) { m.Disabled.Since = time.Time{} },
	} {
		_, err := s.UpdateMember(t.Context(), list, want.Address, func(m *lists.Member) error { spoil(m); return nil })
		wantErr(t, name, err, lists.ErrSetting)
		bad := want.Clone()
		bad.Address = mustParse(t, "new@x")
		spoil(&bad)
		if _, err := s.Change(t.Context(), list, lists.Change{Add: []lists.Member{bad}}); !errors.Is(err, lists.ErrSetting) {
			t.Errorf("%s: added: got error %v, want ErrSetting", name, err)
		}
	}
	equal(t, "roster", names(t, s, list), []string{"ann@x", "bob@x"})
}
