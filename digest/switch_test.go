package digest_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"superlistd/delivery"
	"superlistd/lists"
)

// A member who waits for another delivery waits for nothing when nothing is gathered.
func TestSwitchWithoutPosts(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.join(lists.DeliveryMail, "ann")
	h.tick()
	h.set("ann", lists.DeliveryDigest)
	h.tick()
	if d := h.list().Digests; d.Number != 1 || d.Volume != 0 {
		t.Errorf("%+v", d)
	}
	h.gather(text(1, "One"), 0) // which was on its way
	h.tick()
	if all := h.got("ann"); len(all) > 0 {
		t.Errorf("a digest of what he has: %+v", all)
	}
	h.gather(text(2, "Two"), 1)
	h.set("ann", lists.DeliveryMail)
	h.tick()
	if d := h.list().Digests; d.Number != 1 {
		t.Errorf("it did not wait: %+v", d)
	}
	h.now = h.now.Add(25 * time.Hour)
	h.tick()
	h.one("ann", lists.DeliveryDigest)
}

// Posts of which nobody is left to read them do not lie about for ever.
func TestNobodyReads(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.join(lists.DeliveryDigest, "dora")
	h.gather(text(1, "One"), 0)
	_, err := h.store.Change(t.Context(), list, lists.Change{Remove: []lists.Address{address(t, "dora@example.org")}})
	must(t, err)
	h.tick()
	if left := h.files(); len(left) > 0 || h.list().Digests.Number != 0 || h.hop.jobs > 0 {
		t.Errorf("left %q, %+v", left, h.list().Digests)
	}
	// Those who are there, and get nothing for a while.
	h.join(lists.DeliveryDigest, "dora")
	h.gather(text(2, "Two"), 0)
	_, err = h.store.UpdateMember(t.Context(), list, address(t, "dora@example.org"), func(m *lists.Member) error {
		m.Disabled = lists.Disabled{Since: h.now, Why: "gone"}
		return nil
	})
	must(t, err)
	h.now = h.now.Add(25 * time.Hour)
	h.tick()
	if left := h.files(); len(left) > 0 || h.hop.jobs > 0 {
		t.Errorf("left %q, %d jobs", left, h.hop.jobs)
	}
}

// Who gets nothing for a while may get mail again before the issue is due. That somebody, or he himself, waits for the next one does not cost
// him its posts; but when nobody takes them, nobody waits.
func TestSwitchWhileReadersGetNothing(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, who string
		wants     lists.Delivery
	}{
		{"another one", "ann", lists.DeliveryPlain},
		{"the reader himself", "dora", lists.DeliveryMail},
		{"nobody takes it", "ann", lists.DeliveryPlain},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := open(t)
			h.join(lists.DeliveryMail, "ann")
			disabled := func(d lists.Disabled) {
				_, err := h.store.UpdateMember(t.Context(), list, address(t, "dora@example.org"), func(m *lists.Member) error {
					m.Disabled = d
					return nil
				})
				must(t, err)
			}
			taken := tt.name != "nobody takes it"
			if taken {
				h.join(lists.DeliveryDigest, "dora")
				disabled(lists.Disable("full", h.now))
			}
			h.gather(text(1, "One"), 0)
			h.set(tt.who, tt.wants)
			h.tick()
			if number, files := h.list().Digests.Number, len(h.files()); (number == 0) != taken || (files == 1) != taken {
				t.Errorf("issue %d, %d posts", number, files)
			}
			if !taken {
				return
			}
			disabled(lists.Disabled{})
			h.now = h.now.Add(25 * time.Hour)
			h.tick()
			h.one("dora", lists.DeliveryDigest)
			if all := h.got("ann"); len(all) > 0 || h.list().Digests.Number != 1 {
				t.Errorf("ann got %+v; %+v", all, h.list().Digests)
			}
		})
	}
}

// Members come, go and change their minds, while posts come and issues go out. The law: who is a member all the while has every post once.
func TestSwitches(t *testing.T) {
	t.Parallel()
	forms := []lists.Delivery{lists.DeliveryMail, lists.DeliveryDigest, lists.DeliveryPlain}
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 1))
		y := newStory(t)
		names := []string{"dora", "paul", "ann", "bob", "eve"}
		y.join(lists.DeliveryMail, names[2:]...)
		got := map[string]map[string]int{}
		for _, name := range names {
			got[name] = map[string]int{}
		}
		posts := 0
		var late []delivery.Gathered
		for range 60 {
			switch rng.IntN(5) {
			case 0:
				y.set(names[rng.IntN(len(names))], forms[rng.IntN(len(forms))])
			case 1, 2:
				posts++
				raw := strings.Replace(text(posts, "x"), "Post number ", "Post number #", 1)
				l := y.list()
				y.single(raw, l.Digests.Number, got)
				if l.Digests.Members > 0 {
					g := y.gathered(raw, l.Digests.Number)
					if rng.IntN(4) == 0 {
						late = append(late, g)
					} else {
						must(t, y.desk.Gather(t.Context(), g))
					}
				}
			case 3:
				y.tick()
			case 4:
				for _, g := range late {
					must(t, y.desk.Gather(t.Context(), g))
				}
				late = nil
				if rng.IntN(3) == 0 {
					_, err := y.desk.Send(t.Context(), list)
					must(t, err)
				}
			}
		}
		for _, g := range late {
			must(t, y.desk.Gather(t.Context(), g))
		}
		y.finish(-1)
		for _, name := range names {
			for _, m := range y.got(name) {
				var some []string
				if m.form == lists.DeliveryDigest {
					some, _, _ = unfold(t, m.raw)
				} else {
					some, _, _ = burst(t, m.raw)
				}
				for _, p := range some {
					_, number, _ := strings.Cut(p, "#")
					number, _, _ = strings.Cut(number, ".")
					got[name][number]++
				}
			}
			for n := 1; n <= posts; n++ {
				if got[name][fmt.Sprint(n)] != 1 {
					t.Fatalf("seed %d: %s has post %d of %d %d times", seed, name, n, posts, got[name][fmt.Sprint(n)])
				}
			}
		}
	}
}

// single is what members get who have each post on its own.
func (y *story) single(raw string, issue int, got map[string]map[string]int) {
	_, number, _ := strings.Cut(raw, "#")
	number, _, _ = strings.Cut(number, ".")
	for rs := (lists.Recipients{Select: lists.Selection{Issue: issue}}); !rs.Done(); rs.Reset() {
		must(y.t, y.store.Recipients(y.t.Context(), list, &rs, 100))
		for i := range rs.Len() {
			name, _, _ := strings.Cut(string(rs.Key(i)), "@")
			got[name][number]++
		}
	}
}
