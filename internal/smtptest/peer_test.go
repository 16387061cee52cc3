package smtptest

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/smtp"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

func connect(t *testing.T, p *Peer) net.Conn {
	t.Helper()
	c, err := net.Dial(p.script.network, p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

const oneMessage = `S: 220 peer.test ESMTP
C: EHLO client.test
S*: 250
C: XFORWARD NAME=spike.test ADDR=192.0.2.1
S: 250 2.0.0 Ok
C: XFORWARD HELO=a+2Bb
S: 250 2.0.0 Ok
C: MAIL FROM:<a@b.test> SIZE=5
S: 250 2.1.0 Ok
C: RCPT TO:<"x> y"@c.test> NOTIFY=NEVER
S: 250 2.1.5 Ok
C: rcpt to: bare@c.test
S: /250 .* Ok/
C: DATA
S: 354 End...
C: <<END
Subject: x

..dot
END
C-raw: x\n.\n.\r\nx\r.\r\n.\r\r\n.\r\n
S: 250 2.0.0 Ok: queued as PEER...
C: QUIT
S: 221 2.0.0 Bye
S: <eof>
`

func TestPeerTakesAMessage(t *testing.T) {
	t.Parallel()
	for _, opts := range [][]Option{nil, {Unix()}, {Delay(time.Millisecond)}} {
		p := Start(t, opts...)
		Dialog(t, connect(t, p), oneMessage)
		ms := p.Messages()
		if len(ms) != 1 {
			t.Fatalf("%d messages\n%s", len(ms), p.Transcript())
		}
		m := ms[0]
		if m.Mail != "FROM:<a@b.test> SIZE=5" || m.Sender != "a@b.test" || m.Conn != 1 || m.BDAT || m.TLS ||
			fmt.Sprint(m.Rcpts) != `["x> y"@c.test bare@c.test]` || m.RcptArgs[0] != `TO:<"x> y"@c.test> NOTIFY=NEVER` {
			t.Errorf("%+v", m)
		}
		if want := "Subject: x\r\n\r\n.dot\r\nx\n.\n.\r\nx\r.\r\n\r\r\n"; m.Content != want {
			t.Errorf("content %q, want %q", m.Content, want)
		}
		if fmt.Sprint(m.Client) != "map[ADDR:192.0.2.1 HELO:a+b NAME:spike.test]" {
			t.Errorf("client %v", m.Client)
		}
		if !p.QueuedAll("bare@c.test") || p.QueuedAll("other@c.test") || p.Tripped() || p.Conns() != 1 {
			t.Error("QueuedAll, Tripped or Conns")
		}
		if v := p.Violations(); len(v) > 0 {
			t.Errorf("violations: %q", v)
		}
	}
}

func TestPeerOptions(t *testing.T) {
	t.Parallel()
	const begin = "S: 220 peer.test ESMTP\nC: MAIL FROM:<>\nS: 250 2.1.0 Ok\n"
	for _, tt := range []struct {
		name   string
		opts   []Option
		dialog string
		queued int
	}{
		{"banner", []Option{On("CONNECT", "554 no")}, "S: 554 no\nS: <eof>", 0},
		{"verb", []Option{On("MAIL", "550-5.7.1 a\n550 5.7.1 b")}, "S*: 220\nC: MAIL FROM:<>\nS: 550-5.7.1 a\nS: 550 5.7.1 b", 0},
		{"421 closes", []Option{On("MAIL", "421 bye")}, "S*: 220\nC: MAIL FROM:<>\nS: 421 bye\nS: <eof>", 0},
		{"own EHLO lines", []Option{Ext("DSN"), Also("X")}, "S*: 220\nC: EHLO a\nS: 250-peer.test\nS: 250-DSN\nS: 250 X", 0},
		{"limit", []Option{MaxRcpts(1)}, begin + "C: RCPT TO:<a>\nS*: 250\nC: RCPT TO:<b>\nS: 452 4.5.3...", 0},
		{"by recipient", []Option{RcptReply(func(a string) string { return map[string]string{"a": "550 no"}[a] })},
			begin + "C: RCPT TO:<a>\nS: 550 no\nC: RCPT TO:<b>\nS*: 250", 0},
		{"LMTP", []Option{LMTP(), FinalReply(func(a string) string { return map[string]string{"a": "550 no"}[a] })},
			begin + "C: RCPT TO:<a>\nS*: 250\nC: RCPT TO:<b>\nS*: 250\nC: DATA\nS*: 354\nC: .\nS: 550 no\nS: 250...", 1},
		{"LMTP refuses EHLO", []Option{LMTP()}, "S*: 220\nC: EHLO a\nS: 500...\nC: LHLO a\nS*: 250", 0},
		{"refused dot", []Option{On(".", "451 no")}, begin + "C: RCPT TO:<a>\nS*: 250\nC: DATA\nS*: 354\nC: .\nS: 451 no", 0},
		{"EOF is no end", nil, begin + "C: RCPT TO:<a>\nS*: 250\nC: DATA\nS*: 354\nC: text\nC: <half-close>\nS: <eof>", 0},
		{"chunks", nil, begin + "C: RCPT TO:<a>\nS*: 250\nC-raw: BDAT 3\\r\\n.\\r\\n\nS*: 250\nC: BDAT 0 LAST\nS: 250...", 1},
		{"chunk without recipients", nil, begin + "C-raw: BDAT 1 LAST\\r\\nx\nS: 503...", 0},
		{"no recipients", nil, begin + "C: DATA\nS: 554...", 0},
		{"nested", nil, begin + "C: MAIL FROM:<>\nS: 503...\nC: RSET\nS*: 250\nC: RCPT TO:<a>\nS: 503...", 0},
		{"XFORWARD in a transaction", nil, begin + "C: XFORWARD NAME=a\nS: 503...", 0},
		{"XFORWARD without a value", nil, "S*: 220\nC: XFORWARD NAME=\nS: 501...\nC: XFORWARD NAME=+zz\nS: 501...", 0},
		{"pipelined behind DATA", nil, begin + "C-raw: RCPT TO:<a>\\r\\nDATA\\r\\ntext\\r\\n\nS*: 250\nS: 554 5.5.0...\nS: <eof>", 0},
		{"pipelined behind XCLIENT", []Option{XClient()}, "S*: 220\nC-raw: XCLIENT NAME=a\\r\\nEHLO a\\r\\n\nS: 554 5.5.0...\nS: <eof>", 0},
		{"XCLIENT", []Option{XClient()}, "S*: 220\nC: XCLIENT NAME=a\nS: 220 peer.test ESMTP\nC: EHLO a\nS*: 250", 0},
		{"unknown", nil, "S*: 220\nC: WHAT\nS: 500...\nC: NOOP\nS*: 250\nC: VRFY a\nS*: 252", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := Start(t, tt.opts...)
			Dialog(t, connect(t, p), tt.dialog)
			if n := len(p.Messages()); n != tt.queued {
				t.Errorf("%d messages, want %d\n%s", n, tt.queued, p.Transcript())
			}
		})
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	const begin = "S: 220 peer.test ESMTP\nC: EHLO a\n"
	for _, tt := range []struct {
		name   string
		opt    Option
		dialog string
	}{
		{"drop after the banner", DropAfter(1), "S: 220 peer.test ESMTP\nS: <eof>"},
		{"drop after a command", DropAfter(2), begin + "S: <eof>"},
		{"drop after a reply", DropAfter(3), begin + "S*: 250\nS: <eof>"},
		{"reply at a command", ReplyAt(2, "451 no"), begin + "S: 451 no\nC: EHLO a\nS*: 250"},
		{"reply at a reply", ReplyAt(3, "451 no"), begin + "S: 451 no\nC: EHLO a\nS*: 250"},
		{"garbage", GarbageAt(3), begin + "S: /[^0-9].*/\nC: EHLO a\nS*: 250"},
		{"half", HalfReplyAt(1), "S: <closed after> 220 peer.t"},
		{"reset", RSTAt(3), begin + "S: <eof>"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := Start(t, tt.opt)
			c := connect(t, p)
			if tt.name == "half" {
				if got, err := io.ReadAll(c); err != nil || string(got) != "220 peer.t" {
					t.Errorf("%q, %v", got, err)
				}
			} else {
				Dialog(t, c, tt.dialog)
			}
			if !p.Tripped() {
				t.Error("not tripped")
			}
		})
	}
	p := Start(t, StallAt(3))
	c := connect(t, p)
	Dialog(t, c, begin)
	_ = c.SetReadDeadline(time.Now().Add(30 * time.Millisecond))
	if n, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a stalled peer says %d octets, %v", n, err)
	}
	if p.Open() != 1 {
		t.Errorf("%d open", p.Open())
	}
	_ = c.Close()
	for p.Open() > 0 {
		time.Sleep(time.Millisecond)
	}
}

// net/smtp judges TLS and AUTH: somebody else's client.
func TestPeerTLSAndAuth(t *testing.T) {
	t.Parallel()
	cert, pool := Certificate(t, "peer.test", "127.0.0.1")
	for name, auth := range map[string]smtp.Auth{
		"PLAIN":    smtp.PlainAuth("", "u", "p", "peer.test"),
		"CRAM-MD5": smtp.CRAMMD5Auth("u", "p"),
		"wrong":    smtp.CRAMMD5Auth("u", "q"),
	} {
		p := Start(t, TLS(cert), Auth("u", "p", "PLAIN", "CRAM-MD5", "LOGIN"))
		c, err := smtp.NewClient(connect(t, p), "peer.test")
		if err == nil {
			err = c.StartTLS(&tls.Config{RootCAs: pool, ServerName: "peer.test"})
		}
		if err != nil {
			t.Fatal(err)
		}
		err = c.Auth(auth)
		if (err != nil) != (name == "wrong") {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil {
			continue
		}
		for _, step := range []error{c.Mail("a@b"), c.Rcpt("c@d")} {
			if step != nil {
				t.Fatal(step)
			}
		}
		w, err := c.Data()
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(w, ".x\n")
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if m := p.Messages()[0]; !m.TLS || m.User != "u" || m.Content != ".x\r\n" {
			t.Errorf("%+v", m)
		}
	}
}

// A dialogue that is not followed must fail, and say where.
func TestDialogFails(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, text, want string }{
		{"other text", "S: 220 peer.test", `line 1: S: 220 peer.test: got "220 peer.test ESMTP"`},
		{"other prefix", "S: 250...", "got"},
		{"regexp in the middle", "S: /peer/", "got"},
		{"bad regexp", "S: /(/", "missing closing"},
		{"other code", "S*: 250", "got"},
		{"no eof", "S: 220 peer.test ESMTP\nC: NOOP\nS: <eof>", "got"},
		{"eof", "S: 220 peer.test ESMTP\nC: QUIT\nS*: 221\nS: more", "EOF"},
		{"no colon", "hello", "no colon"},
		{"nobody", "X: hello", "unknown speaker"},
		{"bad escape", `C-raw: \q`, "invalid syntax"},
		{"endless block", "C: <<END\nx", "no line"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := RunDialog(connect(t, Start(t)), tt.text)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestDialogSends(t *testing.T) {
	t.Parallel()
	a, b := net.Pipe()
	defer b.Close()
	got := make(chan []byte)
	go func() { all, _ := io.ReadAll(a); got <- all }()
	if err := RunDialog(b, "# comment\n\nC: a\r\nC-raw: \\x00\\r\"\\\\\nC: <<X\n\nS: y\nX\nC: <close>\n"); err != nil {
		t.Fatal(err)
	}
	if all := <-got; !bytes.Equal(all, []byte("a\r\n\x00\r\"\\\r\nS: y\r\n")) {
		t.Errorf("%q", all)
	}
}

func TestMailbox(t *testing.T) {
	t.Parallel()
	in := []string{"FROM:<a@b> X=1", "FROM: <a@b>", "FROM:<>", `TO:<"a> b\""@c> N=1`, "TO:a@b X", "TO:<open", "TO"}
	var got []string
	for _, s := range in {
		got = append(got, mailbox(s))
	}
	if want := []string{"a@b", "a@b", "", `"a> b\""@c`, "a@b", "<open", ""}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
