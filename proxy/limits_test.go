package proxy

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"
)

func (h *house) wantLog(lines ...string) {
	h.tb.Helper()
	h.stop()
	for _, want := range lines {
		if !strings.Contains(h.log.String(), want) {
			h.tb.Errorf("the log lacks %q:\n%s", want, h.log)
		}
	}
}

func TestSessionLimits(t *testing.T) {
	t.Parallel()
	h := start(t, setup{options: func(o *Options) { o.Sessions = 2 }})
	first := h.client("smtp/tcp")
	h.client("smtp/unix")
	for _, door := range []string{"smtp/tcp", "smtp/unix", "lmtp/tcp"} {
		c := newClient(t, h.dial(door))
		c.expect("421 4.3.2 Too many sessions, try again later")
		c.expect("")
	}
	first.say("QUIT", "221")
	first.expect("")
	eventually(t, "the next one gets in", func() bool { return newClient(t, h.dial("smtp/tcp")).reply()[:3] == "220" })
	h.wantLog("warn client refused: too many sessions sessions=2")
}

func TestSessionLimitOfAClient(t *testing.T) {
	t.Parallel()
	h := start(t, setup{options: func(o *Options) { o.ClientSessions = 1 }})
	first := h.client("smtp/tcp")
	for _, door := range []string{"smtp/tcp", "lmtp/tcp"} {
		c := newClient(t, h.dial(door))
		c.expect("421 4.7.0 Too many sessions from you, try again later")
		c.expect("")
	}
	h.client("smtp/unix") // has no address to be counted by
	h.client("smtp/unix")
	first.say("QUIT", "221")
	first.expect("")
	eventually(t, "the next one gets in", func() bool { return newClient(t, h.dial("smtp/tcp")).reply()[:3] == "220" })
	h.wantLog("warn client refused: too many sessions of its own sessions=1")
}

// The next hop trusts us, so not everybody may talk to us.
func TestClientsThatAreNotAllowed(t *testing.T) {
	t.Parallel()
	h := start(t, setup{options: func(o *Options) { o.Clients = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")} }})
	for _, door := range []string{"smtp/tcp", "lmtp/tcp"} {
		c := newClient(t, h.dial(door))
		c.expect("554 5.7.1 No access from here")
		c.expect("")
	}
	h.client("smtp/unix").say("QUIT", "221") // its folder says who may
	h.wantLog("warn client refused: not in clients")
}

// drip sends in a loop until the connection ends, and returns what the server said last.
func (c *client) drip(octets string) string {
	quit := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			for i := range len(octets) {
				select {
				case <-quit:
					return
				case <-time.After(20 * time.Millisecond):
				}
				if _, err := c.conn.Write([]byte{octets[i]}); err != nil {
					return
				}
			}
		}
	}()
	got := c.reply()
	close(quit)
	<-done
	return got
}

// A client that drips has the budget, and no more: whatever each single octet's wait is.
func TestDripIsEndedByTheBudget(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		before func(*client)
		octets string
	}{
		{"a command", func(*client) {}, "X"},
		{"a command of a transaction", func(c *client) { c.say("MAIL FROM:<a@b.test>", "250") }, "X"},
		{"content of a post", func(c *client) { c.envelope("ann@example.net", "team@lists.example.org") }, "x\r\n"},
		{"content that is relayed", func(c *client) { c.envelope("ann@example.net", "x@other.test") }, "x\r\n"},
		{"a chunk", func(c *client) {
			c.say("MAIL FROM:<a@b.test>", "250")
			c.say("RCPT TO:<x@other.test>", "250")
			c.send("BDAT 100000 LAST\r\n")
		}, "x\r\n"},
		{"a chunk that nobody wants", func(c *client) { c.say("BDAT 100000 LAST", "503") }, "x\r\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := start(t, setup{options: func(o *Options) { o.Budget = 2 * time.Second }})
			c := h.client("smtp/tcp")
			tt.before(c)
			if got := c.drip(tt.octets); !strings.HasPrefix(got, "421 4.4.2 Timeout") {
				t.Errorf("told %q", got)
			}
			c.expect("")
			h.stop()
			if n := len(h.peer.Messages()); n != 0 {
				t.Errorf("%d messages", n)
			}
			if log := h.log.String(); !strings.Contains(log, "timed out") && !strings.Contains(log, "client lost") {
				t.Errorf("log:\n%s", log)
			}
		})
	}
}

// Chunks without end are ended by the same pace.
func TestDripOfChunks(t *testing.T) {
	t.Parallel()
	h := start(t, setup{options: func(o *Options) { o.Budget = 2 * time.Second }})
	c := h.client("smtp/tcp")
	c.say("MAIL FROM:<ann@example.net>", "250")
	c.say("RCPT TO:<team@lists.example.org>", "250")
	for n := 0; ; n++ {
		if _, err := fmt.Fprint(c.conn, "BDAT 1\r\nx"); err != nil {
			break
		}
		got := c.reply()
		if strings.HasPrefix(got, "421 4.4.2") {
			break
		}
		if !strings.HasPrefix(got, "250 2.0.0 Ok: 1 octets") || n > 1000 {
			t.Fatalf("told %q after %d chunks", got, n)
		}
		time.Sleep(50 * time.Millisecond)
	}
	h.stop()
	if n := len(h.peer.Messages()); n != 0 {
		t.Errorf("%d messages", n)
	}
}

// Silence is ended by the timeout of its phase.
func TestSilence(t *testing.T) {
	t.Parallel()
	h := start(t, setup{options: func(o *Options) { o.CommandTimeout, o.DataTimeout = 300*time.Millisecond, 300*time.Millisecond }})
	c := newClient(t, h.dial("smtp/unix"))
	c.expect("220")
	c.expect("421 4.4.2 Timeout")
	c.expect("")
	h.wantLog("info client timed out")
}
