package run

import (
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"superlistd/internal/smtptest"
	"superlistd/lists"
	"superlistd/moderation/held"
)

// holding is a list with a member, and a post that waits there.
func holding(t *testing.T, peer *smtptest.Peer, proof lists.Proof) (file, id string) {
	t.Helper()
	file = settingsFor(t, peer, "")
	for _, args := range []string{"create team@lists.example.org owners=olga@example.org", "add team@lists.example.org bob@example.org"} {
		if status, _, faults := listctlOn(file, args); status != exitDone {
			t.Fatal(faults)
		}
	}
	const post = "From: Eve <eve@example.com>\r\nTo: team@lists.example.org\r\nSubject: Lunch\r\nMessage-ID: <lunch@example.com>\r\n\r\nAt noon?\r\n"
	id, _, err := held.Open(filepath.Dir(file), held.Options{}).Put(held.Facts{
		List: lists.Address{Local: "team", Domain: "lists.example.org"}, Author: lists.Address{Local: "eve", Domain: "example.com"},
		AuthorName: "Eve", Proof: proof.String(), Subject: "Lunch\x1b[2J", MessageID: "<lunch@example.com>", Reason: "nonmember",
		Text: "only members may post", Envelope: held.Envelope{ReversePath: "eve@example.com"},
	}, strings.NewReader(post), int64(len(post)))
	if err != nil {
		t.Fatal(err)
	}
	return file, id
}

// What waits is shown, for people and for scripts, and a stranger's text does not play with the terminal.
func TestHeldIsShown(t *testing.T) {
	t.Parallel()
	file, id := holding(t, smtptest.Start(t), lists.Proven)
	object := `^\{"id":"` + id + `","list":"team@lists\.example\.org","at":"[^"]+","from":"eve@example\.com","from_name":"Eve",.*"decided":"","by":"","fault":""\}\n$`
	for _, tt := range []struct{ args, want string }{
		{"held", `^ID +LIST .*\n` + id + ` +team@lists\.example\.org +\S+ \S+ +eve@example\.com +proven +nonmember +Lunch[^\x1b]*\n$`},
		{"held team@lists.example.org", `^ID .*\n` + id + ` .*\n$`},
		{"--json held", object},
		{"held show " + id[:4], `(?s)^id +` + id + `\n.*subject +Lunch[^\x1b]*\n.*reason +nonmember\ntext +only members may post\n`},
		{"--json held show " + id, object},
		{"held show --content " + id, `^From: Eve <eve@example\.com>\r\n(?s:.*)\r\n\r\nAt noon\?\r\n$`},
	} {
		if status, got, faults := listctlOn(file, tt.args); status != exitDone || !regexp.MustCompile(tt.want).MatchString(got) {
			t.Errorf("%s: %d\n%s%s", tt.args, status, got, faults)
		}
	}
}

func TestHeldIsDecided(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args   string // ID stands for the post
		proof  lists.Proof
		down   bool // the next hop
		want   string
		queued []string
	}{
		{"approve ID", lists.Unproven, false, "ID to team@lists.example.org: approved", []string{"bob@example.org"}},
		{"discard --ban ID", lists.Proven, false, "ID to team@lists.example.org: discarded, and its author banned", nil},
		{"reject ID", lists.Proven, false, "ID to team@lists.example.org: rejected", []string{"eve@example.com"}},
		{"reject ID", lists.Unproven, false, "ID to team@lists.example.org: rejected; its author is not told, since it is not proven that he wrote it", nil},
		{"approve ID", lists.Proven, true, "ID to team@lists.example.org: approve is noted; it could not be carried out yet (", nil},
		{"--json approve ID", lists.Proven, false, `"decided":"approve","by":"` + account() + `","fault":""}`, []string{"bob@example.org"}},
		{"--json approve ID", lists.Proven, true, `"decided":"approve","by":"` + account() + `","fault":""}`, nil},
	} {
		t.Run(fmt.Sprint(tt.args, " ", tt.proof, " ", tt.down), func(t *testing.T) {
			t.Parallel()
			peer := smtptest.Start(t)
			file, id := holding(t, peer, tt.proof)
			if tt.down {
				peer.Close()
			}
			status, got, faults := listctlOn(file, strings.ReplaceAll(tt.args, "ID", id[:6]))
			if status != exitDone || !strings.Contains(got, strings.ReplaceAll(tt.want, "ID", id)) || strings.Count(got, "\n") != 1 {
				t.Errorf("%d: %s%s", status, got, faults)
			}
			if got := slices.Sorted(maps.Keys(peer.Queued())); !slices.Equal(got, tt.queued) {
				t.Errorf("queued: %q", got)
			}
			status, _, faults = listctlOn(file, "discard "+id)
			if status != exitRefused || !strings.Contains(faults, "decided") {
				t.Errorf("decided twice: %d, %s", status, faults)
			}
		})
	}
}

// Of several posts, those that can be decided are.
func TestSomeOfTheHeldAreDecided(t *testing.T) {
	t.Parallel()
	file, id := holding(t, smtptest.Start(t), lists.Proven)
	status, got, faults := listctlOn(file, "discard nosuchpost "+id)
	if status != exitRefused || got != id+" to team@lists.example.org: discarded\n" || !strings.HasPrefix(faults, `"nosuchpost"`) {
		t.Errorf("%d\n%s%s", status, got, faults)
	}
	for _, args := range []string{"approve", "reject --text", "held show", "approve --ban " + id} {
		if status, _, _ := listctlOn(file, args); status != exitUsage {
			t.Errorf("%s: exit status %d", args, status)
		}
	}
	if status, _, faults := listctlOn(file, "held nolist@lists.example.org"); status != exitRefused || !strings.Contains(faults, "no such list") {
		t.Errorf("held of no list: %d, %s", status, faults)
	}
	if h, err := held.Open(filepath.Dir(file), held.Options{Now: time.Now}).Get(id); err != nil || !h.Finished {
		t.Errorf("%+v, %v", h, err)
	}
}
