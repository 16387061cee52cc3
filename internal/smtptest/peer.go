// Package smtptest is for tests: a scripted SMTP and LMTP server that can fail
// at any step, and a runner for SMTP dialogues in text. It shares no code with
// the package wire, so that the two can judge each other.
package smtptest

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// Message is one transaction for which a 2xx final reply was written.
type Message struct {
	Client   map[string]string // decoded XFORWARD attributes
	XClient  map[string]string // decoded XCLIENT attributes of the session
	Mail     string            // what followed MAIL: "FROM:<a@b> SIZE=1"
	Sender   string            // its mailbox, without brackets
	Rcpts    []string          // mailboxes with a 2xx final reply, without brackets
	RcptArgs []string          // what followed RCPT for them: "TO:<x@y> NOTIFY=NEVER"
	Content  string            // un-stuffed
	Raw      string            // as it came, without the end of data
	Conn     int               // the number of its connection, from 1
	BDAT     bool
	TLS      bool
	User     string // authenticated
	Time     time.Time
}

// Peer is a running server. It ends with the test.
type Peer struct {
	script script
	ln     net.Listener
	hop    string
	wg     sync.WaitGroup
	quit   chan struct{}
	steps  atomic.Int64
	trip   atomic.Bool

	mu         sync.Mutex
	open       map[net.Conn]bool
	conns      int
	messages   []Message
	transcript strings.Builder
	violations []string
}

// script is what the options say.
type script struct {
	network   string
	failAt    int
	fault     Fault
	on        map[string]string
	mailReply func(string) string
	rcptReply func(string) string
	final     func(string) string
	maxRcpts  int
	ext       []string
	lmtp      bool
	cert      *tls.Certificate
	user      string
	password  string
	delay     time.Duration
	banner    string
	quiet     bool
}

// Start runs a peer on a free port of 127.0.0.1, or on a socket with Unix.
func Start(t testing.TB, opts ...Option) *Peer {
	t.Helper()
	p := &Peer{quit: make(chan struct{}), open: make(map[net.Conn]bool)}
	p.script = script{network: "tcp", on: make(map[string]string), ext: defaultExt(), banner: "220 peer.test ESMTP"}
	for _, opt := range opts {
		opt(p)
	}
	address := "127.0.0.1:0"
	if p.script.network == "unix" {
		address = filepath.Join(t.TempDir(), "peer")
	}
	ln, err := net.Listen(p.script.network, address)
	if err != nil {
		t.Fatal(err)
	}
	p.ln, p.hop = ln, ln.Addr().String()
	if p.script.network == "unix" {
		p.hop = "unix:" + address
	}
	p.wg.Go(p.serve)
	t.Cleanup(p.Close)
	return p
}

func defaultExt() []string {
	return []string{"PIPELINING", "SIZE 10240000", "VRFY", "ENHANCEDSTATUSCODES", "8BITMIME", "DSN", "SMTPUTF8",
		"CHUNKING", "XVERP", "XFORWARD NAME ADDR PROTO HELO SOURCE PORT IDENT"}
}

// Close stops the peer and cuts its connections; Start arranges for it.
func (p *Peer) Close() {
	p.mu.Lock()
	select {
	case <-p.quit:
	default:
		close(p.quit)
	}
	for c := range p.open {
		_ = c.Close() // whoever reads from it notices
	}
	p.mu.Unlock()
	_ = p.ln.Close()
	p.wg.Wait()
}

func (p *Peer) serve() {
	for {
		c, err := p.ln.Accept()
		if err != nil {
			if errors.Is(err, net.ErrClosed) {
				return
			}
			continue
		}
		n, ok := p.add(c)
		if !ok {
			_ = c.Close()
			return
		}
		p.wg.Go(func() {
			defer p.remove(c)
			newSession(p, c, n).run()
		})
	}
}

func (p *Peer) add(c net.Conn) (n int, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.quit:
		return 0, false
	default:
	}
	p.conns++
	p.open[c] = true
	return p.conns, true
}

func (p *Peer) remove(c net.Conn) {
	_ = c.Close() // may be closed by a fault
	p.mu.Lock()
	delete(p.open, c)
	p.mu.Unlock()
}

// Addr is what net.Dial takes: "127.0.0.1:port", or the path of the socket.
func (p *Peer) Addr() string { return p.ln.Addr().String() }

// Hop is what smtpclient.ParseHop takes.
func (p *Peer) Hop() string { return p.hop }

// Messages are those queued so far.
func (p *Peer) Messages() []Message {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Message(nil), p.messages...)
}

// QueuedAll tells whether every address has a queued message. Without addresses
// it tells whether any message was queued.
func (p *Peer) QueuedAll(addrs ...string) bool {
	count := p.Queued()
	for _, a := range addrs {
		if count[a] == 0 {
			return false
		}
	}
	return len(count) > 0
}

// Queued counts the queued messages of each recipient.
func (p *Peer) Queued() map[string]int {
	count := make(map[string]int)
	for _, m := range p.Messages() {
		for _, r := range m.Rcpts {
			count[r]++
		}
	}
	return count
}

// Tripped tells whether the fault was reached.
func (p *Peer) Tripped() bool { return p.trip.Load() }

// Steps is the number of steps taken so far.
func (p *Peer) Steps() int { return int(p.steps.Load()) }

// Conns is the number of connections ever made, Open of those still there.
func (p *Peer) Conns() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.conns
}

// Open is the number of connections that are open now.
func (p *Peer) Open() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.open)
}

// Violations are breaches of the protocol by the client, such as commands
// pipelined behind DATA or XCLIENT.
func (p *Peer) Violations() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.violations...)
}

func (p *Peer) violation(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.violations = append(p.violations, fmt.Sprintf(format, args...))
}

// maxTranscript bounds Transcript, in octets.
const maxTranscript = 1 << 20

// Transcript is what was said: lines of connection number, "C:" or "S:", text.
// Content is shown as its size.
func (p *Peer) Transcript() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.transcript.String()
}

func (p *Peer) note(conn int, who, text string) {
	if p.script.quiet {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.transcript.Len() < maxTranscript {
		fmt.Fprintf(&p.transcript, "%d %s: %s\n", conn, who, text)
	}
}

func (p *Peer) queue(m Message) {
	p.mu.Lock()
	defer p.mu.Unlock()
	m.Time = time.Now()
	p.messages = append(p.messages, m)
}
