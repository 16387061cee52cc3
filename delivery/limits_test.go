package delivery_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/rs/zerolog"

	"superlistd/delivery"
	"superlistd/internal/smtptest"
	"superlistd/lists"
	"superlistd/smtpclient"
)

func discard() zerolog.Logger { return zerolog.Nop() }

// The next hop takes fewer recipients than we thought: what it shows, or announces, is learned, and
// the post is planned anew with nothing left behind.
func TestLimitOfTheNextHopIsLearned(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		hop     []smtptest.Option
		members int
		want    int // transactions
		dials   int // of the first post, at most
	}{
		{"452 4.5.3", []smtptest.Option{smtptest.MaxRcpts(10)}, 35, 4, 5},
		{"452 4.5.3 past the window", []smtptest.Option{smtptest.MaxRcpts(1500)}, 4000, 3, 6},
		{"LIMITS RCPTMAX", []smtptest.Option{smtptest.Also("LIMITS RCPTMAX=10"), smtptest.MaxRcpts(10)}, 35, 4, 5},
		{"LIMITS larger than the truth", []smtptest.Option{smtptest.Also("LIMITS RCPTMAX=20"), smtptest.MaxRcpts(10)}, 35, 4, 9},
		{"exactly what may be armed", []smtptest.Option{smtptest.MaxRcpts(100)}, 2000, 20, 24},
		{"exactly what may be armed, announced", []smtptest.Option{smtptest.Also("LIMITS RCPTMAX=100")}, 2000, 20, 24},
		{"without PIPELINING", []smtptest.Option{smtptest.Ext(), smtptest.MaxRcpts(3)}, 10, 4, 5},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := usual
			o.Batch = 2000
			h := newHouse(t, o, tt.hop...)
			members := numbered(tt.members)
			team := h.list("team@lists.test", members...)
			if out := h.mustExpand(h.route(team)); out[0].Transactions != tt.want {
				t.Errorf("%d transactions, want %d", out[0].Transactions, tt.want)
			}
			h.wantOnce(members...)
			h.wantRefused()
			if got := h.peer.Conns(); got > tt.dials {
				t.Errorf("%d connections, want at most %d", got, tt.dials)
			}
			before := h.peer.Conns()
			asked := strings.Count(h.peer.Transcript(), "452 4.5.3")
			h.mustExpand(h.route(team))
			if strings.Count(h.peer.Transcript(), "452 4.5.3") != asked {
				t.Error("the second post ran into the limit again")
			}
			if got := h.peer.Conns(); got > before+tt.want {
				t.Errorf("%d more connections", got-before)
			}
		})
	}
}

// Owners are recipients like others: a hop that takes one at a time gets them one at a time.
func TestFixedAudienceIsDividedToo(t *testing.T) {
	t.Parallel()
	for _, batch := range []int{1, 2, 1000} {
		t.Run(fmt.Sprint(batch), func(t *testing.T) {
			t.Parallel()
			o := usual
			o.Batch = batch
			h := newHouse(t, o, smtptest.MaxRcpts(1))
			r := h.route(h.list("team@lists.test"))
			r.Audience = delivery.Audience{Fixed: []string{"ann@m.test", `"b b"@m.test`, "postmaster"}}
			h.mustExpand(r)
			h.wantOnce("ann@m.test", `"b b"@m.test`, "postmaster")
			if got := len(h.peer.Messages()); got != 3 {
				t.Errorf("%d transactions, want 3", got)
			}
		})
	}
}

// A 452 for another reason than the number must not make small transactions of all posts to come.
func TestPassingLimitIsForgotten(t *testing.T) {
	t.Parallel()
	var quota atomic.Bool
	quota.Store(true)
	h := newHouse(t, usual, smtptest.RcptReply(func(addr string) string {
		if quota.Load() && addr != "member000000@m.test" {
			return "452 Insufficient system storage"
		}
		return ""
	}))
	members := numbered(50)
	team := h.list("team@lists.test", members...)
	_, _, err := h.expand(h.route(team))
	wantError(t, err, delivery.ErrTooLarge)
	h.wantNothing()
	quota.Store(false)
	h.d.Forget()
	h.mustExpand(h.route(team))
	h.wantOnce(members...)
}

func TestTooLarge(t *testing.T) {
	t.Parallel()
	o := usual
	o.Batch, o.MaxArmed = 10, 3
	for _, tt := range []struct {
		name    string
		members int
		hop     []smtptest.Option
	}{
		{"by the stored count", 31, nil},
		{"when the limit is learned", 10, []smtptest.Option{smtptest.MaxRcpts(3)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, o, tt.hop...)
			team := h.list("team@lists.test", numbered(tt.members)...)
			_, _, err := h.expand(h.route(team))
			wantError(t, err, delivery.ErrTooLarge)
			h.wantNothing()
			if tt.hop == nil && h.peer.Conns() > 0 {
				t.Error("connected in vain")
			}
		})
	}
}

// growing is a store whose roster changes after it was counted.
type growing struct {
	delivery.Rosters
	grow func()
	done atomic.Bool
}

func (g *growing) Recipients(ctx context.Context, list lists.Address, r *lists.Recipients, n int) error {
	if g.done.CompareAndSwap(false, true) {
		g.grow()
	}
	return g.Rosters.Recipients(ctx, list, r, n)
}

func TestRosterGrowsAfterItWasCounted(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ before, after, batch int }{
		{10, 11, 10}, {10, 19, 20}, {10, 45, 10}, {1000, 1500, 100}, {2000, 2001, 2000}, {1, 200, 10},
	} {
		t.Run(fmt.Sprintf("%d to %d by %d", tt.before, tt.after, tt.batch), func(t *testing.T) {
			t.Parallel()
			o := usual
			o.Batch = tt.batch
			g := &growing{}
			h := newHouseWith(t, o, func(r delivery.Rosters) delivery.Rosters { g.Rosters = r; return g })
			members := numbered(tt.after)
			team := h.list("team@lists.test", members[:tt.before]...)
			g.grow = func() { h.join(team, members[tt.before:]...) }
			h.mustExpand(h.route(team))
			h.wantOnce(members...)
		})
	}
}

func TestStoreFailsWhileThePostIsArmed(t *testing.T) {
	t.Parallel()
	broken := errors.New("bad sector")
	for n := 1; n <= 12; n++ {
		f := &failing{err: broken, at: int64(n)}
		o := usual
		o.Batch = 1500
		h := newHouseWith(t, o, func(r delivery.Rosters) delivery.Rosters { f.Rosters = r; return f })
		a := h.list("a@lists.test", numbered(3000)...)
		b := h.list("b@lists.test", numbered(3500)...)
		_, _, err := h.expand(h.route(a), h.route(b, a))
		if f.calls.Load() < int64(n) {
			if err != nil || n < 6 {
				t.Errorf("call %d: not reached, %v", n, err)
			}
			break
		}
		wantError(t, err, broken)
		h.wantNothing()
	}
}

// failing is a store whose n-th call fails.
type failing struct {
	delivery.Rosters
	err   error
	at    int64
	calls atomic.Int64
}

func (f *failing) fault() error {
	if f.calls.Add(1) == f.at {
		return f.err
	}
	return nil
}

func (f *failing) Recipients(ctx context.Context, list lists.Address, r *lists.Recipients, n int) error {
	if err := f.fault(); err != nil {
		return err
	}
	return f.Rosters.Recipients(ctx, list, r, n)
}

func (f *failing) Contains(ctx context.Context, list lists.Address, issue int, keys [][]byte, in []bool) error {
	if err := f.fault(); err != nil {
		return err
	}
	return f.Rosters.Contains(ctx, list, issue, keys, in)
}

func TestSizeOfTheNextHop(t *testing.T) {
	t.Parallel()
	h := newHouse(t, usual, smtptest.Ext("SIZE 100"))
	r := h.route(h.list("team@lists.test", "ann@m.test"))
	r.Head = []byte("X: " + strings.Repeat("x", 100) + "\r\n\r\n")
	_, _, err := h.expand(r)
	wantError(t, err, smtpclient.ErrSize)
	h.wantNothing()
}
