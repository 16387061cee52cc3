package proxy

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"superlistd/internal/needs"
)

const peerContent = "From: ann@example.net\r\nSubject: peers\r\n\r\n.dot\r\nlast\r\n"

// go-smtp's client, over SMTP with TLS and without, and over LMTP.
func TestGoSMTPClient(t *testing.T) {
	t.Parallel()
	options, config := withTLS(t)
	h := start(t, setup{options: options})
	for _, tt := range []struct {
		name string
		open func(net.Conn) (*smtp.Client, error)
		door string
	}{
		{"SMTP", func(c net.Conn) (*smtp.Client, error) { return smtp.NewClient(c), nil }, "smtp/tcp"},
		{"STARTTLS", func(c net.Conn) (*smtp.Client, error) { return smtp.NewClientStartTLS(c, config) }, "smtp/tcp"},
		{"LMTP", func(c net.Conn) (*smtp.Client, error) { return smtp.NewClientLMTP(c), nil }, "lmtp/unix"},
	} {
		c, err := tt.open(h.dial(tt.door))
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		for _, rcpt := range []string{"x@other.test", "team@lists.example.org"} {
			if err := sendGoSMTP(c, rcpt); err != nil {
				t.Errorf("%s: %s: %v", tt.name, rcpt, err)
			}
		}
		err = c.Mail("a@b.test", nil)
		if err == nil {
			err = c.Rcpt("nolist@lists.example.org", nil)
		}
		if e, ok := err.(*smtp.SMTPError); !ok || e.Code != 550 || e.EnhancedCode != (smtp.EnhancedCode{5, 1, 1}) {
			t.Errorf("%s: unknown list: %v", tt.name, err)
		}
		if err := c.Quit(); err != nil {
			t.Errorf("%s: QUIT: %v", tt.name, err)
		}
	}
	checkPeerMail(t, h, 3)
}

func sendGoSMTP(c *smtp.Client, rcpt string) error {
	if err := c.Mail("ann@example.net", &smtp.MailOptions{Size: 100, Body: smtp.Body8BitMIME, Return: smtp.DSNReturnHeaders}); err != nil {
		return err
	}
	if err := c.Rcpt(rcpt, &smtp.RcptOptions{Notify: []smtp.DSNNotify{smtp.DSNNotifyNever}}); err != nil {
		return err
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := io.WriteString(w, peerContent); err != nil {
		return err
	}
	return w.Close()
}

// checkPeerMail expects n relayed messages and n posts.
func checkPeerMail(t *testing.T, h *house, n int) {
	t.Helper()
	relayed, posted := 0, 0
	for _, m := range h.peer.Messages() {
		switch {
		case strings.HasPrefix(m.Mail, "FROM:<ann@example.net>") && m.Content == peerContent:
			relayed++
		case m.Sender == "team-bounces@lists.example.org" && strings.HasSuffix(m.Content, "\r\n\r\n.dot\r\nlast\r\n"):
			posted++
		default:
			t.Errorf("MAIL %s: %q", m.Mail, m.Content)
		}
	}
	if relayed != n || posted != n {
		t.Errorf("%d relayed, %d posted, want %d\n%s", relayed, posted, n, h.log)
	}
}

func run(t *testing.T, stdin, name string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

const pythonClient = `
import smtplib, sys
host, port, lmtp, content = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4].replace("\n", "\r\n")
with smtplib.SMTP(host, port, timeout=60) as c:
    print(c.ehlo()[0], c.has_extn("pipelining"), c.has_extn("size"), c.esmtp_features["xforward"])
    for rcpt in "x@other.test", "team@lists.example.org":
        print(c.sendmail("ann@example.net", [rcpt], content, ["SIZE=100"], ["NOTIFY=NEVER"]))
    try:
        c.sendmail("ann@example.net", ["x@other.test", "nolist@lists.example.org"], "partly refused")
    except smtplib.SMTPException as e:
        print(e)
    print(c.verify("team@lists.example.org"), c.expn("team@lists.example.org"), c.noop(), c.rset())
    print(c.docmd("XFORWARD", "NAME=a.test"))
with smtplib.LMTP(host, lmtp) as c:
    for rcpt in "x@other.test", "team@lists.example.org":
        print(c.sendmail("ann@example.net", [rcpt], content))
`

func TestPythonClient(t *testing.T) {
	t.Parallel()
	python := needs.Program(t, "python3")
	h := start(t, setup{})
	host, port, err := net.SplitHostPort(h.addr["smtp/tcp"])
	if err != nil {
		t.Fatal(err)
	}
	_, lmtp, err := net.SplitHostPort(h.addr["lmtp/tcp"])
	if err != nil {
		t.Fatal(err)
	}
	out, err := run(t, pythonClient, python, "-", host, port, lmtp, strings.ReplaceAll(peerContent, "\r\n", "\n"))
	want := `250 True True NAME ADDR PORT PROTO HELO SOURCE IDENT
{}
{}
(250, b'2.1.5 <team@lists.example.org>') (502, b'5.5.1 EXPN is not offered here') (250, b'2.0.0 Ok') (250, b'2.0.0 Ok')
(250, b'2.0.0 Ok')
{}
{}
`
	if err != nil || out != want {
		t.Fatalf("%v\n%s", err, out)
	}
	ms := h.peer.Messages()
	if len(ms) != 5 || fmt.Sprint(ms[2].Rcpts) != "[x@other.test]" || ms[2].Content != "partly refused\r\n" {
		t.Fatalf("%d messages\n%s", len(ms), h.peer.Transcript())
	}
}

func TestSwaks(t *testing.T) {
	t.Parallel()
	swaks := needs.Program(t, "swaks")
	options, _ := withTLS(t)
	h := start(t, setup{options: func(o *Options) { options(o); o.XClient = o.Clients }})
	host, port, err := net.SplitHostPort(h.addr["smtp/tcp"])
	if err != nil {
		t.Fatal(err)
	}
	common := []string{"--from", "ann@example.net", "--ehlo", "client.test", "--data", "-", "--timeout", "60s"}
	inet := append([]string{"--server", host, "--port", port}, common...)
	lmtp := append([]string{"--socket", h.addr["lmtp/unix"], "--protocol", "LMTP"}, common...)
	for _, tt := range []struct {
		name string
		args []string
		ok   bool
		mail int
	}{
		{"plain", append([]string{"--to", "x@other.test"}, inet...), true, 1},
		{"pipelined", append([]string{"--pipeline", "--to", "team@lists.example.org,x@other.test"}, inet...), true, 2},
		{"TLS", append([]string{"--tls", "--to", "team@lists.example.org"}, inet...), true, 1},
		{"XCLIENT", append([]string{"--xclient-addr", "192.0.2.9", "--xclient-name", "real.test", "--to", "x@other.test"}, inet...), true, 1},
		{"LMTP", append([]string{"--to", "x@other.test,team@lists.example.org"}, lmtp...), true, 2},
		{"unknown list", append([]string{"--to", "nolist@lists.example.org"}, inet...), false, 0},
		{"leaves after MAIL", append([]string{"--quit-after", "MAIL", "--to", "x@other.test"}, inet...), true, 0},
		{"drops after RCPT", append([]string{"--drop-after", "RCPT", "--to", "x@other.test"}, inet...), true, 0},
		{"drops in DATA", append([]string{"--drop-after-send", "DATA", "--to", "x@other.test"}, inet...), true, 0},
	} {
		before := len(h.peer.Messages())
		out, err := run(t, peerContent, swaks, tt.args...)
		if (err == nil) != tt.ok {
			t.Errorf("%s: %v\n%s", tt.name, err, out)
		}
		ms := h.peer.Messages()[before:]
		if len(ms) != tt.mail {
			t.Errorf("%s: %d messages, want %d\n%s", tt.name, len(ms), tt.mail, out)
		}
		if tt.name == "XCLIENT" && len(ms) == 1 && ms[0].Client["ADDR"] != "192.0.2.9" {
			t.Errorf("XCLIENT: %v", ms[0].Client)
		}
	}
}

// goHop is a next hop on go-smtp's server.
type goHop struct {
	mu   sync.Mutex
	mail []string
}

func (g *goHop) NewSession(*smtp.Conn) (smtp.Session, error) { return &goSession{hop: g}, nil }

type goSession struct {
	hop  *goHop
	mail string
}

func (s *goSession) Reset()        { s.mail = "" }
func (s *goSession) Logout() error { return nil }

func (s *goSession) Mail(from string, _ *smtp.MailOptions) error {
	s.mail = "<" + from + ">"
	return nil
}

func (s *goSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	if strings.HasPrefix(to, "bad") {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "No such user"}
	}
	s.mail += " <" + to + ">"
	return nil
}

func (s *goSession) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.hop.mu.Lock()
	defer s.hop.mu.Unlock()
	_, body, _ := bytes.Cut(b, []byte("\r\n\r\n"))
	s.hop.mail = append(s.hop.mail, fmt.Sprintf("%s %q", s.mail, body))
	return nil
}

// go-smtp's server as the next hop: no XFORWARD, no DSN, one write for each reply line.
func TestGoSMTPAsNextHop(t *testing.T) {
	t.Parallel()
	hop := new(goHop)
	srv := smtp.NewServer(hop)
	srv.Domain, srv.ReadTimeout = "hop.test", time.Minute
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.Serve(ln) }() // ends with Close
	t.Cleanup(func() { _ = srv.Close(); <-done })
	h := start(t, setup{hop: ln.Addr().String()})
	h.talk("smtp/tcp", `S*: 220
C: EHLO client.test
S*: 250
C: MAIL FROM:<ann@example.net>
S: 250...
C: RCPT TO:<bad@other.test>
S: 550 5.1.1 No such user
C: RCPT TO:<x@other.test>
S: 250...
C: RCPT TO:<team@lists.example.org>
S: 250...
C: DATA
S: 354...
C: <<END
From: ann@example.net

..dot
.
END
S: 250...
C: QUIT
S: 221...
S: <eof>
`)
	h.stop()
	hop.mu.Lock()
	defer hop.mu.Unlock()
	got := strings.Join(hop.mail, "\n")
	want := `<ann@example.net> <x@other.test> ".dot\r\n"` + "\n" + `<team-bounces@lists.example.org> <ann@example.net> <bob@example.net> ".dot\r\n"`
	if got != want {
		t.Errorf("the next hop has\n%s\nwant\n%s", got, want)
	}
}
