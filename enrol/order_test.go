package enrol_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"superlistd/enrol"
	"superlistd/internal/housetest"
	"superlistd/lists"
	"superlistd/templates"
)

const (
	confirmOrders = ": team@lists.test: please confirm what you want done"
	orders        = ": team@lists.test: what has been done"
	answers       = ": team@lists.test: the answers to your commands"
)

// An owner's orders are listed to him first, and what he answers carries them out, once.
func TestOrdersByMail(t *testing.T) {
	t.Parallel()
	for _, proof := range []lists.Proof{lists.Proven, lists.Unproven} {
		t.Run(proof.String(), func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, "owners_notice", "on", "bans", "@spam.test", "subscribe", "closed")
			must(t, h.ask(lists.ServiceRequest, "owen@m.test", proof, "Subject: help\n\n"+
				"add ann@m.test Ann A.\nadd eve@spam.test\nremove Mia@home.test\nremove nobody@m.test\nset bea@m.test digest\nThanks!\nremove bea@m.test\n"))
			sent := h.wantSent("owen@m.test: team@lists.test: what you can do by mail", "owen@m.test"+confirmOrders)
			asked := sent[1]
			sent[0].WantText(t, "held  ") // an owner is told what he can do
			asked.WantText(t, "1. Ann A. <ann@m.test>: invite\n", "2. <eve@spam.test>: invite\n", "3. <Mia@home.test>: remove\n",
				"4. <nobody@m.test>: remove\n", "5. <bea@m.test>: digests\n", "> Thanks!\n")
			h.wantMember("mia@m.test", true)
			must(t, h.answer(asked, "owen@m.test", "Yes"))
			sent = h.wantSent("ann@m.test"+invitation, "owen@m.test"+orders, "owen@m.test olga@m.test: team@lists.test: mia@m.test was removed")
			housetest.Sent(t, sent, "owen@m.test olga@m.test: team@lists.test: mia@m.test was removed").WantText(t, "An owner has asked for it by mail.\nBy: owen@m.test\n")
			housetest.Sent(t, sent, "owen@m.test"+orders).WantText(t,
				"<ann@m.test>: invite\n     The invitation is on its way.", "<eve@spam.test>: invite\n     Is banned", "<Mia@home.test>: remove\n     Done.",
				"<nobody@m.test>: remove\n     Not a member.", "<bea@m.test>: digests\n     Done; it holds from the next digest on.")
			h.wantMember("mia@m.test", false)
			h.wantMember("ann@m.test", false)
			if m, _ := h.Member("bea@m.test"); m.Delivery != lists.DeliveryDigest {
				t.Errorf("bea: %+v", m)
			}
			h.Join(lists.Member{Address: address(t, "mia@m.test")})
			must(t, h.answer(asked, "owen@m.test", "Yes")) // a second click
			h.wantSent()
			h.wantMember("mia@m.test", true)
		})
	}
}

// The largest mail of orders is kept whole until it is confirmed.
func TestLargestOrders(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	var text strings.Builder
	for i := range 50 {
		fmt.Fprintf(&text, "add %s%d@%s.test %s\n", strings.Repeat("a", 60), i, strings.Repeat("b", 60), strings.Repeat("&", 200))
	}
	must(t, h.ask(lists.ServiceRequest, "owen@m.test", lists.Proven, "Subject: x\n\n"+text.String()))
	must(t, h.answer(h.wantSent("owen@m.test" + confirmOrders)[0], "owen@m.test", ""))
	if n := len(h.Take()); n != 51 {
		t.Errorf("%d letters: invitations, and what was done", n)
	}
}

// Whose orders are not listened to, and which lead to nothing.
func TestOrdersOfOthers(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	const raw = "Subject: x\n\nremove mia@m.test\n"
	must(t, h.ask(lists.ServiceRequest, "bea@m.test", lists.Proven, raw))
	h.wantSent("bea@m.test: team@lists.test: Was Sie per Mail tun können")
	wantError(t, h.ask(lists.ServiceRequest, "owen@m.test", lists.Contradicted, raw), lists.ErrForged)
	h.wantSent()

	must(t, h.ask(lists.ServiceRequest, "owen@m.test", lists.Unproven, raw))
	asked := h.wantSent("owen@m.test" + confirmOrders)[0]
	must(t, h.ask(lists.ServiceRequest, "owen@m.test", lists.Unproven, raw)) // who keeps asking
	h.wantSent()
	must(t, h.answer(asked, "owen@m.test", "No, that was not me."))
	must(t, h.answer(asked, "owen@m.test", "Yes"))
	h.wantSent()

	// Two mails are two orders; each is good for seven days, and for who is still an owner.
	must(t, h.ask(lists.ServiceRequest, "owen@m.test", lists.Proven, raw))
	must(t, h.ask(lists.ServiceRequest, "owen@m.test", lists.Proven, "Subject: remove bea@m.test"))
	must(t, h.ask(lists.ServiceRequest, "owen@m.test", lists.Proven, "Subject: add ann@m.test"))
	both := h.wantSent("owen@m.test"+confirmOrders, "owen@m.test"+confirmOrders, "owen@m.test"+confirmOrders)
	h.Wait(6 * 24 * time.Hour)
	must(t, h.answer(both[1], "owen@m.test", ""))
	h.wantSent("owen@m.test" + orders)
	h.wantMember("bea@m.test", false)
	h.Set("owners", "olga@m.test")
	must(t, h.answer(both[0], "owen@m.test", ""))
	h.wantSent()
	h.Wait(24 * time.Hour)
	wantError(t, h.answer(both[2], "owen@m.test", ""), enrol.ErrToken)
	h.wantMember("mia@m.test", true)
}

// The n-th call fails, for every n: the owner's answer comes again, and all is done once.
func TestOrderFaults(t *testing.T) {
	t.Parallel()
	housetest.CallFault{}.EachStep(t, 8, func(c *housetest.Calls) {
		h := newHouse(t)
		must(t, h.ask(lists.ServiceRequest, "owen@m.test", lists.Proven, "Subject: x\n\nadd ann@m.test\nremove mia@m.test\nset bea@m.test nomail\n"))
		asked := h.Take()[0]
		h.Fail = c.Step
		for range 3 {
			if h.answer(asked, "owen@m.test", "") == nil {
				break
			}
		}
		h.wantSent("ann@m.test"+invitation, "owen@m.test"+orders)
		h.wantMember("mia@m.test", false)
		if m, _ := h.Member("bea@m.test"); m.Delivery != lists.DeliveryNone {
			t.Errorf("bea: %+v", m)
		}
	})
}

// The posts that wait are told to a proven owner, and how to decide about them to one who may.
func TestHeldByMail(t *testing.T) {
	t.Parallel()
	const one = "owen@m.test: team@lists.test: one post is waiting"
	h := newHouse(t)
	h.held = []templates.Item{{ID: "abcdefghijkl", From: "eve@m.test", Subject: "Lunch?", Reason: "not-member", Answer: "team-confirm+hxyz@lists.test"}}
	must(t, h.ask(lists.ServiceRequest, "owen@m.test", lists.Proven, "Subject: held"))
	if text := h.wantSent(one)[0].Body(t); !strings.Contains(text, "1. Lunch?") || !strings.Contains(text, "subject=approve") {
		t.Errorf("it does not tell all:\n%s", text)
	}
	h.Set("moderators", "mo@m.test")
	must(t, h.ask(lists.ServiceRequest, "owen@m.test", lists.Proven, "Subject: held"))
	if text := h.wantSent(one)[0].Body(t); !strings.Contains(text, "1. Lunch?") || strings.Contains(text, "subject=approve") {
		t.Errorf("he does not decide:\n%s", text)
	}
	for _, who := range []string{"mia@m.test", "mo@m.test"} {
		must(t, h.ask(lists.ServiceRequest, who, lists.Proven, "Subject: held"))
		h.wantSent(who + ": team@lists.test: what you can do by mail")
	}
	must(t, h.ask(lists.ServiceRequest, "owen@m.test", lists.Unproven, "Subject: held"))
	asked := h.wantSent("owen@m.test" + confirmOrders)[0]
	if text := asked.Body(t); !strings.Contains(text, "<owen@m.test>: the posts that wait for a moderator") || !strings.Contains(text, "because you are an owner") {
		t.Errorf("%s", text)
	}
	h.Set("moderators", "")
	must(t, h.ask(lists.ServiceRequest, "owen@m.test", lists.Unproven, "Subject: set nomail\n\nwho\n")) // beside it
	h.wantSent("owen@m.test" + confirmOrders)
	for range 2 {
		must(t, h.answer(asked, "olga@m.test", ""))
	}
	h.wantSent(one)
	must(t, h.ask(lists.ServiceRequest, "owen@m.test", lists.Unproven, "Subject: held"))
	asked = h.wantSent("owen@m.test" + confirmOrders)[0]
	h.Set("owners", "olga@m.test")
	must(t, h.answer(asked, "owen@m.test", "")) // no owner any more
	h.wantSent("owen@m.test: team@lists.test: what you can do by mail")
	h.Set("owners", "owen@m.test")
	h.held = nil
	must(t, h.ask(lists.ServiceRequest, "owen@m.test", lists.Proven, "Subject: held"))
	h.wantSent("owen@m.test: team@lists.test: no posts are waiting")
}

func (h *house) heldPosts(context.Context, lists.List) ([]templates.Item, error) {
	return append([]templates.Item(nil), h.held...), nil
}
