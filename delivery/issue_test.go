package delivery_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"superlistd/delivery"
	"superlistd/internal/smtptest"
	"superlistd/lists"
)

// forIssue are the routes of a post to a list that gathers an issue.
func (h *house) forIssue(list lists.Address, issue int) (gathered, members delivery.Route) {
	h.t.Helper()
	gathered, members = h.digested(list, 1), h.post(list, 2)
	gathered.Audience.Select.Issue, members.Audience.Select.Issue = issue, issue
	return gathered, members
}

// digests moves the issues of a list on.
func (h *house) digests(list lists.Address, number int) {
	h.t.Helper()
	_, err := h.store.Digest(context.Background(), list, func(d *lists.Digests) error { d.Number = number; return nil })
	if err != nil {
		h.t.Fatal(err)
	}
}

// A post of which a part is in belongs to the issue of its first attempt, also when the list is further when it comes again: who has switched
// meanwhile gets it once.
func TestAPostThatComesAgainAfterItsIssue(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		first func(gathered, members delivery.Route) delivery.Route // what the first attempt had done when it was killed
	}{
		{"after the members had it", func(_, members delivery.Route) delivery.Route { return members }},
		{"after it was gathered", func(gathered, _ delivery.Route) delivery.Route { return gathered }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := spooling(t.TempDir())
			s := newShelf(&o)
			h := newHouse(t, o)
			members := numbered(5)
			team := h.list("team@lists.test", members...)
			h.wants(team, lists.DeliveryDigest, members[0])
			h.digests(team, 7)
			h.wants(team, lists.DeliveryDigest, members[1])
			h.wants(team, lists.DeliveryMail, members[0]) // both from issue 8 on
			if _, err := h.deliver(tt.first(h.forIssue(team, 7))); err != nil {
				t.Fatal(err)
			}
			h.digests(team, 8)
			gathered, posted := h.forIssue(team, 8)
			if _, err := h.deliver(gathered, posted); err != nil {
				t.Fatal(err)
			}
			h.drain(o, 20*time.Second)
			h.wantOnce(members[1:]...)
			if g, _ := s.only(t); g.Issue != 7 {
				t.Errorf("gathered for issue %d", g.Issue)
			}
		})
	}
}

// Who had a post by one list, one by one, has it from there, whatever he gets of that list's next issue.
func TestWhoHadItFromAnotherListBeforeItsNextIssue(t *testing.T) {
	t.Parallel()
	h := newHouse(t, usual)
	members := numbered(3)
	a, b := h.list("a@lists.test", members...), h.list("b@lists.test", members...)
	h.wants(a, lists.DeliveryDigest, members[0])
	first, second := h.route(a), h.route(b, a)
	h.mustExpand(first)
	h.digests(a, 1)
	h.mustExpand(second)
	h.wantOnce(members...)
}

// A post of which nothing is in yet belongs to the issue in which it is taken: at the first attempt the list gathered for its only
// reader of digests, who has single posts by now, so that there is no digest to keep it for. From then on that issue holds.
func TestAPostOfWhichNothingIsInAfterItsIssue(t *testing.T) {
	t.Parallel()
	o := spooling(t.TempDir())
	o.Batch, o.MaxArmed, o.Spool = 1, 5, nil
	var takes atomic.Value // "": nobody's copy; "all": every one
	takes.Store("")
	h := newHouse(t, o, smtptest.FinalReply(func(rcpt string) string {
		if who := takes.Load(); who == rcpt || who == "all" {
			return ""
		}
		return "451 4.3.0 not now"
	}))
	members := numbered(5)
	team := h.list("team@lists.test", members...)
	post := func(issue int) error {
		_, r := h.forIssue(team, issue)
		_, err := h.deliver(r)
		return err
	}
	h.wants(team, lists.DeliveryDigest, members[0])
	h.digests(team, 7)
	h.wants(team, lists.DeliveryMail, members[0]) // from issue 8 on
	if err := post(7); err == nil {
		t.Fatal("taken at once")
	}
	h.digests(team, 8)
	h.wants(team, lists.DeliveryDigest, members[1:]...) // from issue 9 on
	takes.Store(members[4])
	for n := 0; !errors.Is(post(8), delivery.ErrPartial); n++ { // whose dot comes first is chance
		if n == 1000 {
			t.Fatal("never taken in part")
		}
	}
	h.digests(team, 9)
	takes.Store("all")
	if err := post(9); err != nil {
		t.Fatal(err)
	}
	h.wantOnce(members...)
}
