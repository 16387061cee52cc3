package moderation_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"superlistd/lists"
	"superlistd/moderation"
	"superlistd/moderation/held"
)

// Bans that are full are told in the log, and what else was decided is done.
func TestFullBans(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.hold("eve@m.test", "Lunch", "proven")
	h.Take()
	h.Fail = func(step string) error {
		if step == "update" {
			return lists.ErrSetting
		}
		return nil
	}
	must(t, h.office.Decide(t.Context(), id, held.Decision{Action: held.Reject, Ban: true}))
	h.WantSent("eve@m.test: Your post to team@lists.test was rejected")
	h.wantLeft()
	if !slices.ContainsFunc(h.events, func(e moderation.Event) bool {
		return e.What == "author not banned" && errors.Is(e.Err, lists.ErrSetting)
	}) {
		t.Errorf("log %+v", h.events)
	}
}

// A Tick that is cut off leaves the posts as they are: those are for the next one.
func TestTickIsCutOff(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "notice_every", "1h")
	h.hold("ann@m.test", "Lunch", "unproven")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	wantError(t, h.office.Tick(ctx, h.Now().Add(1000*24*time.Hour)), context.Canceled)
	h.wantLeft("Lunch")
	h.WantSent()
	items, err := h.office.Waiting(ctx, h.Settings())
	if wantError(t, err, context.Canceled); len(items) != 1 {
		t.Errorf("%d items", len(items))
	}
}

// Two posts, about one of which somebody decides while the notice is made: it is about the other, as if that was alone.
func TestNoticeOfWhatIsLeft(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "notice_every", "1h")
	first := h.hold("ann@m.test", "Lunch", "unproven")
	h.hold("eve@m.test", "Dinner", "unproven")
	h.Wait(2 * time.Hour)
	h.Fail = func(step string) error {
		if step == "list" { // what waits has been looked up
			h.Fail = nil
			return h.office.Decide(t.Context(), first, held.Decision{Action: held.Discard})
		}
		return nil
	}
	h.tick()
	notice := h.WantSent(noticeOf + "Dinner")[0]
	notice.WantText(t, "eve@m.test")
	must(t, h.answer(notice.Value("Reply-To"), "mia@m.test", reply(notice, "mia@m.test", "discard\n")))
	h.wantLeft()
}
