package moderation_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"superlistd/delivery"
	"superlistd/message"
	"superlistd/moderation"
	"superlistd/moderation/held"
)

const gathered = "mia@m.test max@m.test: team@lists.test: %d posts need your decision"

func TestNoticesAreGathered(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "notice_every", "1h")
	for _, subject := range []string{"One", "Two", "Three"} {
		h.hold("ann@m.test", subject, "unproven")
		h.tick()
		h.Wait(10 * time.Minute)
	}
	h.WantSent()
	h.Wait(29 * time.Minute)
	h.tick()
	h.WantSent()
	h.Wait(time.Minute)
	h.tick()
	notice := h.WantSent(fmt.Sprintf(gathered, 3))[0]
	for _, subject := range []string{"One", "Two", "Three"} {
		if !strings.Contains(notice.Text, string(postBy("ann@m.test", subject))) {
			t.Errorf("%s is not attached:\n%s", subject, notice.Text)
		}
	}
	h.tick()
	h.WantSent()
	// A link under the second one.
	_, rest, _ := strings.Cut(notice.Text, "2. Two")
	_, link, _ := strings.Cut(rest, "<mailto:")
	to, _, _ := strings.Cut(link, "?")
	must(t, h.answer(to, "mia@m.test", "From: mia@m.test\nSubject: approve\n\n"))
	h.WantSent("members: Two", "mia@m.test: team@lists.test: done: Two")
	h.hold("ann@m.test", "Four", "unproven")
	h.Wait(time.Hour)
	h.tick()
	h.WantSent(noticeOf + "Four")
}

func TestManyNoticesBecomeOne(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.Fail = func(step string) error { return errors.New("the next hop is down") }
	for n := range 120 {
		h.hold("ann@m.test", fmt.Sprint(n), "unproven")
	}
	h.Fail = nil
	h.tick()
	h.WantSent() // it has just failed
	h.Wait(time.Hour)
	h.tick()
	h.WantSent(fmt.Sprintf(gathered, 50), fmt.Sprintf(gathered, 50), fmt.Sprintf(gathered, 20))
	h.tick()
	h.WantSent()
}

// The larger the wait was, the longer the next one is, up to an hour.
func TestNoticeIsTriedAgain(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	tries := 0
	h.Fail = func(step string) error {
		if step != "deliver" {
			return nil
		}
		tries++
		return errors.New("the next hop is down")
	}
	h.hold("ann@m.test", "Lunch", "unproven")
	for range 24 * 60 {
		h.Wait(time.Minute)
		h.tick()
	}
	if tries < 30 || tries > 60 {
		t.Errorf("%d tries in a day", tries)
	}
	h.Fail = nil
	h.Wait(time.Hour)
	h.tick()
	h.WantSent(noticeOf + "Lunch")
}

func TestExpiry(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	h := newHouse(t, "hold_days", "3")
	h.hold("ann@m.test", "One", "proven")
	h.Wait(day / 2)
	h.hold("ann@m.test", "Two", "proven")
	h.Wait(2 * day)
	h.hold("ann@m.test", "Three", "proven")
	h.Take()
	h.Wait(day) // the first has waited for three days and a half
	h.tick()
	h.wantLeft("One", "Two", "Three")
	h.Wait(day / 2)
	h.tick()
	sent := h.WantSent("owen@m.test: team@lists.test: 2 held posts were deleted")
	if !strings.Contains(sent[0].Text, "One") || !strings.Contains(sent[0].Text, "Two") || strings.Contains(sent[0].Text, "Three") {
		t.Errorf("told of:\n%s", sent[0].Text)
	}
	h.wantLeft("Three")
	for range 3 * 24 {
		h.Wait(time.Hour)
		h.tick()
	}
	h.WantSent("owen@m.test: team@lists.test: a held post was deleted")
	h.wantLeft()
	h.Set("hold_days", "forever")
	h.hold("ann@m.test", "Four", "unproven")
	h.Take()
	h.Wait(1000 * day)
	h.tick()
	h.WantSent()
	h.wantLeft("Four")
}

// An answer that comes after the end is told so.
func TestAnswerAfterExpiry(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "hold_days", "1")
	h.hold("ann@m.test", "Lunch", "unproven")
	notice := h.Take()[0]
	h.Wait(2 * 24 * time.Hour)
	h.tick()
	h.Take()
	must(t, h.answer(notice.Value("Reply-To"), "mia@m.test", reply(notice, "mia@m.test", "approve\n")))
	sent := h.WantSent("mia@m.test: team@lists.test: already decided: Lunch")
	if !strings.Contains(sent[0].Text, "Nobody decided in time") {
		t.Errorf("told:\n%s", sent[0].Text)
	}
}

// What the next hop does not take for five days is given up, and the owners hear of it when it is back.
func TestReleaseIsGivenUp(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.hold("ann@m.test", "Lunch", "unproven")
	h.Take()
	down := true
	h.Fail = func(step string) error {
		if step == "route" || down && step == "deliver" {
			return errors.New("no way")
		}
		return nil
	}
	wantError(t, h.office.Decide(t.Context(), id, held.Decision{Action: held.Approve, By: "mia@m.test"}), moderation.ErrPending)
	for range 6 * 24 {
		h.Wait(time.Hour)
		h.tick()
	}
	h.wantLeft("Lunch")
	down = false
	h.Wait(time.Hour)
	h.tick()
	sent := h.WantSent("owen@m.test: team@lists.test: a post could not be delivered")
	if !strings.Contains(sent[0].Text, "no way") {
		t.Errorf("told:\n%s", sent[0].Text)
	}
	h.wantLeft()
}

// An author whose address does not exist stops nothing.
func TestRejectedAuthorWhoIsRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.Fail = func(step string) error { return fmt.Errorf("550: %w", delivery.ErrAllRefused) }
	id := h.hold("ann@m.test", "Lunch", "proven")
	h.Fail = func(step string) error {
		if step == "deliver" {
			return fmt.Errorf("550: %w", delivery.ErrAllRefused)
		}
		return nil
	}
	must(t, h.office.Decide(t.Context(), id, held.Decision{Action: held.Reject, Text: "no"}))
	h.wantLeft()
}

// Something that cannot be read is logged now and then, and stops no other post.
func TestDamagedPostIsReported(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.hold("ann@m.test", "Lunch", "unproven")
	must(t, os.WriteFile(filepath.Join(h.Data, "held", id), []byte("x"), 0o640))
	h.hold("ann@m.test", "Dinner", "unproven")
	h.events = nil
	for range 24 * 60 {
		h.Wait(time.Minute)
		h.tick()
	}
	n := 0
	for _, e := range h.events {
		if e.ID == id && e.Err != nil {
			n++
		}
	}
	if n != 24 {
		t.Errorf("reported %d times in a day: %+v", n, h.events)
	}
}

// Large posts do not make large notices.
func TestLargePostGoesWithItsHeader(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	large := message.Octets(string(postBy("ann@m.test", "Lunch")) + strings.Repeat("This is a line of the body.\r\n", 100_000))
	if _, err := h.office.Hold(t.Context(), h.Settings(), h.facts("ann@m.test", "Lunch", "unproven"), large); err != nil {
		t.Fatal(err)
	}
	notice := h.WantSent(noticeOf + "Lunch")[0]
	if len(notice.Text) > 10_000 || !strings.Contains(notice.Text, "Content-Type: text/rfc822-headers") || strings.Contains(notice.Text, "line of the body") ||
		!strings.Contains(notice.Text, "too large to be attached") {
		t.Errorf("notice of %d octets:\n%.3000s", len(notice.Text), notice.Text)
	}
}

func TestAttachedOctetsBeyondASCII(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, content string
		global        bool // the client said SMTPUTF8
		want          []string
		utf8          bool
	}{
		{"7bit", "Subject: x\r\n\r\nx\r\n", true, []string{"message/rfc822"}, false},
		{"8bit body", "Subject: x\r\n\r\n\xfc\r\n", false, []string{"message/rfc822", "Content-Transfer-Encoding: 8bit"}, false},
		{"8bit header", "Subject: \xfc\r\n\r\nx\r\n", true, []string{"message/rfc822", "Content-Transfer-Encoding: 8bit"}, false},
		{"UTF-8 header", "Subject: ü\r\n\r\nx\r\n", true, []string{"message/global", "Content-Transfer-Encoding: 8bit"}, true},
		{"UTF-8 header that was not announced", "Subject: ü\r\n\r\nx\r\n", false, []string{"message/rfc822", "Content-Transfer-Encoding: 8bit"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			f := h.facts("ann@m.test", "Lunch", "unproven")
			f.Envelope.UTF8 = tt.global
			if _, err := h.office.Hold(t.Context(), h.Settings(), f, message.Octets(tt.content)); err != nil {
				t.Fatal(err)
			}
			notice := h.WantSent(noticeOf + "Lunch")[0]
			for _, want := range append(tt.want, tt.content) {
				if !strings.Contains(notice.Text, want) {
					t.Errorf("no %q in\n%s", want, notice.Text)
				}
			}
			eight := slices.Contains(tt.want, "Content-Transfer-Encoding: 8bit")
			if notice.Route.EightBit != eight || notice.Route.UTF8 != tt.utf8 || (notice.Value("Content-Transfer-Encoding") == "8bit") != eight {
				t.Errorf("8bit %v, UTF-8 %v:\n%s", notice.Route.EightBit, notice.Route.UTF8, notice.Text)
			}
		})
	}
}

// A list of nobody in particular is looked after by the postmaster.
func TestNoModerators(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "owners", "none", "moderators", "none")
	h.hold("ann@m.test", "Lunch", "unproven")
	notice := h.WantSent("postmaster: team@lists.test: a post needs your decision: Lunch")[0]
	if notice.Value("To") != "<postmaster@mx.lists.test>" {
		t.Errorf("To: %q", notice.Value("To"))
	}
}

func TestTickEndsWithItsContext(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.hold("ann@m.test", "Lunch", "unproven")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := h.office.Tick(ctx, h.Now()); err == nil {
		t.Error("it went on")
	}
}
