package proxy

import (
	"context"
	"errors"
	"net"
	"sync"
	"testing"
	"time"
)

// stopping begins a Shutdown and waits until it has begun.
func (h *house) stopping(ctx context.Context) <-chan error {
	done := make(chan error, 1)
	go func() { done <- h.srv.Shutdown(ctx) }()
	eventually(h.tb, "stopping", h.srv.isStopping)
	return done
}

func TestShutdown(t *testing.T) {
	t.Parallel()
	for _, door := range []string{"smtp/tcp", "smtp/unix", "lmtp/tcp"} {
		h := start(t, setup{})
		silent := newClient(t, h.dial(door))
		silent.expect("220")
		idle := h.client(door)
		again := h.client(door)
		again.envelope("ann@example.net", "x@other.test")
		again.send("one\r\n.\r\n")
		again.expect("250")
		early, late := h.client(door), h.client(door)
		early.say("MAIL FROM:<ann@example.net>", "250")
		late.envelope("ann@example.net", "team@lists.example.org", "x@other.test")
		late.send("From: ann@example.net\r\n")

		done := h.stopping(t.Context())
		for _, c := range []*client{silent, idle, again} {
			c.expect("421 4.3.2 Service is stopping")
			c.expect("")
		}
		// A transaction that has begun is served to its end, and is the last one.
		early.say("RCPT TO:<x@other.test>", "250")
		early.say("DATA", "354")
		early.send("two\r\n.\r\nNOOP\r\n")
		early.expect("250")
		early.expect("421 4.3.2")
		early.expect("")
		late.send("\r\nthree\r\n.\r\n")
		late.expect("250")
		if door == "lmtp/tcp" {
			late.expect("250")
		}
		late.expect("421 4.3.2")
		if err := <-done; err != nil {
			t.Errorf("%s: Shutdown: %v", door, err)
		}
		if _, err := net.Dial(door[5:], h.addr[door]); err == nil {
			t.Errorf("%s: the door is open", door)
		}
		if n := len(h.peer.Messages()); n != 4 {
			t.Errorf("%s: %d messages, want 4", door, n)
		}
	}
}

// Who does not end in time is cut off, and leaves nothing behind.
func TestShutdownCutsOff(t *testing.T) {
	t.Parallel()
	h := start(t, setup{})
	relay, post, commands := h.client("smtp/tcp"), h.client("smtp/unix"), h.client("smtp/tcp")
	relay.envelope("ann@example.net", "x@other.test")
	relay.send("half a message\r\n")
	post.envelope("ann@example.net", "team@lists.example.org")
	post.send("From: ann@example.net\r\n")
	commands.say("MAIL FROM:<a@b.test>", "250")
	ctx, cancel := context.WithCancel(t.Context())
	done := h.stopping(ctx)
	cancel()
	select {
	case err := <-done:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Shutdown: %v", err)
		}
	case <-time.After(patience / 2): // the sessions' own patience is longer
		t.Fatal("Shutdown waits for sessions that it should cut off")
	}
	if n := len(h.peer.Messages()); n != 0 {
		t.Errorf("%d messages", n)
	}
}

// A deadline that a session is just setting must not outlive the cut.
func TestShutdownCutsOffBusySessions(t *testing.T) {
	t.Parallel()
	h := start(t, setup{quiet: true})
	var wg sync.WaitGroup
	for range 20 {
		c := h.client("smtp/unix")
		c.say("MAIL FROM:<a@b.test>", "250") // in a transaction only the cut ends a session
		wg.Go(func() {
			buf := make([]byte, 1024)
			for {
				if _, err := c.conn.Write([]byte("NOOP\r\n")); err != nil {
					return
				}
				if _, err := c.conn.Read(buf); err != nil {
					return
				}
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	select {
	case <-h.stopping(ctx):
	case <-time.After(patience / 2):
		t.Fatal("Shutdown waits for sessions that it should cut off")
	}
	wg.Wait()
}
