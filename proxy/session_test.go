package proxy

import (
	"crypto/tls"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"superlistd/internal/smtptest"
)

// counted counts what the server writes at once.
type counted struct {
	*net.TCPConn
	writes *atomic.Int32
}

func (c counted) Write(p []byte) (int, error) {
	c.writes.Add(1)
	return c.TCPConn.Write(p)
}

// RFC 2920 section 3.2: the replies to one packet of commands come in one packet.
func TestRepliesToAPacketComeInOneWrite(t *testing.T) {
	t.Parallel()
	h := start(t, setup{})
	var writes atomic.Int32
	c := h.pair("tcp", SMTP, func(conn net.Conn) net.Conn { return counted{conn.(*net.TCPConn), &writes} })
	for _, tt := range []struct{ name, in, want string }{
		{"an envelope", "RSET\r\nXFORWARD NAME=a.test\r\nMAIL FROM:<ann@example.net>\r\nRCPT TO:<x@other.test>\r\n" +
			"RCPT TO:<nolist@lists.example.org>\r\nRCPT TO:<team@lists.example.org>\r\nDATA\r\n", "250 250 250 250 550 250 354"},
		{"the content and what follows", "From: ann@example.net\r\n\r\n.\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<x@other.test>\r\nNOOP\r\nVRFY a\r\n",
			"250 250 250 250 252"},
		{"chunks", "BDAT 3\r\na\r\nBDAT 0 LAST\r\nMAIL FROM:<a@b.test>\r\n", "250 250 250"},
		{"leave", "RSET\r\nQUIT\r\n", "250 221"},
	} {
		writes.Store(0)
		c.send(tt.in)
		var got []string
		for range strings.Fields(tt.want) {
			got = append(got, c.reply()[:3])
		}
		if strings.Join(got, " ") != tt.want {
			t.Fatalf("%s: replies %v, want %s", tt.name, got, tt.want)
		}
		if n := writes.Load(); n != 1 {
			t.Errorf("%s: %d writes, want 1", tt.name, n)
		}
	}
	c.expect("")
	if n := len(h.peer.Messages()); n != 3 {
		t.Errorf("%d messages, want 3", n)
	}
}

func withTLS(tb testing.TB) (func(*Options), *tls.Config) {
	cert, pool := smtptest.Certificate(tb, "mx.example.org")
	return func(o *Options) { o.TLS = &tls.Config{Certificates: []tls.Certificate{cert}} },
		&tls.Config{RootCAs: pool, ServerName: "mx.example.org"}
}

// secure puts TLS under a session.
func (c *client) secure(config *tls.Config) {
	c.tb.Helper()
	c.say("STARTTLS", "220")
	conn := tls.Client(c.conn, config)
	if err := conn.Handshake(); err != nil {
		c.tb.Fatal(err)
	}
	c.conn = conn
	c.r.Reset(conn)
}

// RFC 3207 section 4.2: what was said in clear text is forgotten.
func TestStartTLS(t *testing.T) {
	t.Parallel()
	options, config := withTLS(t)
	h := start(t, setup{options: options})
	for _, door := range []string{"smtp/tcp", "smtp/unix", "lmtp/tcp"} {
		c := newClient(t, h.dial(door))
		c.expect("220")
		verb := map[bool]string{true: "LHLO", false: "EHLO"}[strings.HasPrefix(door, "lmtp")]
		if got := c.say(verb+" client.test", "250"); !strings.Contains(got, "250-STARTTLS\r\n") {
			t.Errorf("%s: STARTTLS is not offered: %q", door, got)
		}
		c.say("STARTTLS now", "501 5.5.4")
		c.say("MAIL FROM:<a@b.test>", "250")
		c.say("STARTTLS", "503 5.5.1")
		c.say("RSET", "250")
		c.say("XFORWARD NAME=clear.test", "250")
		c.secure(config)
		c.say("MAIL FROM:<a@b.test>", "503 5.5.1")
		if got := c.say(verb+" client.test", "250"); strings.Contains(got, "STARTTLS") {
			t.Errorf("%s: STARTTLS is offered again: %q", door, got)
		}
		c.say("STARTTLS", "502 5.5.1")
		c.envelope("a@b.test", "x@other.test")
		c.send("secret\r\n.\r\nQUIT\r\n")
		c.expect("250")
		c.expect("221")
		c.expect("")
	}
	for _, m := range h.peer.Messages() {
		if m.Client["NAME"] == "clear.test" {
			t.Error("an attribute survived STARTTLS")
		}
	}
	if n := len(h.peer.Messages()); n != 3 {
		t.Errorf("%d messages, want 3", n)
	}
}

// Nothing that was sent in clear text may be run behind STARTTLS (CVE-2011-0411).
func TestInjectionBehindStartTLS(t *testing.T) {
	t.Parallel()
	options, config := withTLS(t)
	h := start(t, setup{options: options})
	c := h.client("smtp/tcp")
	c.send("STARTTLS\r\nMAIL FROM:<evil@b.test>\r\nRCPT TO:<x@other.test>\r\n")
	c.expect("554 5.5.0 Nothing may be pipelined behind STARTTLS")
	c.expect("")

	c = h.client("smtp/tcp") // in a packet of its own it is no handshake
	c.say("STARTTLS", "220")
	c.send("EHLO evil.test\r\nMAIL FROM:<evil@b.test>\r\n")
	if conn := tls.Client(c.conn, config); conn.Handshake() == nil {
		t.Error("a handshake after clear text")
	}
	h.stop()
	for _, want := range []string{"warn session ended reason=pipelining behind STARTTLS", "info TLS failed"} {
		if !strings.Contains(h.log.String(), want) {
			t.Errorf("the log lacks %q:\n%s", want, h.log)
		}
	}
	if n := h.peer.Conns(); n > 1 { // the one that asks what it can do
		t.Errorf("%d connections to the next hop", n)
	}
}

// A panic ends its session with 421 and nothing else.
func TestPanicInASession(t *testing.T) {
	t.Parallel()
	h := start(t, setup{options: func(o *Options) { o.HeloCheck, o.Resolver = HeloResolvable, resolver{} }})
	c := newClient(t, h.dial("smtp/tcp"))
	c.expect("220")
	c.say("EHLO panic.example.net", "421 4.3.0 Local trouble")
	c.expect("")
	c = newClient(t, h.dial("smtp/tcp"))
	c.expect("220")
	c.say("EHLO known.example.net", "250")
	h.stop()
	if got := h.log.String(); !strings.Contains(got, "error session failed panic=the resolver is broken") {
		t.Errorf("log:\n%s", got)
	}
}

// Replies of a next hop may be long; each line to the client has at most 512 octets and no controls.
func TestRepliesOfTheNextHopAreCleaned(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 1500)
	h := start(t, setup{peer: []smtptest.Option{smtptest.On("RCPT", "550-5.1.1 a\x00b\x1bc\xff\n550 5.1.1 "+long)}})
	c := h.client("smtp/tcp")
	c.say("MAIL FROM:<a@b.test>", "250")
	got := c.say("RCPT TO:<x@other.test>", "550")
	if want := fmt.Sprintf("550-5.1.1 a?b?c?\r\n550 5.1.1 %s\r\n", long[:512-len("550 5.1.1 \r\n")]); got != want {
		t.Errorf("got %q", got)
	}
}
