package daily_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"superlistd/audit"
	"superlistd/daily"
	"superlistd/delivery"
	"superlistd/internal/housetest"
	"superlistd/letters"
	"superlistd/lists"
)

// house is a Desk with a list and its log.
type house struct {
	*housetest.House
	log  *audit.Log
	desk *daily.Desk

	to      []string // who got letters
	fail    error    // of the next hop
	sending func()   // before a letter is taken
}

var must = housetest.Must

func newHouse(t *testing.T) *house {
	h := &house{House: housetest.New(t, "owners", "owen@m.test, olga@m.test")}
	h.log = audit.Open(h.Data, audit.Options{Now: h.Now, Fault: func(_ lists.Address, err error) { t.Error(err) }})
	must(t, h.log.Append(h.List, audit.Event{What: audit.Created}))
	h.Store = audit.Store(h.Store, h.log)
	h.Refuse = func(delivery.Route) error {
		if h.sending != nil {
			h.sending()
		}
		return h.fail
	}
	h.open()
	return h
}

// open makes the Desk anew, as a new process has it.
func (h *house) open() *daily.Desk {
	h.desk = daily.New(daily.Options{
		Data: h.Data, Store: h.Store, Audit: h.log,
		Letters: letters.New(letters.Options{Texts: housetest.Texts(h.T), Members: h.Store, Hostname: "mx.m.test", Deliver: h.Deliver}),
		Waiting: func(lists.Address) (int, error) { return 4, nil },
	})
	return h.desk
}

// tick lets some time pass, and returns what was sent then.
func (h *house) tick(passed time.Duration) (texts []string) {
	h.T.Helper()
	h.Wait(passed)
	must(h.T, h.desk.Tick(h.T.Context(), h.Now()))
	for _, l := range h.Take() {
		texts = append(texts, l.Text)
		h.to = append(h.to, l.Route.Audience.Fixed...)
	}
	return texts
}

// joins writes that some have joined.
func (h *house) joins(names ...string) {
	for _, n := range names {
		must(h.T, h.log.Append(h.List, audit.Event{What: audit.Joined, Member: n}))
	}
}

// told are the members in letters.
func told(sent []string) []string {
	return regexp.MustCompile(`m[0-9]+@x`).FindAllString(strings.Join(sent, ""), -1)
}

const day = 24 * time.Hour

func TestASummaryADayWhenThereIsSomethingToTell(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.joins("m0@x") // before the first look at a new list
	if got := h.tick(0); got != nil {
		t.Fatalf("at once: %q", got)
	}
	h.joins("m1@x")
	must(h.T, h.log.Append(h.List,
		audit.Event{What: audit.Removed, Member: "m2@x", Way: audit.ByComplaint}, audit.Event{What: audit.Removed, Member: "m3@x"},
		audit.Event{What: audit.Bounced, Member: "m4@x", Why: "550 gone"}, audit.Event{What: audit.Bounced, Member: "m4@x", Why: "550 still gone"},
		audit.Event{What: audit.Held, Member: "m5@x", New: "Lunch?", ID: "abc"}, audit.Event{What: audit.Failed, ID: "6a47", Why: "451 away"},
		audit.Event{What: audit.Setting, Option: "emergency", Old: "off", New: "on"},
	))
	if got := h.tick(23 * time.Hour); got != nil {
		t.Fatalf("too early: %q", got)
	}
	got := h.tick(time.Hour)
	if len(got) != 1 || !slices.Equal(h.to, []string{"owen@m.test", "olga@m.test"}) {
		t.Fatalf("%d letters to %q", len(got), h.to)
	}
	for _, want := range []string{
		"Subject: team@lists.test: what happened since Saturday, 21 November 2026\r\n",
		"\r\nJoined: 2\r\n    m0@x\r\n    m1@x\r\n", "\r\nRemoved after a report of abuse: 1\r\n    m2@x\r\n", "\r\nRemoved: 1\r\n    m3@x\r\n",
		"\r\nMembers whose mail came back: 1\r\n    m4@x: 550 gone\r\n", "\r\nPosts held for a moderator: 1\r\n    m5@x: Lunch?\r\n",
		"\r\nPosts whose delivery was given up: 1\r\n    6a47: 451 away\r\n", "wait for a moderator now: 4\r\n",
	} {
		if !strings.Contains(got[0], want) {
			t.Errorf("no %q in\n%s", want, got[0])
		}
	}
	if strings.Contains(got[0], "emergency") {
		t.Errorf("an owner's own setting is told:\n%s", got[0])
	}
	h.open()
	if got := h.tick(day); got != nil {
		t.Errorf("without anything new: %q", got)
	}
	for i := range 25 {
		h.joins(fmt.Sprintf("m%d@x", i))
	}
	if got := h.tick(day); len(told(got)) != 20 || !strings.Contains(got[0], "Joined: 25\r\n") || !strings.Contains(got[0], "and 5 more") {
		t.Errorf("of many: %q", got)
	}
}

// What a summary tells is not before the time that it says it begins at: the first one of a list begins with the list.
func TestSinceIsNotAfterWhatIsTold(t *testing.T) {
	t.Parallel()
	at := func(clock string) string { return "\r\nsince " + clock + " (UTC):\r\n" }
	h := newHouse(t) // at noon
	h.Wait(3 * time.Minute)
	h.joins("m1@x")
	h.tick(2 * time.Minute)
	got := h.tick(day)
	if len(got) != 1 || !strings.Contains(got[0], at("Saturday, 21 November 2026, 12:00")) {
		t.Errorf("the first: %q", got)
	}
	h.joins("m2@x")
	if got = h.tick(day); len(got) != 1 || !strings.Contains(got[0], at("Sunday, 22 November 2026, 12:05")) {
		t.Errorf("the second: %q", got)
	}
	h.Wait(-2 * time.Hour) // the clock was wrong, and is right now
	h.joins("m3@x")
	if got = h.tick(day + 2*time.Hour); len(got) != 1 || !strings.Contains(got[0], at("Monday, 23 November 2026, 10:05")) {
		t.Errorf("after the clock went back: %q", got)
	}
	h.joins("m4@x") // and the list is made again
	must(t, h.Store.Delete(t.Context(), h.List))
	h.Wait(time.Hour)
	settings := lists.DefaultSettings()
	settings.Owners = []lists.Address{{Local: "eve", Domain: "m.test"}}
	must(t, h.Store.Create(t.Context(), lists.List{Address: h.List, Created: h.Now(), Settings: settings}, nil))
	h.Wait(time.Hour)
	h.joins("m5@x")
	if got = h.tick(day); len(got) != 1 || !strings.Contains(got[0], at("Tuesday, 24 November 2026, 13:05")) {
		t.Errorf("of a list made again: %q", got)
	}
}

// Who owns a list hears nothing of an earlier one of its name.
func TestListMadeAgain(t *testing.T) {
	t.Parallel()
	for _, between := range []time.Duration{0, 48 * time.Hour} { // with and without a look in between
		h := newHouse(t)
		h.tick(0)
		h.joins("m1@x")
		must(h.T, h.Store.Delete(t.Context(), h.List))
		if between > 0 {
			h.tick(between)
		}
		settings := lists.DefaultSettings()
		settings.Owners = []lists.Address{{Local: "eve", Domain: "m.test"}}
		must(h.T, h.Store.Create(t.Context(), lists.List{Address: h.List, Created: h.Now(), Settings: settings}, nil))
		h.tick(time.Hour)
		h.joins("m2@x")
		if got := told(h.tick(day)); !slices.Equal(got, []string{"m2@x"}) {
			t.Errorf("%v: the new owner hears of %q", between, got)
		}
	}
}

func TestWhoWantsNoSummaryGetsNone(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	set := func(change func(*lists.Settings)) {
		_, err := h.Store.Update(t.Context(), h.List, func(s *lists.Settings) error {
			change(s)
			return nil
		})
		must(h.T, err)
	}
	owners := []lists.Address{{Local: "owen", Domain: "m.test"}}
	for _, off := range []func(*lists.Settings){
		func(s *lists.Settings) { s.OwnersNotice = lists.NoticeOff },
		func(s *lists.Settings) { s.Owners = nil },
	} {
		set(off)
		h.tick(day)
		h.joins("m1@x")
		if got := append(h.tick(day), h.tick(day)...); got != nil {
			t.Errorf("who wants none got %q", got)
		}
		set(func(s *lists.Settings) { s.OwnersNotice, s.Owners = lists.NoticeOn, owners })
		h.tick(time.Hour)
		h.joins("m2@x")
		if got := told(h.tick(day)); !slices.Equal(got, []string{"m2@x"}) {
			t.Errorf("when they want it again, they hear of %q", got)
		}
	}
	h.joins("m3@x")
	must(h.T, h.Store.Delete(t.Context(), h.List))
	h.tick(day)
	if files, _ := filepath.Glob(filepath.Join(h.Data, "daily", "*.json")); len(files) != 0 {
		t.Errorf("of a list that is gone there is %q", files)
	}
}

// What fails is told later, with what came between; that all owners' addresses are refused is the end of it.
func TestASummaryThatFailsIsTriedAgain(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.tick(0)
	h.joins("m1@x")
	h.fail = errors.New("451 away")
	h.tick(day)
	h.joins("m2@x")
	h.tick(time.Hour)
	h.fail = nil
	if got := told(h.tick(time.Hour)); !slices.Equal(got, []string{"m1@x", "m2@x"}) {
		t.Errorf("after a failure: %q", got)
	}
	h.joins("m3@x")
	h.fail = fmt.Errorf("letter: %w", delivery.ErrAllRefused)
	h.tick(day)
	h.fail = nil
	h.joins("m4@x")
	if got := told(append(h.tick(day-time.Hour), h.tick(time.Hour)...)); !slices.Equal(got, []string{"m4@x"}) {
		t.Errorf("after a refusal: %q", got)
	}
}

// A process that is killed after the letter is out, and before it is noted, leaves a state in which the next one sends nothing again
// and forgets nothing.
func TestKilledBetweenTheLetterAndItsMark(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.tick(0)
	h.joins("m1@x")
	marks := map[string][]byte{}
	h.sending = func() {
		files, err := filepath.Glob(filepath.Join(h.Data, "daily", "*.json"))
		must(h.T, err)
		for _, f := range files {
			marks[f], err = os.ReadFile(f)
			must(h.T, err)
		}
	}
	got := told(h.tick(day))
	h.sending = nil
	for f, text := range marks {
		must(h.T, os.WriteFile(f, text, 0o600))
	}
	h.open()
	h.joins("m2@x")
	got = append(got, told(h.tick(time.Hour))...)
	got = append(got, told(h.tick(day))...)
	if len(marks) != 1 || !slices.Equal(got, []string{"m1@x", "m2@x"}) {
		t.Errorf("with %d marks, told %q", len(marks), got)
	}
}

func TestOfManyProcessesOneSends(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.tick(0)
	h.joins("m1@x")
	h.Wait(day)
	count := 0
	h.sending = func() {
		count++
		time.Sleep(5 * time.Millisecond)
	}
	var wg sync.WaitGroup
	for range 8 {
		desk := h.open()
		wg.Go(func() {
			if err := desk.Tick(t.Context(), h.Now()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if count != 1 {
		t.Errorf("%d have sent", count)
	}
}

// The law: whatever the clock, the next hop and the processes do, each event is told once.
func TestEachEventIsToldOnce(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		h := newHouse(t)
		r := rand.New(rand.NewPCG(seed, 7))
		var want, got []string
		h.tick(0)
		for step := range 80 {
			switch r.IntN(6) {
			case 0, 1:
				name := fmt.Sprintf("m%d@x", step)
				h.joins(name)
				want = append(want, name)
			case 2:
				h.open()
			case 3:
				h.fail = nil
				if r.IntN(3) == 0 {
					h.fail = errors.New("451 away")
				}
			case 4:
				jumps := []time.Duration{time.Minute, day, 400 * day, -3 * time.Hour, -40 * day, -800 * day}
				h.Wait(jumps[r.IntN(len(jumps))])
			}
			got = append(got, told(h.tick(time.Duration(r.IntN(30))*time.Hour))...)
		}
		h.fail = nil
		for range 3 {
			got = append(got, told(h.tick(day))...)
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("seed %d: told %q, want %q", seed, got, want)
		}
	}
}
