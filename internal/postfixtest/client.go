package postfixtest

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strings"
	"testing"
	"time"
)

// Client speaks SMTP octet by octet: what it is told to write is what goes out.
type Client struct {
	t    testing.TB
	conn net.Conn
	r    *textproto.Reader
}

// Dial connects from an address of this host (Own, Stranger), reads the banner and says EHLO.
func Dial(t testing.TB, from, to string) *Client {
	t.Helper()
	conn, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}).Dial("tcp", to)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	c := &Client{t: t, conn: conn, r: textproto.NewReader(bufio.NewReader(conn))}
	conn.SetDeadline(time.Now().Add(patience))
	c.Want("220", c.Reply())
	c.Want("250", c.Cmd("EHLO client.example.net"))
	return c
}

// Close hangs up without a word.
func (c *Client) Close() { c.conn.Close() }

// Write sends octets as they are.
func (c *Client) Write(octets string) {
	c.t.Helper()
	if _, err := io.WriteString(c.conn, octets); err != nil {
		c.t.Fatal(err)
	}
}

// Reply reads one reply: code, blank, and the text of its lines.
func (c *Client) Reply() string {
	c.t.Helper()
	code, text, err := c.r.ReadResponse(0)
	if err != nil {
		c.t.Fatalf("no reply: %v", err)
	}
	return fmt.Sprint(code, " ", text)
}

// Cmd sends one command line and returns its reply.
func (c *Client) Cmd(line string) string {
	c.t.Helper()
	c.Write(line + "\r\n")
	return c.Reply()
}

// Want fails the test unless the reply begins so.
func (c *Client) Want(want, got string) {
	c.t.Helper()
	if !strings.HasPrefix(got, want) {
		c.t.Fatalf("reply %q, want %s", got, want)
	}
}

// Begin says MAIL, RCPT and DATA, which must be accepted; addresses without brackets.
func (c *Client) Begin(from string, to ...string) {
	c.t.Helper()
	c.Envelope(from, to...)
	c.Want("354", c.Cmd("DATA"))
}

// Envelope says MAIL and RCPT, which must be accepted.
func (c *Client) Envelope(from string, to ...string) {
	c.t.Helper()
	c.Want("250", c.Cmd("MAIL FROM:<"+from+">"))
	for _, r := range to {
		c.Want("250", c.Cmd("RCPT TO:<"+r+">"))
	}
}

// Send is a whole transaction; content has CRLF line ends and no line that begins with a dot. It returns the
// reply to the end of data.
func (c *Client) Send(from, content string, to ...string) string {
	c.t.Helper()
	c.Begin(from, to...)
	c.Write(content + ".\r\n")
	return c.Reply()
}
