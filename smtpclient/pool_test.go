package smtpclient

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"superlistd/internal/smtptest"
)

func newPool(t *testing.T, p *smtptest.Peer, maxIdle int, idle time.Duration) *Pool {
	t.Helper()
	pool := NewPool(Options{Hop: hopOf(t, p), Timeout: 10 * time.Second}, maxIdle, idle)
	t.Cleanup(pool.Close)
	return pool
}

func get(t *testing.T, pool *Pool, wantReused bool) *Conn {
	t.Helper()
	c, reused, err := pool.Get(t.Context())
	if err != nil || reused != wantReused {
		t.Fatalf("Get: reused %v, want %v, %v", reused, wantReused, err)
	}
	return c
}

func TestPoolReusesTheLastOne(t *testing.T) {
	t.Parallel()
	p := smtptest.Start(t)
	pool := newPool(t, p, 2, time.Minute)
	a, b, c := get(t, pool, false), get(t, pool, false), get(t, pool, false)
	pool.Put(a)
	pool.Put(b)
	pool.Put(c) // no room
	waitUntil(t, func() bool { return p.Open() == 2 })
	if got := get(t, pool, true); got != b {
		t.Error("not the one put last")
	}
	if got := get(t, pool, true); got != a {
		t.Error("not the other one")
	}
	pool.Put(a)
	fresh, err := pool.Fresh(t.Context())
	if err != nil || fresh == a {
		t.Errorf("Fresh: %v", err)
	}
	pool.Put(fresh)
	pool.Put(b)
	pool.Close()
	waitUntil(t, func() bool { return p.Open() == 0 })
	if n := strings.Count(p.Transcript(), "C: QUIT"); n != 4 {
		t.Errorf("%d QUIT for 4 connections", n)
	}
	pool.Put(nil)
	d := get(t, pool, false) // a closed pool still dials, and keeps nothing
	pool.Put(d)
	waitUntil(t, func() bool { return p.Open() == 0 })
}

func TestPoolNoticesStaleConnections(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		spoil func(c *Conn)
	}{
		{"closed by us", func(c *Conn) { _ = c.base.Close() }},
		{"something to read", func(c *Conn) {
			// A command nobody waits for: its reply comes while the session is idle.
			_, _ = c.nc.Write([]byte("NOOP\r\n"))
			for c.quiet() {
				time.Sleep(time.Millisecond)
			}
		}},
		{"peer has hung up", func(c *Conn) {
			_, _ = c.nc.Write([]byte("QUIT\r\n"))
			for c.quiet() {
				time.Sleep(time.Millisecond)
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			pool := newPool(t, smtptest.Start(t), 5, time.Minute)
			c := get(t, pool, false)
			pool.Put(c)
			tt.spoil(c)
			if got := get(t, pool, false); got == c {
				t.Error("the stale one came back")
			}
		})
	}
}

func TestPoolPutSpoilt(t *testing.T) {
	t.Parallel()
	p := smtptest.Start(t)
	pool := newPool(t, p, 5, time.Minute)
	c := get(t, pool, false)
	tx := begin(t, c, Envelope{})
	rcpt(t, tx, "x@y")
	write(t, tx, "half")
	pool.Put(c)
	if pool.Idle() != 0 {
		t.Error("a connection in the middle of content was kept")
	}
	c = get(t, pool, false)
	tx = begin(t, c, Envelope{})
	rcpt(t, tx, "x@y")
	pool.Put(c)
	if pool.Idle() != 1 {
		t.Error("a transaction before DATA was not taken back")
	}
	tx.Abort() // late, and of no consequence
	c = get(t, pool, true)
	tx = begin(t, c, Envelope{})
	rcpt(t, tx, "z@y")
	write(t, tx, "x")
	commit(t, tx)
	if m := only(t, p); len(m.Rcpts) != 1 {
		t.Errorf("%+v", m)
	}
}

func TestPoolReaps(t *testing.T) {
	t.Parallel()
	p := smtptest.Start(t)
	pool := newPool(t, p, 5, 50*time.Millisecond)
	a, b := get(t, pool, false), get(t, pool, false)
	pool.Put(a)
	time.Sleep(20 * time.Millisecond)
	pool.Put(b)
	waitUntil(t, func() bool { return p.Open() == 0 })
	if pool.Idle() != 0 || strings.Count(p.Transcript(), "C: QUIT") != 2 {
		t.Errorf("%d idle\n%s", pool.Idle(), p.Transcript())
	}
	pool.Put(get(t, pool, false)) // arms it again
	waitUntil(t, func() bool { return pool.Idle() == 0 })
}

func TestPoolCapabilities(t *testing.T) {
	t.Parallel()
	p := smtptest.Start(t)
	pool := newPool(t, p, 5, time.Minute)
	for range 3 {
		caps, err := pool.Capabilities(t.Context())
		if err != nil || !caps.Pipelining || caps.Size != 10240000 {
			t.Fatalf("%+v, %v", caps, err)
		}
	}
	if p.Conns() != 1 || pool.Idle() != 1 {
		t.Errorf("%d connections, %d idle, want 1 and 1", p.Conns(), pool.Idle())
	}
	pool.mu.Lock()
	pool.capsAt = time.Now().Add(-capabilitiesFor)
	pool.mu.Unlock()
	if _, err := pool.Capabilities(t.Context()); err != nil || pool.Idle() != 1 {
		t.Errorf("%v, %d idle", err, pool.Idle())
	}
	p.Close()
	pool.mu.Lock()
	pool.capsAt = time.Time{}
	pool.mu.Unlock()
	if _, err := pool.Capabilities(t.Context()); !errors.Is(err, ErrUnreachable) {
		t.Errorf("nobody there: %v", err)
	}
}

func TestPoolManyUsers(t *testing.T) {
	t.Parallel()
	p := smtptest.Start(t, smtptest.Quiet())
	pool := newPool(t, p, 3, 5*time.Millisecond)
	var wg sync.WaitGroup
	const users, each = 8, 25
	for range users {
		wg.Go(func() {
			for range each {
				if err := post(t, pool); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	pool.Close()
	waitUntil(t, func() bool { return p.Open() == 0 })
	if n := len(p.Messages()); n != users*each {
		t.Errorf("%d messages, want %d", n, users*each)
	}
}

func post(t *testing.T, pool *Pool) error {
	c, _, err := pool.Get(t.Context())
	if err != nil {
		return err
	}
	defer pool.Put(c)
	tx, err := c.Begin(Envelope{})
	if err != nil {
		return err
	}
	if _, err = tx.Rcpt(t.Context(), "TO:<x@y>"); err == nil {
		err = tx.Data(t.Context())
	}
	if err == nil {
		_, err = tx.Commit(t.Context())
	}
	return err
}
