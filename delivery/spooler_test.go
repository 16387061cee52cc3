package delivery_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"superlistd/delivery"
	"superlistd/delivery/spool"
	"superlistd/internal/smtptest"
	"superlistd/lists"
)

// clock is moved by hand.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time        { return time.Now().Add(time.Duration(c.ahead.Load())) }
func (c *clock) jump(by time.Duration) { c.ahead.Add(int64(by)) }

// parked posts to a list of 95 members, which is too many to go through.
func (h *house) parked(name string) (members []string) {
	h.t.Helper()
	members = numbered(95)
	if _, err := h.deliver(h.post(h.list(name, members...), 1)); err != nil {
		h.t.Fatal(err)
	}
	return members
}

// only is the one entry.
func only(t *testing.T, o delivery.Options) spool.Info {
	t.Helper()
	infos, err := o.Spool.Entries()
	if err != nil || len(infos) != 1 {
		t.Fatalf("%d entries, %v", len(infos), err)
	}
	return infos[0]
}

func TestAClockThatJumps(t *testing.T) {
	t.Parallel()
	for _, jump := range []time.Duration{100 * 365 * 24 * time.Hour, -10 * 365 * 24 * time.Hour} {
		t.Run(jump.String(), func(t *testing.T) {
			t.Parallel()
			var c clock
			o := spooling(t.TempDir())
			o.Spool = spool.Open(t.TempDir(), spool.Options{Now: c.now})
			o.Backoff = func(int) time.Duration { return time.Minute }
			var shut atomic.Bool
			shut.Store(true)
			h := newHouse(t, o, smtptest.FinalReply(func(string) string {
				if shut.Load() {
					return "451 4.3.0 not now"
				}
				return ""
			}))
			members := h.parked("team@lists.test")
			h.d.Spooler().Drain(t.Context())
			c.jump(jump)
			h.d.Spooler().Drain(t.Context())
			if i := only(t, o); i.Failed || i.State.Attempts < 1 {
				t.Fatalf("after the jump: %+v", i)
			}
			c.jump(2 * time.Hour)
			shut.Store(false)
			h.drain(o, 20*time.Second)
			h.wantOnce(members...)
		})
	}
}

func TestAnEntryIsGivenUpAfterItsLifetime(t *testing.T) {
	t.Parallel()
	var c clock
	o := spooling(t.TempDir())
	o.Spool = spool.Open(t.TempDir(), spool.Options{Now: c.now})
	h := newHouse(t, o, smtptest.FinalReply(func(rcpt string) string {
		if rcpt == "owner@m.test" {
			return ""
		}
		return "451 4.3.0 not now"
	}))
	h.parked("team@lists.test")
	for range 10 {
		h.d.Spooler().Drain(t.Context())
		c.jump(o.Lifetime / 6)
	}
	h.drain(o, 10*time.Second)
	if i := only(t, o); !i.Failed || !strings.Contains(i.State.Error, "given up after") {
		t.Errorf("%+v", i)
	}
	if got := h.peer.Messages(); len(got) != 1 || got[0].Sender != "" {
		t.Errorf("the owners got %+v", got)
	}
}

// A list that is busy does not stall the others: ten posts to a large one, then one to a list of twelve.
func TestEntriesTakeTurns(t *testing.T) {
	t.Parallel()
	o := spooling(t.TempDir())
	o.MaxArmed, o.SpoolConnections, o.SpoolPerList = 1, 2, 1
	h := newHouse(t, o)
	large := h.list("large@lists.test", numbered(300)...)
	small := h.list("small@lists.test", numbered(12)...)
	for key := range 10 {
		if _, err := h.deliver(h.post(large, byte(key))); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := h.deliver(h.post(small, 100)); err != nil {
		t.Fatal(err)
	}
	h.drain(o, 20*time.Second)
	messages := h.peer.Messages()
	last := 0
	for i, m := range messages {
		if strings.Contains(m.Content, "<small.lists.test>") {
			last = i
		}
	}
	if len(messages) != 10*30+2 || last > 30 {
		t.Errorf("of %d transactions the small list's last was number %d", len(messages), last)
	}
}

// halfServed is a post to team@lists.test that waits, since the fourth transaction was put off: 30 of its members have it. Those
// who are named by their number want no posts.
func halfServed(t *testing.T, silent ...int) (h *house, o delivery.Options, members []string) {
	t.Helper()
	o = spooling(t.TempDir())
	o.SpoolConnections = 1
	var n atomic.Int32
	h = newHouse(t, o, smtptest.FinalReply(func(string) string {
		if n.Add(1) == 4 {
			return "451 4.3.0 not now"
		}
		return ""
	}))
	members = h.parked("team@lists.test")
	for _, i := range silent {
		h.wants(address(t, "team@lists.test"), lists.DeliveryNone, members[i])
	}
	o.Backoff = func(int) time.Duration { return time.Hour }
	h.renewKeeping(o)
	h.d.Spooler().Drain(t.Context())
	if i := only(t, o); i.State.Accepted != 30 {
		t.Fatalf("%d accepted at first", i.State.Accepted)
	}
	return h, o, members
}

// goOn delivers the one entry, which waits.
func (h *house) goOn(t *testing.T, o delivery.Options) {
	t.Helper()
	if err := o.Spool.Retry(only(t, o).ID); err != nil {
		t.Fatal(err)
	}
	h.drain(o, 20*time.Second)
}

// A member who leaves before his turn gets nothing, and one who joins behind the cursor of a resumed entry gets the post once.
func TestTheRosterLives(t *testing.T) {
	t.Parallel()
	h, o, members := halfServed(t)
	team := address(t, "team@lists.test")
	leaver := members[90]
	if _, err := h.store.Change(context.Background(), team, lists.Change{Remove: []lists.Address{address(t, leaver)}}); err != nil {
		t.Fatal(err)
	}
	h.join(team, "aaa@m.test", "zzz@m.test") // in front of the cursor, and behind
	h.goOn(t, o)
	want := append(slices.DeleteFunc(members, func(m string) bool { return m == leaver }), "zzz@m.test")
	h.wantOnce(want...)
}

// renewKeeping is another process, after the one before has let go of its entries.
func (h *house) renewKeeping(o delivery.Options) {
	h.t.Helper()
	h.d.Spooler().Release()
	h.renew(o)
}

func TestAListThatIsGoneEndsItsEntries(t *testing.T) {
	t.Parallel()
	o := spooling(t.TempDir())
	h := newHouse(t, o)
	h.parked("team@lists.test")
	if err := h.store.Delete(context.Background(), address(t, "team@lists.test")); err != nil {
		t.Fatal(err)
	}
	h.drain(o, 10*time.Second)
	h.wantNothing()
}

func TestTheSpoolLearnsTheLimit(t *testing.T) {
	t.Parallel()
	for _, hop := range []smtptest.Option{smtptest.MaxRcpts(4), smtptest.Also("LIMITS RCPTMAX=3")} {
		o := spooling(t.TempDir())
		h := newHouse(t, o, hop)
		members := h.parked("team@lists.test")
		h.drain(o, 20*time.Second)
		h.wantOnce(members...)
	}
}

// When the next hop will have nobody, nobody is reported as a bounce: its settings are wrong.
func TestEverybodyRefusedIsNoBounce(t *testing.T) {
	t.Parallel()
	o := spooling(t.TempDir())
	o.Backoff = func(int) time.Duration { return time.Hour }
	var open atomic.Bool
	h := newHouse(t, o, smtptest.RcptReply(func(string) string {
		if open.Load() {
			return ""
		}
		return "554 5.7.1 Relay access denied"
	}))
	members := h.parked("team@lists.test")
	h.d.Spooler().Drain(t.Context())
	h.wantRefused()
	if i := only(t, o); i.Failed || i.State.Accepted != 0 || !strings.Contains(i.State.Error, "Relay access denied") {
		t.Fatalf("%+v", i)
	}
	open.Store(true)
	if err := o.Spool.Retry(only(t, o).ID); err != nil {
		t.Fatal(err)
	}
	h.drain(o, 10*time.Second)
	h.wantOnce(members...)
}

// Linger works on what its own process accepted, and leaves the rest.
func TestLingerIsForOwnEntries(t *testing.T) {
	t.Parallel()
	o := spooling(t.TempDir())
	h := newHouse(t, o)
	members := h.parked("other@lists.test")
	h.renewKeeping(o)
	mine := h.list("mine@lists.test", numbered(95)...)
	if _, err := h.deliver(h.post(mine, 2)); err != nil {
		t.Fatal(err)
	}
	h.d.Spooler().Linger(t.Context())
	if i := only(t, o); i.Plan.List.String() != "other@lists.test" || i.State.Accepted != 0 {
		t.Errorf("left: %+v", i)
	}
	h.wantOnce(members...)
}

// Several processes on one folder: nobody gets a post twice, and none is forgotten.
func TestManySpoolersShareAFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	o := spooling(dir)
	h := newHouse(t, o)
	want := map[string]int{}
	for k := range 12 {
		members := numbered(31 + 10*(k%3))
		list := h.list(fmt.Sprintf("l%d@lists.test", k), members...)
		if _, err := h.deliver(h.post(list, byte(k))); err != nil {
			t.Fatal(err)
		}
		for _, m := range members {
			want[m]++
		}
	}
	h.d.Spooler().Release()
	var wg sync.WaitGroup
	for range 6 {
		p := spooling(dir)
		p.Guard = o.Guard
		d := &house{t: t, peer: h.peer, store: h.store, pool: h.pool}
		d.renew(p)
		wg.Go(func() {
			for range 200 {
				d.d.Spooler().Drain(t.Context())
				if infos, err := p.Spool.Entries(); err == nil && waiting(infos) == 0 {
					return
				}
				time.Sleep(time.Millisecond)
			}
		})
	}
	wg.Wait()
	got := h.peer.Queued()
	for m, n := range want {
		if got[m] != n {
			t.Errorf("%s has %d posts, want %d", m, got[m], n)
		}
	}
}
