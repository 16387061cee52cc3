package enrol_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"superlistd/enrol"
	"superlistd/lists"
)

func TestLeaveByMail(t *testing.T) {
	t.Parallel()
	const left = "owen@m.test olga@m.test: team@lists.test: mia@m.test has left"
	for _, tt := range []struct {
		name, policy, from string
		proof              lists.Proof
		asks               bool
	}{
		{"proven", "confirm", "mia@m.test", lists.Proven, false},
		{"by an alias", "confirm", "mia@home.test", lists.Proven, false},
		{"unproven", "confirm", "Mia@m.test", lists.Unproven, true},
		{"unproven alias: the member is asked", "confirm", "mia@home.test", lists.Unproven, true},
		{"open", "open", "mia@m.test", lists.Unproven, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, "unsubscribe", tt.policy, "owners_notice", "on")
			must(t, h.ask(lists.ServiceUnsubscribe, tt.from, tt.proof, "Subject: x"))
			if tt.asks {
				asked := h.wantSent("mia@m.test" + confirmLeave)[0]
				h.wantMember("mia@m.test", true)
				must(t, h.answer(asked, "mia@m.test", ""))
			}
			h.wantSent("mia@m.test"+goodbye, left)
			h.wantMember("mia@m.test", false)
			must(t, h.ask(lists.ServiceUnsubscribe, "mia@m.test", tt.proof, "Subject: x"))
			h.wantSent("mia@m.test: You are not a member of team@lists.test")
		})
	}
}

// A mail that comes again, because its sender lost our reply, leaves and says nothing.
func TestLeaveTwiceByOneMail(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "goodbye", "off")
	m := h.mail("mia@m.test", lists.Proven, "Subject: x")
	for range 3 {
		must(t, h.desk.Take(t.Context(), h.Settings(), lists.ServiceUnsubscribe, m))
		h.wantSent()
	}
}

// The texts are in the language of the member; he has it until he is gone.
func TestLanguageOfMember(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	must(t, h.ask(lists.ServiceUnsubscribe, "bea@m.test", lists.Proven, "Subject: x"))
	h.wantSent("bea@m.test: Sie haben team@lists.test verlassen")
}

func TestOptionsByMail(t *testing.T) {
	t.Parallel()
	const changed, asks = "mia@m.test: team@lists.test: how you get the posts", "mia@m.test: team@lists.test: please confirm how you want to get the posts"
	h := newHouse(t)
	_, err := h.Store.UpdateMember(t.Context(), h.List, address(t, "mia@m.test"), func(m *lists.Member) error {
		m.Disabled = lists.Disable("no such mailbox", start)
		return nil
	})
	must(t, err)
	for _, tt := range []struct {
		command, want, text string
		receives            bool
	}{
		{"set nomail", "nomail none", "You are a member, and get no posts.", false},
		{"set mail", "mail none", "You get all posts, each as it comes.", true},
		{"set digest", "digest none", "You get the posts in digests, with all that is attached to them.\nThis holds from the next digest on", true},
		{"set mail", "mail none", "You get all posts, each as it comes.\n\n", true},
		{"suspend 2026-11-20 2026-12-01", "mail 2026-11-20..2026-12-01", "from Friday, 20 November 2026 to Tuesday, 1 December 2026", false},
		{"set nomail", "nomail 2026-11-20..2026-12-01", "You are a member, and get no posts.", false},
		{"resume", "mail none", "You get all posts, each as it comes.", true},
		{"set plain", "plain none", "You get the posts in digests of plain text.\nThis holds from the next digest on", true},
		{"suspend 2026-11-20 2026-12-01", "plain 2026-11-20..2026-12-01", "But you get none from", false},
		{"resume", "plain none", "digests of plain text", true},
	} {
		must(t, h.ask(lists.ServiceRequest, "mia@m.test", lists.Unproven, "Subject: "+tt.command))
		before, _ := h.Member("mia@m.test")
		must(t, h.answer(h.wantSent(asks)[0], "mia@m.test", ""))
		l := h.wantSent(changed)[0]
		m, _ := h.Member("mia@m.test")
		got := m.Delivery.String() + " " + m.Suspended.String()
		if got != tt.want || m.Gets(lists.Selection{}, start) != tt.receives || !strings.Contains(l.Body(t), tt.text) {
			t.Errorf("%s: %s, receives %v, from %+v:\n%s", tt.command, got, m.Gets(lists.Selection{}, start), before, l.Body(t))
		}
	}
	h.Wait(25 * time.Hour)
	must(t, h.ask(lists.ServiceRequest, "mia@m.test", lists.Proven, "Subject: set nomail"))
	h.wantSent(changed)
	must(t, h.ask(lists.ServiceRequest, "ann@m.test", lists.Proven, "Subject: set nomail"))
	h.wantSent("ann@m.test: You are not a member of team@lists.test")
}

// A later wish goes before an earlier one that was not confirmed.
func TestChangeOfMind(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	must(t, h.ask(lists.ServiceRequest, "mia@m.test", lists.Unproven, "Subject: set nomail"))
	first := h.Take()[0]
	must(t, h.ask(lists.ServiceRequest, "mia@m.test", lists.Unproven, "Subject: set mail"))
	second := h.Take()[0]
	wantError(t, h.answer(first, "mia@m.test", ""), enrol.ErrToken)
	must(t, h.answer(second, "mia@m.test", ""))
	if m, _ := h.Member("mia@m.test"); m.Delivery != lists.DeliveryMail {
		t.Errorf("delivery %s", m.Delivery)
	}
}

func TestRequests(t *testing.T) {
	t.Parallel()
	const help, info = ": team@lists.test: what you can do by mail", ": About team@lists.test"
	for _, tt := range []struct {
		name, from string
		proof      lists.Proof
		raw        string
		want       []string
		text       string // in the first letter
	}{
		{"help", "ann@m.test", lists.Unproven, "Subject: help", []string{"ann@m.test" + help}, "suspend 2026-12-24 2027-01-06"},
		{"nothing", "ann@m.test", lists.Unproven, "Subject:", []string{"ann@m.test" + help}, ""},
		{"not understood", "ann@m.test", lists.Proven, "Subject: Hello\n\nWho are you?\n", []string{"ann@m.test" + help}, "> Hello\n> Who are you?"},
		{"info", "ann@m.test", lists.Unproven, "\n\ninfo\n", []string{"ann@m.test" + info}, "Anybody can join who confirms it by mail."},
		{"in a member's language", "bea@m.test", lists.Unproven, "Subject: Hilfe", []string{"bea@m.test: team@lists.test: Was Sie per Mail tun können"}, "pausieren"},
		{"several", "ann@m.test", lists.Proven, "Subject: help\n\ninfo\nsubscribe\nend\nunsubscribe\n",
			[]string{"ann@m.test" + answers, "ann@m.test" + confirmJoin}, ""},
		{"subscribe", "ann@m.test", lists.Unproven, "Subject: Anmelden", []string{"ann@m.test" + confirmJoin}, ""},
		{"unsubscribe", "mia@m.test", lists.Proven, "Subject: x\n\ndésinscription\n", []string{"mia@m.test" + goodbye}, ""},
		{"who, of an owner", "owen@m.test", lists.Proven, "Subject: who", []string{"owen@m.test: team@lists.test: the members"}, "has 2 members:\n\nbea@m.test\nMia <mia@m.test>\n"},
		{"who, of one who may be an owner", "owen@m.test", lists.Unproven, "Subject: who", []string{"owen@m.test" + confirmOrders}, "1. <owen@m.test>: the members of the list, sent to this address\n"},
		{"who, of a member", "mia@m.test", lists.Proven, "Subject: who", []string{"mia@m.test" + help}, "or is not for you to do:\n\n> who\n"},
		{"who and held, of a member", "mia@m.test", lists.Proven, "Subject: who\n\nhelp\nheld", []string{"mia@m.test" + help}, "or is not for you to do:\n\n> who\n> held\n"},
		{"a token that is none", "ann@m.test", lists.Proven, "Subject: confirm abc", []string{"ann@m.test" + help}, "> confirm abc"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			m := h.mail(tt.from, tt.proof, tt.raw)
			must(t, h.desk.Take(t.Context(), h.Settings(), lists.ServiceRequest, m))
			sent := h.wantSent(tt.want...)
			if !strings.Contains(sent[0].Body(t), tt.text) || sent[0].Value("Auto-Submitted") == "" || tt.text == "" && strings.Contains(sent[0].Body(t), "not understood") && tt.name == "help" {
				t.Errorf("want %q in\n%s", tt.text, sent[0].Body(t))
			}
			if len(sent) == 1 && !strings.Contains(sent[0].Subject(), "confirm") && sent[0].Value("Reply-To") != "team-request@lists.test" {
				t.Errorf("Reply-To: %s", sent[0].Value("Reply-To"))
			}
		})
	}
}

func TestHelpAddress(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	must(t, h.ask(lists.ServiceHelp, "ann@m.test", lists.Unproven, "Subject: subscribe"))
	h.wantSent("ann@m.test: team@lists.test: what you can do by mail")
}

func TestConfirmByCommand(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "subscribe", "confirm+approve")
	must(t, h.ask(lists.ServiceSubscribe, "ann@m.test", lists.Unproven, "Subject: x"))
	asked := h.wantSent("ann@m.test" + confirmJoin)[0]
	must(t, h.ask(lists.ServiceRequest, "ann@home.test", lists.Unproven, "Subject: x\n\nconfirm "+strings.ToUpper(extension(t, asked.Value("Reply-To")))+"\n"))
	question := h.wantSent("ann@m.test"+waiting, approval)[1]
	// The owners' address confirms nothing by command.
	must(t, h.ask(lists.ServiceRequest, "ann@m.test", lists.Unproven, "Subject: confirm "+extension(t, question.Value("Reply-To"))))
	h.wantSent("ann@m.test: team@lists.test: what you can do by mail")
	h.wantMember("ann@m.test", false)
}

// An owner sees how members get their posts.
func TestRosterOptions(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.Join(
		lists.Member{Address: address(t, "a@m.test"), Name: "Lee, Kim", Delivery: lists.DeliveryPlain},
		lists.Member{Address: address(t, "b@m.test"), Delivery: lists.DeliveryNone},
		lists.Member{Address: address(t, "c@m.test"), Suspended: lists.Suspension{From: start.Add(-24 * time.Hour), Until: start.Add(24 * time.Hour)}},
	)
	must(t, h.ask(lists.ServiceRequest, "owen@m.test", lists.Proven, "Subject: who"))
	text := h.Take()[0].Body(t)
	const want = "\"Lee, Kim\" <a@m.test>  # gets digests: plain\nb@m.test  # gets no posts: nomail\nbea@m.test\nc@m.test  # gets no posts: suspended until "
	if !strings.Contains(text, want) || strings.Contains(text, "listctl") {
		t.Errorf("%s", text)
	}
}

// A roster that does not fit is cut at a line.
func TestLargeRoster(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	var more []lists.Member
	for i := range 3000 {
		more = append(more, lists.Member{Address: address(t, fmt.Sprintf("m%04d@m.test", i))})
	}
	_, err := h.Store.Change(t.Context(), h.List, lists.Change{Add: more})
	must(t, err)
	must(t, h.ask(lists.ServiceRequest, "owen@m.test", lists.Proven, "Subject: who"))
	text := h.Take()[0].Body(t)
	n := strings.Count(text, "@m.test\n") + strings.Count(text, "@m.test>\n")
	if n < 400 || !strings.Contains(text, fmt.Sprintf("has 3002 members; here are the first %d:", n)) || strings.Contains(text, "…") || !strings.Contains(text, "The command listctl on the server shows all of them") {
		t.Errorf("%d of them in\n%s", n, text)
	}
}

// What is told by the web and by bounces reaches the owners, and the page's letters are bounded like others.
func TestHooks(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "owners_notice", "on")
	h.limits.Network = 2
	h.open(nil)
	mia, _ := h.Member("mia@m.test")
	bea, _ := h.Member("bea@m.test")
	client := netip.MustParseAddr("192.0.2.9")
	for _, who := range []string{"mia@home.test", "mia@home.test", "nobody@m.test"} {
		must(t, h.desk.Ask(t.Context(), h.Settings(), address(t, who), client))
	}
	asked := h.wantSent("mia@m.test" + confirmLeave)[0]
	for _, who := range []string{"bea@m.test", "somebody@m.test"} { // no difference between who is a member and who is none
		wantError(t, h.desk.Ask(t.Context(), h.Settings(), address(t, who), client), enrol.ErrTooMany)
	}
	must(t, h.answer(asked, "mia@m.test", ""))
	h.Take()
	for range 2 {
		h.desk.Left(t.Context(), h.Settings(), bea)
		h.desk.Removed(t.Context(), h.Settings(), mia)
	}
	h.wantSent("bea@m.test: Sie haben team@lists.test verlassen", "owen@m.test olga@m.test: team@lists.test: bea@m.test has left",
		"owen@m.test olga@m.test: team@lists.test: mia@m.test was removed")
}
