package delivery_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"superlistd/delivery"
	"superlistd/internal/smtptest"
)

// A member whose own reverse-path the next hop refuses has his copy by that of the list, and stands in nobody's way.
func TestPersonalPathThatIsRefused(t *testing.T) {
	t.Parallel()
	o := spooling(t.TempDir())
	o.Personal = map[string]delivery.Personal{"path": func(p delivery.Person, c *delivery.Copy) error {
		c.ReversePath = string(p.Member)
		return nil
	}}
	h := newHouse(t, o, smtptest.MailReply(func(path string) string {
		if path == "member000002@m.test" || path == "member000000@m.test" {
			return "550 5.1.7 Bad sender"
		}
		return ""
	}))
	members := numbered(5)
	team := h.list("team@lists.test", members...)
	r := h.post(team, 1)
	r.Personal = "path"
	if _, err := h.deliver(r); err != nil {
		t.Fatal(err)
	}
	h.drain(o, 20*time.Second)
	h.wantOnce(members...)
	for i, m := range h.peer.Messages() {
		if byList := i == 0 || i == 2; strings.Contains(m.Mail, "<team-bounces@lists.test>") != byList {
			t.Errorf("to %q: MAIL %s", m.Rcpts, m.Mail)
		}
	}
}

func TestPersonalCopies(t *testing.T) {
	t.Parallel()
	o := spooling(t.TempDir())
	o.Personal = map[string]delivery.Personal{"name": func(p delivery.Person, c *delivery.Copy) error {
		if len(p.Head) == 0 || p.Note != "a note" || p.ReversePath.IsZero() {
			return fmt.Errorf("made of %+v", p)
		}
		c.Fields = fmt.Appendf(c.Fields, "X-Member: %s of %s\r\n", p.Member, p.List)
		c.Footer = fmt.Appendf(c.Footer, "-- \r\nsent to %s\r\n", p.Member)
		return nil
	}}
	h := newHouse(t, o, refuseSome(10, "550 5.1.1 No such user"))
	members := numbered(250)
	team := h.list("team@lists.test", members...)
	r := h.post(team, 1)
	r.Personal, r.Note = "name", "a note"
	if _, err := h.deliver(r); err != nil {
		t.Fatal(err)
	}
	h.drain(o, 20*time.Second)
	got := map[string]string{}
	for _, m := range h.peer.Messages() {
		for _, rcpt := range m.Rcpts {
			got[rcpt] += m.Content // twice would show
		}
	}
	for i, m := range members {
		want := fmt.Sprintf("X-Member: %s of team@lists.test\r\nList-Id: <team.lists.test>\r\n\r\n%s-- \r\nsent to %s\r\n", m, body, m)
		if i%10 == 0 {
			want = ""
		}
		if got[m] != want {
			t.Errorf("%s has %q, want %q", m, got[m], want)
		}
	}
}

// As long as nobody has a personal copy, nobody is refused for good either: a next hop that refuses whoever comes, and then hangs up, may be one
// that is only starting.
func TestRefusedBeforeAConnectionIsLost(t *testing.T) {
	t.Parallel()
	o := spooling(t.TempDir())
	o.SpoolConnections = 1
	o.Personal = plainCopies()
	var asked atomic.Int32
	h := newHouse(t, o, smtptest.RcptReply(func(string) string {
		switch asked.Add(1) {
		case 1, 2:
			return "550 5.1.1 No such user"
		case 3:
			return "421 4.3.2 Bye"
		}
		return ""
	}))
	members := numbered(5)
	r := h.post(h.list("team@lists.test", members...), 1)
	r.Personal = "plain"
	if _, err := h.deliver(r); err != nil {
		t.Fatal(err)
	}
	h.drain(o, 20*time.Second)
	h.wantOnce(members...)
	h.wantRefused()
}

// A large body is not held in memory, and a footer begins on a line of its own.
func TestPersonalCopyOfABodyThatEndsInMidLine(t *testing.T) {
	t.Parallel()
	for _, lines := range []int{3, 10_000} {
		o := spooling(t.TempDir())
		o.Personal = map[string]delivery.Personal{"footer": func(_ delivery.Person, c *delivery.Copy) error {
			c.Footer = append(c.Footer, "-- \r\nthe team\r\n"...)
			return nil
		}}
		h := newHouse(t, o)
		members := numbered(3)
		r := h.post(h.list("team@lists.test", members...), 1)
		text := strings.Repeat(strings.Repeat("words ", 10)+"\r\n", lines) + "no end"
		r.Personal, r.Body, r.BodyOffset = "footer", content(text), 0
		if _, err := h.deliver(r); err != nil {
			t.Fatal(err)
		}
		h.drain(o, 20*time.Second)
		for _, m := range h.peer.Messages() {
			if want := string(r.Head) + text + "\r\n-- \r\nthe team\r\n"; m.Content != want {
				t.Errorf("a copy of %d octets, want %d: …%q", len(m.Content), len(want), m.Content[max(0, len(m.Content)-40):])
			}
		}
		if n := len(h.peer.Messages()); n != len(members) {
			t.Errorf("%d copies", n)
		}
	}
}

// Who needs SMTPUTF8 is refused where the next hop does not have it, and stands in nobody's way.
func TestPersonalCopiesWithoutSMTPUTF8(t *testing.T) {
	t.Parallel()
	o := spooling(t.TempDir())
	o.Personal = plainCopies()
	h := newHouse(t, o, smtptest.Ext("PIPELINING", "8BITMIME"))
	members := numbered(3)
	r := h.post(h.list("team@lists.test", append([]string{"jörg@m.test"}, members...)...), 1)
	r.Personal = "plain"
	if _, err := h.deliver(r); err != nil {
		t.Fatal(err)
	}
	h.drain(o, 20*time.Second)
	h.wantOnce(members...)
	h.wantRefused("team@lists.test jörg@m.test")
}

// A kept connection on which the next hop has hung up costs no attempt.
func TestPersonalCopiesOverAKeptConnection(t *testing.T) {
	t.Parallel()
	o := spooling(t.TempDir())
	o.SpoolConnections = 1
	o.Backoff = func(int) time.Duration { return time.Hour }
	o.Personal = plainCopies()
	var bye atomic.Bool
	h := newHouse(t, o, smtptest.MailReply(func(string) string {
		if bye.CompareAndSwap(true, false) {
			return "421 4.3.2 Bye"
		}
		return ""
	}))
	members := numbered(3)
	team := h.list("team@lists.test", members...)
	for key := range byte(2) {
		r := h.post(team, key+1)
		r.Personal = "plain"
		if _, err := h.deliver(r); err != nil {
			t.Fatal(err)
		}
		h.drain(o, 5*time.Second)
		bye.Store(true)
	}
	for m, n := range h.peer.Queued() {
		if n != 2 {
			t.Errorf("%s has %d mails", m, n)
		}
	}
	if n := h.peer.Conns(); n != 2 {
		t.Errorf("%d connections", n)
	}
}

// plainCopies have nothing of their own.
func plainCopies() map[string]delivery.Personal {
	return map[string]delivery.Personal{"plain": func(delivery.Person, *delivery.Copy) error { return nil }}
}
