package proxy

import (
	"bufio"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// client speaks SMTP line by line, where a dialogue in text is not enough.
type client struct {
	tb   testing.TB
	conn net.Conn
	r    *bufio.Reader
}

func newClient(tb testing.TB, conn net.Conn) *client {
	tb.Helper()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		tb.Fatal(err)
	}
	return &client{tb: tb, conn: conn, r: bufio.NewReader(conn)}
}

// client connects to a door and greets.
func (h *house) client(door string) *client {
	h.tb.Helper()
	c := newClient(h.tb, h.dial(door))
	c.expect("220")
	c.greet(door)
	return c
}

func (c *client) greet(door string) {
	c.tb.Helper()
	if strings.HasPrefix(door, "lmtp") {
		c.say("LHLO client.test", "250")
	} else {
		c.say("EHLO client.test", "250")
	}
}

func (c *client) send(raw string) {
	c.tb.Helper()
	if _, err := io.WriteString(c.conn, raw); err != nil {
		c.tb.Fatalf("send %.60q: %v", raw, err)
	}
}

// reply reads a whole reply; "" at the end of the connection.
func (c *client) reply() string {
	c.tb.Helper()
	var all strings.Builder
	for {
		line, err := c.r.ReadString('\n')
		if err != nil && line == "" && all.Len() == 0 {
			return ""
		}
		if err != nil || len(line) < 6 {
			c.tb.Fatalf("reply %q and %v", all.String()+line, err)
		}
		all.WriteString(line)
		if line[3] == ' ' {
			return all.String()
		}
	}
}

func (c *client) expect(want string) string {
	c.tb.Helper()
	got := c.reply()
	if want == "" && got != "" || !strings.HasPrefix(got, want) {
		c.tb.Fatalf("got %q, want %q", got, want)
	}
	return got
}

func (c *client) say(line, want string) string {
	c.tb.Helper()
	c.send(line + "\r\n")
	return c.expect(want)
}

// envelope says MAIL, RCPT and DATA.
func (c *client) envelope(from string, rcpts ...string) {
	c.tb.Helper()
	c.say("MAIL FROM:<"+from+">", "250")
	for _, r := range rcpts {
		c.say("RCPT TO:<"+r+">", "250")
	}
	c.say("DATA", "354")
}

// pair makes a connection whose server's end is handed to wrap before ServeConn gets it, and greets.
func (h *house) pair(network string, door Door, wrap func(net.Conn) net.Conn) *client {
	h.tb.Helper()
	at := "127.0.0.1:0"
	if network == "unix" {
		at = h.tb.TempDir() + "/pair"
	}
	l, err := net.Listen(network, at)
	if err != nil {
		h.tb.Fatal(err)
	}
	defer l.Close()
	conn, err := net.Dial(network, l.Addr().String())
	if err != nil {
		h.tb.Fatal(err)
	}
	server, err := l.Accept()
	if err != nil {
		h.tb.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); h.srv.ServeConn(wrap(server), door) }()
	h.tb.Cleanup(func() { _ = conn.Close(); <-done })
	c := newClient(h.tb, conn)
	c.expect("220")
	c.greet(door.String())
	return c
}
