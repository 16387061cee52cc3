package storetest

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"superlistd/lists"
)

// advance begins the next issue of a list.
func advance(t testing.TB, s lists.Store, list lists.Address) lists.List {
	t.Helper()
	l, err := s.Digest(t.Context(), list, func(d *lists.Digests) error { d.Number++; return nil })
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func testDigest(t *testing.T, s lists.Store) {
	list := create(t, s, "a@example.org")
	other := get(t, s, create(t, s, "b@example.org"))
	want := get(t, s, list)
	noon := time.Date(2026, 12, 1, 13, 0, 0, 5, time.FixedZone("CET", 3600))
	l, err := s.Digest(t.Context(), mustParse(t, "A@example.org"), func(d *lists.Digests) error {
		equal(t, "what change is given", *d, lists.Digests{})
		*d = lists.Digests{Number: 3, Volume: 2, Issue: 7, Sent: noon, Members: 5, Switch: 9}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	want.Digests = lists.Digests{Number: 3, Volume: 2, Issue: 7, Sent: noon.UTC().Truncate(time.Second)}
	equal(t, "returned", l, want)
	equal(t, "kept", get(t, s, list), want)
	equal(t, "the other list", get(t, s, other.Address), other)

	refused := errors.New("no, thank you")
	for name, tt := range map[string]struct {
		change func(d *lists.Digests) error
		want   error
	}{
		"the error of change": {func(d *lists.Digests) error { d.Number = 9; return refused }, refused},
		"number goes down":    {func(d *lists.Digests) error { d.Number = 2; return nil }, lists.ErrSetting},
		"volume":              {func(d *lists.Digests) error { d.Volume = -1; return nil }, lists.ErrSetting},
		"issue":               {func(d *lists.Digests) error { d.Issue = -1; return nil }, lists.ErrSetting},
		"year 10000":          {func(d *lists.Digests) error { d.Sent = d.Sent.AddDate(8000, 0, 0); return nil }, lists.ErrSetting},
	} {
		_, err := s.Digest(t.Context(), list, tt.change)
		wantErr(t, name, err, tt.want)
	}
	equal(t, "kept after refusals", get(t, s, list), want)
	before, err := s.Stamp(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if l, err = s.Digest(t.Context(), list, func(d *lists.Digests) error { d.Members = 8; return nil }); err != nil {
		t.Fatal(err)
	}
	equal(t, "nothing to change", l, want)
	if after, err := s.Stamp(t.Context()); err != nil || after != before {
		t.Errorf("nothing was committed, but %v is now %v, %v", before, after, err)
	}
	if _, err := s.Update(t.Context(), list, func(v *lists.Settings) error { v.MaxSize = 5; return nil }); err != nil {
		t.Fatal(err)
	}
	change(t, s, list, lists.Change{Add: members(t, "ann@x")})
	equal(t, "settings and members changed", get(t, s, list).Digests, want.Digests)
	if err := s.Delete(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	want.Members = 0
	if err := s.Create(t.Context(), want, nil); err != nil {
		t.Fatal(err)
	}
	equal(t, "another list of that name", get(t, s, list).Digests, lists.Digests{})
}

// Who switches has what he had to the end of the issue; counts tell who takes digests, or waits.
func testSwitches(t *testing.T, s lists.Store) {
	list := create(t, s, "a@example.org")
	change(t, s, list, lists.Change{Add: []lists.Member{{Address: mustParse(t, "ann@x"), Since: day(1)}, {Address: mustParse(t, "bob@x"), Since: day(1), Delivery: lists.DeliveryPlain}}})
	for _, step := range []struct {
		wish    lists.Delivery // of ann; "+": none, the next issue begins
		want    lists.Member   // Delivery, Before, From and Earlier
		members int            // who take digests
		waits   bool
	}{
		{lists.DeliveryDigest, lists.Member{Delivery: "digest", Before: "", From: 1}, 2, true},
		{lists.DeliveryMail, lists.Member{}, 1, true}, // that nobody waits any more is not known
		{lists.DeliveryDigest, lists.Member{Delivery: "digest", Before: "", From: 1}, 2, true},
		{lists.DeliveryPlain, lists.Member{Delivery: "plain", Before: "", From: 1}, 2, true},
		{"+", lists.Member{Delivery: "plain", Before: "", From: 1}, 2, false},
		{lists.DeliveryPlain, lists.Member{Delivery: "plain", Before: "", From: 1}, 2, false},
		{lists.DeliveryMail, lists.Member{Before: "plain", From: 2, Earlier: []lists.Switch{{Until: 1}}}, 2, true},
		{lists.DeliveryPlain, lists.Member{Delivery: "plain", Before: "", From: 1}, 2, true},
		{lists.DeliveryMail, lists.Member{Before: "plain", From: 2, Earlier: []lists.Switch{{Until: 1}}}, 2, true},
		{"+", lists.Member{Before: "plain", From: 2, Earlier: []lists.Switch{{Until: 1}}}, 1, false},
		{"+", lists.Member{Before: "plain", From: 2, Earlier: []lists.Switch{{Until: 1}}}, 1, false},
		{lists.DeliveryNone, lists.Member{Delivery: "nomail"}, 1, false},
		{lists.DeliveryDigest, lists.Member{Delivery: "digest"}, 2, false},
		{lists.DeliveryNone, lists.Member{Delivery: "nomail"}, 1, false},
		{lists.DeliveryMail, lists.Member{}, 1, false},
		{lists.DeliveryPlain, lists.Member{Delivery: "plain", From: 4}, 2, true},
		{lists.DeliveryNone, lists.Member{Delivery: "nomail"}, 1, true},
	} {
		what := fmt.Sprintf("ann wants %q in issue %d", step.wish, get(t, s, list).Digests.Number)
		if step.wish == "+" {
			l := advance(t, s, list)
			equal(t, what+": returned", l, get(t, s, list))
		} else {
			update(t, s, list, "ann@x", func(m *lists.Member) {
				m.Delivery = step.wish
				m.Before, m.From, m.Earlier = "plain", 77, []lists.Switch{{Delivery: "digest", Until: 5}} // nobody else's business
			})
		}
		update(t, s, list, "ann@x", func(m *lists.Member) { m.Posts++ })
		m, _, err := s.Member(t.Context(), list, mustParse(t, "ann@x"))
		if err != nil {
			t.Fatal(err)
		}
		equal(t, what, lists.Member{Delivery: m.Delivery, Before: m.Before, From: m.From, Earlier: m.Earlier}, step.want)
		d := get(t, s, list).Digests
		equal(t, what+": who take digests", d.Members, step.members)
		equal(t, what+": somebody waits", d.Switch > d.Number, step.waits)
	}
	change(t, s, list, lists.Change{Remove: addresses(t, "bob@x")})
	equal(t, "bob has left", get(t, s, list).Digests.Members, 0)
	added := lists.Member{Address: mustParse(t, "cat@x"), Since: day(2), Delivery: "digest", Before: "plain", From: 7, Earlier: []lists.Switch{{Until: 3}}}
	change(t, s, list, lists.Change{Add: []lists.Member{added}})
	added.Before, added.From, added.Earlier = "", 0, nil
	m, _, err := s.Member(t.Context(), list, added.Address)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "added", m, added)
	added.Name, added.Delivery = "Cat", lists.DeliveryMail
	change(t, s, list, lists.Change{Add: []lists.Member{added}})
	equal(t, "added again", get(t, s, list).Digests.Members, 1)
	change(t, s, list, lists.Change{Replace: true, Add: []lists.Member{added, {Address: mustParse(t, "dan@x"), Delivery: "plain"}}})
	equal(t, "replaced", get(t, s, list).Digests.Members, 2)
}

// The copies of a member are copies, whatever he had.
func testSwitchCopies(t *testing.T, s lists.Store) {
	list := create(t, s, "a@example.org")
	change(t, s, list, lists.Change{Add: members(t, "ann@x")})
	for _, d := range []lists.Delivery{"digest", "plain", "", "plain"} {
		m := update(t, s, list, "ann@x", func(m *lists.Member) { m.Delivery = d })
		if len(m.Earlier) > 0 {
			m.Earlier[0] = lists.Switch{}
		}
		advance(t, s, list)
	}
	all, err := roster(t.Context(), s, list, 10)
	if err != nil {
		t.Fatal(err)
	}
	all[0].Earlier[1] = lists.Switch{}
	_, err = s.UpdateMember(t.Context(), list, all[0].Address, func(m *lists.Member) error {
		m.Earlier[2] = lists.Switch{}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	m, _, err := s.Member(t.Context(), list, all[0].Address)
	if err != nil {
		t.Fatal(err)
	}
	want := members(t, "ann@x")[0]
	want.Delivery, want.From, want.Earlier = "plain", 4, []lists.Switch{{Until: 1}, {Delivery: "digest", Until: 2}, {Delivery: "plain", Until: 3}}
	equal(t, "kept", m, want)
	for range 20 { // only so many are kept
		update(t, s, list, "ann@x", func(m *lists.Member) {
			m.Posts++
			m.Delivery = []lists.Delivery{lists.DeliveryDigest, lists.DeliveryMail}[m.Posts%2]
		})
		advance(t, s, list)
	}
	if m, _, err = s.Member(t.Context(), list, want.Address); err != nil || len(m.Earlier) != 8 || m.From != 24 || m.Earlier[7].Until != 23 {
		t.Errorf("after many switches: %+v, %v", m, err)
	}
}
