package bouncing_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"superlistd/bouncing"
)

var errFault = errors.New("a fault")

// The n-th call to the outside fails, before or after its work, and the desk is started again. Law: in the end it is as it
// would have been, and nobody got the same letter twice.
func TestFaults(t *testing.T) {
	t.Parallel()
	for n, tripped := 1, true; tripped; n++ {
		h := newHouse(t, 5, "bounce_limit", "1")
		calls, broken := 0, ""
		h.fail = func(step string) error {
			if calls++; calls == n {
				broken = step
				return errFault
			}
			return nil
		}
		again := func(do func() error) {
			t.Helper()
			if err := do(); err != nil {
				if !errors.Is(err, errFault) {
					t.Fatalf("call %d: %v", n, err)
				}
				h.open()
				must(t, do())
			}
		}
		again(func() error { return h.bounce(h.path(), gone("ann@m.test", "1@m.test")) })
		var kinds []string
		for _, days := range []time.Duration{1, 1, 7, 1, 7, 1, 7, 1, 1} { // what failed is tried again the next day
			h.mu.Lock()
			h.now = h.now.Add(days * day)
			h.mu.Unlock()
			again(func() error { return h.desk.Tick(t.Context(), h.clock()) })
			for _, l := range h.take() {
				kinds = append(kinds, l.kind)
				if l.from != "" {
					again(func() error { return h.bounce(l.from, gone("ann@m.test", "letter")) })
				}
			}
		}
		tripped = calls >= n
		h.fail = nil
		h.wait(8 * day)
		h.wait(day)
		for _, l := range h.take() {
			kinds = append(kinds, l.kind)
		}
		want := "probe disabled disabled disabled dropped"
		if got := strings.Join(kinds, " "); got != want && (got+" dropped" != want || broken != "deliver") {
			t.Errorf("call %d, %s: letters %q", n, broken, got)
		}
		if _, found := h.member("ann@m.test"); found {
			t.Errorf("call %d, %s: he is still there", n, broken)
		}
		if all, err := h.desk.Standings(t.Context(), h.list); err != nil || len(all) > 0 {
			t.Errorf("call %d, %s: left over %+v, %v", n, broken, all, err)
		}
	}
}

// While nothing can be sent nobody is stopped or removed, and the hop is not asked every minute.
func TestNothingCanBeSent(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 5, "bounce_limit", "1")
	asked := 0
	h.fail = func(step string) error {
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
	h.fail = nil
	h.wait(time.Hour)
	h.wantSent("probe Ann@m.test")
}
