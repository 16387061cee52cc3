package proxy

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// sink is a next hop that takes everything and remembers little: for benchmarks, large messages and fuzzing, where
// smtptest's peer remembers too much.
type sink struct {
	ln net.Listener
	wg sync.WaitGroup

	mu       sync.Mutex
	count    int
	queued   map[string]bool // ids of the queued messages since forget
	octets   int64           // of all content
	breaches []string        // lines that must not have come
}

func startSink(tb testing.TB) *sink {
	tb.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	s := &sink{ln: ln, queued: map[string]bool{}}
	var mu sync.Mutex
	open := map[net.Conn]bool{}
	s.wg.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			open[conn] = true
			mu.Unlock()
			s.wg.Go(func() { s.serve(conn); _ = conn.Close() })
		}
	})
	tb.Cleanup(func() {
		_ = ln.Close()
		mu.Lock()
		for conn := range open {
			_ = conn.Close()
		}
		mu.Unlock()
		s.wg.Wait()
	})
	return s
}

func (s *sink) hop() string { return s.ln.Addr().String() }

// forget begins anew; it returns what came since the last time.
func (s *sink) forget() (queued map[string]bool, breaches []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	queued, breaches = s.queued, s.breaches
	s.queued, s.breaches = map[string]bool{}, nil
	return queued, breaches
}

func (s *sink) breach(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.breaches = append(s.breaches, fmt.Sprintf(format, args...))
}

// command is what a relay may say: whole lines without control octets.
var command = regexp.MustCompile(`(?i)^(EHLO|XFORWARD|MAIL FROM:|RCPT TO:|DATA$|RSET$|QUIT$)[^\x00-\x08\x0a-\x1f\x7f]*$`)

func (s *sink) serve(conn net.Conn) {
	r, w := bufio.NewReaderSize(conn, 64<<10), bufio.NewWriter(conn)
	w.WriteString("220 sink\r\n")
	for {
		if r.Buffered() == 0 && w.Flush() != nil {
			return
		}
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		line, whole := strings.CutSuffix(line, "\r\n")
		if !whole || !command.MatchString(line) {
			s.breach("command %q", line)
		}
		switch strings.ToUpper(line[:min(4, len(line))]) {
		case "EHLO":
			w.WriteString("250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-DSN\r\n" +
				"250 XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE\r\n")
		case "DATA":
			w.WriteString("354 go\r\n")
			if w.Flush() != nil || !s.content(r) {
				return
			}
			fmt.Fprintf(w, "250 2.0.0 Ok: queued as %s\r\n", s.queue())
		case "QUIT":
			return
		default:
			w.WriteString("250 2.0.0 Ok\r\n")
		}
	}
}

// content reads up to CRLF.CRLF.
func (s *sink) content(r *bufio.Reader) bool {
	var octets int64
	defer func() { s.mu.Lock(); s.octets += octets; s.mu.Unlock() }()
	start, cr := true, false // cr: the last piece ended with one
	for {
		piece, err := r.ReadSlice('\n')
		if start && string(piece) == ".\r\n" {
			return true
		}
		if err != nil && err != bufio.ErrBufferFull {
			return false
		}
		if start && piece[0] == '.' && (len(piece) < 2 || piece[1] != '.') {
			s.breach("a dot was not stuffed: %.20q", piece)
		}
		text, lf := bytes.CutSuffix(piece, []byte("\n"))
		whole := lf && cr && len(text) == 0
		if !whole && lf {
			text, whole = bytes.CutSuffix(text, []byte("\r"))
		}
		inner := text
		if !lf { // the next piece tells what a CR at the end is
			inner = text[:len(text)-1]
		}
		if lf && !whole || cr && (!lf || len(piece) > 1) || bytes.IndexByte(inner, '\r') >= 0 {
			s.breach("bare CR or LF: %.20q", piece[max(0, len(piece)-20):])
		}
		start, cr = lf, bytes.HasSuffix(text, []byte("\r")) && !lf
		octets += int64(len(piece))
	}
}

func (s *sink) queue() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.count++
	id := fmt.Sprintf("SINK%d", s.count)
	s.queued[id] = true
	return id
}

// The sink must be able to find what it looks for.
func TestSinkFindsBreaches(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]int{
		"a\r\n..\r\n":                          0,
		"a\n":                                  1,
		"a\rb\r\n":                             1,
		"a\r\r\n":                              1,
		".a\r\n":                               1,
		strings.Repeat("x", 16) + "\r\n":       0,
		strings.Repeat("x", 15) + "\r\n":       0,
		strings.Repeat("x", 15) + "\ry\r\n":    1,
		strings.Repeat("x", 31) + "\r\n.b\r\n": 1,
	} {
		s := &sink{}
		if !s.content(bufio.NewReaderSize(strings.NewReader(in+".\r\n"), 16)) || len(s.breaches) != want {
			t.Errorf("%q: %q, want %d", in, s.breaches, want)
		}
	}
}
