package enrol_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"superlistd/enrol"
	"superlistd/internal/housetest"
	"superlistd/lists"
)

const (
	changed       = ": team@lists.test: how you get the posts"
	confirmChange = ": team@lists.test: please confirm how you want to get the posts"
	notAll        = ": team@lists.test: not all commands of your mail were carried out"
)

// Several things that one mail asks for are confirmed by one answer, and done in their order.
func TestSeveralWishes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, from, text string
		proof            lists.Proof
		asks             string
		lines            []string // of the question
		answers          []string // after the confirmation
		check            func(h *house) bool
	}{
		{
			"a member", "mia@home.test", "set plain\nsuspend 2026-12-24 2027-01-06\n", lists.Unproven, "mia@m.test" + confirmChange,
			[]string{"You get the posts in digests of plain text.\n", "But you get none from Thursday, 24 December 2026 to Wednesday, 6 January 2027.\n"},
			[]string{"mia@m.test" + changed},
			func(h *house) bool {
				m, _ := h.Member("mia@m.test")
				return m.Delivery == lists.DeliveryPlain && m.Suspended.String() == "2026-12-24..2027-01-06"
			},
		},
		{
			"in their order", "mia@m.test", "suspend 2026-11-20 2027-01-06\nresume\nset nomail\n", lists.Unproven, "mia@m.test" + confirmChange, nil,
			[]string{"mia@m.test" + changed},
			func(h *house) bool {
				m, _ := h.Member("mia@m.test")
				return m.Delivery == lists.DeliveryNone && m.Suspended.IsZero()
			},
		},
		{
			"who joins", "ann@m.test", "subscribe\nset digest\nsuspend 2026-12-24 2027-01-06\n", lists.Unproven, "ann@m.test" + confirmJoin, nil,
			[]string{"ann@m.test" + welcome},
			func(h *house) bool {
				m, _ := h.Member("ann@m.test")
				return m.Delivery == lists.DeliveryDigest && m.Suspended.String() == "2026-12-24..2027-01-06"
			},
		},
		{
			"who joins, proven", "ann@m.test", "subscribe\nset digest\n", lists.Proven, "ann@m.test" + confirmJoin, nil, []string{"ann@m.test" + welcome},
			func(h *house) bool {
				m, _ := h.Member("ann@m.test")
				return m.Delivery == lists.DeliveryDigest
			},
		},
		{
			"joins, and leaves", "ann@m.test", "subscribe\nunsubscribe\n", lists.Unproven, "ann@m.test" + confirmOrders,
			[]string{"1. <ann@m.test>: join the list\n", "2. <ann@m.test>: leave the list\n"}, []string{"ann@m.test" + answers},
			func(h *house) bool {
				_, found := h.Member("ann@m.test")
				return !found
			},
		},
		{
			"an owner, who is no member", "owen@m.test", "subscribe nomail\nremove bea@m.test\n", lists.Unproven, "owen@m.test" + confirmOrders,
			[]string{"1. <owen@m.test>: join the list\n", "2. <owen@m.test>: no posts\n", "3. <bea@m.test>: remove\n", "because you are an owner"},
			[]string{"owen@m.test" + answers},
			func(h *house) bool {
				m, found := h.Member("owen@m.test")
				_, bea := h.Member("bea@m.test")
				return found && !bea && m.Delivery == lists.DeliveryNone
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			must(t, h.ask(lists.ServiceRequest, tt.from, tt.proof, "Subject: x\n\n"+tt.text))
			asked := h.wantSent(tt.asks)[0]
			asked.WantText(t, tt.lines...)
			must(t, h.answer(asked, tt.from, ""))
			h.wantSent(tt.answers...)
			if !tt.check(h) {
				t.Error("not done")
			}
			must(t, h.answer(asked, tt.from, "")) // a second click
			h.wantSent()
		})
	}
}

// What nothing can come of is told at once, and nobody is asked to confirm it.
func TestSeveralWishesOfOthers(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "bans", "@spam.test")
	must(t, h.ask(lists.ServiceRequest, "ann@m.test", lists.Unproven, "Subject: x\n\nset mail\nresume\n"))
	h.wantSent("ann@m.test: You are not a member of team@lists.test")
	wantError(t, h.ask(lists.ServiceRequest, "eve@spam.test", lists.Unproven, "Subject: x\n\nsubscribe\nunsubscribe\n"), lists.ErrBanned)
	h.wantSent()

	must(t, h.ask(lists.ServiceRequest, "ann@m.test", lists.Unproven, "Subject: x\n\nsubscribe\nunsubscribe\nsubscribe digest\n"))
	asked := h.wantSent("ann@m.test" + confirmOrders)[0]
	h.Set("bans", "ann@m.test")
	must(t, h.answer(asked, "ann@m.test", ""))
	h.wantMember("ann@m.test", false)
	h.wantSent("ann@m.test: You are not a member of team@lists.test")
}

// The n-th call fails, for every n: the answer comes again, and each thing is done and told once.
func TestWishFaults(t *testing.T) {
	t.Parallel()
	housetest.CallFault{}.EachStep(t, 14, func(c *housetest.Calls) {
		h := newHouse(t)
		must(t, h.ask(lists.ServiceRequest, "owen@m.test", lists.Unproven, "Subject: x\n\nsubscribe\nset digest\nunsubscribe\nsubscribe plain\nremove mia@m.test\nset nobody@m.test nomail\n"))
		asked := h.Take()[0]
		h.Fail = c.Step
		for range 3 {
			if h.answer(asked, "owen@m.test", "") == nil {
				break
			}
		}
		sent := h.wantSent("owen@m.test" + answers)[0]
		sent.WantText(t, "\n1. Welcome", "\n2. You have left", "\n3. Welcome", "\n4. team@lists.test: what has been done")
		if c.Broken() != "after change" { // then nobody knows who did it
			sent.WantText(t, "<mia@m.test>: remove\n     Done.")
		}
		if m, found := h.Member("owen@m.test"); !found || m.Delivery != lists.DeliveryPlain {
			t.Errorf("owen: %v, %+v", found, m)
		}
	})
}

// What strangers ask for in somebody's name takes no answers from him, once he proves who he is.
func TestStrangersTakeNoAnswers(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for i := range 20 {
		_ = h.ask(lists.ServiceRequest, "mia@m.test", lists.Unproven, fmt.Sprint("Subject: x", i))
	}
	if n := len(h.Take()); n != 10 {
		t.Errorf("%d letters because of strangers", n)
	}
	must(t, h.ask(lists.ServiceHelp, "mia@m.test", lists.Proven, "Subject: x"))
	h.wantSent("mia@m.test: team@lists.test: what you can do by mail")
	for i := range 20 {
		_ = h.ask(lists.ServiceHelp, "mia@m.test", lists.Proven, fmt.Sprint("Subject: y", i))
	}
	if n := len(h.Take()); n != 9 {
		t.Errorf("%d more letters of her own", n)
	}
	must(t, h.ask(lists.ServiceRequest, "mia@m.test", lists.Proven, "Subject: set nomail")) // it is done, and not told
	h.wantSent()
	if m, _ := h.Member("mia@m.test"); m.Delivery != lists.DeliveryNone {
		t.Errorf("mia: %+v", m)
	}
}

// Who confirms what he was asked may ask for more than others can in his name, but not for ever: programs say yes as well.
func TestConfirmedLeaveRoom(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	n := 0
	for ; n < 40; n++ {
		if err := h.ask(lists.ServiceRequest, "mia@m.test", lists.Unproven, []string{"Subject: set nomail", "Subject: set mail"}[n%2]); err != nil {
			wantError(t, err, enrol.ErrTooMany)
			break
		}
		must(t, h.answer(h.wantSent("mia@m.test: team@lists.test: please confirm how you want to get the posts")[0], "mia@m.test", ""))
		h.wantSent("mia@m.test" + changed)
	}
	if n != 20 {
		t.Errorf("%d changes in a day", n)
	}
	h.Wait(25 * time.Hour)
	must(t, h.ask(lists.ServiceRequest, "mia@m.test", lists.Unproven, "Subject: set nomail"))
}

// The replies to a stranger are the same whether the address is a member's or not, and he causes one letter of a kind in a day.
func TestStrangersLearnNothing(t *testing.T) {
	t.Parallel()
	for _, service := range []lists.Service{lists.ServiceUnsubscribe, lists.ServiceSubscribe} {
		h := newHouse(t)
		h.limits.Address = 3
		h.open(nil)
		for range 6 {
			member, other := h.ask(service, "mia@m.test", lists.Unproven, "Subject: x"), h.ask(service, "ann@m.test", lists.Unproven, "Subject: x")
			if member != nil || other != nil {
				t.Errorf("%s: %v for a member, %v for another", service, member, other)
			}
		}
		if n := len(h.Take()); n != 2 {
			t.Errorf("%s: %d letters", service, n)
		}
	}
}

// Nobody gets his words into a letter of ours to somebody else.
func TestStrangersHaveNoWords(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	must(t, h.ask(lists.ServiceRequest, "ann@m.test", lists.Unproven, "Subject: buy\n\nhttps://evil.test/\n"))
	if l := h.Take()[0]; strings.Contains(l.Text, "evil") || strings.Contains(l.Text, "buy") {
		t.Errorf("%s", l.Text)
	}
}

// A program that answers our letters as if it was an owner ends up without any.
func TestAnswersToAnswers(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "subscribe", "approve")
	must(t, h.ask(lists.ServiceSubscribe, "ann@m.test", lists.Proven, "Subject: x"))
	question := housetest.Sent(t, h.Take(), approval)
	n := 0
	for _, text := range []string{"I am on holiday.", "approve"} {
		for range 30 {
			must(t, h.answer(question, "owen@m.test", text))
		}
		n += len(h.Take())
	}
	if n > 12 { // ten answers, and what ann hears
		t.Errorf("%d letters", n)
	}
	h.wantMember("ann@m.test", true)
}

// Whoever has the address may decide, but not in the name of an owner who did not write the mail.
func TestDecisionInAForgedName(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "subscribe", "approve")
	must(t, h.ask(lists.ServiceSubscribe, "ann@m.test", lists.Proven, "Subject: x"))
	to := housetest.Sent(t, h.Take(), approval).Value("Reply-To")
	must(t, h.confirm(to, h.mail("owen@m.test", lists.Contradicted, "Subject: discard")))
	must(t, h.confirm(to, h.mail("olga@m.test", lists.Proven, "Subject: approve")))
	if text := h.wantSent("olga@m.test: team@lists.test: already decided: ann@m.test")[0].Body(t); strings.Contains(text, "owen") {
		t.Errorf("%s", text)
	}
}

// An owner who has decided himself, and changes his mind, is told so.
func TestDecidedByHimself(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "subscribe", "approve")
	must(t, h.ask(lists.ServiceSubscribe, "ann@m.test", lists.Proven, "Subject: x"))
	question := housetest.Sent(t, h.Take(), approval)
	for _, tt := range []struct{ from, text, want string }{
		{"owen@m.test", "discard", "Thank you"}, {"owen@m.test", "approve", "You have already decided this"}, {"olga@m.test", "approve", "This was decided already"},
	} {
		must(t, h.answer(question, tt.from, tt.text))
		h.Take()[0].WantText(t, tt.want)
	}
	h.wantMember("ann@m.test", false)
}

// A program that wants no answer gets none, and nothing is done for it.
func TestAutoResponseSuppress(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for _, words := range []string{"All", "OOF, DR", "DR,autoreply"} {
		must(t, h.ask(lists.ServiceUnsubscribe, "mia@m.test", lists.Proven, "X-Auto-Response-Suppress: "+words+"\nSubject: x"))
		h.wantSent()
	}
	h.wantMember("mia@m.test", true)
	must(t, h.ask(lists.ServiceUnsubscribe, "mia@m.test", lists.Proven, "X-Auto-Response-Suppress: DR, RN\nSubject: x"))
	h.wantSent("mia@m.test" + goodbye)
}

// A list that was deleted, and made again by others, does not hear what was asked of the old one.
func TestListMadeAgain(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "subscribe", "approve")
	must(t, h.ask(lists.ServiceSubscribe, "ann@m.test", lists.Proven, "Subject: x"))
	must(t, h.ask(lists.ServiceUnsubscribe, "mia@m.test", lists.Unproven, "Subject: x"))
	sent := h.Take()
	must(t, h.Store.Delete(t.Context(), h.List))
	h.Wait(time.Hour)
	must(t, h.Store.Create(t.Context(), lists.List{Address: h.List, Created: h.Now()}, nil))
	h.Set("owners", "olga@m.test", "subscribe", "approve")
	h.Join(lists.Member{Address: address(t, "mia@m.test")})
	for _, l := range sent {
		if strings.Contains(l.Value("Reply-To"), "-confirm+") {
			wantError(t, h.answer(l, "owen@m.test", "approve"), enrol.ErrToken)
		}
	}
	h.wantMember("ann@m.test", false)
	h.wantMember("mia@m.test", true)
}
