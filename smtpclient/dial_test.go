package smtpclient

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"superlistd/internal/smtptest"
	"superlistd/wire"
)

// scriptedHop answers the n-th read with the n-th piece; "" hangs up. Done is
// closed when all is said. It looks at nothing that it reads.
func scriptedHop(t testing.TB, pieces ...string) (Hop, <-chan struct{}) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done, over := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(over)
		c, err := ln.Accept()
		if err != nil {
			close(done)
			return
		}
		defer c.Close()
		buf := make([]byte, 64<<10)
		for i, piece := range pieces {
			if i > 0 {
				if _, err := c.Read(buf); err != nil {
					break
				}
			}
			if piece == "" {
				_ = c.Close()
				break
			}
			if _, err := io.WriteString(c, piece); err != nil {
				break
			}
		}
		close(done)
		_, _ = io.Copy(io.Discard, c)
	}()
	t.Cleanup(func() { _ = ln.Close(); <-over })
	return Hop{Network: "tcp", Address: ln.Addr().String()}, done
}

func scripted(t testing.TB, pieces ...string) (*Conn, <-chan struct{}) {
	t.Helper()
	hop, done := scriptedHop(t, pieces...)
	c, err := Dial(t.Context(), Options{Hop: hop, Timeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c, done
}

func TestDialFails(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		pieces []string
		opts   Options
		want   string
	}{
		{"hangs up", []string{""}, Options{}, "EOF"},
		{"554 banner", []string{"554 5.7.1 go away\r\n"}, Options{}, "banner: 554 5.7.1 go away"},
		{"421 banner", []string{"421 4.3.2 busy\r\n"}, Options{}, "421 4.3.2 busy"},
		{"354 banner", []string{"354 what\r\n"}, Options{}, "354"},
		{"no SMTP at all", []string{"HTTP/1.1 400 Bad Request\r\n"}, Options{}, "malformed"},
		{"endless banner", []string{strings.Repeat("220-x\r\n", 1000)}, Options{}, "more than"},
		{"EHLO later", []string{"220 x\r\n", "450 4.3.2 later\r\n"}, Options{}, "EHLO: 450"},
		{"neither EHLO nor HELO", []string{"220 x\r\n", "502 no\r\n", "502 no\r\n"}, Options{}, "HELO: 502"},
		{"LHLO refused", []string{"220 x\r\n", "500 no\r\n"}, Options{LMTP: true}, "LHLO: 500"},
		{"stalls", []string{"220-x\r\n"}, Options{Timeout: 50 * time.Millisecond}, "timeout"},
		{"speaks out of turn", []string{"220 x\r\n250 x\r\n"}, Options{}, "unsolicited"},
		{"TLS not offered", []string{"220 x\r\n", "250 x\r\n"}, Options{TLS: TLSRequired}, "not offered"},
		{"TLS refused", []string{"220 x\r\n", "250-x\r\n250 STARTTLS\r\n", "454 4.7.0 no\r\n"}, Options{TLS: TLSRequired}, "STARTTLS: 454"},
		{"TLS and only HELO", []string{"220 x\r\n", "502 no\r\n", "250 x\r\n"}, Options{TLS: TLSRequired}, "not offered"},
		{"plaintext behind STARTTLS", []string{"220 x\r\n", "250-x\r\n250 STARTTLS\r\n", "220 go\r\n250 injected\r\n"}, Options{TLS: TLSRequired}, "injected"},
		{"the same, opportunistic", []string{"220 x\r\n", "250-x\r\n250 STARTTLS\r\n", "220 go\r\n250 injected\r\n"}, Options{TLS: TLSOpportunistic}, "injected"},
		{"plaintext later", []string{"220 x\r\n", "250-x\r\n250 STARTTLS\r\n", "220 go\r\n", "250 x\r\n"}, Options{TLS: TLSRequired}, "TLS handshake"},
		{"unknown TLS mode", []string{"220 x\r\n", "250 x\r\n"}, Options{TLS: "perhaps"}, "perhaps"},
		{"AUTH not offered", []string{"220 x\r\n", "250 x\r\n"}, Options{Auth: &Auth{User: "u", Password: "geheim"}}, "none of"},
		{"mechanism not offered", []string{"220 x\r\n", "250-x\r\n250 AUTH PLAIN\r\n"}, Options{Auth: &Auth{Mechanism: "cram-md5", User: "u", Password: "geheim"}}, "none of"},
		{"mechanism unknown to us", []string{"220 x\r\n", "250-x\r\n250 AUTH XOAUTH\r\n"}, Options{Auth: &Auth{Mechanism: "XOAUTH", User: "u", Password: "geheim"}}, "none of"},
		{"AUTH refused", []string{"220 x\r\n", "250-x\r\n250 AUTH PLAIN\r\n", "535 5.7.8 no\r\n"}, Options{Auth: &Auth{User: "u", Password: "geheim"}}, "AUTH: 535"},
		{"odd challenge", []string{"220 x\r\n", "250-x\r\n250 AUTH CRAM-MD5\r\n", "334 !!\r\n"}, Options{Auth: &Auth{User: "u", Password: "geheim"}}, "base64"},
		{"too many challenges", []string{"220 x\r\n", "250-x\r\n250 AUTH LOGIN\r\n", "334 \r\n", "334 \r\n", "334 \r\n", "334 \r\n", "334 \r\n", "334 \r\n", "334 \r\n", "334 \r\n", "334 \r\n", "334 \r\n"},
			Options{Auth: &Auth{User: "u", Password: "geheim"}}, "AUTH: 334"},
		{"NUL in a password", []string{"220 x\r\n", "250-x\r\n250 AUTH PLAIN\r\n"}, Options{Auth: &Auth{User: "u", Password: "geheim\x00"}}, "NUL"},
		{"XCLIENT not offered", []string{"220 x\r\n", "250 x\r\n"}, Options{XClient: &wire.ClientInfo{Addr: "192.0.2.1"}}, "not offered"},
		{"XCLIENT refused", []string{"220 x\r\n", "250-x\r\n250 XCLIENT ADDR\r\n", "550 5.7.0 no\r\n"}, Options{XClient: &wire.ClientInfo{Addr: "192.0.2.1"}}, "XCLIENT: 550"},
		{"XCLIENT then 554", []string{"220 x\r\n", "250-x\r\n250 XCLIENT ADDR\r\n", "220 x\r\n", "450 no\r\n"}, Options{XClient: &wire.ClientInfo{Addr: "192.0.2.1"}}, "EHLO: 450"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := tt.opts
			o.Hop, _ = scriptedHop(t, tt.pieces...)
			if o.Timeout == 0 {
				o.Timeout = 10 * time.Second
			}
			c, err := Dial(t.Context(), o)
			if err == nil {
				_ = c.Close()
				t.Fatal("no error")
			}
			if !errors.Is(err, ErrUnreachable) || errors.Is(err, ErrLost) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want ErrUnreachable with %q", err, tt.want)
			}
			var e *Error
			var closing *Closing
			if errors.As(err, &e) || errors.As(err, &closing) {
				t.Error("what is said to a greeting is no answer for a sender")
			}
			if strings.Contains(err.Error(), "geheim") {
				t.Errorf("the password is in the error: %v", err)
			}
		})
	}
}

func TestDialNobodyThere(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = ln.Close()
	_, err = Dial(t.Context(), Options{Hop: Hop{"tcp", ln.Addr().String()}})
	if !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), ln.Addr().String()) {
		t.Error(err)
	}
	if _, err = Dial(t.Context(), Options{Hop: Hop{"unix", t.TempDir() + "/none"}}); !errors.Is(err, ErrUnreachable) {
		t.Error(err)
	}
	if _, err = Dial(t.Context(), Options{Hostname: "a\r\nMAIL"}); !errors.Is(err, ErrSyntax) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err = Dial(ctx, Options{Hop: Hop{"tcp", ln.Addr().String()}}); !errors.Is(err, ErrUnreachable) || !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestDialIsInterrupted(t *testing.T) {
	t.Parallel()
	for n := 1; n <= 2; n++ {
		p := smtptest.Start(t, smtptest.StallAt(n))
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
		_, err := Dial(ctx, Options{Hop: hopOf(t, p), Timeout: time.Minute})
		cancel()
		if !errors.Is(err, ErrUnreachable) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("step %d: %v", n, err)
		}
	}
}

func TestHELOFallback(t *testing.T) {
	t.Parallel()
	p := smtptest.Start(t, smtptest.On("EHLO", "502 5.5.1 no ESMTP"))
	c := dial(t, p, Options{Hostname: "mx.test"})
	tx := begin(t, c, Envelope{ReversePath: "a@b", Client: &wire.ClientInfo{Name: "x.test"}, Size: 5, Body8Bit: true})
	if n, err := tx.Rcpts(t.Context(), source("x@y", "z@y"), nil); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	write(t, tx, "x")
	commit(t, tx)
	if m := only(t, p); m.Mail != "FROM:<a@b>" || !strings.Contains(p.Transcript(), "C: HELO mx.test\n") {
		t.Errorf("%q\n%s", m.Mail, p.Transcript())
	}
}

func TestUnixSocketAndQuit(t *testing.T) {
	t.Parallel()
	p := smtptest.Start(t, smtptest.Unix())
	c := dial(t, p, Options{})
	tx := begin(t, c, Envelope{})
	rcpt(t, tx, "x@y")
	write(t, tx, "x")
	commit(t, tx)
	only(t, p)
	if !c.quiet() {
		t.Error("not quiet")
	}
	c.Quit()
	c.Quit()
	waitUntil(t, func() bool { return p.Open() == 0 })
	if !strings.Contains(p.Transcript(), "C: QUIT\n") {
		t.Error("no QUIT")
	}
	if c.Reusable() {
		t.Error("reusable after Quit")
	}
	if _, err := c.Begin(Envelope{}); !errors.Is(err, ErrLost) {
		t.Errorf("Begin after Quit: %v", err)
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	cert, pool := smtptest.Certificate(t, "mx.example.org", "127.0.0.1")
	_, foreign := smtptest.Certificate(t, "mx.example.org", "127.0.0.1")
	for _, tt := range []struct {
		name   string
		mode   TLSMode
		config *tls.Config
		plain  bool // the peer has no TLS
		tls    bool // the session ends up under TLS
		fails  string
	}{
		{"off", TLSOff, nil, false, false, ""},
		{"empty is off", "", nil, false, false, ""},
		{"opportunistic", TLSOpportunistic, nil, false, true, ""},
		{"opportunistic, foreign authority", TLSOpportunistic, &tls.Config{RootCAs: foreign}, false, true, ""},
		{"opportunistic, not offered", TLSOpportunistic, nil, true, false, ""},
		{"required by address", TLSRequired, &tls.Config{RootCAs: pool}, false, true, ""},
		{"required by name", TLSRequired, &tls.Config{RootCAs: pool, ServerName: "mx.example.org"}, false, true, ""},
		{"wrong name", TLSRequired, &tls.Config{RootCAs: pool, ServerName: "other.example.org"}, false, false, "not other.example.org"},
		{"wrong authority", TLSRequired, &tls.Config{RootCAs: foreign}, false, false, "unknown authority"},
		{"no authority", TLSRequired, nil, false, false, "unknown authority"},
		{"required, not offered", TLSRequired, &tls.Config{RootCAs: pool}, true, false, "not offered"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var opts []smtptest.Option
			if !tt.plain {
				opts = append(opts, smtptest.TLS(cert))
			}
			p := smtptest.Start(t, opts...)
			c, err := Dial(t.Context(), Options{Hop: hopOf(t, p), TLS: tt.mode, TLSConfig: tt.config, Timeout: 10 * time.Second})
			if tt.fails != "" {
				if !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), tt.fails) {
					t.Fatalf("got %v, want %q", err, tt.fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if c.Capabilities().STARTTLS != (!tt.tls && !tt.plain) {
				t.Errorf("capabilities are not those of the last EHLO: %+v", c.Capabilities())
			}
			tx := begin(t, c, Envelope{})
			if n, err := tx.Rcpts(t.Context(), source(addresses(3000)...), nil); n != 3000 || err != nil {
				t.Fatal(n, err)
			}
			write(t, tx, strings.Repeat("line\r\n", 50000))
			if err := tx.Hold(t.Context()); err != nil {
				t.Fatal(err)
			}
			commit(t, tx)
			if m := only(t, p); m.TLS != tt.tls || len(m.Content) != 300000 {
				t.Errorf("TLS %v, want %v", m.TLS, tt.tls)
			}
			if !c.quiet() {
				t.Error("not quiet")
			}
		})
	}
}

// A peer that offers TLS and cannot do it is spoken to in the clear, when TLS is
// opportunistic; with a new connection, because the old one is spoilt.
func TestOpportunisticFallsBack(t *testing.T) {
	t.Parallel()
	broken := tls.Certificate{} // every handshake fails
	p := smtptest.Start(t, smtptest.TLS(broken))
	c := dial(t, p, Options{TLS: TLSOpportunistic})
	tx := begin(t, c, Envelope{})
	rcpt(t, tx, "x@y")
	write(t, tx, "x")
	commit(t, tx)
	if m := only(t, p); m.TLS || m.Conn != 2 {
		t.Errorf("%+v", m)
	}
	if _, err := Dial(t.Context(), Options{Hop: hopOf(t, p), TLS: TLSRequired}); !errors.Is(err, ErrUnreachable) {
		t.Errorf("required: %v", err)
	}
}

func TestAuth(t *testing.T) {
	t.Parallel()
	cert, pool := smtptest.Certificate(t, "127.0.0.1")
	for _, tt := range []struct {
		name      string
		offered   []string
		mechanism string
		said      string
	}{
		{"best is CRAM-MD5", []string{"LOGIN", "PLAIN", "CRAM-MD5"}, "", "AUTH CRAM-MD5"},
		{"then PLAIN", []string{"LOGIN", "PLAIN"}, "", "AUTH PLAIN "},
		{"then LOGIN", []string{"NTLM", "LOGIN"}, "", "AUTH LOGIN "},
		{"as told", []string{"LOGIN", "PLAIN", "CRAM-MD5"}, "login", "AUTH LOGIN "},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := smtptest.Start(t, smtptest.Auth("list@x", "geheim", tt.offered...), smtptest.TLS(cert))
			o := Options{Auth: &Auth{Mechanism: tt.mechanism, User: "list@x", Password: "geheim"},
				TLS: TLSRequired, TLSConfig: &tls.Config{RootCAs: pool}}
			c := dial(t, p, o)
			tx := begin(t, c, Envelope{})
			rcpt(t, tx, "x@y")
			write(t, tx, "x")
			commit(t, tx)
			if m := only(t, p); m.User != "list@x" || !strings.Contains(p.Transcript(), "C: "+tt.said) {
				t.Errorf("user %q\n%s", m.User, p.Transcript())
			}
			o.Auth.Password = "falsch"
			o.Hop = hopOf(t, p)
			if _, err := Dial(t.Context(), o); !errors.Is(err, ErrUnreachable) || !strings.Contains(err.Error(), "AUTH: 535") {
				t.Errorf("wrong password: %v", err)
			}
		})
	}
}

// A server that asks for the user although it came with AUTH.
func TestAuthLoginAskedForTheUser(t *testing.T) {
	t.Parallel()
	hop, _ := scriptedHop(t, "220 x\r\n", "250-x\r\n250 AUTH LOGIN\r\n", "334 VXNlcm5hbWU6\r\n", "334 UGFzc3dvcmQ6\r\n", "235 ok\r\n")
	c, err := Dial(t.Context(), Options{Hop: hop, Auth: &Auth{User: "u", Password: "p"}})
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
}

// remote makes a session look as if it left this host.
type remote struct{ net.Conn }

func (remote) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 25} }

func TestPasswordIsNotShownInTheClear(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		offered   []string
		mechanism string
		want      string
	}{
		{[]string{"PLAIN", "LOGIN"}, "", ""},
		{[]string{"PLAIN", "LOGIN"}, "PLAIN", ""},
		{[]string{"PLAIN", "LOGIN", "CRAM-MD5"}, "", "CRAM-MD5"},
	} {
		a, b := net.Pipe()
		defer b.Close()
		c := newConn(&Options{Auth: &Auth{Mechanism: tt.mechanism, User: "u", Password: "p"}}, remote{a})
		c.caps.Auth = tt.offered
		m, err := c.mechanism()
		if tt.want == "" {
			if err == nil || !strings.Contains(err.Error(), "unencrypted") {
				t.Errorf("%+v: %v, %v", tt, m, err)
			}
			continue
		}
		if name, _, _ := m.Start(); err != nil || name != tt.want {
			t.Errorf("%+v: %v, %v", tt, name, err)
		}
	}
}

// XCLIENT is alone in its packet, and EHLO follows the new banner. The peer
// checks the first; its Violations would tell.
func TestXClient(t *testing.T) {
	t.Parallel()
	p := smtptest.Start(t, smtptest.XClient())
	c := dial(t, p, Options{XClient: &wire.ClientInfo{Name: "spike.example.org", Addr: "192.0.2.5", Helo: "he lo", Login: "ann"}})
	tx := begin(t, c, Envelope{})
	rcpt(t, tx, "x@y")
	write(t, tx, "x")
	commit(t, tx)
	m := only(t, p)
	if m.XClient["ADDR"] != "192.0.2.5" || m.XClient["NAME"] != "spike.example.org" || m.XClient["HELO"] != "he lo" || m.XClient["LOGIN"] != "ann" {
		t.Errorf("%v", m.XClient)
	}
	if n := strings.Count(p.Transcript(), "C: EHLO"); n != 2 {
		t.Errorf("%d EHLO, want 2", n)
	}
}

func TestXClientLinesGoOneByOne(t *testing.T) {
	t.Parallel()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	lines := make(chan string, 100)
	go func() {
		defer close(lines)
		c, err := ln.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		br := bufio.NewReader(c)
		_, _ = io.WriteString(c, "220 x\r\n")
		for {
			line, err := br.ReadString('\n')
			if err != nil {
				return
			}
			lines <- line
			reply := "220 x\r\n"
			if strings.HasPrefix(line, "EHLO") {
				reply = "250-x\r\n250 XCLIENT NAME ADDR HELO LOGIN REVERSE_NAME\r\n"
			}
			time.Sleep(2 * time.Millisecond) // whatever is pipelined arrives meanwhile
			if br.Buffered() > 0 {
				lines <- "pipelined"
			}
			_, _ = io.WriteString(c, reply)
		}
	}()
	info := wire.ClientInfo{Name: strings.Repeat("n.", 100) + "test", Addr: "192.0.2.1", Helo: strings.Repeat("h", 250),
		Login: strings.Repeat("l", 250), ReverseName: strings.Repeat("r.", 100) + "test"}
	c, err := Dial(t.Context(), Options{Hop: Hop{"tcp", ln.Addr().String()}, XClient: &info, Timeout: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	var verbs []string
	for l := range lines {
		verb, _, _ := strings.Cut(l, " ")
		verbs = append(verbs, verb)
	}
	got := strings.Join(verbs, " ")
	if !strings.HasPrefix(got, "EHLO XCLIENT EHLO XCLIENT EHLO") || strings.Contains(got, "XCLIENT XCLIENT") || strings.Contains(got, "pipelined") {
		t.Error(got)
	}
}
