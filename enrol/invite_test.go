package enrol_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"superlistd/delivery"
	"superlistd/enrol"
	"superlistd/internal/housetest"
	"superlistd/lists"
)

const invitation = ": team@lists.test: you are invited to join"

// invite invites addresses, and returns "address answer" for each.
func (h *house) invite(text string, who ...string) (all []string, err error) {
	h.T.Helper()
	var members []lists.Member
	for _, w := range who {
		members = append(members, lists.Member{Address: address(h.T, w), Name: "Ann A.", Delivery: lists.DeliveryDigest})
	}
	invited, err := h.desk.Invite(h.T.Context(), h.Settings(), members, text)
	for _, i := range invited {
		all = append(all, fmt.Sprintf("%s %s", i.Address, i.Answer))
	}
	return all, err
}

func (h *house) wantInvited(want []string, who ...string) {
	h.T.Helper()
	got, err := h.invite("Do come.\n", who...)
	if !slices.Equal(got, want) || err != nil {
		h.T.Errorf("%q, %v; want %q", got, err, want)
	}
}

// Who answers an invitation is a member, whatever else the list asks of those who want to be one.
func TestInvitation(t *testing.T) {
	t.Parallel()
	for _, policy := range []string{"confirm", "confirm+approve", "approve", "open", "closed"} {
		t.Run(policy, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, "subscribe", policy, "owners_notice", "on", "description", "About lunch")
			h.wantInvited([]string{"ann@m.test invited"}, "ann@m.test")
			h.wantInvited([]string{"ann@m.test waiting", "mia@m.test present"}, "ann@m.test", "mia@m.test")
			asked := h.wantSent("ann@m.test" + invitation)[0]
			for _, want := range []string{"Dear Ann A.,", "About lunch", "> Do come.", "confirm " + extension(t, asked.Value("Reply-To"))} {
				if !strings.Contains(asked.Body(t), want) {
					t.Errorf("no %q in\n%s", want, asked.Body(t))
				}
			}
			h.wantMember("ann@m.test", false)
			must(t, h.answer(asked, "ann@elsewhere.test", ""))
			h.wantSent("ann@m.test"+welcome, "owen@m.test olga@m.test: team@lists.test: ann@m.test has joined")
			if m, found := h.Member("ann@m.test"); !found || m.Name != "Ann A." || m.Delivery != lists.DeliveryDigest {
				t.Errorf("member: %+v", m)
			}
			must(t, h.ask(lists.ServiceUnsubscribe, "ann@m.test", lists.Proven, "Subject: x"))
			h.Take()
			must(t, h.answer(asked, "ann@m.test", "")) // a second click
			h.wantSent()
			h.wantMember("ann@m.test", false)
			h.wantInvited([]string{"ann@m.test invited"}, "ann@m.test")
		})
	}
}

// What becomes of those who cannot be invited, or do not want it.
func TestInvitationsThatComeToNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "bans", "@spam.test")
	h.limits.Address = 2
	h.open(nil)
	h.wantInvited([]string{"eve@spam.test banned", "mia@home.test present", "team-owner@lists.test own"}, "eve@spam.test", "mia@home.test", "team-owner@lists.test")
	h.wantSent()

	h.wantInvited([]string{"ann@m.test invited"}, "ann@m.test")
	asked := h.wantSent("ann@m.test" + invitation)[0]
	must(t, h.answer(asked, "ann@m.test", "No, thank you"))
	must(t, h.answer(asked, "ann@m.test", "")) // too late
	h.wantInvited([]string{"ann@m.test declined"}, "ann@m.test")
	h.wantSent()
	h.wantMember("ann@m.test", false)
	h.Wait(7 * 24 * time.Hour)
	wantError(t, h.desk.Known(h.List, extension(t, asked.Value("Reply-To"))), enrol.ErrToken)
	h.wantInvited([]string{"ann@m.test invited"}, "ann@m.test")
	must(t, h.ask(lists.ServiceRequest, "ann@m.test", lists.Unproven, "Subject: x"))
	wantError(t, h.ask(lists.ServiceRequest, "ann@m.test", lists.Unproven, "Subject: y"), enrol.ErrTooMany)
	h.Take()

	for i := range 2 {
		must(t, h.ask(lists.ServiceRequest, "max@m.test", lists.Unproven, fmt.Sprint("Subject: x", i)))
	}
	h.Take()
	h.wantInvited([]string{"max@m.test limited"}, "max@m.test")
	h.wantSent()
	h.Wait(25 * time.Hour)
	h.wantInvited([]string{"max@m.test invited"}, "max@m.test")
	h.wantSent("max@m.test" + invitation)

	h.Fail = func(step string) error {
		if step == "deliver" {
			return delivery.ErrAllRefused
		}
		return nil
	}
	h.wantInvited([]string{"kim@m.test refused"}, "kim@m.test")
	h.Fail = nil
	h.wantInvited([]string{"kim@m.test invited"}, "kim@m.test")

	if _, err := h.desk.Invite(t.Context(), h.Settings(), make([]lists.Member, enrol.MaxInvited+1), ""); !errors.Is(err, enrol.ErrTooMany) {
		t.Errorf("too many at once: %v", err)
	}
}

// Somebody who was invited may write to LIST-subscribe instead; the owners have said already that they want him, and his
// invitation is used up by it.
func TestInvitedWhoAsks(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "subscribe", "confirm+approve")
	h.wantInvited([]string{"ann@m.test invited"}, "ann@m.test")
	asked := h.wantSent("ann@m.test" + invitation)[0]
	must(t, h.ask(lists.ServiceSubscribe, "ann@m.test", lists.Unproven, "Subject: x"))
	must(t, h.answer(h.wantSent("ann@m.test" + confirmJoin)[0], "ann@m.test", ""))
	h.wantSent("ann@m.test" + welcome)
	h.wantMember("ann@m.test", true)
	must(t, h.ask(lists.ServiceUnsubscribe, "ann@m.test", lists.Proven, "Subject: x"))
	h.Take()
	must(t, h.answer(asked, "ann@m.test", ""))
	h.wantMember("ann@m.test", false)
}

// The n-th call fails, for every n: an invitation is one letter, however often it is tried, and its answer makes one member.
func TestInvitationFaults(t *testing.T) {
	t.Parallel()
	housetest.CallFault{}.EachStep(t, 6, func(c *housetest.Calls) {
		h := newHouse(t)
		h.Fail = c.Step
		for range 2 {
			if got, _ := h.invite("", "ann@m.test"); len(got) > 0 {
				break
			}
		}
		asked := h.wantSent("ann@m.test" + invitation)[0]
		for range 2 {
			_ = h.answer(asked, "ann@m.test", "")
		}
		h.wantSent("ann@m.test" + welcome)
		h.wantMember("ann@m.test", true)
	})
}

// Somebody who has complained about the list becomes a member by his own confirmation only.
func TestComplained(t *testing.T) {
	t.Parallel()
	for _, policy := range []string{"open", "approve"} {
		h := newHouse(t, "subscribe", policy)
		h.complained = map[string]bool{"ann@m.test": true}
		must(t, h.ask(lists.ServiceSubscribe, "ann@m.test", lists.Proven, "Subject: x"))
		asked := h.wantSent("ann@m.test" + confirmJoin)[0]
		h.wantMember("ann@m.test", false)
		must(t, h.answer(asked, "ann@m.test", ""))
		if policy == "approve" {
			must(t, h.answer(h.wantSent("ann@m.test"+waiting, approval)[1], "owen@m.test", "approve"))
		}
		h.wantMember("ann@m.test", true)
		if h.complained["ann@m.test"] {
			t.Errorf("%s: nobody was told that he confirmed", policy)
		}
	}
	h := newHouse(t)
	h.complained = map[string]bool{"ann@m.test": true}
	h.wantInvited([]string{"ann@m.test invited"}, "ann@m.test")
	must(t, h.answer(h.Take()[0], "ann@m.test", ""))
	h.wantMember("ann@m.test", true)
	if h.complained["ann@m.test"] {
		t.Error("nobody was told that he accepted")
	}
}

// Welcome writes once about one membership.
func TestWelcome(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "welcome", "off")
	m := lists.Member{Address: address(t, "ann@m.test"), Since: start, Delivery: lists.DeliveryPlain}
	for range 2 {
		must(t, h.desk.Welcome(t.Context(), h.Settings(), m))
	}
	letter := h.wantSent("ann@m.test" + welcome)[0]
	if text := letter.Body(t); !strings.Contains(text, "The posts come to you in digests, as one plain text each:") || !strings.Contains(text, "team-request@lists.test") {
		t.Errorf("how?\n%s", text)
	}
	if to := letter.Value("Reply-To"); to != "team-owner@lists.test" { // who says thanks gets no help text
		t.Errorf("Reply-To: %s", to)
	}
	m.Since = start.Add(time.Hour)
	must(t, h.desk.Welcome(t.Context(), h.Settings(), m))
	h.wantSent("ann@m.test" + welcome)
}

// Joining with a wish, as a stranger and as a member.
func TestSubscribeDigest(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	must(t, h.ask(lists.ServiceRequest, "ann@m.test", lists.Unproven, "Subject: subscribe digest"))
	must(t, h.answer(h.wantSent("ann@m.test" + confirmJoin)[0], "ann@m.test", ""))
	if text := h.wantSent("ann@m.test" + welcome)[0].Body(t); !strings.Contains(text, "in digests") {
		t.Errorf("how?\n%s", text)
	}
	if m, _ := h.Member("ann@m.test"); m.Delivery != lists.DeliveryDigest || m.From != 0 {
		t.Errorf("member: %+v", m)
	}
	must(t, h.ask(lists.ServiceRequest, "mia@m.test", lists.Proven, "Subject: subscribe nomail"))
	h.wantSent("mia@m.test: team@lists.test: how you get the posts")
	if m, _ := h.Member("mia@m.test"); m.Delivery != lists.DeliveryNone {
		t.Errorf("member: %+v", m)
	}
}

// hasComplained tells whether an address is among the complaints of the house.
func (h *house) hasComplained(_ context.Context, _, a lists.Address) (bool, error) {
	return h.complained[a.Key()], h.Step("complained")
}

func (h *house) confirmed(_ context.Context, _, a lists.Address) error {
	if err := h.Step("confirmed"); err != nil {
		return err
	}
	delete(h.complained, a.Key())
	return nil
}
