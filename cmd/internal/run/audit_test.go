package run

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"superlistd/audit"
	"superlistd/config"
	"superlistd/internal/smtptest"
	"superlistd/lists"
	"superlistd/message"
	"superlistd/moderation/held"
)

// What happens to posts and members of a server is in the log of the list, and the owners hear of it the next day.
func TestFromTheHooksToTheLogAndTheOwners(t *testing.T) {
	t.Parallel()
	peer := smtptest.Start(t)
	path := settingsFor(t, peer, "")
	for _, args := range []string{
		"create team@lists.example.org owners=olga@example.org bounce_limit=1", "add team@lists.example.org ann@example.org bob@example.org",
	} {
		if status, _, stderr := listctlOn(path, args); status != exitDone {
			t.Fatal(stderr)
		}
	}
	cfg, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	now := time.Now()
	clock := func() time.Time {
		mu.Lock()
		defer mu.Unlock()
		return now
	}
	a, err := newAppAt(cfg, clock, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()
	pass := func(d time.Duration) {
		mu.Lock()
		now = now.Add(d)
		mu.Unlock()
		a.tick(t.Context(), zerolog.Nop())
	}
	pass(0)

	team, ann := lists.Address{Local: "team", Domain: "lists.example.org"}, lists.Address{Local: "ann", Domain: "example.org"}
	l, err := a.store.List(t.Context(), team)
	if err != nil {
		t.Fatal(err)
	}
	content := message.Octets("From: ann@example.org\r\nSubject: Lunch\r\n\r\nAt noon?\r\n")
	id, err := a.office.Hold(t.Context(), l, held.Facts{Key: "ab", Author: ann, Subject: "Lunch", Reason: "moderated"}, content)
	if err == nil {
		err = a.office.Decide(t.Context(), id, held.Decision{Action: held.Discard, By: "olga@example.org"})
	}
	if err != nil {
		t.Fatal(err)
	}
	a.bounces.Refused(team, "bob@example.org", "550 5.1.1 user unknown")
	a.audit.failed(team, "6a47d00951c2", "", errors.New("554 not this"))
	pass(time.Hour)
	pass(2 * time.Hour)
	pass(23 * time.Hour)

	var got []string
	if err := a.audit.Read(team, time.Time{}, func(e audit.Event) error {
		if e.Way != audit.ByListctl {
			got = append(got, strings.Join([]string{string(e.What), e.Member, e.New, string(e.Way), e.By, e.Why}, "|"))
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"held|ann@example.org|Lunch|||moderated", "decided||discard|moderation|olga@example.org|", "failed|||delivery||554 not this",
		"bounced|bob@example.org||bounces||550 5.1.1 user unknown", "probed|bob@example.org||bounces||550 5.1.1 user unknown",
	} {
		if !slices.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, strings.Join(got, "\n"))
		}
	}
	summaries := 0
	for _, m := range peer.Messages() {
		if slices.Contains(m.Rcpts, "olga@example.org") && strings.Contains(m.Content, "what happened") {
			summaries++
			if !strings.Contains(m.Content, "ann@example.org: Lunch") || !strings.Contains(m.Content, "bob@example.org: 550 5.1.1 user unknown") {
				t.Errorf("the summary:\n%s", m.Content)
			}
		}
	}
	if summaries != 1 {
		t.Errorf("%d summaries", summaries)
	}
}

func TestReadSince(t *testing.T) {
	t.Parallel()
	here := time.FixedZone("", 3600)
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, here)
	for _, tt := range []struct{ in, want string }{
		{"", "0001-01-01T00:00:00Z"},
		{"2026-11-01", "2026-11-01T00:00:00+01:00"},
		{"2026-11-01T15:00", "2026-11-01T15:00:00+01:00"},
		{"2026-11-01 15:00", "2026-11-01T15:00:00+01:00"},
		{"2026-11-01T15:00:00Z", "2026-11-01T15:00:00Z"},
		{"7d", "2026-11-14T12:00:00+01:00"},
		{"36h", "2026-11-20T00:00:00+01:00"},
		{"-1h", ""}, {"-1d", ""}, {"d", ""}, {"yesterday", ""}, {"99999999d", ""}, {"2026-13-01", ""},
	} {
		got, err := readSince(tt.in, now)
		if (err != nil) != (tt.want == "") || err == nil && got.Format(time.RFC3339) != tt.want {
			t.Errorf("%q: %v, %v, want %q", tt.in, got, err, tt.want)
		}
	}
}
