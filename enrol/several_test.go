package enrol_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"superlistd/enrol"
	"superlistd/internal/faultdisk"
	"superlistd/internal/housetest"
	"superlistd/lists"
	"superlistd/templates"
)

// inOrder tells whether all of these stand in a text, one behind the other.
func inOrder(text string, all []string) bool {
	for _, a := range all {
		_, rest, found := strings.Cut(text, a)
		if !found {
			return false
		}
		text = rest
	}
	return true
}

// A mail gets one answer, with all of it in it, in the order of its commands. What has to be confirmed is asked in another one.
func TestOneMailOneAnswer(t *testing.T) {
	t.Parallel()
	const help, info, roster, held = "what you can do by mail\n---", "About team@lists.test\n---", ": the members\n---", ": one post is waiting\n---"
	for _, tt := range []struct {
		name, from, text string
		proof            lists.Proof
		want             []string // at once
		says             []string // the first letter
		then             string   // when the question is confirmed
		thenSays         []string
	}{
		{"what is told and what is done", "mia@m.test", "help\ninfo\nset digest\n", lists.Proven,
			[]string{"mia@m.test" + answers}, []string{"1. team@lists.test: " + help, "2. " + info, "3. team@lists.test: how you get"}, "", nil},
		{"in the language of the member", "bea@m.test", "info\nset nomail\n", lists.Proven,
			[]string{"bea@m.test: team@lists.test: Die Antworten auf Ihre Befehle"}, []string{"1. Über team@lists.test", "2. team@lists.test: Wie Sie"}, "", nil},
		{"many changes are told once", "mia@m.test", "set mail\nresume\nset digest\nresume\nset nomail\nset plain\nresume\nset mail\n", lists.Proven,
			[]string{"mia@m.test" + changed}, []string{"Not done:\n\n> set plain\n> resume\n> set mail\n\n", "You are a member, and get no posts."}, "", nil},
		{"who, held and orders of an owner", "owen@m.test", "who\nheld\nadd ann@m.test\n", lists.Proven,
			[]string{"owen@m.test" + answers, "owen@m.test" + confirmOrders}, []string{roster, held}, "owen@m.test" + orders, nil},
		{"who, held and orders of one who may be an owner", "owen@m.test", "who\nheld\nadd ann@m.test\nremove bea@m.test\n", lists.Unproven,
			[]string{"owen@m.test" + confirmOrders}, nil, "owen@m.test" + answers, []string{roster, held, "what has been done\n---", "<ann@m.test>: invite", "<bea@m.test>: remove"}},
		{"wishes between orders keep their place", "owen@m.test", "remove bea@m.test\nwho\nset mia@m.test nomail\nsubscribe\n", lists.Unproven,
			[]string{"owen@m.test" + confirmOrders}, []string{"1. <bea@m.test>: remove", "2. <owen@m.test>: the members", "3. <mia@m.test>: no posts", "4. <owen@m.test>: join"},
			"owen@m.test" + answers, []string{"1. team@lists.test: what has been done", "2. team@lists.test: the members", "has 1 member:", "3. Welcome"}},
		{"an owner who joins is asked once", "owen@m.test", "subscribe\nremove bea@m.test\n", lists.Proven,
			[]string{"owen@m.test" + confirmOrders}, []string{"1. <owen@m.test>: join", "2. <bea@m.test>: remove"}, "owen@m.test" + answers, []string{"1. Welcome", "2. team"}},
		{"who is no member hears it once", "ann@m.test", "set nomail\nunsubscribe\nset mail\n", lists.Proven,
			[]string{"ann@m.test: You are not a member of team@lists.test"}, nil, "", nil},
		{"from a second address of a member", "mia@home.test", "info\nset nomail\n", lists.Proven, []string{"mia@m.test" + answers}, nil, "", nil},
		{"what is left out, and a question that is open already", "mia@m.test", "set nomail\nset nomail\nThanks!\nunsubscribe\n", lists.Unproven,
			[]string{"mia@m.test" + confirmChange}, []string{"> unsubscribe\n"}, "mia@m.test" + changed, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			h.held = []templates.Item{{ID: "abcdefghijkl", From: "eve@m.test", Subject: "Lunch?", Reason: "not-member"}}
			m := h.mail(tt.from, tt.proof, "Subject: x\n\n"+tt.text)
			must(t, h.desk.Take(t.Context(), h.Settings(), lists.ServiceRequest, m))
			sent := h.wantSent(tt.want...)
			if text := sent[0].Body(t); !inOrder(text, tt.says) {
				t.Errorf("want %q in\n%s", tt.says, text)
			}
			m.Body = strings.NewReader(tt.text) // its sender lost our reply
			must(t, h.desk.Take(t.Context(), h.Settings(), lists.ServiceRequest, m))
			h.wantSent()
			if tt.then == "" {
				return
			}
			must(t, h.answer(sent[len(sent)-1], tt.from, ""))
			after := h.Take()
			after = slices.DeleteFunc(after, func(l letter) bool { return strings.HasSuffix(l.Subject(), invitation[2:]) })
			if len(after) != 1 || after[0].Line() != tt.then || !inOrder(after[0].Body(t), tt.thenSays) {
				t.Errorf("%d letters after the confirmation; want %q with %q", len(after), tt.then, tt.thenSays)
				for _, l := range after {
					t.Logf("%s\n%s", l.Line(), l.Body(t))
				}
			}
		})
	}
}

// What is left out is told in one place, however many letters there are.
func TestLeftOutToldOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	raw := "Subject: help\n\nset nomail\nThanks!\n"
	for i := range 25 {
		raw += fmt.Sprintf("remove m%d@m.test\n", i)
	}
	must(t, h.ask(lists.ServiceRequest, "owen@m.test", lists.Proven, raw+"\n"))
	must(t, h.ask(lists.ServiceRequest, "owen@m.test", lists.Proven, "Subject: help\n\nremove bea@m.test\nThanks!\nremove m7@m.test\n"))
	all := ""
	for _, l := range h.Take() {
		all += l.Body(t)
	}
	for line, want := range map[string]int{"> remove m7@m.test\n": 2, "> remove m8@m.test\n": 1} {
		if n := strings.Count(all, line); n != want {
			t.Errorf("%q stands there %d times, want %d", line, n, want)
		}
	}
	must(t, h.ask(lists.ServiceRequest, "mia@m.test", lists.Unproven, "Subject: set nomail"))
	h.wantSent("mia@m.test" + confirmChange)
	must(t, h.ask(lists.ServiceRequest, "mia@m.test", lists.Unproven, "Subject: x\n\nset nomail\nThanks!\nunsubscribe\n")) // that question is open
	h.wantSent("mia@m.test" + notAll)[0].WantText(t, "> unsubscribe\n")
}

// A mail costs one answer, whatever it asks for. Who has had them all leaves and changes what he gets, and hears later what was left out.
func TestSeveralCostOneAnswer(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "subscribe", "open")
	h.limits.Address = 2
	h.open(nil)
	ask := func(text string) error {
		return h.ask(lists.ServiceRequest, "mia@m.test", lists.Proven, "Subject: x\n\n"+text)
	}
	must(t, ask("help\ninfo\nunsubscribe\nsubscribe\nset digest\n"))
	must(t, ask("help\ninfo\nset nomail\n"))
	if n := len(h.Take()); n != 2 {
		t.Fatalf("%d letters", n)
	}
	wantError(t, ask("help\ninfo\n"), enrol.ErrTooMany)
	must(t, ask("info\nset plain\n"))
	if m, _ := h.Member("mia@m.test"); m.Delivery != lists.DeliveryPlain {
		t.Errorf("%+v", m)
	}
	wantError(t, ask("unsubscribe\nsubscribe\n"), enrol.ErrTooMany)
	must(t, ask("info\nunsubscribe\n"))
	h.wantMember("mia@m.test", false)
	h.wantSent()

	m := h.mail("bea@m.test", lists.Proven, "Subject: x\n\nset nomail\nThanks!\nunsubscribe\n")
	for range 2 {
		must(t, h.ask(lists.ServiceHelp, "bea@m.test", lists.Proven, "Subject: x"))
	}
	h.Take()
	again := func() error {
		m.Body = strings.NewReader("set nomail\nThanks!\nunsubscribe\n")
		return h.desk.Take(t.Context(), h.Settings(), lists.ServiceRequest, m)
	}
	wantError(t, again(), enrol.ErrTooMany)
	h.Wait(25 * time.Hour)
	must(t, again())
	h.wantSent("bea@m.test: team@lists.test: Wie Sie die Beiträge erhalten")[0].WantText(t, "> unsubscribe\n")
}

// everything is a mail that asks for one thing of each kind.
const everything = "help\nset nomail\nunsubscribe\nsubscribe digest\nwho\n"

// wantEverything sends it until it is taken: it is done once, and told in one letter.
func wantEverything(h *house, ends func()) {
	h.T.Helper()
	m := h.mail("mia@m.test", lists.Proven, "Subject: x\n\n"+everything)
	raw, err := io.ReadAll(m.Body)
	must(h.T, err)
	var sent []letter
	for range 3 {
		m.Body = bytes.NewReader(raw)
		err := h.desk.Take(h.T.Context(), h.Settings(), lists.ServiceRequest, m)
		ends()
		sent = append(sent, h.Take()...)
		if err == nil {
			break
		}
	}
	if len(sent) != 1 || sent[0].Line() != "mia@m.test"+answers {
		h.T.Fatalf("%d letters, log %q", len(sent), h.events)
	}
	if text := sent[0].Body(h.T); !inOrder(text, []string{"\n1. team@lists.test: what you can do", "> who\n", "\n2. team@lists.test: how you get", "\n3. You have left", "\n4. Welcome"}) {
		h.T.Errorf("%s", text)
	}
	if m, found := h.Member("mia@m.test"); !found || m.Delivery != lists.DeliveryDigest {
		h.T.Errorf("mia: %v, %+v", found, m)
	}
}

// The n-th call fails, for every n.
func TestSeveralFaults(t *testing.T) {
	t.Parallel()
	for _, f := range housetest.CallFaults[:1] {
		f.EachStep(t, 12, func(c *housetest.Calls) {
			h := newHouse(t, "subscribe", "open")
			h.open(c.Disk)
			h.Fail = c.Step
			wantEverything(h, func() {})
		})
	}
}

// The n-th step of the disk fails, for every n, or is the last one.
func TestSeveralDiskFaults(t *testing.T) {
	t.Parallel()
	for _, f := range append([]housetest.DiskFault{housetest.EIOOnce.Where(thisHour)}, housetest.Ends...) {
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			f.EachStep(t, 40, func(_ int, disk *faultdisk.Disk) {
				h := newHouse(t, "subscribe", "open")
				h.open(disk)
				over := false
				wantEverything(h, func() {
					if disk.Step() != "" && !over {
						over = true
						f.End(t, disk)
						h.open(nil)
					}
				})
				_ = os.RemoveAll(h.Data)
			})
		})
	}
}
