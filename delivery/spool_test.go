package delivery_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"superlistd/delivery"
	"superlistd/delivery/spool"
	"superlistd/internal/smtptest"
	"superlistd/lists"
	"superlistd/wire"
)

// spooling are options with a spool and a guard in a folder, for entries that are tried again at once.
func spooling(dir string) delivery.Options {
	o := usual
	o.Batch, o.MaxArmed = 10, 3
	o.Spool, o.Guard = spool.Open(dir, spool.Options{Slots: 4}), delivery.NewGuard(dir+"/guard")
	o.SpoolConnections, o.SpoolPerList = 4, 3
	o.Lifetime, o.Timeout, o.Hostname = time.Hour, 20*time.Second, "mx.lists.test"
	o.Backoff = func(int) time.Duration { return time.Millisecond }
	return o
}

// post is a route with the key that its retry has too.
func (h *house) post(list lists.Address, key byte, not ...lists.Address) delivery.Route {
	r := h.route(list, not...)
	r.Key = delivery.Key{key, 1}
	r.Owners, r.MessageID = []string{"owner@m.test"}, "<post@m.test>"
	return r
}

func (h *house) deliver(routes ...delivery.Route) (delivery.Result, error) {
	return h.d.Deliver(h.t.Context(), delivery.Job{
		Client: wire.ClientInfo{Name: "client.test", Addr: "192.0.2.1"}, Routes: routes, Gone: func() bool { return false },
	})
}

// drain works on the spool until nothing is left, for at most that time.
func (h *house) drain(o delivery.Options, patience time.Duration) {
	h.t.Helper()
	ctx, cancel := context.WithTimeout(h.t.Context(), patience)
	defer cancel()
	for ctx.Err() == nil {
		h.d.Spooler().Drain(ctx)
		if infos, err := o.Spool.Entries(); err == nil && waiting(infos) == 0 {
			return
		}
		time.Sleep(time.Millisecond)
	}
	infos, err := o.Spool.Entries()
	h.t.Errorf("the spool is not empty: %+v, %v", infos, err)
}

func waiting(infos []spool.Info) (n int) {
	for _, i := range infos {
		if !i.Failed {
			n++
		}
	}
	return n
}

func TestWhatIsTooLargeGoesByTheSpool(t *testing.T) {
	t.Parallel()
	o := spooling(t.TempDir())
	h := newHouse(t, o)
	members := numbered(95)
	large := h.list("large@lists.test", members...)
	small := h.list("small@lists.test", members[:5]...)
	r, err := h.deliver(h.post(small, 1), h.post(large, 2, small))
	if err != nil {
		t.Fatal(err)
	}
	if r.Outcomes[0].Entry != "" || r.Outcomes[0].Accepted != 5 || r.Outcomes[1].Entry == "" {
		t.Errorf("outcomes %+v", r.Outcomes)
	}
	h.wantOnce(members[:5]...)
	h.drain(o, 20*time.Second)
	h.wantOnce(members...)
	again, err := h.deliver(h.post(small, 1), h.post(large, 2, small))
	if err != nil || !again.Outcomes[0].Before || !again.Outcomes[1].Before {
		t.Errorf("the retry: %+v, %v", again, err)
	}
	h.wantOnce(members...)
}

// A retry that finds its own entry in the spool is not sent again, although a power cut took the guard's note.
func TestRetryFindsItsEntry(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	o := spooling(dir)
	h := newHouse(t, o)
	large := h.list("large@lists.test", numbered(95)...)
	if _, err := h.deliver(h.post(large, 1)); err != nil {
		t.Fatal(err)
	}
	o.Guard = delivery.NewGuard(dir + "/another")
	h.renew(o)
	r, err := h.deliver(h.post(large, 1))
	if err != nil || !r.Outcomes[0].Before {
		t.Errorf("%+v, %v", r, err)
	}
}

// renew is another process at the same store, peer and folder.
func (h *house) renew(o delivery.Options) {
	h.t.Helper()
	o.Refused = h.note
	var err error
	if h.d, err = delivery.New(h.pool, h.store, o, zerolog.Nop()); err != nil {
		h.t.Fatal(err)
	}
}

// What fails after the first dot, and who is put off, gets the post by the spool; the sender hears 250.
func TestTheRestGoesToTheSpool(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		hop  func() smtptest.Option
	}{
		{"a later dot is refused for now", func() smtptest.Option {
			var n atomic.Int32
			return smtptest.FinalReply(func(string) string {
				if n.Add(1) == 2 {
					return "451 4.3.0 not now"
				}
				return ""
			})
		}},
		{"some members are put off", func() smtptest.Option {
			var seen sync.Map
			return smtptest.RcptReply(func(addr string) string {
				if _, again := seen.LoadOrStore(addr, true); strings.HasSuffix(addr, "3@m.test") && !again {
					return "450 4.2.0 come again"
				}
				return ""
			})
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := spooling(t.TempDir())
			h := newHouse(t, o, tt.hop())
			members := numbered(25)
			team := h.list("team@lists.test", members...)
			r, err := h.deliver(h.post(team, 1))
			if err != nil || r.Outcomes[0].Entry == "" {
				t.Fatalf("%+v, %v", r, err)
			}
			h.drain(o, 20*time.Second)
			h.wantOnce(members...)
		})
	}
}

func TestAnEntryThatIsRefusedFailsAndOwnersHearOnce(t *testing.T) {
	t.Parallel()
	o := spooling(t.TempDir())
	heard := make(chan string, 10)
	o.Failed = func(list lists.Address, _, messageID string, cause error) {
		heard <- fmt.Sprint(list, " ", messageID, " ", strings.Contains(cause.Error(), "not this"))
	}
	h := newHouse(t, o, smtptest.FinalReply(func(rcpt string) string {
		if rcpt == "owner@m.test" {
			return ""
		}
		return "550 5.7.1 not this"
	}))
	large := h.list("large@lists.test", numbered(95)...)
	if _, err := h.deliver(h.post(large, 1)); err != nil {
		t.Fatal(err)
	}
	h.drain(o, 20*time.Second)
	infos, err := o.Spool.Entries()
	if err != nil || len(infos) != 1 || !infos[0].Failed || !strings.Contains(infos[0].State.Error, "not this") {
		t.Errorf("%+v, %v", infos, err)
	}
	got := h.peer.Messages()
	if len(got) != 1 || !strings.Contains(got[0].Content, "could not be delivered") {
		t.Errorf("the owners got %+v", got)
	}
	if len(heard) != 1 || <-heard != "large@lists.test <post@m.test> true" {
		t.Error("Failed did not hear of it once")
	}
}

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
