package moderation_test

import (
	"strings"
	"testing"
	"time"
)

// Waiting tells of those posts about which nobody has decided, the oldest first, and how one decides.
func TestWaiting(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.hold("ann@m.test", "Lunch", "proven")
	h.Wait(time.Minute)
	second := h.hold("eve@m.test", "Dinner", "unproven")
	notice := h.WantSent(noticeOf+"Lunch", noticeOf+"Dinner", "ann@m.test"+heldTo)
	want := func(subjects string) {
		t.Helper()
		items, err := h.office.Waiting(t.Context(), h.Settings())
		must(t, err)
		var all []string
		for _, it := range items {
			all = append(all, it.Subject)
			if !strings.HasPrefix(it.Answer, "team-confirm+h"+it.ID) || it.From == "" || it.Date.IsZero() {
				t.Errorf("item %+v", it)
			}
		}
		if got := strings.Join(all, " "); got != subjects {
			t.Errorf("waiting: %q, want %q", got, subjects)
		}
	}
	want("Lunch Dinner")
	for _, l := range notice {
		if to := l.Value("Reply-To"); strings.HasPrefix(to, "team-confirm+h"+second) {
			must(t, h.answer(to, "mia@m.test", reply(l, "mia@m.test", "discard\n")))
		}
	}
	want("Lunch")
}
