package smtpclient

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"superlistd/internal/smtptest"
	"superlistd/wire"
)

// course is one way to send a message to two recipients.
type course struct {
	name string
	peer []smtptest.Option
	opts Options
	send func(ctx context.Context, c *Conn) (queued []string, dot bool, err error)
}

var faultRcpts = []string{"ann@x", "bob@x"}

// sendTo runs a transaction and returns who was promised the message.
func sendTo(ctx context.Context, c *Conn, lockStep, chunking, hold bool) (queued []string, dot bool, err error) {
	tx, err := c.Begin(Envelope{ReversePath: "l@x", Client: &wire.ClientInfo{Name: "a.test"}})
	if err != nil {
		return nil, false, err
	}
	defer tx.Abort()
	var accepted []string
	if lockStep {
		for _, a := range faultRcpts {
			r, err := tx.Rcpt(ctx, "TO:<"+a+">")
			if err != nil {
				return nil, false, err
			}
			if r.Positive() {
				accepted = append(accepted, a)
			}
		}
	} else {
		refused := map[int]bool{}
		if _, err = tx.Rcpts(ctx, source(faultRcpts...), func(i int, _ wire.Reply) { refused[i] = true }); err != nil {
			return nil, false, err
		}
		for i, a := range faultRcpts {
			if !refused[i] {
				accepted = append(accepted, a)
			}
		}
	}
	if len(accepted) == 0 {
		return nil, false, &Error{Command: "RCPT", Reply: wire.Reply{Code: 450}}
	}
	tx.SetChunking(int64(map[bool]int{true: 1 << 20}[chunking]))
	if err = tx.Data(ctx); err == nil {
		_, err = tx.Write([]byte(strings.Repeat("line\r\n", 12000)))
	}
	if err == nil && hold {
		err = tx.Hold(ctx)
	}
	if err != nil {
		return nil, tx.DotSent(), err
	}
	rs, err := tx.Commit(ctx)
	if len(rs) == 1 && !c.opts.LMTP && rs[0].Positive() {
		return accepted, true, err
	}
	for i, r := range rs {
		if c.opts.LMTP && r.Positive() {
			queued = append(queued, accepted[i])
		}
	}
	return queued, tx.DotSent(), err
}

func courses(t *testing.T) []course {
	cert, pool := smtptest.Certificate(t, "127.0.0.1")
	send := func(lockStep, chunking, hold bool) func(context.Context, *Conn) ([]string, bool, error) {
		return func(ctx context.Context, c *Conn) ([]string, bool, error) {
			return sendTo(ctx, c, lockStep, chunking, hold)
		}
	}
	return []course{
		{"lock-step", nil, Options{}, send(true, false, false)},
		{"pipelined and held", nil, Options{}, send(false, false, true)},
		{"nothing offered", []smtptest.Option{smtptest.Ext("XFORWARD NAME")}, Options{}, send(false, false, false)},
		{"chunks", nil, Options{}, send(false, true, false)},
		{"chunks, held", nil, Options{}, send(false, true, true)},
		{"LMTP", []smtptest.Option{smtptest.LMTP()}, Options{LMTP: true}, send(false, false, true)},
		{"TLS, AUTH", []smtptest.Option{smtptest.TLS(cert), smtptest.Auth("u", "p", "LOGIN")},
			Options{TLS: TLSRequired, TLSConfig: &tls.Config{RootCAs: pool}, Auth: &Auth{User: "u", Password: "p"}}, send(false, false, false)},
		{"XCLIENT", []smtptest.Option{smtptest.XClient()}, Options{XClient: &wire.ClientInfo{Addr: "192.0.2.1"}}, send(true, false, false)},
	}
}

// Break every step in every way. The law: whoever is promised the message has
// it; what fails is one of the errors that the callers know; without the dot
// nothing is queued; and nothing hangs.
func TestFaultAtEveryStep(t *testing.T) {
	t.Parallel()
	faults := []smtptest.Fault{smtptest.Drop, smtptest.RST, smtptest.Garbage, smtptest.HalfReply, smtptest.Stall,
		"451 4.3.0 later", "550 5.0.0 never", "550 no code", "421 4.3.2 bye", "354 what", "250-x\n550 y", "250"}
	for _, course := range courses(t) {
		for _, fault := range faults {
			t.Run(course.name+"/"+string(fault), func(t *testing.T) {
				t.Parallel()
				steps := faultAt(t, course, 0, fault)
				if steps < 10 {
					t.Errorf("only %d steps", steps)
				}
				for n := 1; n <= steps; n++ {
					faultAt(t, course, n, fault)
				}
			})
		}
	}
}

// faultAt returns how many steps there were; step 0 is none.
func faultAt(t *testing.T, course course, n int, fault smtptest.Fault) (steps int) {
	t.Helper()
	p := smtptest.Start(t, append([]smtptest.Option{smtptest.Fail(n, fault)}, course.peer...)...)
	o := course.opts
	o.Hop, o.Timeout = hopOf(t, p), 10*time.Second
	if fault == smtptest.Stall && n > 0 {
		o.Timeout = 100 * time.Millisecond
	}
	var queued []string
	var dot bool
	start := time.Now()
	c, err := Dial(t.Context(), o)
	if err == nil {
		queued, dot, err = course.send(t.Context(), c)
		if c.Reusable() && errors.Is(err, ErrLost) {
			t.Errorf("step %d: reusable after %v", n, err)
		}
		steps = p.Steps() // nobody waits for those of QUIT
		c.Quit()
	} else if !errors.Is(err, ErrUnreachable) {
		t.Errorf("step %d: Dial: %v", n, err)
	}
	if d := time.Since(start); d > 8*time.Second {
		t.Errorf("step %d: took %v", n, d)
	}
	p.Close()
	if len(queued) > 0 && !p.QueuedAll(queued...) {
		t.Errorf("step %d: promised to %v, queued %v\n%s", n, queued, p.Messages(), p.Transcript())
	}
	if n == 0 && (err != nil || len(queued) != len(faultRcpts)) {
		t.Errorf("without a fault: %v, %v", queued, err)
	}
	if n > 0 && !p.Tripped() && o.Timeout > time.Second { // a busy machine times out by itself
		t.Errorf("step %d: the fault was not reached", n)
	}
	judgeFault(t, fmt.Sprintf("step %d", n), p, queued, dot, err)
	return steps
}

func judgeFault(t *testing.T, step string, p *smtptest.Peer, queued []string, dot bool, err error) {
	t.Helper()
	var e *Error
	switch {
	case err == nil, errors.Is(err, ErrUnreachable):
	case errors.Is(err, ErrLost):
		if errors.As(err, &e) {
			t.Errorf("%s: both lost and refused: %v", step, err)
		}
	case errors.As(err, &e):
		if c := e.Reply.Code / 100; c != 4 && c != 5 {
			t.Errorf("%s: %v", step, err)
		}
		if len(p.Messages()) > 0 {
			t.Errorf("%s: refused (%v) and queued", step, err)
		}
	default:
		t.Errorf("%s: unknown kind of error: %v", step, err)
	}
	if !dot && len(p.Messages()) > 0 {
		t.Errorf("%s: queued without the dot\n%s", step, p.Transcript())
	}
	if err == nil && len(queued) == 0 && len(p.Messages()) > 0 {
		t.Errorf("%s: queued, and nobody knows", step)
	}
}
