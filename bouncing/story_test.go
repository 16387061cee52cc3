package bouncing_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"superlistd/bouncing"
	"superlistd/delivery"
	"superlistd/lists"
)

const day = 24 * time.Hour

// Whose address is deleted is tried, stopped, told three times and removed; each of our letters came back.
func TestDeletedAddressLeaves(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 20)
	h.days(4, gone, "ann@m.test")
	h.wantSent()
	h.days(1, gone, "ann@m.test")
	probe := h.wantSent("probe Ann@m.test")[0]
	if !strings.HasPrefix(probe.From, "team-bounces+p") || probe.Value("Auto-Submitted") != "auto-generated" || !strings.Contains(probe.Text, "user unknown") {
		t.Errorf("probe from %s:\n%s", probe.From, probe.Text)
	}
	h.wantStopped("ann@m.test", false)
	must(t, h.bounce(probe.From, gone("ann@m.test", "probe")))
	h.wait(time.Minute)
	for i, after := range []string{"21", "14", "7"} {
		notice := h.wantSent("disabled Ann@m.test")[0]
		if !strings.Contains(notice.Text, "in "+after+" days") {
			t.Errorf("notice %d:\n%s", i, notice.Text)
		}
		h.wantStopped("ann@m.test", true)
		must(t, h.bounce(notice.From, gone("ann@m.test", "notice")))
		h.wait(6 * day)
		h.wantSent()
		h.wait(day)
	}
	h.wantSent()
	h.wantStopped("ann@m.test", true)
	h.wait(day)
	h.wantSent("dropped Ann@m.test")
	if _, found := h.Member("ann@m.test"); found || len(h.left) != 1 {
		t.Errorf("he is still there; left: %v", h.left)
	}
	if all, err := h.desk.Standings(t.Context(), h.List); err != nil || len(all) > 0 {
		t.Errorf("left over: %+v, %v", all, err)
	}
	h.wait(30 * day)
	h.wantSent()
}

// What a full mailbox sends back, and what a filter says, ends nobody's membership.
func TestOthersStay(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		raw   func(who, id string) string
		probe bool
	}{
		{"full", full, true},
		{"spam filter", func(who, id string) string { return dsn(who, "5.7.1", "554 5.7.1 message looks like spam", id) }, false},
		{"delayed", func(who, id string) string {
			return strings.Replace(dsn(who, "4.4.1", "connection timed out", id), "Action: failed", "Action: delayed", 1)
		}, false},
		{"not a member", func(_, id string) string { return gone("stranger@m.test", id) }, false},
		{"somebody's words", func(who, id string) string {
			return "From: eve@m.test\r\nSubject: hello\r\n\r\n" + who + " is unknown, 550 5.1.1\r\n"
		}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, 20)
			probes := 0
			for range 25 {
				h.days(1, tt.raw, "ann@m.test")
				for _, l := range h.Take() {
					probes++
					must(t, h.bounce(l.From, tt.raw("ann@m.test", "probe")))
				}
			}
			h.wait(8 * day)
			h.wantStopped("ann@m.test", false)
			if (probes > 0) != tt.probe {
				t.Errorf("%d probes", probes)
			}
		})
	}
}

// A host that has not been reached for so long is gone, though each bounce of it is soft.
func TestHostThatIsGone(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 20)
	raw := func(who, id string) string { return dsn(who, "4.4.1", "connect to m.test: Connection timed out", id) }
	h.days(10, raw, "ann@m.test")
	must(t, h.bounce(h.wantSent("probe Ann@m.test")[0].From, raw("ann@m.test", "probe")))
	h.wait(time.Minute)
	h.wantStopped("ann@m.test", true)
}

func TestWhatArrivesHeals(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 20)
	h.days(5, gone, "ann@m.test")
	probe := h.wantSent("probe Ann@m.test")[0]
	h.wait(8 * day) // the probe has arrived
	if got := h.score("Ann@m.test"); got != 0 {
		t.Errorf("score %v after the probe", got)
	}
	must(t, h.bounce(probe.From, gone("ann@m.test", "probe"))) // too late: there is no case
	h.wait(time.Minute)
	h.wantStopped("ann@m.test", false)

	h.days(5, gone, "ann@m.test")
	must(t, h.bounce(h.wantSent("probe Ann@m.test")[0].From, gone("ann@m.test", "probe")))
	h.wait(time.Minute)
	must(t, h.bounce(h.wantSent("disabled Ann@m.test")[0].From, gone("ann@m.test", "notice")))
	h.wait(7 * day)
	must(t, h.bounce(h.wantSent("disabled Ann@m.test")[0].From, full("ann@m.test", "notice"))) // there is a mailbox again
	h.wantStopped("ann@m.test", true)
	h.wait(7 * day)
	h.wantSent()
	h.wantStopped("ann@m.test", false)
}

// Somebody who lets a member have posts again has the last word.
func TestEnabledByHand(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 20)
	h.days(5, gone, "ann@m.test")
	must(t, h.bounce(h.wantSent("probe Ann@m.test")[0].From, gone("ann@m.test", "probe")))
	h.wait(time.Minute)
	h.wantSent("disabled Ann@m.test")
	changed, err := h.desk.Reset(t.Context(), h.List, parse(t, "ANN@m.test"))
	if err != nil || !changed {
		t.Errorf("reset: %v, %v", changed, err)
	}
	h.wantStopped("ann@m.test", false)
	if changed, err := h.desk.Reset(t.Context(), h.List, parse(t, "ann@m.test")); err != nil || changed {
		t.Errorf("reset again: %v, %v", changed, err)
	}
	h.wait(30 * day)
	h.wantSent()
	if _, found := h.Member("ann@m.test"); !found {
		t.Error("removed")
	}
}

func TestPoints(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 20)
	want := func(points float64) {
		t.Helper()
		if got := h.score("Ann@m.test"); got != points {
			t.Errorf("%s: score %v, want %v", h.Now().Format(time.DateOnly), got, points)
		}
	}
	must(t, h.bounce(h.path(), full("ann@m.test", "1@m.test")))
	want(0.5)
	for i := range 5 { // one point a day, and the worst of it
		must(t, h.bounce(h.path(), gone("ann@m.test", fmt.Sprintf("%d@m.test", i))))
		want(1)
	}
	h.wait(day)
	must(t, h.bounce(h.path(), full("ann@m.test", "2@m.test")))
	want(1.5)
	h.wait(6 * day)
	want(1.5)
	h.wait(day)
	want(0.5)
	must(t, h.bounce(h.path(), gone("ann@m.test", "3@m.test")))
	want(1.5)
	h.wait(7 * day)
	want(0.5)
	h.wait(7 * day)
	want(0)
	h.Set("bounce_limit", "off")
	must(t, h.bounce(h.path(), gone("ann@m.test", "4@m.test")))
	want(0)
}

func TestStorm(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 20, "bounce_limit", "2")
	h.days(1, gone, "m0@n.test")
	for i := range 4 { // 20 % are not too many
		must(t, h.bounce(h.path(), gone(fmt.Sprintf("m%d@n.test", i), "storm@m.test")))
		must(t, h.bounce(h.path(), gone(fmt.Sprintf("m%d@n.test", i), "storm@m.test")))
	}
	if a, b := h.score("m0@n.test"), h.score("m3@n.test"); a != 2 || b != 1 {
		t.Errorf("before: %v, %v", a, b)
	}
	if len(h.counted) != 5 || !strings.HasPrefix(h.counted[4], "m3@n.test: ") {
		t.Errorf("Counted heard %q", h.counted)
	}
	h.wait(time.Minute)
	h.wantSent()
	for i := range 10 {
		must(t, h.bounce(h.path(), gone(fmt.Sprintf("m%d@n.test", i), "storm@m.test")))
	}
	for i, want := range []float64{1, 0, 0, 0, 0, 0, 0} {
		if got := h.score(fmt.Sprintf("m%d@n.test", i)); got != want {
			t.Errorf("member %d has %v points, want %v", i, got, want)
		}
	}
	h.wait(time.Minute)
	told := h.wantSent("storm owen@m.test")[0]
	if !slices.ContainsFunc(h.events, func(e bouncing.Event) bool { return e.What == bouncing.StormBegun && e.Post == "storm@m.test" }) {
		t.Errorf("the post is not named: %+v", h.events)
	}
	if told.From != "" || !strings.Contains(told.Text, "10 of 20 members") || !strings.Contains(told.Text, "storm@m.test") {
		t.Errorf("%s", told.Text)
	}
	for i := range 6 { // another one on the same day
		must(t, h.bounce(h.path(), gone(fmt.Sprintf("m%d@n.test", i), "storm2@m.test")))
	}
	h.wait(2 * time.Hour)
	h.wantSent()
	h.wait(2 * day)
	h.wantSent()
}

// A clock that jumps and comes back ends nobody's membership.
func TestClockJumps(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 20)
	h.days(5, gone, "ann@m.test")
	must(t, h.bounce(h.wantSent("probe Ann@m.test")[0].From, gone("ann@m.test", "probe")))
	h.wait(time.Minute)
	for range 2 {
		must(t, h.bounce(h.wantSent("disabled Ann@m.test")[0].From, gone("ann@m.test", "notice")))
		h.wait(7 * day)
	}
	must(t, h.bounce(h.wantSent("disabled Ann@m.test")[0].From, gone("ann@m.test", "notice")))
	h.wait(400 * day)
	h.wantStopped("ann@m.test", true)
	h.wait(-400 * day)
	h.wantStopped("ann@m.test", true)
	h.wait(6 * day)
	h.wantStopped("ann@m.test", true)
	h.wait(day)
	h.wait(day)
	if _, found := h.Member("ann@m.test"); found {
		t.Error("he is never removed, once the clock is right")
	}
}

// A member who is disabled and unknown to the book is told like any other.
func TestLostBook(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 20)
	_, err := h.Store.UpdateMember(t.Context(), h.List, parse(t, "bea@m.test"), func(m *lists.Member) error {
		m.Disabled = lists.Disable("no such user", start)
		return nil
	})
	must(t, err)
	h.wait(0)
	if l := h.wantSent("disabled bea@m.test")[0]; !strings.Contains(l.Text, "no such user") || !strings.Contains(l.Text, "Sie_bekommen_keine") {
		t.Errorf("%s", l.Text)
	}
	h.wait(7 * day)
	h.wantStopped("bea@m.test", false)
	must(t, os.Remove(filepath.Join(h.Data, "bounces.db")))
	h.wait(day)
	h.wantSent()
}

// A damaged book puts no bounce off.
func TestDamagedBook(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 20)
	must(t, os.WriteFile(filepath.Join(h.Data, "bounces.db"), []byte("damaged"), 0o600))
	if err := h.bounce(h.path(), gone("ann@m.test", "1@m.test")); err != nil {
		t.Error(err)
	}
	if len(h.events) != 1 || !errors.Is(h.events[0].Err, lists.ErrStore) {
		t.Errorf("events %+v", h.events)
	}
	if err := h.desk.Tick(t.Context(), h.Now()); !errors.Is(err, lists.ErrStore) {
		t.Errorf("Tick: %v", err)
	}
}

// What our next hop refuses counts like a bounce, and ends a probe at once.
func TestRefusedByTheNextHop(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 20)
	for range 5 {
		h.desk.Refused(h.List, "ann@m.test", "550 5.1.1 user unknown in local recipient table")
		h.desk.Refused(h.List, "bea@m.test", "554 5.7.1 spam")
		h.desk.Refused(h.List, "not an address", "550 5.1.1 user unknown")
		h.wait(day)
	}
	h.Refuse = func(r delivery.Route) error {
		if to := r.Audience.Fixed[0]; to == "Ann@m.test" {
			return fmt.Errorf("%w: %s: 550 5.1.1 user unknown", delivery.ErrAllRefused, to)
		}
		return nil
	}
	if got := h.score("Ann@m.test"); got != 5 {
		t.Errorf("score %v", got)
	}
	h.wait(time.Hour)
	h.wait(time.Minute)
	h.wantStopped("ann@m.test", true)
	h.wantStopped("bea@m.test", false)
	for range 4 {
		h.wait(7 * day)
	}
	h.wait(day)
	if _, found := h.Member("ann@m.test"); found {
		t.Error("he is still there")
	}
	h.wantSent()
}

// A book does not grow with what strangers make up.
func TestManyPosts(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 20)
	for i := range 260 {
		must(t, h.bounce(h.path(), gone("ann@m.test", fmt.Sprintf("%d@m.test", i))))
	}
	if n := bouncing.Posts(t, h.desk, h.List); n != 200 {
		t.Errorf("%d posts are remembered", n)
	}
	h.wait(22 * day)
	if n := bouncing.Posts(t, h.desk, h.List); n != 0 {
		t.Errorf("%d posts are remembered for ever", n)
	}
}
