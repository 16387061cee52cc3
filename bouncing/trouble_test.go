package bouncing_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"superlistd/delivery"
	"superlistd/lists"
)

// stop brings a member to where he gets no posts, and returns his first notice.
func (h *house) stop(who string) letter {
	h.T.Helper()
	h.days(5, gone, who)
	must(h.T, h.bounce(h.Take()[0].From, gone(who, "probe")))
	h.wait(time.Minute)
	h.wantStopped(who, true)
	return h.Take()[0]
}

// While a storm is about, what comes back of a probe says nothing about its member.
func TestProbeInAStorm(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 20)
	h.days(5, gone, "ann@m.test")
	probe := h.wantSent("probe Ann@m.test")[0]
	for i := range 6 {
		must(t, h.bounce(h.path(), gone(fmt.Sprintf("m%d@n.test", i), "storm@m.test")))
	}
	must(t, h.bounce(probe.From, gone("ann@m.test", "probe")))
	h.wait(8 * day)
	h.wantStopped("ann@m.test", false)
}

// A case of the future, when the clock was wrong, goes on from now.
func TestCaseOfTheFuture(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 20)
	h.Wait(1000 * day)
	h.days(5, gone, "ann@m.test")
	probe := h.wantSent("probe Ann@m.test")[0]
	h.wait(-1000 * day)
	h.wantSent()
	must(t, h.bounce(probe.From, gone("ann@m.test", "probe")))
	h.wait(time.Minute)
	h.wantSent("disabled Ann@m.test")
	h.wantStopped("ann@m.test", true)
}

// Of a member who gets no posts only our own letters count, and what our next hop says for sure.
func TestBouncesOfWhoIsStopped(t *testing.T) {
	t.Parallel()
	for _, refused := range []bool{false, true} {
		h := newHouse(t, 20)
		h.stop("ann@m.test")
		must(t, h.bounce(h.path(), gone("ann@m.test", "old@m.test"))) // a post of before
		if refused {
			h.desk.Refused(h.List, "ann@m.test", "550 5.1.1 user unknown")
		}
		if got := h.score("Ann@m.test"); got != 0 {
			t.Errorf("%v points", got)
		}
		h.wait(7 * day)
		h.wantStopped("ann@m.test", refused)
	}
}

// A member whom somebody has let have posts again, by another way than ours, is no case any more.
func TestEnabledElsewhere(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 20)
	notice := h.stop("ann@m.test")
	_, err := h.Store.UpdateMember(t.Context(), h.List, parse(t, "ann@m.test"), func(m *lists.Member) error {
		m.Disabled = lists.Disabled{}
		return nil
	})
	must(t, err)
	must(t, h.bounce(notice.From, gone("ann@m.test", "notice")))
	h.wait(30 * day)
	h.wantSent()
	h.wantStopped("ann@m.test", false)
	if all, err := h.desk.Standings(t.Context(), h.List); err != nil || len(all) > 0 {
		t.Errorf("left over: %+v, %v", all, err)
	}
}

// Owners whom the next hop does not know are not written to again and again.
func TestComplaintToNoOwner(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 20)
	tries := 0
	h.Refuse = func(delivery.Route) error {
		tries++
		return fmt.Errorf("%w: 550 5.1.1 no such user", delivery.ErrAllRefused)
	}
	h.complain(isp, arf("abuse", link("team@lists.test", "ann@m.test")))
	h.wait(day)
	if _, found := h.Member("ann@m.test"); found || tries != 1 {
		t.Errorf("a member: %v, %d tries", found, tries)
	}
}

// What others say takes one short line of ours.
func TestLongDiagnostic(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 20)
	must(t, h.bounce(h.path(), dsn("ann@m.test", "5.1.1", "550 5.1.1"+strings.Repeat(" é", 400), "1@m.test")))
	all, err := h.desk.Standings(t.Context(), h.List)
	must(t, err)
	if len(all) != 1 || len(all[0].Said) > 300 || !utf8.ValidString(all[0].Said) || !strings.HasPrefix(all[0].Said, "550 5.1.1 é é") {
		t.Errorf("%+v", all)
	}
}
