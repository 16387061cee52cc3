package moderation_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"superlistd/internal/faultdisk"
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
	must(t, y.store.Create(t.Context(), lists.List{Address: y.ever}, nil))
	_, err := y.store.Update(t.Context(), y.ever, func(s *lists.Settings) error {
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
	l := y.settings()
	if subject == "Waits" {
		var err error
		l, err = y.store.List(y.t.Context(), y.ever)
		must(y.t, err)
	}
	if id, err := y.office.Hold(y.t.Context(), l, y.facts(author, subject, proof), postBy(author, subject)); err == nil {
		y.ids[subject] = id
	}
}

// decide is an administrator's command.
func (y *story) decide(subject string, d held.Decision) {
	if y.ids[subject] == "" || y.done[subject] {
		return
	}
	d.By = "root"
	err := y.office.Decide(y.t.Context(), y.ids[subject], d)
	y.done[subject] = err == nil || errors.Is(err, moderation.ErrPending) || errors.Is(err, held.ErrDecided)
}

// approve is a moderator's mail, which comes again until it is taken.
func (y *story) approve(subject string) {
	if y.ids[subject] == "" || y.done[subject] {
		return
	}
	id := y.ids[subject]
	extension := "h" + id + y.keys.Make("held post", y.list.Key(), id)
	if err := y.office.Known(y.list, extension); err != nil {
		if errors.Is(err, moderation.ErrToken) {
			y.t.Errorf("the address for %s is not known", subject)
		}
		return
	}
	head := message.ParseHeader([]byte("Message-ID: <approve@m.test>\n\n"))
	err := y.office.Answer(y.t.Context(), y.settings(), extension, head, strings.NewReader("approve\n"), address(y.t, "mia@m.test"))
	y.done[subject] = err == nil
}

func (y *story) chapter() {
	y.post("Old", "ann@m.test", "unproven")
	y.wait(5 * 24 * time.Hour)
	y.post("Good", "ann@m.test", "proven")
	y.post("Long", "bea@m.test", "proven")
	y.post("Spam", "eve@m.test", "unproven")
	y.post("Waits", "ann@m.test", "proven")
	y.approve("Good")
	y.decide("Long", held.Decision{Action: held.Reject, Text: "Too long."})
	y.decide("Spam", held.Decision{Action: held.Discard, Ban: true})
	_ = y.office.Tick(y.t.Context(), y.clock())
	y.all = append(y.all, y.bag.take()...)
}

// check is the law: everybody got what was decided, once, and nothing else.
func (y *story) check() {
	t := y.t
	var got []string
	for _, l := range y.all {
		line := l.to + ": " + l.subject()
		switch {
		case !l.posted.IsZero():
			line = "members: " + l.subject()
		case line == "bea@m.test: Your post to team@lists.test was rejected": // the store could not tell her language
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
	if !slices.ContainsFunc(y.settings().Settings.Bans, func(p lists.Pattern) bool { return p.Match(address(t, "eve@m.test")) }) {
		t.Error("not banned")
	}
	for _, id := range y.ids {
		f, err := y.held.Get(id) // the notes of the others are too old by now
		if waits := id == y.ids["Waits"]; waits && (err != nil || f.Decided != nil) || !waits && !errors.Is(err, held.ErrGone) {
			t.Errorf("%s: %+v, %v", id, f.Decided, err)
		}
	}
	must(t, y.held.Sweep(time.Now().Add(2*time.Minute)))
	if left, err := filepath.Glob(filepath.Join(y.data, "held", ".*")); err != nil || len(left) > 0 {
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
	m, _, err := y.store.Member(y.t.Context(), y.list, address(y.t, "ann@m.test"))
	must(y.t, err)
	if m.Posts < 1 || m.Posts > most {
		y.t.Errorf("counted %d times", m.Posts)
	}
}

// goOn is what follows a restart, when nothing fails any more.
func (y *story) goOn() {
	y.fail = nil
	y.open(nil)
	y.chapter()
	for range 4 {
		y.wait(48 * time.Hour)
		y.tick()
	}
	y.all = append(y.all, y.bag.take()...)
}

// The n-th step of the disk fails, for every n.
func TestDiskFaults(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		fault faultdisk.Fault
		power bool
		keep  bool
	}{
		{"EIO once", faultdisk.Fault{Err: syscall.EIO}, false, false},
		{"ENOSPC for ever", faultdisk.Fault{Err: syscall.ENOSPC, Forever: true, Match: changes}, false, false},
		{"kill", faultdisk.Fault{Crash: true, Match: changes}, false, false},
		{"power cut", faultdisk.Fault{Crash: true, Match: changes}, true, false},
		{"power cut that keeps names", faultdisk.Fault{Crash: true, Match: changes}, true, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for n, tripped := 1, true; tripped && !t.Failed(); n++ {
				y := newStory(t)
				fault := tt.fault
				fault.At = n
				disk := faultdisk.New(fault)
				y.open(disk)
				y.chapter()
				if tt.power {
					must(t, disk.PowerCut(tt.keep))
				}
				y.goOn()
				y.check()
				y.wantCounted(2)
				tripped = disk.Tripped()
				if t.Failed() {
					t.Log(disk.Step())
				}
				if !tripped && n < 50 {
					t.Errorf("only %d steps: %d", n, disk.Steps())
				}
				_ = os.RemoveAll(y.data)
			}
		})
	}
}

// changes leaves out the steps before which a kill is the same as before the next one, and that a full disk does not know.
func changes(op, _ string) bool {
	switch op {
	case "open", "readat", "fstat", "stat", "readdir", "lock", "free":
		return false
	}
	return true
}

// The n-th call to the store, the desk or the next hop fails, for every n: before it is done, or after a mail was taken.
func TestFaultsAround(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		forever bool
		kill    bool
	}{
		{"once", false, false},
		{"from then on", true, false},
		{"kill", false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for n, tripped := 1, true; tripped && !t.Failed(); n++ {
				y := newStory(t)
				disk := faultdisk.New(faultdisk.Fault{})
				y.open(disk)
				steps, failed := 0, ""
				y.fail = func(step string) error {
					steps++
					if steps < n || steps > n && !tt.forever && !tt.kill {
						return nil
					}
					if failed == "" {
						failed = step
						if tt.kill {
							disk.Crash()
						}
					}
					return errors.New("fault in " + step)
				}
				y.chapter()
				y.goOn()
				y.check()
				y.wantCounted(1)
				if t.Failed() {
					t.Logf("step %d: %s", n, failed)
				}
				tripped = failed != ""
				if !tripped && n < 20 {
					t.Errorf("only %d steps", steps)
				}
				_ = os.RemoveAll(y.data)
			}
		})
	}
}
