package smtpclient

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"superlistd/internal/smtptest"
	"superlistd/wire"
)

func TestRcpts(t *testing.T) {
	t.Parallel()
	reply := func(a string) string {
		switch {
		case strings.HasPrefix(a, "bad"):
			return "550-5.1.1 no such\n550 5.1.1 user"
		case strings.HasPrefix(a, "full"):
			return "552 mailbox full"
		case strings.HasPrefix(a, "wordy"):
			return "250-2.1.5 yes\n250-2.1.5 yes\n250 2.1.5 yes"
		case strings.HasPrefix(a, "short"):
			return "250"
		}
		return ""
	}
	many := addresses(5000)
	mixed := slices.Clone(many)
	mixed[0], mixed[1], mixed[1500], mixed[4998] = "bad0@x", "wordy@x", "bad1@x", "short@x"
	quota := slices.Clone(many)
	quota[700], quota[701] = "full@x", "bad@x"
	for _, tt := range []struct {
		name    string
		in      []string
		refused []int
	}{
		{"none", nil, nil},
		{"one", many[:1], nil},
		{"only refusals", []string{"bad@x", "bad@y", "full@x"}, []int{0, 1, 2}},
		{"one block", many[:100], nil},
		{"just over one write", many[:250], nil},
		{"many", many, nil},
		{"many with refusals", mixed, []int{0, 1500}},
		{"a full mailbox is not too many", quota, []int{700, 701}},
	} {
		for _, ext := range []string{"PIPELINING", "DSN"} {
			if ext == "DSN" && strings.HasPrefix(tt.name, "a full mailbox") {
				continue // without a later answer at hand, it has to be taken for a limit
			}
			t.Run(tt.name+" "+ext, func(t *testing.T) {
				t.Parallel()
				p := smtptest.Start(t, smtptest.Ext(ext, "XFORWARD NAME"), smtptest.RcptReply(reply), smtptest.Quiet())
				c := dial(t, p, Options{})
				tx := begin(t, c, Envelope{ReversePath: "a@b", Client: &wire.ClientInfo{Name: "a.test"}})
				var refused []int
				n, err := tx.Rcpts(t.Context(), source(tt.in...), func(i int, r wire.Reply) {
					if !r.Permanent() {
						t.Errorf("refused(%d, %v)", i, r)
					}
					refused = append(refused, i)
				})
				if err != nil || n != len(tt.in)-len(tt.refused) || !slices.Equal(refused, tt.refused) {
					t.Fatalf("accepted %d of %d, refused %v, %v", n, len(tt.in), refused, err)
				}
				if n == 0 {
					return
				}
				write(t, tx, "x")
				commit(t, tx)
				var want []string
				for i, a := range tt.in {
					if !slices.Contains(tt.refused, i) {
						want = append(want, a)
					}
				}
				if got := only(t, p).Rcpts; !slices.Equal(got, want) {
					t.Errorf("the peer has %d recipients, want %d", len(got), len(want))
				}
			})
		}
	}
}

// The law of TooMany: what was taken before Next and not refused is accepted,
// the rest is not, and going on from Next reaches everybody once.
func TestTooMany(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name       string
		limit, all int
		ext        string
	}{
		{"pipelined", 1000, 3500, "PIPELINING"},
		{"limit inside the first block", 10, 95, "PIPELINING"},
		{"exactly the limit", 100, 200, "PIPELINING"},
		{"last one is over", 250, 501, "PIPELINING"},
		{"lock-step", 7, 30, "DSN"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			all := addresses(tt.all)
			all[3] = "bad@x"
			p := smtptest.Start(t, smtptest.Ext(tt.ext), smtptest.MaxRcpts(tt.limit), smtptest.Quiet(),
				smtptest.RcptReply(func(a string) string {
					if a == "bad@x" {
						return "550 5.1.1 no"
					}
					return ""
				}))
			c := dial(t, p, Options{})
			refused, transactions := 0, 0
			for rest := all; len(rest) > 0; transactions++ {
				tx := begin(t, c, Envelope{})
				n, err := tx.Rcpts(t.Context(), source(rest...), func(int, wire.Reply) { refused++ })
				var tooMany *TooMany
				switch {
				case err == nil:
					rest = nil
				case errors.As(err, &tooMany):
					if n != tt.limit || tooMany.Accepted != n || tooMany.Next < n {
						t.Fatalf("accepted %d, %+v", n, tooMany)
					}
					rest = rest[tooMany.Next:]
				default:
					t.Fatal(err)
				}
				write(t, tx, "x")
				commit(t, tx)
			}
			if want := (tt.all - 1 + tt.limit - 1) / tt.limit; transactions != want {
				t.Errorf("%d transactions, want %d", transactions, want)
			}
			got := p.Queued()
			for _, a := range all {
				if want := map[bool]int{true: 0, false: 1}[a == "bad@x"]; got[a] != want {
					t.Fatalf("%s has %d copies, want %d", a, got[a], want)
				}
			}
			if refused != 1 {
				t.Errorf("%d refused, want 1", refused)
			}
		})
	}
}

func TestTooManyForTheFirstIsARefusal(t *testing.T) {
	t.Parallel()
	p := smtptest.Start(t, smtptest.On("RCPT", "452 4.5.3 too many"))
	tx := begin(t, dial(t, p, Options{}), Envelope{})
	refused := 0
	if n, err := tx.Rcpts(t.Context(), source("a@b", "c@d"), func(int, wire.Reply) { refused++ }); n != 0 || err != nil || refused != 2 {
		t.Errorf("accepted %d, refused %d, %v", n, refused, err)
	}
}

func TestTooManyCodes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		code int
		text string
		want bool
	}{
		{452, "4.5.3 Error: too many recipients", true},
		{452, "too many recipients", true},
		{452, "5.5.3 too many", true},
		{552, "5.5.3 too many", true},
		{552, "too many recipients", true},
		{452, "4.3.1 Insufficient system storage", false},
		{452, "4.2.2 mailbox full", false},
		{552, "5.2.2 mailbox full", false},
		{450, "4.5.3 x", false},
		{550, "5.5.3 x", false},
	} {
		if got := tooMany(wire.Reply{Code: tt.code, Lines: []string{tt.text}}); got != tt.want {
			t.Errorf("%d %s: %v, want %v", tt.code, tt.text, got, tt.want)
		}
	}
}

func TestRcptsRefusedMail(t *testing.T) {
	t.Parallel()
	for _, n := range []int{3, 5000} {
		for _, ext := range []string{"PIPELINING", "DSN"} {
			p := smtptest.Start(t, smtptest.Ext(ext), smtptest.On("MAIL", "550 5.7.1 not you"), smtptest.Quiet())
			c := dial(t, p, Options{})
			tx := begin(t, c, Envelope{})
			accepted, err := tx.Rcpts(t.Context(), source(addresses(n)...), func(int, wire.Reply) {
				t.Error("a recipient was refused in MAIL's place")
			})
			var e *Error
			if accepted != 0 || !errors.As(err, &e) || e.Command != "MAIL" || e.Reply.Code != 550 {
				t.Errorf("%d recipients: accepted %d, %v", n, accepted, err)
			}
			tx.Abort()
		}
	}
}

func TestRcptsBadMailbox(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"a@b\r\nDATA", "a> NOTIFY=NEVER", "a b@c", "<a@b", "a@b\x00", `"a`, `a\`, "\"\x7f\"@b"} {
		for _, at := range []int{0, 1, 1000} {
			p := smtptest.Start(t, smtptest.Quiet())
			c := dial(t, p, Options{})
			tx := begin(t, c, Envelope{})
			all := addresses(2000)
			all[at] = bad
			n, err := tx.Rcpts(t.Context(), source(all...), nil)
			if !errors.Is(err, ErrSyntax) || !strings.Contains(err.Error(), "recipient "+strconv.Itoa(at)) || n > at {
				t.Errorf("%q at %d: accepted %d, %v", bad, at, n, err)
			}
			tx.Abort()
		}
	}
	for _, good := range []string{`"a b"@c`, `"a> x=y <"@c`, `"\""@c`, "é@c", "", "postmaster"} {
		if err := checkMailbox(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
}

func TestRcptsLost(t *testing.T) {
	t.Parallel()
	for _, how := range []smtptest.Fault{smtptest.Drop, smtptest.RST, smtptest.Garbage, smtptest.HalfReply, smtptest.Stall, "421 4.3.2 bye", "354 what"} {
		t.Run(string(how), func(t *testing.T) {
			t.Parallel()
			p := smtptest.Start(t, smtptest.Fail(3001, how), smtptest.Quiet())
			c := dial(t, p, Options{Timeout: 300 * time.Millisecond})
			tx := begin(t, c, Envelope{})
			n, err := tx.Rcpts(t.Context(), source(addresses(20000)...), nil)
			if !errors.Is(err, ErrLost) || n > 1500 {
				t.Errorf("accepted %d, %v", n, err)
			}
			var closing *Closing
			if want := how == "421 4.3.2 bye"; errors.As(err, &closing) != want {
				t.Errorf("Closing: %v, want %v: %v", !want, want, err)
			}
			var e *Error
			if errors.As(err, &e) {
				t.Errorf("a lost session must not look like a reply for the sender: %v", err)
			}
			if _, err := tx.Rcpt(t.Context(), "TO:<a@b>"); !errors.Is(err, ErrLost) {
				t.Errorf("after it: %v", err)
			}
			tx.Abort()
			if c.Reusable() {
				t.Error("reusable")
			}
		})
	}
}

// slowPeer reads in small pieces and answers RCPT with replies ten times as long
// as the commands: 50,000 are more than all socket buffers between the two hold,
// so a client that does not read while it writes is stuck, and so is the peer.
func slowPeer(t *testing.T) (Hop, <-chan int) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	seen := make(chan int, 1)
	go func() {
		n := 0
		defer func() { seen <- n }()
		c, err := ln.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		_ = c.SetDeadline(time.Now().Add(time.Minute))
		br := bufio.NewReaderSize(c, 512)
		long := strings.Repeat("x", 200)
		_, _ = io.WriteString(c, "220 slow\r\n")
		for {
			line, err := br.ReadString('\n')
			reply := "250 2.0.0 Ok\r\n"
			switch {
			case err != nil:
				return
			case strings.HasPrefix(line, "EHLO"):
				reply = "250-slow\r\n250 PIPELINING\r\n"
			case strings.HasPrefix(line, "RCPT"):
				if n++; n%1000 == 0 {
					time.Sleep(time.Millisecond)
				}
				reply = "250-2.1.5 " + long + "\r\n250 2.1.5 " + long + "\r\n"
			}
			if _, err := io.WriteString(c, reply); err != nil {
				return
			}
		}
	}()
	hop, err := ParseHop(ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return hop, seen
}

func TestRcptsDoNotDeadlock(t *testing.T) {
	t.Parallel()
	const n = 50000
	hop, seen := slowPeer(t)
	c, err := Dial(t.Context(), Options{Hop: hop, Timeout: 20 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	tx := begin(t, c, Envelope{})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if got, err := tx.Rcpts(ctx, source(addresses(n)...), nil); got != n || err != nil {
		t.Errorf("accepted %d of %d, %v", got, n, err)
	}
	_ = c.Close()
	if got := <-seen; got != n {
		t.Errorf("the peer saw %d", got)
	}
}

// counter makes addresses without allocating.
type counter struct {
	n, limit int
	buf      []byte
}

func (c *counter) next() ([]byte, bool) {
	if c.n == c.limit {
		return nil, false
	}
	c.buf = strconv.AppendInt(append(c.buf[:0], "member"...), int64(c.n), 10)
	c.buf = append(c.buf, "@example.org"...)
	c.n++
	return c.buf, true
}

func TestRcptsDoNotAllocate(t *testing.T) {
	hop := startSink(t)
	c, err := Dial(t.Context(), Options{Hop: hop})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	run := func(n int) uint64 {
		var before, after runtime.MemStats
		tx := begin(t, c, Envelope{})
		src := &counter{limit: n, buf: make([]byte, 0, 64)}
		runtime.ReadMemStats(&before)
		got, err := tx.Rcpts(t.Context(), src.next, nil)
		runtime.ReadMemStats(&after)
		if got != n || err != nil {
			t.Fatalf("accepted %d, %v", got, err)
		}
		write(t, tx, "x")
		commit(t, tx)
		return after.Mallocs - before.Mallocs
	}
	run(1000) // makes the blocks
	if n := run(100000); n > 2000 {
		t.Errorf("%d allocations for 100000 recipients", n)
	}
}

// startSink runs the fastest peer that still answers every command: it stands in
// for smtp-sink where there is none.
func startSink(tb testing.TB) Hop {
	tb.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go sink(c) // ends with its client, which the test closes
		}
	}()
	tb.Cleanup(func() { _ = ln.Close(); <-done })
	hop, err := ParseHop(ln.Addr().String())
	if err != nil {
		tb.Fatal(err)
	}
	return hop
}

func sink(c net.Conn) {
	defer c.Close()
	br, bw := bufio.NewReaderSize(c, 64<<10), bufio.NewWriterSize(c, 64<<10)
	answer := func(s string) bool {
		_, _ = bw.WriteString(s)
		return br.Buffered() > 0 || bw.Flush() == nil
	}
	if !answer("220 sink\r\n") {
		return
	}
	for {
		line, err := br.ReadSlice('\n')
		if err != nil {
			return
		}
		reply := "250 2.1.5 Ok\r\n"
		switch line[0] {
		case 'E':
			reply = "250-sink\r\n250-PIPELINING\r\n250-CHUNKING\r\n250-SIZE 0\r\n250 XFORWARD NAME ADDR PROTO HELO SOURCE PORT IDENT\r\n"
		case 'B':
			size := 0
			for _, digit := range line[len("BDAT "):] {
				if digit < '0' {
					break
				}
				size = 10*size + int(digit-'0')
			}
			if _, err := br.Discard(size); err != nil {
				return
			}
		case 'D':
			if !answer("354 go\r\n") {
				return
			}
			for line, err = br.ReadSlice('\n'); err == nil && !bytes.Equal(line, []byte(".\r\n")); {
				line, err = br.ReadSlice('\n')
			}
			reply = "250 2.0.0 Ok: queued as 12345\r\n"
		case 'Q':
			return
		}
		if !answer(reply) {
			return
		}
	}
}

func TestRcptAndRcptsTogether(t *testing.T) {
	t.Parallel()
	p := smtptest.Start(t)
	tx := begin(t, dial(t, p, Options{}), Envelope{})
	rcpt(t, tx, "one@x")
	if n, err := tx.Rcpts(t.Context(), source("two@x", "three@x"), nil); n != 2 || err != nil {
		t.Fatal(n, err)
	}
	rcpt(t, tx, "four@x")
	write(t, tx, "x")
	commit(t, tx)
	if got := fmt.Sprint(only(t, p).Rcpts); got != "[one@x two@x three@x four@x]" {
		t.Error(got)
	}
}
