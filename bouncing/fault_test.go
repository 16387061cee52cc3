package bouncing_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"superlistd/bouncing"
	"superlistd/internal/housetest"
)

// The n-th call to the outside fails, before or after its work, and the desk is started again. Law: in the end it is as it
// would have been, and nobody got the same letter twice.
func TestFaults(t *testing.T) {
	t.Parallel()
	housetest.CallFault{}.EachStep(t, 100, func(c *housetest.Calls) {
		h := newHouse(t, 5, "bounce_limit", "1")
		h.Fail = c.Step
		again := func(do func() error) {
			t.Helper()
			if err := do(); err != nil {
				if !errors.Is(err, errFault) {
					t.Fatal(err)
				}
				h.open()
				must(t, do())
			}
		}
		again(func() error { return h.bounce(h.path(), gone("ann@m.test", "1@m.test")) })
		var kinds []string
		for _, days := range []time.Duration{1, 1, 7, 1, 7, 1, 7, 1, 1} { // what failed is tried again the next day
			h.Wait(days * day)
			again(func() error { return h.desk.Tick(t.Context(), h.Now()) })
			for _, l := range h.Take() {
				kinds = append(kinds, kind(l))
				if l.From != "" {
					again(func() error { return h.bounce(l.From, gone("ann@m.test", "letter")) })
				}
			}
		}
		h.Fail = nil
		h.wait(8 * day)
		h.wait(day)
		for _, l := range h.Take() {
			kinds = append(kinds, kind(l))
		}
		want := "probe disabled disabled disabled dropped"
		if got := strings.Join(kinds, " "); got != want && (got+" dropped" != want || c.Broken() != "deliver") {
			t.Errorf("%s: letters %q", c.Broken(), got)
		}
		if _, found := h.Member("ann@m.test"); found {
			t.Errorf("%s: he is still there", c.Broken())
		}
		if all, err := h.desk.Standings(t.Context(), h.List); err != nil || len(all) > 0 {
			t.Errorf("%s: left over %+v, %v", c.Broken(), all, err)
		}
	})
}

// While nothing can be sent nobody is stopped or removed, and the hop is not asked every minute.
func TestNothingCanBeSent(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 5, "bounce_limit", "1")
	asked := 0
	h.Fail = func(step string) error {
		if step != "deliver" {
			return nil
		}
		asked++
		return errFault
	}
	must(t, h.bounce(h.path(), gone("ann@m.test", "1@m.test")))
	h.wait(2 * time.Hour)
	for range 60 {
		h.wait(time.Minute)
	}
	if asked < 5 || asked > 8 {
		t.Errorf("asked %d times in an hour", asked)
	}
	if !slices.ContainsFunc(h.events, func(e bouncing.Event) bool { return errors.Is(e.Err, errFault) }) {
		t.Errorf("events %+v", h.events)
	}
	h.wait(30 * day)
	h.wantStopped("ann@m.test", false)
	h.Fail = nil
	h.wait(time.Hour)
	h.wantSent("probe Ann@m.test")
}
