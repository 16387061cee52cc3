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

// What is meant for the spool goes by it, although it would go through, and ends there as any other post that is refused for good; what was in
// before is not sent again.
func TestSpooled(t *testing.T) {
	t.Parallel()
	o := spooling(t.TempDir())
	var refuses atomic.Bool
	h := newHouse(t, o, smtptest.FinalReply(func(rcpt string) string {
		if refuses.Load() && rcpt != "owner@m.test" {
			return "550 5.7.1 not this"
		}
		return ""
	}))
	members := numbered(5)
	team := h.list("team@lists.test", members...)
	if _, err := h.deliver(h.post(team, 1)); err != nil {
		t.Fatal(err)
	}
	refuses.Store(true)
	first, second := h.post(team, 1), h.post(team, 2)
	if _, err := h.deliver(first, second); err == nil {
		t.Fatal("taken")
	}
	first.Spooled, second.Spooled = true, true
	r, err := h.deliver(first, second)
	if err != nil || !r.Outcomes[0].Before || r.Outcomes[1].Entry == "" || r.Outcomes[1].Accepted > 0 {
		t.Fatalf("%+v, %v", r, err)
	}
	h.drain(o, 20*time.Second)
	if i := only(t, o); !i.Failed || i.ID != r.Outcomes[1].Entry {
		t.Errorf("%+v", i)
	}
	got := h.peer.Queued()
	for _, m := range append(members, "owner@m.test") {
		if got[m] != 1 {
			t.Errorf("%s has %d mails", m, got[m])
		}
	}
}
