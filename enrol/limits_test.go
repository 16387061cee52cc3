package enrol_test

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"superlistd/enrol"
	"superlistd/lists"
)

// from makes a mail come from the n-th network.
func from(m enrol.Mail, n int) enrol.Mail {
	m.Client = netip.AddrFrom4([4]byte{10, byte(n >> 8), byte(n), 7})
	return m
}

// A bomb: requests from many networks, for many addresses, leave no more letters than the limits say, whatever process takes them.
func TestBomb(t *testing.T) {
	t.Parallel()
	requests := 10_000
	if testing.Short() {
		requests = 500
	}
	h := newHouse(t)
	h.limits = enrol.Limits{List: 40, All: 60}
	desks := []*enrol.Desk{h.another(nil), h.another(nil)}
	l := h.Settings()
	var mails []enrol.Mail
	for i := range requests {
		mails = append(mails, from(h.mail(fmt.Sprintf("victim%d@m.test", i%997), lists.Unproven, "Subject: x"), i%2000))
	}
	var wg sync.WaitGroup
	for n, d := range desks {
		wg.Go(func() {
			for i := n; i < len(mails); i += len(desks) {
				service := []lists.Service{lists.ServiceSubscribe, lists.ServiceUnsubscribe, lists.ServiceHelp}[i%3]
				if err := d.Take(t.Context(), l, service, mails[i]); err != nil && !errors.Is(err, enrol.ErrTooMany) {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if sent := h.Take(); len(sent) != 40 {
		t.Errorf("%d letters", len(sent))
	}
	entries, err := os.ReadDir(filepath.Join(h.Data, "enrol"))
	must(t, err)
	if len(entries) > 200 {
		t.Errorf("%d files", len(entries))
	}
	other, err := h.Store.List(t.Context(), address(t, "other@lists.test"))
	must(t, err)
	for i := range 100 {
		_ = desks[0].Take(t.Context(), other, lists.ServiceHelp, from(h.mail(fmt.Sprintf("v%d@m.test", i), lists.Unproven, ""), i))
	}
	if sent := h.Take(); len(sent) != 20 {
		t.Errorf("%d letters of the other list", len(sent))
	}
}

// Mails that come again and again with the same Message-IDs, and each time ask for something else, cause no more letters than others.
func TestTheSameMailsAgainAndAgain(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, victim string
		proof        lists.Proof
		ids          int
		body         func(i int) string
	}{
		{"how to get posts", "mia@m.test", lists.Unproven, 2, func(i int) string { return []string{"set digest", "set nomail"}[i%2] }},
		{"how to get posts, proven", "mia@m.test", lists.Proven, 2, func(i int) string { return []string{"set digest", "set nomail"}[i%2] }},
		{"joining", "ann@m.test", lists.Unproven, 2, func(i int) string { return []string{"subscribe", "subscribe digest"}[i%2] }},
		{"orders", "owen@m.test", lists.Unproven, 1, func(i int) string { return fmt.Sprintf("add a%d@m.test", i) }},
		{"several things", "ann@m.test", lists.Unproven, 2, func(i int) string { return []string{"subscribe\nunsubscribe", "unsubscribe\nsubscribe"}[i%2] }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			for i := range 60 {
				h.mails = i % tt.ids // their author has the choice
				if err := h.ask(lists.ServiceRequest, tt.victim, tt.proof, "Subject: x\n\n"+tt.body(i)+"\n"); err != nil {
					wantError(t, err, enrol.ErrTooMany)
				}
			}
			if n := len(h.Take()); n != 10 {
				t.Errorf("%d letters", n)
			}
		})
	}
}

// Who has a domain can prove mail of as many addresses as he likes: he fills neither the count nor the folder of requests with what nobody
// answers, and locks nobody else out.
func TestBombOfProvenMail(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.limits = enrol.Limits{Network: 1}
	h.open(nil)
	ask := func(who string, network int) error {
		return h.desk.Take(t.Context(), h.Settings(), lists.ServiceSubscribe, from(h.mail(who, lists.Proven, "Subject: x"), network))
	}
	letters := 0
	for i := range 120 {
		if err := ask(fmt.Sprintf("a%d@evil.test", i), 1); err != nil {
			wantError(t, err, enrol.ErrTooMany)
			continue
		}
		letters++
	}
	if letters != 100 {
		t.Errorf("%d letters for one network", letters)
	}
	must(t, ask("ann@m.test", 2))
	for _, letter := range h.Take()[:50] { // who says yes was there
		must(t, h.answer(letter, letter.To, "yes"))
	}
	must(t, ask("last@evil.test", 1))
}

func TestLimits(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		limits enrol.Limits
		client func(i int) string
		who    func(i int) string
		proof  lists.Proof
		want   int // letters of 20 requests
	}{
		{"one /24", enrol.Limits{Network: 3}, func(i int) string { return fmt.Sprint("192.0.2.", i) }, nobodyTwice, lists.Unproven, 3},
		{"one /48", enrol.Limits{Network: 3}, func(i int) string { return fmt.Sprintf("2001:db8:1:%d::1", i) }, nobodyTwice, lists.Unproven, 3},
		{"a /24 in another form", enrol.Limits{Network: 3}, func(i int) string { return fmt.Sprint("::ffff:192.0.2.", i) }, nobodyTwice, lists.Unproven, 3},
		{"many networks", enrol.Limits{Network: 3}, func(i int) string { return fmt.Sprintf("192.0.%d.1", i) }, nobodyTwice, lists.Unproven, 20},
		{"this host", enrol.Limits{Network: 3}, func(int) string { return "127.0.0.1" }, nobodyTwice, lists.Unproven, 20},
		{"one list", enrol.Limits{List: 5}, func(i int) string { return fmt.Sprintf("192.0.%d.1", i) }, nobodyTwice, lists.Unproven, 5},
		{"all lists", enrol.Limits{All: 6}, func(i int) string { return fmt.Sprintf("192.0.%d.1", i) }, nobodyTwice, lists.Unproven, 6},
		{"one address", enrol.Limits{}, func(i int) string { return fmt.Sprintf("192.0.%d.1", i) }, func(int) string { return "Ann@m.test" }, lists.Proven, 10},
		{"proven: no such limit", enrol.Limits{Network: 1, List: 1, All: 1}, func(int) string { return "192.0.2.1" }, nobodyTwice, lists.Proven, 20},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			h.limits = tt.limits
			h.open(nil)
			try := func() (sent int) {
				for i := range 20 {
					m := h.mail(tt.who(i), tt.proof, "Subject: help")
					m.Client = netip.MustParseAddr(tt.client(i))
					if err := h.desk.Take(t.Context(), h.Settings(), lists.ServiceHelp, m); err != nil {
						wantError(t, err, enrol.ErrTooMany)
					}
				}
				return len(h.Take())
			}
			for range 2 {
				if n := try(); n != tt.want {
					t.Errorf("%d letters, want %d", n, tt.want)
				}
				h.Wait(25 * time.Hour)
			}
			h.Wait(-2 * 25 * time.Hour) // a clock that was wrong shuts out nobody for more than a day
			h.Wait(-49 * time.Hour)
			if n := try(); n != tt.want {
				t.Errorf("%d letters after the clock went back, want %d", n, tt.want)
			}
		})
	}
}

func nobodyTwice(i int) string { return fmt.Sprintf("ann%d@m.test", i) }

// Nobody is kept on a list because he has had too many letters.
func TestLeavingHasNoLimit(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for range 10 {
		must(t, h.ask(lists.ServiceHelp, "mia@m.test", lists.Proven, "Subject: x"))
	}
	wantError(t, h.ask(lists.ServiceHelp, "mia@m.test", lists.Proven, "Subject: x"), enrol.ErrTooMany)
	h.Take()
	must(t, h.ask(lists.ServiceUnsubscribe, "mia@m.test", lists.Proven, "Subject: x"))
	h.wantSent()
	h.wantMember("mia@m.test", false)
}

// Owners hear no more of comings and goings than the limit of their list.
func TestOwnersAreNotBombed(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "subscribe", "open", "owners_notice", "on", "welcome", "off")
	h.limits.List = 3
	h.open(nil)
	for i := range 10 {
		must(t, h.ask(lists.ServiceSubscribe, nobodyTwice(i), lists.Proven, "Subject: x"))
	}
	if n := len(h.Take()); n != 3 {
		t.Errorf("%d letters", n)
	}
	h.wantMember("ann9@m.test", true)
	h.Set("subscribe", "approve")
	h.Wait(2 * time.Hour)
	over := 0
	for i := 10; i < 20; i++ {
		if err := h.ask(lists.ServiceSubscribe, nobodyTwice(i), lists.Proven, "Subject: x"); err != nil {
			wantError(t, err, enrol.ErrTooMany)
			over++
		}
	}
	if n := len(h.Take()); over != 7 || n != 6 {
		t.Errorf("%d put off, %d letters", over, n)
	}
}

func TestOpenRequestsAreBounded(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.limits.Open = 2
	h.open(nil)
	for i := range 2 {
		must(t, h.ask(lists.ServiceSubscribe, nobodyTwice(i), lists.Unproven, "Subject: x"))
	}
	wantError(t, h.ask(lists.ServiceSubscribe, nobodyTwice(2), lists.Unproven, "Subject: x"), enrol.ErrTooMany)
	h.Wait(8 * 24 * time.Hour)
	must(t, h.desk.Tick(t.Context(), h.Now()))
	must(t, h.ask(lists.ServiceSubscribe, nobodyTwice(2), lists.Unproven, "Subject: x"))
}

// Nothing stays for ever, and nothing that is needed goes.
func TestTick(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	must(t, h.desk.Tick(t.Context(), h.Now())) // before there is anything
	must(t, h.ask(lists.ServiceSubscribe, "ann@m.test", lists.Unproven, "Subject: x"))
	asked := h.Take()[0]
	must(t, os.WriteFile(filepath.Join(h.Data, "enrol", ".half"), []byte("{"), 0o600))
	for range 6 {
		h.Wait(24 * time.Hour)
		must(t, h.desk.Tick(t.Context(), h.Now()))
	}
	must(t, h.answer(asked, "ann@m.test", ""))
	must(t, h.ask(lists.ServiceUnsubscribe, "mia@m.test", lists.Unproven, "Subject: x"))
	h.Wait(31 * 24 * time.Hour)
	must(t, h.desk.Tick(t.Context(), h.Now()))
	entries, err := os.ReadDir(filepath.Join(h.Data, "enrol"))
	must(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	shelf, err := os.ReadDir(filepath.Join(h.Data, "enrol", "done"))
	must(t, err)
	if strings.Join(names, " ") != "done lock" || len(shelf) != 0 {
		t.Errorf("left over: %q, %d on the shelf", names, len(shelf))
	}
}

// What is being written just now is not taken for what a crash has left.
func TestTickWhileOthersWrite(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	must(t, h.ask(lists.ServiceSubscribe, "ann@m.test", lists.Unproven, "Subject: x"))
	half := filepath.Join(h.Data, "enrol", ".0123456789abcdef")
	must(t, os.WriteFile(half, []byte("{"), 0o600))
	must(t, h.desk.Tick(t.Context(), time.Now()))
	if _, err := os.Stat(half); err != nil {
		t.Error(err)
	}
	must(t, h.desk.Tick(t.Context(), time.Now().Add(time.Hour)))
	if _, err := os.Stat(half); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("left over: %v", err)
	}
}

// Lines of counts that a crash has cut, and files that are none of ours, are passed over.
func TestDamage(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	must(t, h.ask(lists.ServiceSubscribe, "ann@m.test", lists.Unproven, "Subject: x"))
	asked := h.Take()[0]
	files, err := filepath.Glob(filepath.Join(h.Data, "enrol", "count.*"))
	must(t, err)
	if len(files) != 1 {
		t.Fatalf("files %q", files)
	}
	raw, err := os.ReadFile(files[0])
	must(t, err)
	must(t, os.WriteFile(files[0], append(raw, "\n\x00\xff 12 a b\n17"...), 0o600))
	must(t, h.ask(lists.ServiceHelp, "ann@m.test", lists.Unproven, "Subject: x"))
	h.wantSent("ann@m.test: team@lists.test: what you can do by mail")
	must(t, os.WriteFile(filepath.Join(h.Data, "enrol", extension(t, asked.Value("Reply-To"))[1:11]), []byte("{]"), 0o600))
	wantError(t, h.answer(asked, "ann@m.test", ""), enrol.ErrToken)
	must(t, h.ask(lists.ServiceSubscribe, "ann@m.test", lists.Unproven, "Subject: x"))
	h.wantSent("ann@m.test" + confirmJoin)
}
