package smtpclient

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"superlistd/internal/smtptest"
	"superlistd/wire"
)

// outcome is what one Single said.
type outcome struct {
	rcpt string
	err  error
}

// singles sends some messages as long as the session lasts: the faults hit the
// first of all, one after a refusal, and one after a success.
func singles(ctx context.Context, c *Conn, content func() Content) (all []outcome) {
	for _, rcpt := range []string{"ann@x", "bad@x", "bob@x"} {
		if !c.Reusable() {
			break
		}
		all = append(all, outcome{rcpt, c.Single(ctx, singleEnvelope(), []byte(rcpt), content())})
	}
	return all
}

type singleCourse struct {
	name    string
	opts    Options
	peer    []smtptest.Option
	content func() Content
}

func singleCourses(t *testing.T) (all []singleCourse) {
	short := func() Content { return parts("Subject: x\r\n\r\n", ".line\r\n") }
	long := func() Content {
		return Content{Parts: parts("Subject: x\r\n\r\n").Parts, Body: strings.NewReader(strings.Repeat(".line\r\n", 12000))}
	}
	for _, w := range ways() {
		all = append(all, singleCourse{w.name, Options{LMTP: w.lmtp}, w.options(), short})
	}
	cert, pool := smtptest.Certificate(t, "127.0.0.1")
	secure := Options{TLS: TLSRequired, TLSConfig: &tls.Config{RootCAs: pool}}
	all = append(all, singleCourse{"long", Options{}, ways()[0].options(), long},
		singleCourse{"TLS in one write", secure, append(ways()[3].options(), smtptest.TLS(cert)), short})
	return all
}

// Break every step in every way. The law: nil means queued exactly once; a
// refusal, and a session lost before the end of the content, mean not queued.
func TestSingleFaultAtEveryStep(t *testing.T) {
	t.Parallel()
	faults := []smtptest.Fault{smtptest.Drop, smtptest.RST, smtptest.Garbage, smtptest.HalfReply, smtptest.Stall,
		"451 4.3.0 later", "550 5.0.0 never", "550 no code", "421 4.3.2 bye", "354 what", "250-x\n550 y", "250"}
	for _, course := range singleCourses(t) {
		for _, fault := range faults {
			t.Run(course.name+"/"+string(fault), func(t *testing.T) {
				t.Parallel()
				steps := singleFaultAt(t, course, 0, fault)
				if steps < 15 {
					t.Errorf("only %d steps", steps)
				}
				var wg sync.WaitGroup
				defer wg.Wait()
				for n := 1; n <= steps; n++ {
					if fault == smtptest.Stall { // they only wait
						wg.Go(func() { singleFaultAt(t, course, n, fault) })
						continue
					}
					singleFaultAt(t, course, n, fault)
				}
			})
		}
	}
}

// singleFaultAt returns how many steps there were; step 0 is none.
func singleFaultAt(t *testing.T, course singleCourse, n int, fault smtptest.Fault) (steps int) {
	t.Helper()
	p := smtptest.Start(t, append([]smtptest.Option{smtptest.Fail(n, fault), refuseBad()}, course.peer...)...)
	o := course.opts
	o.Hop, o.Timeout = hopOf(t, p), 10*time.Second
	if fault == smtptest.Stall && n > 0 {
		o.Timeout = 200 * time.Millisecond
	}
	start := time.Now()
	c, err := Dial(t.Context(), o)
	var all []outcome
	if err == nil {
		all = singles(t.Context(), c, course.content)
		steps = p.Steps() // nobody waits for those of QUIT
		c.Quit()
	} else if !errors.Is(err, ErrUnreachable) {
		t.Errorf("step %d: Dial: %v", n, err)
	}
	if d := time.Since(start); d > 8*time.Second {
		t.Errorf("step %d: took %v", n, d)
	}
	p.Close()
	queued := p.Queued()
	for _, o := range all {
		judgeSingle(t, fmt.Sprintf("step %d, %s", n, o.rcpt), o, queued[o.rcpt])
	}
	if n == 0 && (len(all) != 3 || all[0].err != nil || !errors.As(all[1].err, new(*Error)) || all[2].err != nil) {
		t.Errorf("without a fault: %v", all)
	}
	if n > 0 && !p.Tripped() && o.Timeout > time.Second { // a busy machine times out by itself
		t.Errorf("step %d: the fault was not reached", n)
	}
	for _, m := range p.Messages() {
		if want := whole(course.content()); m.Content != want {
			t.Errorf("step %d: %d octets were queued, want %d", n, len(m.Content), len(want))
		}
	}
	return steps
}

func whole(m Content) string {
	var b bytes.Buffer
	for _, p := range m.Parts {
		b.Write(p)
	}
	if m.Body != nil {
		_, _ = io.Copy(&b, m.Body) // a buffer takes all
	}
	return b.String()
}

func judgeSingle(t *testing.T, step string, o outcome, queued int) {
	t.Helper()
	var e *Error
	lost, unknown := errors.Is(o.err, ErrLost), errors.Is(o.err, ErrUnknown)
	if !lost && o.err != nil && !errors.As(o.err, &e) {
		t.Errorf("%s: unknown kind of error: %v", step, o.err)
	}
	if lost && errors.As(o.err, &e) || unknown && !lost {
		t.Errorf("%s: contradicts itself: %v", step, o.err)
	}
	switch {
	case queued > 1:
		t.Errorf("%s: queued %d times", step, queued)
	case o.err == nil && queued != 1:
		t.Errorf("%s: promised and not queued", step)
	case o.err != nil && !unknown && queued != 0:
		t.Errorf("%s: queued in spite of %v", step, o.err)
	}
}

// FuzzSingleReplies lets a hostile server say anything, in pieces split at "|".
// Nothing may hang or panic; success takes a 2xx for each command, and a 354
// unless BDAT was offered.
func FuzzSingleReplies(f *testing.F) {
	for _, s := range []string{
		"220 x|250-x\r\n250 PIPELINING|250 ok\r\n250 ok\r\n354 go|250 2.0.0 queued|250 ok\r\n550 no\r\n554 no|250 reset",
		"220 x|250-x\r\n250-CHUNKING\r\n250 PIPELINING|250 ok\r\n250 ok\r\n250-a\r\n250 queued|250 ok\r\n250 ok\r\n421 bye",
		"220 x|250 x|250 ok|250 ok|354 go|250 ok|550 no|250 reset",
		"220 x|250-x\r\n250 PIPELINING|250 ok\r\n550 no\r\n354 go|250 ok",
		"220 x|250-x\r\n250-PIPELINING\r\n250 XFORWARD NAME|250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n250 early|250 late",
		"220 x|250-x\r\n250-CHUNKING\r\n250 PIPELINING|250 ok\r\n550 no\r\n250 queued for nobody|250 reset",
		"220 x|250-x\r\n250 PIPELINING|354 ok\r\n", "220 x|250-x\r\n250 PIPELINING|250-ok\r\n550 ok|\x00", "2|",
	} {
		for mode := range uint8(2) {
			f.Add(strings.ReplaceAll(s, "|", "\r\n|")+"\r\n", mode)
		}
	}
	f.Fuzz(func(t *testing.T, says string, mode uint8) {
		d := new(drip)
		for piece := range strings.SplitSeq(says, "|") {
			d.pieces = append(d.pieces, []byte(piece))
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		c := newConn(&Options{LMTP: mode&1 != 0}, d)
		defer c.Close()
		if c.negotiate(ctx) != nil {
			return
		}
		c.lost = ErrLost
		positive := 2 // banner and EHLO; HELO makes it one more
		for i := 0; i < 3 && c.Reusable(); i++ {
			err := c.Single(ctx, Envelope{Client: &wire.ClientInfo{Name: "a.test"}}, []byte("a@b"), parts("line\r\n"))
			if err == nil {
				positive += 3
			}
			var e *Error
			if err != nil && !errors.As(err, &e) && !errors.Is(err, ErrLost) {
				t.Errorf("unknown kind of error: %v", err)
			}
			if err == nil != c.LastReply().Positive() {
				t.Errorf("%v, but the last reply is %v", err, c.LastReply())
			}
		}
		if ctx.Err() != nil {
			t.Fatal("it took too long")
		}
		if n := strings.Count(says, "2"); n < positive {
			t.Errorf("%d positive replies out of %d in %q", positive, n, says)
		}
		if positive > 2 && !c.caps.Chunking && !strings.Contains(says, "354") {
			t.Errorf("success without 354: %q", says)
		}
	})
}

func TestSingleGoSMTPAsNextHop(t *testing.T) {
	t.Parallel()
	for _, lmtp := range []bool{false, true} {
		for _, chunking := range []bool{false, true} {
			t.Run(fmt.Sprintf("lmtp=%v/chunking=%v", lmtp, chunking), func(t *testing.T) {
				t.Parallel()
				backend, hop := startGoSMTP(t, func(s *smtp.Server) { s.LMTP = lmtp })
				c, err := Dial(t.Context(), Options{Hop: hop, LMTP: lmtp, Timeout: 10 * time.Second})
				if err != nil {
					t.Fatal(err)
				}
				defer c.Quit()
				c.caps.Chunking = chunking
				for i := range 5 {
					var e *Error
					err := c.Single(t.Context(), Envelope{ReversePath: "l@x.test"}, []byte("bad@x.test"), parts("x"))
					if !errors.As(err, &e) || e.Command != "RCPT" || e.Reply.Code != 550 {
						t.Fatalf("got %v", err)
					}
					if err := c.Single(t.Context(), Envelope{ReversePath: "l@x.test"}, []byte("ann@x.test"), parts("x\r\n", ".y")); err != nil {
						t.Fatal(err)
					}
					backend.mu.Lock()
					m := backend.mail[i]
					backend.mu.Unlock()
					if m.content != "x\r\n.y\r\n" || m.from != "l@x.test" || fmt.Sprint(m.to) != "[ann@x.test]" {
						t.Errorf("%+v", m)
					}
				}
			})
		}
	}
}

func TestSingleSMTPSink(t *testing.T) {
	t.Parallel()
	c, err := Dial(t.Context(), Options{Hop: startSMTPSink(t), Timeout: 20 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Quit()
	for _, size := range []int{0, 100, 1 << 20} {
		for range 20 {
			if err := c.Single(t.Context(), singleEnvelope(), []byte("x@y"), parts(strings.Repeat(".line\r\n", size/7))); err != nil {
				t.Fatal(err)
			}
		}
	}
}
