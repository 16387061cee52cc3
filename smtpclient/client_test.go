package smtpclient

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"superlistd/internal/smtptest"
	"superlistd/wire"
)

func hopOf(t testing.TB, p *smtptest.Peer) Hop {
	t.Helper()
	hop, err := ParseHop(p.Hop())
	if err != nil {
		t.Fatal(err)
	}
	return hop
}

func dial(t testing.TB, p *smtptest.Peer, o Options) *Conn {
	t.Helper()
	o.Hop = hopOf(t, p)
	if o.Timeout == 0 {
		o.Timeout = 10 * time.Second
	}
	c, err := Dial(t.Context(), o)
	if err != nil {
		t.Fatalf("Dial: %v\n%s", err, p.Transcript())
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// recorder notes what each write holds.
type recorder struct {
	net.Conn
	mu     sync.Mutex
	writes []string
}

func (r *recorder) Write(p []byte) (int, error) {
	r.mu.Lock()
	r.writes = append(r.writes, string(p))
	r.mu.Unlock()
	return r.Conn.Write(p)
}

func record(c *Conn) *recorder {
	r := &recorder{Conn: c.nc}
	c.nc = r
	return r
}

func begin(t testing.TB, c *Conn, env Envelope) *Transaction {
	t.Helper()
	tx, err := c.Begin(env)
	if err != nil {
		t.Fatalf("Begin: %v", err)
	}
	return tx
}

func rcpt(t testing.TB, tx *Transaction, addr string) {
	t.Helper()
	if r, err := tx.Rcpt(t.Context(), "TO:<"+addr+">"); err != nil || !r.Positive() {
		t.Fatalf("Rcpt(%s): %v, %v", addr, r, err)
	}
}

func write(t testing.TB, tx *Transaction, content string) {
	t.Helper()
	if err := tx.Data(t.Context()); err != nil {
		t.Fatalf("Data: %v", err)
	}
	if n, err := tx.Write([]byte(content)); err != nil || n != len(content) {
		t.Fatalf("Write: %d of %d, %v", n, len(content), err)
	}
}

func commit(t testing.TB, tx *Transaction) wire.Reply {
	t.Helper()
	rs, err := tx.Commit(t.Context())
	if err != nil || len(rs) != 1 || !rs[0].Positive() {
		t.Fatalf("Commit: %v, %v", rs, err)
	}
	return rs[0]
}

func only(t testing.TB, p *smtptest.Peer) smtptest.Message {
	t.Helper()
	ms := p.Messages()
	if len(ms) != 1 {
		t.Fatalf("%d messages queued, want 1\n%s", len(ms), p.Transcript())
	}
	if v := p.Violations(); len(v) > 0 {
		t.Errorf("protocol violations: %q", v)
	}
	return ms[0]
}

// source is a next function over addresses.
func source(addrs ...string) func() ([]byte, bool) {
	i := 0
	return func() ([]byte, bool) {
		if i == len(addrs) {
			return nil, false
		}
		i++
		return []byte(addrs[i-1]), true
	}
}

func addresses(n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("member%06d@example.org", i)
	}
	return out
}

func TestParseHop(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, in string
		want     Hop
		fails    string
	}{
		{"host and port", "127.0.0.1:10026", Hop{"tcp", "127.0.0.1:10026"}, ""},
		{"postfix inet", "inet:mx.example.org:25", Hop{"tcp", "mx.example.org:25"}, ""},
		{"IPv6", "[::1]:10026", Hop{"tcp", "[::1]:10026"}, ""},
		{"service name", "localhost:smtp", Hop{"tcp", "localhost:smtp"}, ""},
		{"unix", "unix:/var/spool/postfix/private/x", Hop{"unix", "/var/spool/postfix/private/x"}, ""},
		{"no port", "localhost", Hop{}, "missing port"},
		{"no host", ":25", Hop{}, "no host"},
		{"port too large", "a:65536", Hop{}, "not within"},
		{"port zero", "a:0", Hop{}, "not within"},
		{"empty port", "a:", Hop{}, "unknown port"},
		{"unknown service", "a:nosuchservice", Hop{}, "unknown port"},
		{"no path", "unix:", Hop{}, "no path"},
		{"blank", "a b:25", Hop{}, "blank"},
		{"empty", "", Hop{}, "missing port"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := ParseHop(tt.in)
			if tt.fails == "" {
				if err != nil || got != tt.want {
					t.Fatalf("ParseHop(%q) = %v, %v, want %v", tt.in, got, err, tt.want)
				}
				if again, err := ParseHop(got.String()); err != nil || again != got {
					t.Errorf("String() %q is read as %v, %v", got, again, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), tt.fails) {
				t.Errorf("ParseHop(%q) = %v, %v, want an error with %q", tt.in, got, err, tt.fails)
			}
		})
	}
}

func TestParseCapabilities(t *testing.T) {
	t.Parallel()
	c := parseCapabilities(wire.Reply{Code: 250, Lines: []string{"PIPELINING is my name", "pipelining", "Size 1000", "8bitmime",
		"SMTPUTF8", "DSN", "ENHANCEDSTATUSCODES", "CHUNKING", "XVERP", "STARTTLS", "VRFY", "", "AUTH=LOGIN", "AUTH plain cram-md5",
		"XFORWARD name ADDR", "XCLIENT NAME", "LIMITS MAILMAX=7 RCPTMAX=50", "FUTURE x"}})
	want := "{Pipelining:true Chunking:true EightBitMIME:true SMTPUTF8:true DSN:true Enhanced:true XVERP:true STARTTLS:true VRFY:true " +
		"HasSize:true Size:1000 RcptMax:50 XForward:[NAME ADDR] XClient:[NAME] Auth:[LOGIN PLAIN CRAM-MD5]}"
	if got := fmt.Sprintf("%+v", c); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for _, line := range []string{"SIZE", "SIZE x", "SIZE -5", "LIMITS RCPTMAX=", "LIMITS RCPTMAX=-1", "LIMITS"} {
		c := parseCapabilities(wire.Reply{Code: 250, Lines: []string{"PIPELINING", line}})
		if c.Size != 0 || c.RcptMax != 0 || c.Pipelining {
			t.Errorf("%q: %+v", line, c)
		}
	}
}

func TestRelayLockStep(t *testing.T) {
	t.Parallel()
	p := smtptest.Start(t)
	c := dial(t, p, Options{Hostname: "mx.example.org"})
	w := record(c)
	client := &wire.ClientInfo{Name: "spike.example.org", Addr: "192.0.2.5", Port: "99", Helo: "he+lo"}
	tx := begin(t, c, Envelope{Client: client, Raw: "FROM: <a@b.test> SIZE=12 BODY=8BITMIME", Size: 12})
	r, err := tx.Rcpt(t.Context(), `TO:<"x y"@c.test> NOTIFY=NEVER`)
	if err != nil || r.Code != 250 || r.Enhanced() != "2.1.5" {
		t.Fatalf("Rcpt: %v, %v", r, err)
	}
	write(t, tx, "Subject: x\n\n.dot\rbare\r\n")
	if r := commit(t, tx); !strings.HasPrefix(r.Lines[0], "2.0.0 Ok: queued as PEER") {
		t.Errorf("reply text is lost: %v", r)
	}
	m := only(t, p)
	if want := "Subject: x\r\n\r\n.dot bare\r\n"; m.Content != want {
		t.Errorf("content %q, want %q", m.Content, want)
	}
	if want := "Subject: x\r\n\r\n..dot bare\r\n"; m.Raw != want {
		t.Errorf("raw %q, want %q", m.Raw, want)
	}
	if m.Mail != "FROM: <a@b.test> SIZE=12 BODY=8BITMIME" || m.RcptArgs[0] != `TO:<"x y"@c.test> NOTIFY=NEVER` {
		t.Errorf("lines were changed: %q %q", m.Mail, m.RcptArgs)
	}
	if m.Client["NAME"] != "spike.example.org" || m.Client["ADDR"] != "192.0.2.5" || m.Client["HELO"] != "he+lo" {
		t.Errorf("XFORWARD: %v", m.Client)
	}
	if len(w.writes) != 3 || w.writes[1] != "DATA\r\n" || w.writes[2] != m.Raw+".\r\n" {
		t.Errorf("%d writes, want 3 (XFORWARD MAIL RCPT; DATA; content and dot): %q", len(w.writes), w.writes)
	}
	if !c.Reusable() {
		t.Error("not reusable after Commit")
	}
	tx2 := begin(t, c, Envelope{ReversePath: "second@b.test"})
	rcpt(t, tx2, "y@c.test")
	write(t, tx2, "")
	commit(t, tx2)
	if m := p.Messages()[1]; m.Content != "" || m.Client != nil || m.Conn != 1 {
		t.Errorf("second message: %+v", m)
	}
}

func TestEnvelope(t *testing.T) {
	t.Parallel()
	all := []string{"PIPELINING", "SIZE 1000", "8BITMIME", "SMTPUTF8", "XVERP"}
	for _, tt := range []struct {
		name string
		ext  []string
		env  Envelope
		want string
		err  error
	}{
		{"null reverse-path", all, Envelope{}, "FROM:<>", nil},
		{"all parameters", all, Envelope{ReversePath: "l-bounces@x.test", Size: 10, Body8Bit: true, UTF8: true, XVERP: "-="},
			"FROM:<l-bounces@x.test> SIZE=10 BODY=8BITMIME SMTPUTF8 XVERP=-=", nil},
		{"plain XVERP", all, Envelope{ReversePath: "l@x.test", XVERP: " "}, "FROM:<l@x.test> XVERP", nil},
		{"quoted", all, Envelope{ReversePath: `"a> b\""@x.test`}, `FROM:<"a> b\""@x.test>`, nil},
		{"nothing offered", nil, Envelope{ReversePath: "l@x.test", Size: 10, Body8Bit: true}, "FROM:<l@x.test>", nil},
		{"size without limit", []string{"SIZE"}, Envelope{Size: 1 << 40}, "FROM:<> SIZE=1099511627776", nil},
		{"no SMTPUTF8", nil, Envelope{UTF8: true}, "", ErrUTF8},
		{"no SMTPUTF8 for a raw line", nil, Envelope{Raw: "FROM:<é@x.test> SMTPUTF8", UTF8: true}, "", ErrUTF8},
		{"no XVERP", nil, Envelope{ReversePath: "l@x.test", XVERP: "-="}, "FROM:<l@x.test>", nil},
		{"too large", all, Envelope{Size: 1001}, "", ErrSize},
		{"just fits", all, Envelope{Size: 1000}, "FROM:<> SIZE=1000", nil},
		{"line end in address", all, Envelope{ReversePath: "a@b\r\nRCPT TO:<c@d>"}, "", ErrSyntax},
		{"line end in raw", all, Envelope{Raw: "FROM:<a@b>\nRCPT TO:<c@d>"}, "", ErrSyntax},
		{"parameter in address", all, Envelope{ReversePath: "a> XVERP=-= X=<"}, "", ErrSyntax},
		{"line end in XVERP", all, Envelope{XVERP: "\r\n"}, "", ErrSyntax},
		{"NUL", all, Envelope{ReversePath: "\"\x00\"@b"}, "", ErrSyntax},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := smtptest.Start(t, smtptest.Ext(tt.ext...))
			c := dial(t, p, Options{})
			tx, err := c.Begin(tt.env)
			if tt.err != nil {
				if !errors.Is(err, tt.err) {
					t.Fatalf("Begin: %v, want %v", err, tt.err)
				}
				if !c.Reusable() {
					t.Error("a transaction that never began costs the connection")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			rcpt(t, tx, "y@c.test")
			write(t, tx, "x")
			commit(t, tx)
			if m := only(t, p); m.Mail != tt.want {
				t.Errorf("MAIL %q, want %q", m.Mail, tt.want)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, verb, reply, command string
		reusable                   bool
	}{
		{"MAIL", "MAIL", "550 5.7.1 no", "MAIL", true},
		{"DATA", "DATA", "451 4.3.0 later", "DATA", true},
		{"dot", ".", "554-5.6.0 two\n554 5.6.0 lines", ".", true},
	} {
		for _, ext := range [][]string{{"PIPELINING"}, {}} {
			t.Run(fmt.Sprint(tt.name, ext), func(t *testing.T) {
				t.Parallel()
				p := smtptest.Start(t, smtptest.Ext(ext...), smtptest.On(tt.verb, tt.reply))
				c := dial(t, p, Options{})
				tx := begin(t, c, Envelope{ReversePath: "a@b"})
				_, err := tx.Rcpt(t.Context(), "TO:<x@y>")
				if err == nil {
					err = tx.Data(t.Context())
				}
				if err == nil {
					_, err = tx.Commit(t.Context())
				}
				var e *Error
				if !errors.As(err, &e) || e.Command != tt.command || e.Reply.Code/100 != int(tt.reply[0]-'0') {
					t.Fatalf("got %v", err)
				}
				if errors.Is(err, ErrLost) {
					t.Errorf("a refusal is no lost connection: %v", err)
				}
				tx.Abort()
				if want := len(ext) > 0 || tt.verb == "."; c.Reusable() != want {
					t.Errorf("reusable %v, want %v", c.Reusable(), want)
				}
				if len(p.Messages()) > 0 {
					t.Error("a refused message was queued")
				}
			})
		}
	}
}

func TestRefusedForwardIsNoFailure(t *testing.T) {
	t.Parallel()
	for _, ext := range []string{"PIPELINING", "DSN"} {
		p := smtptest.Start(t, smtptest.Ext(ext, "XFORWARD NAME ADDR"), smtptest.On("XFORWARD", "550 5.7.0 not you"))
		c := dial(t, p, Options{})
		tx := begin(t, c, Envelope{Client: &wire.ClientInfo{Name: "a.test"}})
		rcpt(t, tx, "x@y")
		if e := tx.ForwardRefused(); e == nil || e.Reply.Code != 550 || e.Command != "XFORWARD" {
			t.Errorf("ForwardRefused: %v", e)
		}
		write(t, tx, "x")
		commit(t, tx)
	}
}

func TestForwardIsSplit(t *testing.T) {
	t.Parallel()
	p := smtptest.Start(t)
	c := dial(t, p, Options{})
	w := record(c)
	client := &wire.ClientInfo{Name: strings.Repeat("a.", 100) + "test", Addr: "2001:db8::1", Port: "1", Proto: "ESMTP",
		Helo: strings.Repeat("h", 1500), Ident: strings.Repeat("i", 200), Source: "REMOTE"}
	tx := begin(t, c, Envelope{Client: client})
	rcpt(t, tx, "x@y")
	write(t, tx, "x")
	commit(t, tx)
	m := only(t, p)
	if len(w.writes) != 3 || strings.Count(w.writes[0], "XFORWARD ") < 2 {
		t.Errorf("writes: %q", w.writes)
	}
	if m.Client["ADDR"] != "IPv6:2001:db8::1" || len(m.Client["HELO"]) > 255 || m.Client["SOURCE"] != "REMOTE" {
		t.Errorf("XFORWARD: %v", m.Client)
	}
}

func TestOutOfOrder(t *testing.T) {
	t.Parallel()
	p := smtptest.Start(t)
	c := dial(t, p, Options{})
	tx := begin(t, c, Envelope{})
	if _, err := c.Begin(Envelope{}); !errors.Is(err, ErrState) {
		t.Errorf("second Begin: %v", err)
	}
	if err := tx.Data(t.Context()); !errors.Is(err, ErrState) {
		t.Errorf("Data without recipients: %v", err)
	}
	if _, err := tx.Write(nil); !errors.Is(err, ErrState) {
		t.Errorf("Write before Data: %v", err)
	}
	if _, err := tx.Rcpt(t.Context(), "TO:<x@y>\r\nDATA"); !errors.Is(err, ErrSyntax) {
		t.Errorf("injected line: %v", err)
	}
	rcpt(t, tx, "x@y")
	if _, err := tx.Commit(t.Context()); !errors.Is(err, ErrState) {
		t.Errorf("Commit before Data: %v", err)
	}
	write(t, tx, "x")
	if _, err := tx.Rcpt(t.Context(), "TO:<x@y>"); !errors.Is(err, ErrState) {
		t.Errorf("Rcpt after Data: %v", err)
	}
	if err := tx.Hold(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Write([]byte("more")); !errors.Is(err, ErrState) {
		t.Errorf("Write after Hold: %v", err)
	}
	commit(t, tx)
	tx.Abort() // does nothing
	if _, err := tx.Commit(t.Context()); !errors.Is(err, ErrState) {
		t.Errorf("second Commit: %v", err)
	}
	if !c.Reusable() {
		t.Error("not reusable")
	}
	only(t, p)
}

func TestAbort(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		ext      []string
		until    func(t *testing.T, tx *Transaction)
		reusable bool
		resets   int
	}{
		{"nothing sent", []string{"PIPELINING"}, func(*testing.T, *Transaction) {}, true, 0},
		{"recipient sent", []string{"PIPELINING"}, func(t *testing.T, tx *Transaction) { rcpt(t, tx, "x@y") }, true, 1},
		{"recipient sent without pipelining", nil, func(t *testing.T, tx *Transaction) { rcpt(t, tx, "x@y") }, false, 0},
		{"in content", []string{"PIPELINING"}, func(t *testing.T, tx *Transaction) { rcpt(t, tx, "x@y"); write(t, tx, "half") }, false, 0},
		{"held", []string{"PIPELINING"}, func(t *testing.T, tx *Transaction) {
			rcpt(t, tx, "x@y")
			write(t, tx, "all of it")
			if err := tx.Hold(t.Context()); err != nil {
				t.Fatal(err)
			}
		}, false, 0},
		{"chunks", []string{"PIPELINING", "CHUNKING"}, func(t *testing.T, tx *Transaction) {
			rcpt(t, tx, "x@y")
			tx.SetChunking(1 << 20)
			write(t, tx, strings.Repeat("all of it\r\n", 20000))
			if err := tx.Hold(t.Context()); err != nil {
				t.Fatal(err)
			}
		}, false, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := smtptest.Start(t, smtptest.Ext(tt.ext...))
			c := dial(t, p, Options{})
			tx := begin(t, c, Envelope{})
			tt.until(t, tx)
			tx.Abort()
			if c.Reusable() != tt.reusable {
				t.Errorf("reusable %v, want %v", c.Reusable(), tt.reusable)
			}
			if n := strings.Count(p.Transcript(), "C: RSET"); n != tt.resets {
				t.Errorf("%d RSET, want %d", n, tt.resets)
			}
			if tt.reusable {
				tx := begin(t, c, Envelope{})
				rcpt(t, tx, "z@y")
				write(t, tx, "second")
				commit(t, tx)
				if m := only(t, p); m.Content != "second\r\n" || len(m.Rcpts) != 1 {
					t.Errorf("%+v", m)
				}
				return
			}
			p.Close()
			if len(p.Messages()) > 0 {
				t.Error("an aborted message was queued")
			}
		})
	}
}

func TestAnnoyedHopIsNotUsedAgain(t *testing.T) {
	t.Parallel()
	p := smtptest.Start(t, smtptest.RcptReply(func(a string) string {
		if strings.HasPrefix(a, "bad") {
			return "550 5.1.1 no"
		}
		return ""
	}))
	c := dial(t, p, Options{})
	tx := begin(t, c, Envelope{})
	for range maxRefusals {
		if r, err := tx.Rcpt(t.Context(), "TO:<bad@x>"); err != nil || r.Code != 550 || r.Lines[0] != "5.1.1 no" {
			t.Fatalf("%v, %v", r, err)
		}
	}
	rcpt(t, tx, "good@x")
	write(t, tx, "x")
	commit(t, tx)
	if !c.Reusable() {
		t.Error("a delivered message makes up for refusals")
	}
	tx = begin(t, c, Envelope{})
	for range maxRefusals {
		if _, err := tx.Rcpt(t.Context(), "TO:<bad@x>"); err != nil {
			t.Fatal(err)
		}
	}
	tx.Abort()
	if c.Reusable() {
		t.Errorf("still reusable after %d refusals", maxRefusals)
	}
}

func TestContext(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		step int
		run  func(ctx context.Context, c *Conn) error
	}{
		{"Rcpt", 4, func(ctx context.Context, c *Conn) error {
			tx, err := c.Begin(Envelope{})
			if err != nil {
				return err
			}
			_, err = tx.Rcpt(ctx, "TO:<x@y>")
			return err
		}},
		{"Rcpts", 4, func(ctx context.Context, c *Conn) error {
			tx, err := c.Begin(Envelope{})
			if err != nil {
				return err
			}
			_, err = tx.Rcpts(ctx, source(addresses(3000)...), nil)
			return err
		}},
		{"Data and Write", 0, func(ctx context.Context, c *Conn) error {
			tx, err := c.Begin(Envelope{})
			if err == nil {
				_, err = tx.Rcpt(ctx, "TO:<x@y>")
			}
			if err == nil {
				err = tx.Data(ctx)
			}
			if err != nil {
				return err
			}
			<-ctx.Done()
			for i := 0; i < 1000 && err == nil; i++ {
				_, err = tx.Write(make([]byte, 1<<20))
			}
			return err
		}},
	} {
		for _, how := range []string{"cancel", "deadline", "cancelled before"} {
			t.Run(tt.name+" "+how, func(t *testing.T) {
				t.Parallel()
				p := smtptest.Start(t, smtptest.StallAt(tt.step))
				c := dial(t, p, Options{Timeout: time.Minute})
				want := context.Canceled
				ctx, cancel := context.WithCancel(t.Context())
				switch how {
				case "cancel":
					time.AfterFunc(20*time.Millisecond, cancel)
				case "deadline":
					want = context.DeadlineExceeded
					ctx, cancel = context.WithTimeout(ctx, 20*time.Millisecond)
				default:
					cancel()
				}
				defer cancel()
				start := time.Now()
				err := tt.run(ctx, c)
				if !errors.Is(err, ErrLost) || !errors.Is(err, want) {
					t.Errorf("got %v, want ErrLost and %v", err, want)
				}
				if d := time.Since(start); d > 5*time.Second {
					t.Errorf("took %v", d)
				}
				if c.Reusable() {
					t.Error("reusable")
				}
			})
		}
	}
}

func TestContextOfAnEarlierCallDoesNotMatter(t *testing.T) {
	t.Parallel()
	p := smtptest.Start(t)
	c := dial(t, p, Options{})
	for range 50 {
		tx := begin(t, c, Envelope{})
		ctx, cancel := context.WithCancel(t.Context())
		if _, err := tx.Rcpt(ctx, "TO:<x@y>"); err != nil {
			t.Fatal(err)
		}
		go cancel()
		write(t, tx, "x")
		commit(t, tx)
	}
}

func TestTimeoutWithoutContext(t *testing.T) {
	t.Parallel()
	p := smtptest.Start(t, smtptest.StallAt(4))
	c := dial(t, p, Options{Timeout: 50 * time.Millisecond})
	tx := begin(t, c, Envelope{})
	_, err := tx.Rcpt(context.Background(), "TO:<x@y>")
	var ne net.Error
	if !errors.Is(err, ErrLost) || !errors.As(err, &ne) || !ne.Timeout() || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}
