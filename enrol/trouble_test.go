package enrol_test

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"superlistd/delivery"
	"superlistd/delivery/spool"
	"superlistd/enrol"
	"superlistd/internal/housetest"
	"superlistd/lists"
)

// While another process has the folder for too long, a mail is put off within its time, and nothing came of it.
func TestLockedFolder(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	must(t, h.ask(lists.ServiceSubscribe, "eve@m.test", lists.Unproven, "Subject: x"))
	h.Take()
	lock, err := spool.RealDisk{}.Open(filepath.Join(h.Data, "enrol", "lock"))
	must(t, err)
	defer lock.Close()
	if free, err := lock.Lock(); err != nil || !free {
		t.Fatalf("lock: %v, %v", free, err)
	}
	m := h.mail("ann@m.test", lists.Unproven, "Subject: x")
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	wantError(t, h.desk.Take(ctx, h.Settings(), lists.ServiceSubscribe, m), context.DeadlineExceeded)
	h.wantSent()
	must(t, lock.Close())
	must(t, h.desk.Take(t.Context(), h.Settings(), lists.ServiceSubscribe, m))
	h.wantSent("ann@m.test" + confirmJoin)
}

// An hour has a bound for people who are proven as well, for anybody may prove that he is many.
func TestCountsAreBounded(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	must(t, h.ask(lists.ServiceHelp, "ann@m.test", lists.Proven, "Subject: x"))
	h.Take()
	var lines strings.Builder
	for i := range 9_999 {
		fmt.Fprintf(&lines, "%d - who%d - mail%d\n", h.Now().Unix(), i, i)
	}
	name := filepath.Join(h.Data, "enrol", "count."+h.Now().Format("2006010215"))
	raw, err := os.ReadFile(name)
	must(t, err)
	must(t, os.WriteFile(name, append(raw, lines.String()...), 0o600))
	wantError(t, h.ask(lists.ServiceHelp, "eve@m.test", lists.Proven, "Subject: x"), enrol.ErrTooMany)
	h.wantSent()
	must(t, h.ask(lists.ServiceUnsubscribe, "mia@m.test", lists.Proven, "Subject: x")) // nobody is kept
	h.wantMember("mia@m.test", false)
	h.Wait(time.Hour)
	must(t, h.ask(lists.ServiceHelp, "eve@m.test", lists.Proven, "Subject: x"))
}

// A letter that the next hop takes for nobody is not tried again and again.
func TestRefusedLetter(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	tries := 0
	h.Refuse = func(delivery.Route) error {
		tries++
		return fmt.Errorf("%w: 550 5.1.1 no such user", delivery.ErrAllRefused)
	}
	m := h.mail("ann@m.test", lists.Unproven, "Subject: x")
	for range 3 {
		must(t, h.desk.Take(t.Context(), h.Settings(), lists.ServiceSubscribe, m))
	}
	if tries != 1 || !slices.Contains(h.events, "letter refused by the next hop "+lists.Address{}.String()) {
		t.Errorf("%d tries, log %q", tries, h.events)
	}
}

// Who has left since he asked for something else does not come back by it.
func TestChangeOfWhoHasLeft(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	must(t, h.ask(lists.ServiceRequest, "mia@m.test", lists.Unproven, "Subject: set digest"))
	asked := h.wantSent("mia@m.test" + confirmChange)[0]
	must(t, h.ask(lists.ServiceUnsubscribe, "mia@m.test", lists.Proven, "Subject: x"))
	h.Take()
	must(t, h.answer(asked, "mia@m.test", ""))
	h.wantSent()
	h.wantMember("mia@m.test", false)
}

// A mail without a Message-ID is known by its date and subject when it comes again.
func TestMailWithoutID(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for i, date := range []string{"Sat, 21 Nov 2026 12:00:00 +0000", "Sat, 21 Nov 2026 12:00:00 +0000", "Sat, 21 Nov 2026 12:00:01 +0000"} {
		m := h.mail("mia@m.test", lists.Proven, "Subject: x\nDate: "+date)
		m.Head.Delete("Message-ID")
		must(t, h.desk.Take(t.Context(), h.Settings(), lists.ServiceHelp, m))
		if n, want := len(h.Take()), []int{1, 0, 1}[i]; n != want {
			t.Errorf("mail %d: %d letters, want %d", i, n, want)
		}
	}
}

// Who has an office is only rejected by an owner who means to ban him, and bans that are full hold up no decision.
func TestBans(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, who, setting, value string }{
		{"an owner", "owen@m.test", "description", "x"},
		{"a moderator", "mo@m.test", "moderators", "mo@m.test"},
		{"banned already", "ann@m.test", "description", "x"},
		{"too many are", "ann@m.test", "description", "x"},
	} {
		h := newHouse(t, "subscribe", "approve", tt.setting, tt.value)
		must(t, h.ask(lists.ServiceSubscribe, tt.who, lists.Proven, "Subject: x"))
		question := housetest.Sent(t, h.Take(), strings.Replace(approval, "ann@m.test", tt.who, 1))
		if tt.name == "banned already" {
			h.Set("bans", "@m.test")
		}
		h.Fail = func(step string) error {
			if step == "update" {
				return lists.ErrSetting
			}
			return nil
		}
		before := len(h.Settings().Settings.Bans)
		must(t, h.answer(question, "olga@m.test", "ban"))
		if after := len(h.Settings().Settings.Bans); after != before {
			t.Errorf("%s: %d bans, and %d before", tt.name, after, before)
		}
		h.wantMember(tt.who, false)
		if full := slices.Contains(h.events, "not banned ann@m.test"); full != (tt.name == "too many are") {
			t.Errorf("%s: log %q", tt.name, h.events)
		}
		h.wantSent("olga@m.test" + strings.Replace(": team@lists.test: done: ann@m.test", "ann@m.test", tt.who, 1))
	}
}

// Who leaves by the web has left, whatever becomes of the letters about it.
func TestLeftWithoutLetters(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "owners_notice", "on")
	m, _ := h.Member("mia@m.test")
	h.Fail = func(step string) error {
		if step == "deliver" {
			return housetest.ErrFault
		}
		return nil
	}
	h.desk.Left(t.Context(), h.Settings(), m)
	if want := []string{"goodbye not sent mia@m.test", "owners not told mia@m.test"}; !slices.Equal(h.events, want) {
		t.Errorf("log %q, want %q", h.events, want)
	}
	must(t, h.desk.Ask(t.Context(), h.Settings(), address(t, "bea@m.test"), netip.MustParseAddr("192.0.2.1"))) // an error would tell who is a member
	if last := h.events[len(h.events)-1]; last != "confirmation not sent bea@m.test" {
		t.Errorf("log %q", h.events)
	}
}

// A disabled member is shown as such to an owner.
func TestRosterOfDisabled(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	_, err := h.Store.UpdateMember(t.Context(), h.List, address(t, "mia@m.test"), func(m *lists.Member) error {
		m.Disabled = lists.Disable("no such user", start)
		return nil
	})
	must(t, err)
	must(t, h.ask(lists.ServiceRequest, "owen@m.test", lists.Proven, "Subject: who"))
	h.Take()[0].WantText(t, "Mia <mia@m.test>  # gets no posts: disabled since 2026-11-21")
}
