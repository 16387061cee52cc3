package proxy

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"superlistd/internal/smtptest"
	"superlistd/smtpclient"
)

// Lines that Postfix sends may be far longer than RFC 5321 has them.
func TestLongLines(t *testing.T) {
	t.Parallel()
	h := start(t, setup{options: func(o *Options) { o.MessageSize = 32 << 20 }})
	c := h.client("smtp/tcp")
	c.say("XFORWARD HELO="+strings.Repeat("h", 1500)+"+2B=+C3+A9", "250")
	mail := "MAIL FROM:<a@b.test> ENVID=" + strings.Repeat("e", 2000)
	c.say(mail, "250")
	c.say("RCPT TO:<x@other.test> ORCPT=rfc822;"+strings.Repeat("o", 2000), "250")
	c.say("DATA", "354")
	line := strings.Repeat("0123456789", 1<<20)
	c.send(line + "\r\n.\r\n")
	c.expect("250")
	c.say(strings.Repeat("N", 9000), "500 5.5.2 Line too long")
	c.say(strings.Repeat("N", 9<<20), "500 5.5.2 Line too long")
	c.say("NOOP", "250")
	m := h.peer.Messages()
	if len(m) != 1 || "MAIL "+m[0].Mail != mail || m[0].Content != line+"\r\n" {
		t.Fatalf("%d messages, or one that was changed", len(m))
	}
	if helo := m[0].Client["HELO"]; helo != strings.Repeat("h", 255) {
		t.Errorf("HELO of %d octets was passed on", len(helo))
	}
	h.wantLog("info relayed", "info command refused command= reply=500 5.5.2 Line too long")
}

// 5,000 recipients in one packet: the limit's worth is served.
func TestManyRecipients(t *testing.T) {
	t.Parallel()
	h := start(t, setup{options: func(o *Options) { o.Recipients = 1000 }})
	c := h.client("smtp/tcp")
	go func() { // reading and writing side by side, or both ends' buffers fill
		var b strings.Builder
		b.WriteString("MAIL FROM:<a@b.test>\r\n")
		for i := range 5000 {
			fmt.Fprintf(&b, "RCPT TO:<r%d@other.test>\r\n", i)
		}
		if _, err := c.conn.Write([]byte(b.String() + "DATA\r\n")); err != nil {
			t.Error(err)
		}
	}()
	c.expect("250")
	for i := range 5000 {
		c.expect(map[bool]string{true: "250", false: "452 4.5.3 Too many recipients"}[i < 1000])
	}
	c.expect("354")
	c.send("x\r\n.\r\n")
	c.expect("250")
	h.wantLog("warn refused error=too many recipients")
	if m := h.peer.Messages(); len(m) != 1 || len(m[0].Rcpts) != 1000 {
		t.Errorf("%d messages", len(m))
	}
	if n := strings.Count(h.log.String(), "\n"); n > 10 {
		t.Errorf("%d log lines", n)
	}
}

// The next hop takes 1,000 recipients: a client is told so, a post is dealt out to several transactions.
func TestTooManyForTheNextHop(t *testing.T) {
	t.Parallel()
	team := roster{address: "team@lists.example.org", settings: []string{"post=anyone"}}
	for i := range 1500 {
		team.members = append(team.members, fmt.Sprintf("m%d@example.net", i))
	}
	h := start(t, setup{
		lists: []roster{team}, peer: []smtptest.Option{smtptest.MaxRcpts(1000)},
		options: func(o *Options) { o.Recipients = 2000 },
		armed:   nil,
	})
	c := h.client("smtp/tcp")
	c.say("MAIL FROM:<a@b.test>", "250")
	for i := range 1001 {
		want := "250"
		if i == 1000 {
			want = "452 4.5.3 Error: too many recipients"
		}
		c.say(fmt.Sprintf("RCPT TO:<r%d@other.test>", i), want)
	}
	c.say("RSET", "250")
	c.envelope("a@b.test", "team@lists.example.org")
	c.send("From: a@b.test\r\n\r\n.\r\n")
	c.expect("250")
	if got := h.peer.Queued(); len(got) != 1500 {
		t.Errorf("%d recipients", len(got))
	}
	for who, n := range h.peer.Queued() {
		if n != 1 {
			t.Errorf("%s has %d copies", who, n)
		}
	}
	h.wantLog("members=1500 reply=250", "transactions=2")
}

// A next hop that is not there, is closing or says nothing: the client is told 451 and the session goes on.
func TestNextHopInTrouble(t *testing.T) {
	t.Parallel()
	dead, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = dead.Close()
	short := func(o *smtpclient.Options) { o.Timeout, o.ConnectTimeout = 300*time.Millisecond, 300*time.Millisecond }
	for _, tt := range []struct {
		name string
		setup
		want string
	}{
		{"refuses", setup{hop: dead.Addr().String()}, "451 4.4.1"},
		{"banner 421", setup{peer: []smtptest.Option{smtptest.On("CONNECT", "421 4.3.2 full")}}, "451 4.4.1"},
		{"banner 554", setup{peer: []smtptest.Option{smtptest.On("CONNECT", "554 5.7.1 go away")}}, "451 4.4.1"},
		{"EHLO and HELO refused", setup{peer: []smtptest.Option{smtptest.On("EHLO", "550 no"), smtptest.On("HELO", "550 no")}}, "451 4.4.1"},
		{"EHLO 421", setup{peer: []smtptest.Option{smtptest.On("EHLO", "421 no")}}, "451 4.4.1"},
		{"stalls at once", setup{client: short, peer: []smtptest.Option{smtptest.StallAt(1)}}, "250"},
		{"stalls at MAIL", setup{client: short, peer: []smtptest.Option{smtptest.StallAt(6)}}, "250"},
		{"garbage", setup{peer: []smtptest.Option{smtptest.On("MAIL", "hello?")}}, "451 4.4.2"},
		{"354 to RCPT", setup{peer: []smtptest.Option{smtptest.On("RCPT", "354 what?")}}, "451 4.4.2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := start(t, tt.setup)
			c := h.client("smtp/tcp")
			c.say("MAIL FROM:<ann@example.net>", "250")
			c.say("RCPT TO:<x@other.test>", tt.want)
			c.say("RSET", "250")
			// A stall hits once: another connection serves already the first recipient.
			c.envelope("ann@example.net", "team@lists.example.org")
			c.send("From: ann@example.net\r\n\r\n.\r\n")
			if got := c.reply(); strings.HasPrefix(got, "250") != (strings.HasPrefix(tt.name, "stalls")) {
				t.Errorf("a post is told %q", got)
			}
			c.say("QUIT", "221")
			if tt.want != "250" {
				h.wantLog("warn refused error=")
			}
		})
	}
}

// A next hop that falls silent while content goes to it, or after the dot.
func TestNextHopStalls(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, rcpt string
		verb       int // the step of the stall
	}{
		{"content of a relay", "x@other.test", 12},
		{"content of a post", "team@lists.example.org", 14},
		{"the dot of a relay", "x@other.test", 13},
		{"the dot of a post", "team@lists.example.org", 15},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := start(t, setup{
				client: func(o *smtpclient.Options) { o.Timeout = 500 * time.Millisecond },
				peer:   []smtptest.Option{smtptest.StallAt(tt.verb)},
			})
			c := h.client("smtp/tcp")
			c.envelope("ann@example.net", tt.rcpt)
			c.send("From: ann@example.net\r\n\r\n.\r\n")
			c.expect("451 4.4.2 Next hop hung up")
			c.say("NOOP", "250")
			if !h.peer.Tripped() {
				t.Error("the stall was not reached")
			}
			if n := len(h.peer.Messages()); n != 0 {
				t.Errorf("%d messages", n)
			}
			h.wantLog("warn refused error=")
		})
	}
}

// What is no SMTP at all.
func TestBinaryNoise(t *testing.T) {
	t.Parallel()
	for name, noise := range map[string]string{
		"TLS ClientHello": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + strings.Repeat("\x00\n\xff", 60),
		"NULs":            strings.Repeat("\x00\r\n", 100),
		"line ends":       strings.Repeat("\n", 100),
		"POST":            "POST /cgi HTTP/1.0\r\nContent-Length: 40\r\n\r\nHELO a\r\nMAIL FROM:<evil@b.test>\r\n",
	} {
		h := start(t, setup{})
		c := h.client("smtp/tcp")
		c.send(noise)
		for got := c.reply(); got != ""; got = c.reply() {
			if got[0] != '5' && got[:3] != "421" {
				t.Errorf("%s: %q", name, got)
			}
		}
		h.wantLog("warn session ended")
		if n := h.peer.Conns(); n > 1 { // the one that asks what it can do
			t.Errorf("%s: %d connections to the next hop", name, n)
		}
	}
}
