package enrol_test

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"superlistd/internal/housetest"
	"superlistd/lists"
)

// What somebody proven changes by several commands is told once, and how it is then.
func TestSeveralChanges(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	m := h.mail("mia@m.test", lists.Proven, "Subject: set nomail\n\nsuspend 2026-11-20 2026-12-01\ninfo\nresume\nset digest\n")
	must(t, h.desk.Take(t.Context(), h.Settings(), lists.ServiceRequest, m))
	l := h.wantSent("mia@m.test" + answers)[0]
	l.WantText(t, "\n1. team@lists.test: how you get the posts\n-----", "\n2. About team@lists.test\n-----", "You get the posts in digests")
	if strings.Contains(l.Body(t), "But you get none") {
		t.Errorf("%s", l.Body(t))
	}
	if m, _ := h.Member("mia@m.test"); m.Delivery != lists.DeliveryDigest || !m.Suspended.IsZero() {
		t.Errorf("%+v", m)
	}
	must(t, h.ask(lists.ServiceRequest, "mia@m.test", lists.Proven, "Subject: x\n\nset nomail\nunsubscribe\n")) // leaving stands for itself
	h.wantSent("mia@m.test" + answers)[0].WantText(t, "You are a member, and get no posts.", "\n2. You have left team@lists.test\n")
	h.wantMember("mia@m.test", false)
}

// What is not carried out is told once, in the answer if there is one, and in the question if that is all, in the order of the mail.
func TestCommandsNotCarriedOut(t *testing.T) {
	t.Parallel()
	const most, left = "Only the first five commands of a mail are carried out. Not done:\n\n", "> help\n> unsubscribe\n"
	for _, tt := range []struct {
		name, text string
		proof      lists.Proof
		want       []string
		told       string // at the end of the subject of the one that tells it
		words      string
	}{
		{"in the question", "set mail\nset plain\nset nomail\nresume\nsubscribe\nhelp\nunsubscribe\n", lists.Unproven,
			[]string{"mia@m.test" + confirmOrders}, confirmOrders, most + left},
		{"in the question about one thing", "set mail\nset digest\nset plain\nset nomail\nresume\nhelp\nunsubscribe\n", lists.Unproven,
			[]string{"mia@m.test" + confirmChange}, confirmChange, most + left},
		{"in an answer", "set mail\ninfo\nset plain\nset nomail\nresume\nhelp\nunsubscribe\n", lists.Proven,
			[]string{"mia@m.test" + answers}, "answers to your commands", most + left},
		{"in the answer to one thing", "set mail\nset digest\nset plain\nset nomail\nresume\nhelp\nunsubscribe\n", lists.Proven,
			[]string{"mia@m.test" + changed}, changed, most + left},
		{"behind a line that is none", "set nomail\nThanks!\nunsubscribe\n", lists.Proven,
			[]string{"mia@m.test" + changed}, changed, "below such a line:\n\n> unsubscribe\n"},
		{"in the answer, and not in the question", "help\nset mail\nThanks!\nunsubscribe\n", lists.Unproven,
			[]string{"mia@m.test: team@lists.test: what you can do by mail", "mia@m.test" + confirmChange}, "what you can do by mail", "below such a line:\n\n> unsubscribe\n"},
		{"behind a letter", "Dear list,\na\nb\nc\nd\ne\nunsubscribe\n", lists.Unproven,
			[]string{"mia@m.test: team@lists.test: what you can do by mail"}, "what you can do by mail", "below such a line:\n\n> unsubscribe\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			m := h.mail("mia@m.test", tt.proof, "Subject: x\n\n"+tt.text)
			must(t, h.desk.Take(t.Context(), h.Settings(), lists.ServiceRequest, m))
			for _, l := range h.wantSent(tt.want...) {
				if told := strings.HasSuffix(l.Subject(), strings.TrimPrefix(tt.told, ": team@lists.test: ")); told != strings.Contains(l.Body(t), tt.words) {
					t.Errorf("%s: told it: %v\n%s", l.Subject(), !told, l.Body(t))
				}
			}
			h.wantMember("mia@m.test", true)
		})
	}
}

// Of an owner fifty orders are carried out, and he hears which are not.
func TestTooManyOrders(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	raw := "Subject: x\n\n"
	for i := range 52 {
		raw += fmt.Sprintf("remove m%d@m.test\n", i)
	}
	must(t, h.ask(lists.ServiceRequest, "owen@m.test", lists.Proven, raw))
	text := h.wantSent("owen@m.test" + confirmOrders)[0].Body(t)
	if !strings.Contains(text, "Only the first 50 commands of a mail about other people are carried out. Not done:\n\n> remove m50@m.test\n> remove m51@m.test\n") ||
		!strings.Contains(text, "50. <m49@m.test>") || strings.Contains(text, "not understood") {
		t.Errorf("%s", text)
	}
}

// The n-th call fails, for every n: what is not carried out is told once all the same.
func TestUndoneFaults(t *testing.T) {
	t.Parallel()
	housetest.CallFault{}.EachStep(t, 3, func(c *housetest.Calls) {
		h := newHouse(t)
		m := h.mail("mia@m.test", lists.Proven, "Subject: x\n\nset mail\nset digest\nset plain\nset nomail\nresume\nunsubscribe\n")
		raw, err := io.ReadAll(m.Body)
		must(t, err)
		h.Fail = c.Step
		for range 3 {
			m.Body = bytes.NewReader(raw)
			if h.desk.Take(t.Context(), h.Settings(), lists.ServiceRequest, m) == nil {
				break
			}
		}
		h.wantSent("mia@m.test" + changed)[0].WantText(t, "> unsubscribe\n")
	})
}
