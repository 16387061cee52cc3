package enrol_test

import (
	"strings"
	"testing"

	"superlistd/lists"
)

// Whoever mistakes the days is told how, and nothing is changed; a suspension of one day reads like one.
func TestDaysOfSuspension(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, text string
		proof      lists.Proof
		want       string
	}{
		{"swapped", "suspend 2027-01-06 2026-12-24", lists.Proven, "The last day is before the first. Nothing was changed.\n\n> suspend 2027-01-06 2026-12-24\n"},
		{"past", "suspend 2026-01-01 2026-01-02", lists.Proven, "The last day is over already. Nothing was changed.\n\n> suspend 2026-01-01 2026-01-02\n"},
		{"no such day", "suspend 2026-12-24 2026-12-32", lists.Proven, "There is no such day. Nothing was changed.\n\n> suspend 2026-12-24 2026-12-32\n"},
		{"of who is not proven", "suspend 2027-01-06 2026-12-24", lists.Unproven, "The last day is before the first. Nothing was changed.\n\nThe posts"},
		{"one day", "suspend 2026-11-21 2026-11-21", lists.Proven, "But you get none on Saturday, 21 November 2026.\n"},
		{"one day, of who is not proven", "suspend 2026-11-21 2026-11-21", lists.Unproven, "But you get none on Saturday, 21 November 2026.\n"},
		{"one day and more", "suspend 2026-11-22 2026-11-22\nunsubscribe\n", lists.Unproven, "no posts on these days\n     Sunday, 22 November 2026\n"},
		{"beside another command", "info\nsuspend 2027-01-06 2026-12-24\nset nomail\n", lists.Proven, "The last day is before the first."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			must(t, h.ask(lists.ServiceRequest, "mia@m.test", tt.proof, "Subject: x\n\n"+tt.text+"\n"))
			sent := h.Take()
			if len(sent) != 1 || !strings.Contains(sent[0].Body(t), tt.want) {
				t.Errorf("%d letters, want %q in\n%s", len(sent), tt.want, sent[0].Body(t))
			}
		})
	}
}
