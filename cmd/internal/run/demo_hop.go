package run

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"

	"github.com/emersion/go-smtp"

	"superlistd/lists"
)

// demoHop is the next hop of the demo: a server of go-smtp, which shares no code with ours. It prints what it gets.
type demoHop struct {
	w      io.Writer
	l      net.Listener
	server *smtp.Server

	mu  sync.Mutex
	got map[string]int // copies by recipient
}

func startDemoHop(w io.Writer) (*demoHop, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	h := &demoHop{w: w, l: l, got: map[string]int{}}
	h.server = smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) {
		return &demoSession{hop: h}, nil
	}))
	h.server.Domain = "next-hop.example.org"
	h.server.EnableSMTPUTF8, h.server.EnableDSN = true, true
	go h.server.Serve(l) // ends with close
	return h, nil
}

func (h *demoHop) address() string { return h.l.Addr().String() }

func (h *demoHop) close() { h.server.Close() }

// show says who has a copy, and fails if it is not each member exactly once.
func (h *demoHop) show(list lists.List, members []lists.Member) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	fmt.Fprintln(h.w, "\nWho got it:")
	var faults []error
	for _, m := range members {
		n := h.got[m.Address.String()]
		fmt.Fprintf(h.w, "  %-20s %d\n", m.Address, n)
		if n != 1 {
			faults = append(faults, fmt.Errorf("demo: %s got %d copies of the post to %s", m.Address, n, list.Address))
		}
	}
	return errors.Join(faults...)
}

// demoSession is one session of go-smtp.
type demoSession struct {
	hop   *demoHop
	from  string
	rcpts []string
}

func (s *demoSession) Reset()        { s.from, s.rcpts = "", nil }
func (s *demoSession) Logout() error { return nil }

func (s *demoSession) Mail(from string, _ *smtp.MailOptions) error {
	s.from = from
	return nil
}

func (s *demoSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.rcpts = append(s.rcpts, to)
	return nil
}

func (s *demoSession) Data(r io.Reader) error {
	content, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	s.hop.mu.Lock()
	defer s.hop.mu.Unlock()
	for _, to := range s.rcpts {
		s.hop.got[to]++
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "\nWhat came out at the next hop, in one transaction:\n  MAIL FROM:<%s>\n", s.from)
	for _, to := range s.rcpts {
		fmt.Fprintf(&b, "  RCPT TO:<%s>\n", to)
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(string(content), "\r\n"), "\r\n") {
		fmt.Fprintf(&b, "  | %s\n", line)
	}
	_, err = s.hop.w.Write(b.Bytes())
	return err
}
