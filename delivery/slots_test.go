package delivery_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"superlistd/delivery"
	"superlistd/internal/smtptest"
	"superlistd/smtpclient"
	"superlistd/wire"
)

// tight has room for one post of four transactions, and for two relays.
var tight = delivery.Options{Batch: 1, MaxArmed: 4, Connections: 6, RelayShare: 2}

// Posts that each need every slot pass one after the other: none ever waits with slots in its hands.
func TestPostsThatNeedAllSlots(t *testing.T) {
	t.Parallel()
	h := newHouse(t, tight, smtptest.Delay(time.Millisecond))
	r := h.route(h.list("team@lists.test", numbered(4)...))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var wg sync.WaitGroup
	for range 12 {
		wg.Go(func() {
			e, err := h.d.Expand(ctx, wire.ClientInfo{}, []delivery.Route{r})
			if err != nil {
				t.Error(err)
				return
			}
			if open := h.peer.Open(); open > 4+4 { // the ones before may still be closing
				t.Errorf("%d connections", open)
			}
			if _, _, err := e.Commit(ctx, true); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for m, n := range h.peer.Queued() {
		if n != 12 {
			t.Errorf("%s has %d posts, want 12", m, n)
		}
	}
	h.wantClean()
}

// relay sends a message that is only relayed.
func (h *house) relay(ctx context.Context, rcpts ...string) (wire.Reply, error) {
	r := h.d.NewRelay(wire.ClientInfo{Name: "client.test"}, "FROM:<ann@m.test> SIZE=10")
	defer r.Abort()
	for _, to := range rcpts {
		if _, err := r.Rcpt(ctx, "TO:<"+to+">"); err != nil {
			return wire.Reply{}, err
		}
	}
	if err := r.Data(ctx, ctx); err != nil {
		return wire.Reply{}, err
	}
	if _, err := r.Write([]byte("List-Id: <none>\r\n\r\n" + body)); err != nil {
		return wire.Reply{}, err
	}
	return r.Commit(ctx)
}

// However many posts hold or wait for slots, relayed mail has its own; and the reverse.
func TestNeitherKindStarvesTheOther(t *testing.T) {
	t.Parallel()
	h := newHouse(t, tight)
	r := h.route(h.list("team@lists.test", numbered(4)...))
	held, err := h.d.Expand(t.Context(), wire.ClientInfo{}, []delivery.Route{r})
	if err != nil {
		t.Fatal(err)
	}
	waiting, giveUp := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			_, err := h.d.Expand(waiting, wire.ClientInfo{}, []delivery.Route{r})
			wantError(t, err, delivery.ErrBusy)
		})
	}
	for range 10 {
		if reply, err := h.relay(t.Context(), "out@far.test"); err != nil || reply.Code != 250 {
			t.Errorf("relay beside posts: %v, %v", reply, err)
		}
	}
	giveUp()
	wg.Wait()
	held.Abort()
	relays := []*delivery.Relay{h.d.NewRelay(wire.ClientInfo{}, "FROM:<>"), h.d.NewRelay(wire.ClientInfo{}, "FROM:<>")}
	for _, r := range relays {
		if _, err := r.Rcpt(t.Context(), "TO:<x@far.test>"); err != nil {
			t.Fatal(err)
		}
	}
	h.mustExpand(r)
	short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = h.relay(short, "out@far.test")
	wantError(t, err, delivery.ErrBusy)
	for _, r := range relays {
		r.Abort()
		r.Abort() // gives nothing back twice
	}
	h.wantClean()
}

// A post that gives up waiting, whenever that is, takes no slot with it, and lets the next one pass.
func TestContextEndsWhileWaitingForSlots(t *testing.T) {
	t.Parallel()
	h := newHouse(t, tight)
	r := h.route(h.list("team@lists.test", numbered(4)...))
	small := h.route(h.list("small@lists.test", "ann@m.test"))
	for i := range 30 {
		held, err := h.d.Expand(t.Context(), wire.ClientInfo{}, []delivery.Route{small})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i)*200*time.Microsecond)
		var wg sync.WaitGroup
		wg.Go(func() {
			if e, err := h.d.Expand(ctx, wire.ClientInfo{}, []delivery.Route{r}); err == nil {
				e.Abort()
			} else if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("error %v", err)
			}
		})
		if i%2 == 0 {
			wg.Wait() // it gives up; else it may just get what it waits for
		}
		held.Abort()
		wg.Wait()
		cancel()
		if !h.d.AllFree() {
			t.Fatalf("round %d: slots are lost", i)
		}
	}
	h.mustExpand(r)
	h.wantOnce(numbered(4)...)
}

// A kept connection that the next hop has dropped meanwhile is replaced, and nothing comes twice. The peer
// breaks the second transaction of a connection at each of its steps.
func TestStaleConnectionIsReplacedOnce(t *testing.T) {
	t.Parallel()
	for _, how := range []smtptest.Fault{smtptest.Drop, smtptest.RST, "421 4.4.2 Timeout"} {
		t.Run(string(how), func(t *testing.T) {
			t.Parallel()
			first := steps(t)
			for n := first + 1; n <= first+3; n++ { // XFORWARD read and answered, MAIL read: no recipient is answered yet
				h := newHouse(t, usual, smtptest.Fail(n, how))
				h.mustExpand(h.route(h.list("first@lists.test", "ann@m.test")))
				out := h.mustExpand(h.route(h.list("team@lists.test", numbered(5)...)))
				if out[0].Transactions != 1 || h.peer.Conns() != 2 {
					t.Errorf("step %d: %d transactions over %d connections, want 1 over 2", n, out[0].Transactions, h.peer.Conns())
				}
				h.wantOnce(append(numbered(5), "ann@m.test")...)

				h = newHouse(t, usual, smtptest.Fail(n, how))
				for i, to := range []string{"ann@m.test", "bob@m.test"} {
					if reply, err := h.relay(t.Context(), to); err != nil || reply.Code != 250 {
						t.Errorf("step %d: relay %d: %v, %v", n, i, reply, err)
					}
				}
				if got := h.peer.Queued(); got["ann@m.test"] != 1 || got["bob@m.test"] != 1 {
					t.Errorf("step %d: queued %v", n, got)
				}
			}
		})
	}
}

// steps counts those of one post to one member.
func steps(t *testing.T) int {
	h := newHouse(t, usual)
	h.mustExpand(h.route(h.list("first@lists.test", "ann@m.test")))
	return h.peer.Steps()
}

// A connection that is lost when recipients were answered is not replaced: the sender comes again.
func TestLostConnectionIsNotReplaced(t *testing.T) {
	t.Parallel()
	h := newHouse(t, usual, smtptest.On("DATA", "421 4.3.2 Bye"))
	team := h.list("team@lists.test", numbered(5)...)
	for range 2 {
		_, _, err := h.expand(h.route(team))
		wantError(t, err, smtpclient.ErrLost)
	}
	if h.peer.Conns() != 2 {
		t.Errorf("%d connections, want one for each post", h.peer.Conns())
	}
	h.wantNothing()
}

// Connections of small posts are used again.
func TestConnectionsAreKept(t *testing.T) {
	t.Parallel()
	h := newHouse(t, usual)
	r := h.route(h.list("team@lists.test", numbered(5)...))
	for range 5 {
		h.mustExpand(r)
	}
	if h.peer.Conns() != 1 {
		t.Errorf("%d connections for five posts", h.peer.Conns())
	}
	for _, m := range h.peer.Messages() {
		if slices.Sort(m.Rcpts); !slices.Equal(m.Rcpts, numbered(5)) {
			t.Errorf("recipients %q", m.Rcpts)
		}
	}
}

// Not parallel: the count of goroutines is the whole process's.
func TestNoGoroutineIsLeft(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Run("all ways to end", func(t *testing.T) {
		o := usual
		o.Batch = 3
		for n := 1; n <= 60; n += 4 {
			for _, how := range []smtptest.Fault{smtptest.Drop, smtptest.Garbage, "450 4.0.0 Later", "550 5.0.0 Never"} {
				h := newHouse(t, o, smtptest.Fail(n, how))
				r := h.route(h.list("team@lists.test", numbered(8)...))
				_, _, _ = h.expand(r) // the fault loops judge this
				if e, err := h.d.Expand(t.Context(), wire.ClientInfo{}, []delivery.Route{r}); err == nil {
					e.Abort()
				}
				_, _ = h.relay(t.Context(), "out@far.test")
				h.wantClean()
				h.pool.Close()
				h.peer.Close()
			}
		}
	})
	if left := grown(before); left != "" {
		t.Error(left)
	}
}
