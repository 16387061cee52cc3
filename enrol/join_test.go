package enrol_test

import (
	"strings"
	"testing"
	"time"

	"superlistd/enrol"
	"superlistd/lists"
)

const (
	confirmJoin  = ": team@lists.test: please confirm that you want to join"
	confirmLeave = ": team@lists.test: please confirm that you want to leave"
	welcome      = ": Welcome to team@lists.test"
	goodbye      = ": You have left team@lists.test"
	waiting      = ": Your request to join team@lists.test is waiting"
	approval     = "owen@m.test olga@m.test: team@lists.test: ann@m.test wants to join"
)

func TestJoinByMail(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "owners_notice", "on", "description", "About lunch")
	must(t, h.ask(lists.ServiceSubscribe, "ann@m.test", lists.Unproven, "Subject: x"))
	asked := h.wantSent("ann@m.test" + confirmJoin)[0]
	h.wantMember("ann@m.test", false)
	to := asked.Value("Reply-To")
	if got := strings.Split(to, "@")[0]; len(got) > 64 {
		t.Errorf("local part of %d octets", len(got))
	}
	for name, want := range map[string]string{
		"From": "<team-owner@lists.test>", "To": "<ann@m.test>", "Auto-Submitted": "auto-replied", "Precedence": "bulk", "In-Reply-To": "<1@m.test>",
	} {
		if got := asked.Value(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	for _, want := range []string{"About lunch", "confirm " + extension(t, to), "<mailto:" + to + "?subject=confirm>"} {
		if !strings.Contains(asked.Body(t), want) {
			t.Errorf("no %q in\n%s", want, asked.Body(t))
		}
	}
	must(t, h.answer(asked, "ann@elsewhere.test", ""))
	h.wantSent("ann@m.test"+welcome, "owen@m.test olga@m.test: team@lists.test: ann@m.test has joined")
	if m, found := h.Member("ann@m.test"); !found || m.Name != "Ann A." || !m.Since.Equal(start) {
		t.Errorf("member: %+v", m)
	}
	must(t, h.answer(asked, "ann@m.test", "")) // a second click
	must(t, h.ask(lists.ServiceSubscribe, "Ann@M.test", lists.Unproven, "Subject: again"))
	h.wantSent("Ann@m.test: You are a member of team@lists.test already")
}

// What a request leads to, by the setting and by what is proven.
func TestSubscribePolicies(t *testing.T) {
	t.Parallel()
	const closed = "ann@m.test: team@lists.test takes no requests to join"
	for _, tt := range []struct {
		policy string
		proof  lists.Proof
		want   []string // at once
		then   []string // when it is confirmed
		member bool
	}{
		{"confirm", lists.Unproven, []string{"ann@m.test" + confirmJoin}, []string{"ann@m.test" + welcome}, true},
		{"confirm", lists.Proven, []string{"ann@m.test" + confirmJoin}, []string{"ann@m.test" + welcome}, true},
		{"open", lists.Unproven, []string{"ann@m.test" + confirmJoin}, []string{"ann@m.test" + welcome}, true},
		{"open", lists.Proven, []string{"ann@m.test" + welcome}, nil, true},
		{"confirm+approve", lists.Proven, []string{"ann@m.test" + confirmJoin}, []string{"ann@m.test" + waiting, approval}, false},
		{"approve", lists.Unproven, []string{"ann@m.test" + confirmJoin}, []string{"ann@m.test" + waiting, approval}, false},
		{"approve", lists.Proven, []string{"ann@m.test" + waiting, approval}, nil, false},
		{"closed", lists.Unproven, []string{closed}, nil, false},
		{"closed", lists.Proven, []string{closed}, nil, false},
	} {
		t.Run(tt.policy+" "+tt.proof.String(), func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, "subscribe", tt.policy)
			m := h.mail("ann@m.test", tt.proof, "Subject: x")
			must(t, h.desk.Take(t.Context(), h.Settings(), lists.ServiceSubscribe, m))
			sent := h.wantSent(tt.want...)
			must(t, h.desk.Take(t.Context(), h.Settings(), lists.ServiceSubscribe, m)) // its sender lost our reply
			h.wantSent()
			if tt.then != nil {
				must(t, h.answer(sent[0], "ann@m.test", ""))
				h.wantSent(tt.then...)
			}
			h.wantMember("ann@m.test", tt.member)
			must(t, h.desk.Take(t.Context(), h.Settings(), lists.ServiceSubscribe, m))
			h.wantSent()
		})
	}
}

func TestWhoMayNotAsk(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "bans", "eve@m.test")
	for _, service := range []lists.Service{lists.ServiceSubscribe, lists.ServiceUnsubscribe, lists.ServiceRequest, lists.ServiceHelp} {
		wantError(t, h.ask(service, "ann@m.test", lists.Contradicted, "Subject: help"), lists.ErrForged)
		m := h.mail("ann@m.test", lists.Proven, "Subject: help")
		m.Author = lists.Address{}
		wantError(t, h.desk.Take(t.Context(), h.Settings(), service, m), lists.ErrNoAuthor)
		must(t, h.ask(service, "team@lists.test", lists.Proven, "Subject: subscribe"))
		must(t, h.ask(service, "team-request@lists.test", lists.Proven, "Subject: subscribe"))
	}
	wantError(t, h.ask(lists.ServiceSubscribe, "eve@m.test", lists.Proven, "Subject: x"), lists.ErrBanned)
	h.wantSent()
}

// Mail that a program wrote gets no answer, and does nothing.
func TestAutomaticMail(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "subscribe", "open", "unsubscribe", "open")
	must(t, h.ask(lists.ServiceSubscribe, "ann@m.test", lists.Unproven, "Subject: x"))
	asked := h.wantSent("ann@m.test" + confirmJoin)[0]
	for _, head := range []string{
		"Auto-Submitted: auto-replied", "auto-submitted: AUTO-GENERATED", "Precedence: BULK", "Precedence: auto_reply", "List-Id: <x.y>",
		"List-Unsubscribe: <mailto:x@y>", "X-Autoreply: yes",
	} {
		for _, service := range []lists.Service{lists.ServiceSubscribe, lists.ServiceUnsubscribe, lists.ServiceRequest, lists.ServiceHelp} {
			must(t, h.ask(service, "mia@m.test", lists.Proven, head+"\nSubject: help"))
		}
		must(t, h.confirm(asked.Value("Reply-To"), h.mail("ann@m.test", lists.Proven, head)))
	}
	m := h.mail("mia@m.test", lists.Proven, "Subject: help")
	m.Automatic = true
	must(t, h.desk.Take(t.Context(), h.Settings(), lists.ServiceUnsubscribe, m))
	must(t, h.confirm(asked.Value("Reply-To"), m))
	must(t, h.ask(lists.ServiceHelp, "MAILER-DAEMON@m.test", lists.Proven, "Subject: Undelivered"))
	h.wantSent()
	h.wantMember("mia@m.test", true)
	h.wantMember("ann@m.test", false)
}

// A request that is open already makes no second letter, unless a day has passed, or it is proven who wants it.
func TestOneOpenRequest(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ask := func(proof lists.Proof) {
		t.Helper()
		must(t, h.ask(lists.ServiceSubscribe, "ann@m.test", proof, "Subject: x"))
	}
	ask(lists.Unproven)
	first := h.wantSent("ann@m.test" + confirmJoin)[0]
	for range 5 {
		ask(lists.Unproven)
	}
	h.wantSent()
	ask(lists.Proven)
	again := h.wantSent("ann@m.test" + confirmJoin)[0]
	if again.Value("Reply-To") != first.Value("Reply-To") {
		t.Error("the second letter has another address")
	}
	h.Wait(25 * time.Hour)
	ask(lists.Unproven)
	ask(lists.Unproven)
	h.wantSent("ann@m.test" + confirmJoin)
	must(t, h.answer(first, "ann@m.test", "Yes please\n"))
	h.wantSent("ann@m.test" + welcome)
}

// Whoever does not want what he is asked to confirm is not made to by his answer.
func TestRefusal(t *testing.T) {
	t.Parallel()
	for _, answer := range []string{"No", "I did not ask for this, stop it.", "Nein, danke", "Je n'en veux pas", "I don’t want it"} {
		h := newHouse(t)
		must(t, h.ask(lists.ServiceSubscribe, "ann@m.test", lists.Unproven, "Subject: x"))
		asked := h.wantSent("ann@m.test" + confirmJoin)[0]
		must(t, h.answer(asked, "ann@m.test", answer))
		must(t, h.answer(asked, "ann@m.test", "")) // too late
		h.wantSent()
		h.wantMember("ann@m.test", false)
	}
}

func TestOwnersDecide(t *testing.T) {
	t.Parallel()
	const (
		done     = ": team@lists.test: done: ann@m.test"
		late     = ": team@lists.test: already decided: ann@m.test"
		declined = "ann@m.test: Your request to join team@lists.test was declined"
	)
	for _, tt := range []struct {
		answer string
		want   []string
		member bool
		banned bool
	}{
		{"approve", []string{"owen@m.test" + done, "ann@m.test" + welcome}, true, false},
		{"Ja!", []string{"owen@m.test" + done, "ann@m.test" + welcome}, true, false},
		{"reject Who are you?", []string{"owen@m.test" + done, declined}, false, false},
		{"discard", []string{"owen@m.test" + done}, false, false},
		{"ban", []string{"owen@m.test" + done}, false, true},
	} {
		t.Run(tt.answer, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, "subscribe", "approve")
			must(t, h.ask(lists.ServiceSubscribe, "ann@m.test", lists.Proven, "Subject: x"))
			question := h.wantSent("ann@m.test"+waiting, approval)[1]
			if !strings.Contains(question.Body(t), "Ann A. <ann@m.test>") {
				t.Errorf("who?\n%s", question.Body(t))
			}
			must(t, h.answer(question, "owen@m.test", "What is this?"))
			again := h.wantSent("owen@m.test: team@lists.test: ann@m.test wants to join")[0]
			if !strings.Contains(again.Body(t), "> What is this?") || again.Value("Reply-To") != question.Value("Reply-To") {
				t.Errorf("it does not help:\n%s", again.Text)
			}
			must(t, h.ask(lists.ServiceSubscribe, "ann@m.test", lists.Unproven, "Subject: x"))
			h.wantSent()
			must(t, h.ask(lists.ServiceSubscribe, "ann@m.test", lists.Proven, "Subject: x"))
			h.wantSent("ann@m.test" + waiting)
			h.Wait(8 * 24 * time.Hour) // owners may take their time
			must(t, h.answer(again, "owen@m.test", tt.answer))
			for _, l := range h.wantSent(tt.want...) {
				if strings.HasPrefix(tt.answer, "reject") && !strings.Contains(l.Body(t), "> Who are you?") {
					t.Errorf("without his words:\n%s", l.Body(t))
				}
			}
			h.wantMember("ann@m.test", tt.member)
			must(t, h.answer(question, "olga@m.test", "approve"))
			if l := h.wantSent("olga@m.test" + late)[0]; !strings.Contains(l.Body(t), "owen@m.test") {
				t.Errorf("she is not told who decided:\n%s", l.Body(t))
			}
			h.wantMember("ann@m.test", tt.member)
			if got := len(h.Settings().Settings.Bans) > 0; got != tt.banned {
				t.Errorf("banned: %v", got)
			}
		})
	}
}

// An address that is not ours, cut, of another list, of another kind or too old does nothing.
func TestTokens(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	must(t, h.ask(lists.ServiceSubscribe, "ann@m.test", lists.Unproven, "Subject: x"))
	asked := h.wantSent("ann@m.test" + confirmJoin)[0]
	good := extension(t, asked.Value("Reply-To"))
	if err := h.desk.Known(h.List, strings.ToUpper(good)); err != nil {
		t.Errorf("in capitals: %v", err)
	}
	other := address(t, "other@lists.test")
	wantError(t, h.desk.Known(other, good), enrol.ErrToken)
	wantError(t, h.desk.Known(h.List, "a"+good[1:]), enrol.ErrToken)
	wantError(t, h.desk.Known(h.List, "h"+good[1:]), enrol.ErrToken)
	for i := range good {
		c := byte('a')
		if good[i] == c {
			c = 'b'
		}
		for _, bad := range []string{good[:i], good[:i] + string(c) + good[i+1:], good[:i] + good[i+1:]} {
			wantError(t, h.desk.Known(h.List, bad), enrol.ErrToken)
			l, err := h.Store.List(t.Context(), h.List)
			must(t, err)
			wantError(t, h.desk.Confirm(t.Context(), l, bad, h.mail("ann@m.test", lists.Proven, "")), enrol.ErrToken)
		}
	}
	h.Wait(7*24*time.Hour + time.Second)
	wantError(t, h.desk.Known(h.List, good), enrol.ErrToken)
	h.wantMember("ann@m.test", false)

	// That of an earlier request is not good for a later one.
	must(t, h.ask(lists.ServiceSubscribe, "ann@m.test", lists.Unproven, "Subject: x"))
	second := h.wantSent("ann@m.test" + confirmJoin)[0]
	wantError(t, h.desk.Known(h.List, good), enrol.ErrToken)
	must(t, h.answer(second, "ann@m.test", ""))
	must(t, h.ask(lists.ServiceUnsubscribe, "ann@m.test", lists.Proven, "Subject: x"))
	h.wantSent("ann@m.test"+welcome, "ann@m.test"+goodbye)
	must(t, h.answer(second, "ann@m.test", "")) // replayed: nothing happens
	h.wantSent()
	h.wantMember("ann@m.test", false)
}

// The setting, or a ban, may change between request and answer.
func TestChangedMeanwhile(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		setting, value string
		want           []string
	}{
		{"subscribe", "closed", []string{"ann@m.test: team@lists.test takes no requests to join"}},
		{"subscribe", "approve", []string{"ann@m.test" + waiting, approval}},
		{"bans", "@m.test", nil},
	} {
		h := newHouse(t)
		must(t, h.ask(lists.ServiceSubscribe, "ann@m.test", lists.Unproven, "Subject: x"))
		asked := h.wantSent("ann@m.test" + confirmJoin)[0]
		h.Set(tt.setting, tt.value)
		must(t, h.answer(asked, "ann@m.test", ""))
		h.wantSent(tt.want...)
		h.wantMember("ann@m.test", false)
	}
}
