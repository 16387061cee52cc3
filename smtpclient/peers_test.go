package smtpclient

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"superlistd/internal/needs"
)

// hopServer is a next hop written by somebody else: go-smtp's server.
type hopServer struct {
	mu   sync.Mutex
	mail []hopMail
}

type hopMail struct {
	from    string
	opts    smtp.MailOptions
	to      []string
	content string
}

type hopSession struct {
	s    *hopServer
	mail hopMail
}

func (s *hopServer) NewSession(*smtp.Conn) (smtp.Session, error) { return &hopSession{s: s}, nil }

func (h *hopSession) Reset()        { h.mail = hopMail{} }
func (h *hopSession) Logout() error { return nil }

func (h *hopSession) Mail(from string, opts *smtp.MailOptions) error {
	h.mail = hopMail{from: from, opts: *opts}
	return nil
}

func (h *hopSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	if strings.HasPrefix(to, "bad") {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user"}
	}
	h.mail.to = append(h.mail.to, to)
	return nil
}

func (h *hopSession) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	h.mail.content = string(b)
	h.s.mu.Lock()
	defer h.s.mu.Unlock()
	h.s.mail = append(h.s.mail, h.mail)
	return nil
}

func startGoSMTP(t *testing.T, change func(*smtp.Server)) (*hopServer, Hop) {
	t.Helper()
	backend := new(hopServer)
	srv := smtp.NewServer(backend)
	srv.Domain, srv.EnableSMTPUTF8, srv.MaxRecipients = "hop.test", true, 100
	if change != nil {
		change(srv)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.Serve(ln) }() // ends with Close
	t.Cleanup(func() { _ = srv.Close(); <-done })
	return backend, Hop{"tcp", ln.Addr().String()}
}

func TestGoSMTPAsNextHop(t *testing.T) {
	t.Parallel()
	for _, lmtp := range []bool{false, true} {
		for _, chunking := range []bool{false, true} {
			t.Run(fmt.Sprintf("lmtp=%v/chunking=%v", lmtp, chunking), func(t *testing.T) {
				t.Parallel()
				backend, hop := startGoSMTP(t, func(s *smtp.Server) { s.LMTP = lmtp })
				pool := NewPool(Options{Hop: hop, LMTP: lmtp, Timeout: 10 * time.Second}, 1, time.Minute)
				defer pool.Close()
				for i := range 3 {
					c, reused, err := pool.Get(t.Context())
					if err != nil || reused != (i > 0) {
						t.Fatalf("reused %v, %v", reused, err)
					}
					if caps := c.Capabilities(); caps.RcptMax != 100 || !caps.Chunking || !caps.SMTPUTF8 {
						t.Errorf("%+v", caps)
					}
					tx := begin(t, c, Envelope{ReversePath: "list-bounces@x.test", Body8Bit: true, UTF8: true})
					n, err := tx.Rcpts(t.Context(), source("bad@x.test", "ann@x.test", `é@x.test`), nil)
					if err != nil || n != 2 {
						t.Fatalf("accepted %d, %v", n, err)
					}
					if chunking {
						tx.SetChunking(1 << 20)
					}
					content := strings.Repeat("line\r\n.dot\r\n", 10000)
					write(t, tx, content)
					rs, err := tx.Commit(t.Context())
					if want := map[bool]int{false: 1, true: 2}[lmtp]; err != nil || len(rs) != want || !rs[0].Positive() {
						t.Fatalf("%v, %v", rs, err)
					}
					backend.mu.Lock()
					m := backend.mail[i]
					backend.mu.Unlock()
					if m.content != content || m.from != "list-bounces@x.test" || fmt.Sprint(m.to) != "[ann@x.test é@x.test]" || !m.opts.UTF8 {
						t.Errorf("%d octets from %s to %v", len(m.content), m.from, m.to)
					}
					pool.Put(c)
				}
			})
		}
	}
}

// startSMTPSink runs Postfix's own test server. CI always has it.
func startSMTPSink(tb testing.TB, args ...string) Hop {
	tb.Helper()
	path := needs.Program(tb, "smtp-sink")
	hop := Hop{"unix", tb.TempDir() + "/sink"}
	if os.Getuid() == 0 {
		args = append([]string{"-u", "root"}, args...) // it insists on a user
	}
	cmd := exec.Command(path, append(args, "-c", "unix:"+hop.Address, "1000")...)
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for range 500 {
		if c, err := net.Dial(hop.Network, hop.Address); err == nil {
			_ = c.Close()
			return hop
		}
		time.Sleep(10 * time.Millisecond)
	}
	tb.Fatal("smtp-sink does not answer")
	return hop
}

func TestSMTPSink(t *testing.T) {
	t.Parallel()
	hop := startSMTPSink(t)
	pool := NewPool(Options{Hop: hop, Timeout: 20 * time.Second}, 2, time.Minute)
	defer pool.Close()
	for i := range 3 {
		c, reused, err := pool.Get(t.Context())
		if err != nil || reused != (i > 0) {
			t.Fatalf("reused %v, %v", reused, err)
		}
		tx := begin(t, c, Envelope{ReversePath: "a@b.test"})
		n, err := tx.Rcpts(t.Context(), source(addresses(20000)...), nil)
		if n != 20000 || err != nil {
			t.Fatal(n, err)
		}
		write(t, tx, strings.Repeat("line\r\n", 50000))
		if err := tx.Hold(t.Context()); err != nil {
			t.Fatal(err)
		}
		commit(t, tx)
		pool.Put(c)
	}
}

func TestSMTPSinkFaults(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ flag, command, want string }{
		{"-f", "MAIL", "next hop to MAIL: 5"},
		{"-r", "DATA", "next hop to DATA: 4"},
		{"-f", ".", "next hop to .: 5"},
		{"-r", ".", "next hop to .: 4"},
		{"-q", "DATA", "lost"},
		{"-Q", ".", "421"},
	} {
		t.Run(tt.flag+tt.command, func(t *testing.T) {
			t.Parallel()
			hop := startSMTPSink(t, tt.flag, tt.command)
			c, err := Dial(t.Context(), Options{Hop: hop, Timeout: 10 * time.Second})
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			_, err = relay(t.Context(), c, "x\r\n")
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// relay sends content to one recipient, as a lock-step proxy does.
func relay(ctx context.Context, c *Conn, content string) (string, error) {
	tx, err := c.Begin(Envelope{Raw: "FROM:<a@b.test> SIZE=1000"})
	if err != nil {
		return "", err
	}
	defer tx.Abort()
	if _, err := tx.Rcpt(ctx, "TO:<x@y.test>"); err != nil {
		return "", err
	}
	if err := tx.Data(ctx); err != nil {
		return "", err
	}
	if _, err := tx.ReadFrom(strings.NewReader(content)); err != nil {
		return "", err
	}
	rs, err := tx.Commit(ctx)
	if err != nil {
		return "", err
	}
	return rs[0].Lines[0], nil
}
