package moderation_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"superlistd/internal/faultdisk"
	"superlistd/internal/housetest"
	"superlistd/lists"
	"superlistd/message"
	"superlistd/moderation"
	"superlistd/moderation/held"
)

// story is the life of five posts in an office where something fails. Whoever is told no tries again after the restart.
type story struct {
	*house
	ever lists.Address     // a list whose posts wait for ever
	ids  map[string]string // of the posts whose senders were told 250
	done map[string]bool   // decisions that were taken
	all  []letter
}

func newStory(t *testing.T) *story {
	y := &story{house: newHouse(t, "hold_days", "3", "moderation", "newcomers(5)"), ids: map[string]string{}, done: map[string]bool{}}
	y.ever = address(t, "ever@lists.test")
	must(t, y.Store.Create(t.Context(), lists.List{Address: y.ever}, nil))
	_, err := y.Store.Update(t.Context(), y.ever, func(s *lists.Settings) error {
		s.HoldDays, s.Moderators = 0, []lists.Address{address(t, "mia@m.test")}
		return nil
	})
	must(t, err)
	return y
}

// post holds a post, unless that is done.
func (y *story) post(subject, author, proof string) {
	if y.ids[subject] != "" {
		return
	}
	l := y.Settings()
	if subject == "Waits" {
		var err error
		l, err = y.Store.List(y.T.Context(), y.ever)
		must(y.T, err)
	}
	if id, err := y.office.Hold(y.T.Context(), l, y.facts(author, subject, proof), postBy(author, subject)); err == nil {
		y.ids[subject] = id
	}
}

// decide is an administrator's command.
func (y *story) decide(subject string, d held.Decision) {
	if y.ids[subject] == "" || y.done[subject] {
		return
	}
	d.By = "root"
	err := y.office.Decide(y.T.Context(), y.ids[subject], d)
	y.done[subject] = err == nil || errors.Is(err, moderation.ErrPending) || errors.Is(err, held.ErrDecided)
}

// approve is a moderator's mail, which comes again until it is taken.
func (y *story) approve(subject string) {
	if y.ids[subject] == "" || y.done[subject] {
		return
	}
	id := y.ids[subject]
	extension := "h" + id + y.keys.Make("held post", y.List.Key(), id)
	if err := y.office.Known(y.List, extension); err != nil {
		if errors.Is(err, moderation.ErrToken) {
			y.T.Errorf("the address for %s is not known", subject)
		}
		return
	}
	head := message.ParseHeader([]byte("Message-ID: <approve@m.test>\n\n"))
	err := y.office.Answer(y.T.Context(), y.Settings(), extension, head, strings.NewReader("approve\n"), address(y.T, "mia@m.test"))
	y.done[subject] = err == nil
}

func (y *story) chapter() {
	y.post("Old", "ann@m.test", "unproven")
	y.Wait(5 * 24 * time.Hour)
	y.post("Good", "ann@m.test", "proven")
	y.post("Long", "bea@m.test", "proven")
	y.post("Spam", "eve@m.test", "unproven")
	y.post("Waits", "ann@m.test", "proven")
	y.approve("Good")
	y.decide("Long", held.Decision{Action: held.Reject, Text: "Too long."})
	y.decide("Spam", held.Decision{Action: held.Discard, Ban: true})
	_ = y.office.Tick(y.T.Context(), y.Now())
	y.all = append(y.all, y.Take()...)
}

// check is the law: everybody got what was decided, once, and nothing else.
func (y *story) check() {
	t := y.T
	var got []string
	for _, l := range y.all {
		line := l.Line()
		if line == "bea@m.test: Your post to team@lists.test was rejected" { // the store could not tell her language
			line = "bea@m.test: Ihr Beitrag an team@lists.test wurde abgelehnt"
		}
		got = append(got, line)
	}
	want := []string{
		"members: Good",
		"bea@m.test: Ihr Beitrag an team@lists.test wurde abgelehnt",
		"ann@m.test: Your post to ever@lists.test is waiting for a moderator",
		"mia@m.test: ever@lists.test: a post needs your decision: Waits",
		"owen@m.test: team@lists.test: a held post was deleted",
	}
	for _, w := range want {
		if n := count(got, w); n != 1 {
			t.Errorf("%d times %q", n, w)
		}
	}
	for _, g := range got {
		// What was asked, or told, before it was decided may have come to nothing.
		mayBe := strings.HasPrefix(g, noticeOf) || strings.Contains(g, "waiting for a moderator") || strings.Contains(g, "wartet auf die Moderation") ||
			g == "mia@m.test: team@lists.test: done: Good" || g == "mia@m.test: team@lists.test: already decided: Good"
		if n := count(got, g); n > 1 || !mayBe && !slices.Contains(want, g) {
			t.Errorf("%d times %q", n, g)
		}
	}
	y.wantLeft("Waits")
	if !slices.ContainsFunc(y.Settings().Settings.Bans, func(p lists.Pattern) bool { return p.Match(address(t, "eve@m.test")) }) {
		t.Error("not banned")
	}
	for _, id := range y.ids {
		f, err := y.held.Get(id) // the notes of the others are too old by now
		if waits := id == y.ids["Waits"]; waits && (err != nil || f.Decided != nil) || !waits && !errors.Is(err, held.ErrGone) {
			t.Errorf("%s: %+v, %v", id, f.Decided, err)
		}
	}
	must(t, y.held.Sweep(time.Now().Add(2*time.Minute)))
	if left, err := filepath.Glob(filepath.Join(y.Data, "held", ".*")); err != nil || len(left) > 0 {
		t.Errorf("left over: %q, %v", left, err)
	}
}

func count(all []string, s string) (n int) {
	for _, a := range all {
		if a == s {
			n++
		}
	}
	return n
}

// wantCounted checks that the post counted as one of its author's: once, or twice when a mark could not be made.
func (y *story) wantCounted(most int) {
	m, _, err := y.Store.Member(y.T.Context(), y.List, address(y.T, "ann@m.test"))
	must(y.T, err)
	if m.Posts < 1 || m.Posts > most {
		y.T.Errorf("counted %d times", m.Posts)
	}
}

// goOn is what follows a restart, when nothing fails any more.
func (y *story) goOn() {
	y.Fail = nil
	y.open(nil)
	y.chapter()
	for range 4 {
		y.Wait(48 * time.Hour)
		y.tick()
	}
	y.all = append(y.all, y.Take()...)
}

// The n-th step of the disk fails, for every n.
func TestDiskFaults(t *testing.T) {
	t.Parallel()
	for _, f := range append([]housetest.DiskFault{housetest.EIOOnce, housetest.ENOSPCForEver.Where(housetest.Changes)}, housetest.Ends...) {
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			f.EachStep(t, 50, func(_ int, disk *faultdisk.Disk) {
				y := newStory(t)
				y.open(disk)
				y.chapter()
				f.End(t, disk)
				y.goOn()
				y.check()
				y.wantCounted(2)
				_ = os.RemoveAll(y.Data)
			})
		})
	}
}

// The n-th call to the store, the desk or the next hop fails, for every n: before it is done, or after a mail was taken.
func TestFaultsAround(t *testing.T) {
	t.Parallel()
	for _, f := range housetest.CallFaults {
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			f.EachStep(t, 20, func(c *housetest.Calls) {
				y := newStory(t)
				y.open(c.Disk)
				y.Fail = c.Step
				y.chapter()
				y.goOn()
				y.check()
				y.wantCounted(1)
				_ = os.RemoveAll(y.Data)
			})
		})
	}
}
