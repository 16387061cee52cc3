package storetest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"superlistd/lists"
	"superlistd/lists/memstore"
)

// testRandom does the same random things to the store and to memstore, and compares all
// that can be seen after each. A failure names its seed and step.
func testRandom(t *testing.T, s lists.Store) {
	steps := 250
	if testing.Short() {
		steps = 100
	}
	seed := rand.Uint64()
	r := &random{t: t, rnd: rand.New(rand.NewPCG(seed, 1)), got: s, want: memstore.New()}
	for i := range steps {
		r.what = fmt.Sprintf("seed %d, step %d", seed, i)
		r.step()
		if i%10 == 9 {
			r.compareAll()
		}
		if t.Failed() {
			return
		}
	}
}

type random struct {
	t         *testing.T
	rnd       *rand.Rand
	got, want lists.Store
	what      string
}

func (r *random) list() lists.Address {
	return mustParse(r.t, []string{"a", "A", "b", "c-d", "E"}[r.rnd.IntN(5)]+"@example.org")
}

func (r *random) address() lists.Address {
	form := []string{"m%d@x", "M%d@x", "ü%d@x", `"q %d"@x`, "m%d@y.example"}[r.rnd.IntN(5)]
	return mustParse(r.t, fmt.Sprintf(form, r.rnd.IntN(300)))
}

func (r *random) change() lists.Change {
	var c lists.Change
	c.Replace = r.rnd.IntN(8) == 0
	size := 1 << r.rnd.IntN(9)
	for range r.rnd.IntN(size) {
		m := lists.Member{Address: r.address(), Since: day(1 + r.rnd.IntN(20))}
		if r.rnd.IntN(3) == 0 {
			m.Name = fmt.Sprintf("Name %d", r.rnd.IntN(4))
		}
		if r.rnd.IntN(20) == 0 {
			r.options(&m) // those that no member may have are refused by both
		}
		c.Add = append(c.Add, m)
	}
	if !c.Replace {
		for range r.rnd.IntN(size) {
			c.Remove = append(c.Remove, r.address())
		}
	}
	return c
}

// options gives a member some; now and then such as no member may have.
func (r *random) options(m *lists.Member) {
	m.Moderated, m.PostOK, m.NoMeToo = r.rnd.IntN(2) == 0, r.rnd.IntN(8) == 0, r.rnd.IntN(2) == 0
	m.Posts, m.Language = r.rnd.IntN(300), []string{"", "de"}[r.rnd.IntN(2)]
	m.Delivery = []lists.Delivery{lists.DeliveryMail, lists.DeliveryMail, lists.DeliveryNone, lists.DeliveryDigest, lists.DeliveryPlain, "weekly"}[min(r.rnd.IntN(31)/6, 5)]
	m.Suspended, m.Disabled = lists.Suspension{}, lists.Disabled{}
	if r.rnd.IntN(3) == 0 {
		m.Suspended = away([]int{-5, -1, 2}[r.rnd.IntN(3)], []int{-1, 2, 5}[r.rnd.IntN(3)])
	}
	if r.rnd.IntN(5) == 0 {
		m.Disabled = lists.Disable("no such user", day(1+r.rnd.IntN(20)))
	}
	m.Aliases = nil
	for range r.rnd.IntN(3) {
		m.Aliases = append(m.Aliases, r.address())
	}
}

func (r *random) updateMember(list lists.Address) {
	ctx, who := r.t.Context(), r.address()
	if known, err := r.want.Members(ctx, list, who, 1); err == nil && len(known) == 1 {
		who = known[0].Address // mostly somebody who is there
	}
	var options lists.Member
	r.options(&options)
	change := func(m *lists.Member) error {
		options.Address, options.Name, options.Since = m.Address, m.Name, m.Since
		*m = options
		return nil
	}
	got, gotErr := r.got.UpdateMember(ctx, list, who, change)
	want, wantErr := r.want.UpdateMember(ctx, list, who, change)
	r.same(fmt.Sprintf("UpdateMember %s %+v", list, options), got, gotErr, want, wantErr)
}

func (r *random) step() {
	ctx, list := r.t.Context(), r.list()
	switch n := r.rnd.IntN(20); {
	case n < 2:
		l := lists.List{Address: list, Created: day(1 + r.rnd.IntN(20)), Settings: lists.Settings{MaxSize: r.rnd.Int64()}}
		r.same("Create "+list.String(), nil, r.got.Create(ctx, l, nil), nil, r.want.Create(ctx, l, nil))
	case n == 2:
		r.same("Delete "+list.String(), nil, r.got.Delete(ctx, list), nil, r.want.Delete(ctx, list))
	case n < 5:
		size := r.rnd.Int64()
		set := func(v *lists.Settings) error { v.MaxSize = size; return nil }
		got, gotErr := r.got.Update(ctx, list, set)
		want, wantErr := r.want.Update(ctx, list, set)
		r.same("Update "+list.String(), got, gotErr, want, wantErr)
	case n < 11:
		r.updateMember(list)
	case n == 11:
		more, volume := r.rnd.IntN(3)-r.rnd.IntN(2), r.rnd.IntN(5)
		next := func(d *lists.Digests) error { d.Number += more; d.Volume = volume; return nil }
		got, gotErr := r.got.Digest(ctx, list, next)
		want, wantErr := r.want.Digest(ctx, list, next)
		r.same("Digest "+list.String(), got, gotErr, want, wantErr)
	default:
		c := r.change()
		got, gotErr := r.got.Change(ctx, list, c)
		want, wantErr := r.want.Change(ctx, list, c)
		r.same(fmt.Sprintf("Change %s %+v", list, c), got, gotErr, want, wantErr)
	}
}

// same compares results and errors; of errors the sentinel counts.
func (r *random) same(what string, got any, gotErr error, want any, wantErr error) {
	r.t.Helper()
	for _, is := range []error{lists.ErrNoList, lists.ErrListExists, lists.ErrNoMember, lists.ErrAliasTaken, lists.ErrSetting} {
		if errors.Is(gotErr, is) != errors.Is(wantErr, is) {
			r.t.Errorf("%s: %s: got error %v, want %v", r.what, what, gotErr, wantErr)
		}
	}
	if (gotErr == nil) != (wantErr == nil) {
		r.t.Errorf("%s: %s: got error %v, want %v", r.what, what, gotErr, wantErr)
	}
	if wantErr == nil {
		equal(r.t, r.what+": "+what, got, want)
	}
}

// compareAll compares everything that can be read.
func (r *random) compareAll() {
	ctx := r.t.Context()
	gotLists, gotErr := r.got.Lists(ctx, lists.Address{}, 100)
	wantLists, wantErr := r.want.Lists(ctx, lists.Address{}, 100)
	r.same("Lists", gotLists, gotErr, wantLists, wantErr)
	for _, l := range wantLists {
		n := 1 + r.rnd.IntN(100)
		got, gotErr := roster(ctx, r.got, l.Address, n)
		want, wantErr := roster(ctx, r.want, l.Address, n)
		r.same("Members", got, gotErr, want, wantErr)
		sel := lists.Selection{Delivery: []lists.Delivery{lists.DeliveryMail, lists.DeliveryDigest, lists.DeliveryPlain}[r.rnd.IntN(3)], Issue: l.Digests.Number - r.rnd.IntN(3)}
		gotText, gotErr := selected(r.t, r.got, l.Address, n, sel)
		wantText, wantErr := selected(r.t, r.want, l.Address, n, sel)
		r.same(fmt.Sprintf("Recipients %+v", sel), gotText, gotErr, wantText, wantErr)
		r.compareSearch(l.Address)
	}
}

func (r *random) compareSearch(list lists.Address) {
	ctx := r.t.Context()
	var keys [][]byte
	for range 20 {
		a := r.address()
		keys = append(keys, a.AppendKey(nil))
		got, gotOK, gotErr := r.got.Member(ctx, list, a)
		want, wantOK, wantErr := r.want.Member(ctx, list, a)
		r.same("Member", []any{got, gotOK}, gotErr, []any{want, wantOK}, wantErr)
	}
	got, want := make([]bool, len(keys)), make([]bool, len(keys))
	gotErr := r.got.Contains(ctx, list, lists.PresentIssue, keys, got)
	wantErr := r.want.Contains(ctx, list, lists.PresentIssue, keys, want)
	r.same("Contains", got, gotErr, want, wantErr)
}

func recipients(t *testing.T, s lists.Store, list lists.Address, n int) ([]string, error) {
	return selected(t, s, list, n, lists.Selection{})
}

func selected(t *testing.T, s lists.Store, list lists.Address, n int, sel lists.Selection) ([]string, error) {
	rec := lists.Recipients{Select: sel}
	for !rec.Done() {
		if err := s.Recipients(t.Context(), list, &rec, n); err != nil {
			return nil, err
		}
	}
	return written(&rec), nil
}
