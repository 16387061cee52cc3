package smtpclient

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"superlistd/internal/smtptest"
)

func TestSingleRefused(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, command string
		opts          []smtptest.Option
		code          int
		noChunk       bool // there is no such command
	}{
		{"MAIL for good", "MAIL", []smtptest.Option{smtptest.On("MAIL", "550 5.7.1 no")}, 550, false},
		{"MAIL for now", "MAIL", []smtptest.Option{smtptest.On("MAIL", "452-4.3.1 full\n452 4.3.1 up")}, 452, false},
		{"RCPT for good", "RCPT", []smtptest.Option{smtptest.On("RCPT", "550 5.1.1 unknown")}, 550, false},
		{"RCPT for now", "RCPT", []smtptest.Option{smtptest.On("RCPT", "450 4.2.1 later")}, 450, false},
		{"RCPT with too many", "RCPT", []smtptest.Option{smtptest.On("RCPT", "452 4.5.3 too many")}, 452, false},
		{"DATA for good", "DATA", []smtptest.Option{smtptest.On("DATA", "554 5.5.1 no")}, 554, true},
		{"DATA for now", "DATA", []smtptest.Option{smtptest.On("DATA", "451 4.3.0 later")}, 451, true},
		{"dot for good", ".", []smtptest.Option{smtptest.On(".", "554 5.6.0 no")}, 554, false},
		{"dot for now", ".", []smtptest.Option{smtptest.On(".", "451 4.3.0 later")}, 451, false},
	} {
		for _, w := range ways() {
			if w.chunk && tt.noChunk {
				continue
			}
			t.Run(tt.name+"/"+w.name, func(t *testing.T) {
				t.Parallel()
				p, c := w.start(t, tt.opts...)
				for range 2 { // the session goes on
					err := c.Single(t.Context(), singleEnvelope(), []byte("x@y"), parts("x\r\n"))
					var e *Error
					if !errors.As(err, &e) || e.Command != tt.command || e.Reply.Code != tt.code || errors.Is(err, ErrLost) {
						t.Fatalf("got %v\n%s", err, p.Transcript())
					}
					if !c.Reusable() || c.LastReply().Code != 0 {
						t.Errorf("reusable %v, last reply %v", c.Reusable(), c.LastReply())
					}
				}
				if len(p.Messages()) > 0 {
					t.Error("a refused message was queued")
				}
				if v := p.Violations(); len(v) > 0 || p.Conns() != 1 {
					t.Errorf("%d connections, violations %q", p.Conns(), v)
				}
			})
		}
	}
}

// refuseBad refuses recipients that begin with "bad".
func refuseBad() smtptest.Option {
	return smtptest.RcptReply(func(a string) string {
		if strings.HasPrefix(a, "bad") {
			return "550 5.1.1 unknown"
		}
		return ""
	})
}

func TestSingleGoesOnAfterARefusedRecipient(t *testing.T) {
	t.Parallel()
	for _, w := range ways() {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			p, c := w.start(t, refuseBad())
			body := strings.NewReader("body\r\n")
			for i := range 20 {
				var e *Error
				err := c.Single(t.Context(), singleEnvelope(), []byte("bad@x"), Content{Body: body})
				if !errors.As(err, &e) || e.Command != "RCPT" || body.Len() == 0 {
					t.Fatalf("got %v, %d octets of the body are left", err, body.Len())
				}
				rcpt := fmt.Sprintf("good%d@x", i)
				if err := c.Single(t.Context(), singleEnvelope(), []byte(rcpt), parts("x\r\n")); err != nil {
					t.Fatal(err)
				}
				if m := p.Messages()[i]; fmt.Sprint(m.Rcpts) != "["+rcpt+"]" || m.Client["NAME"] != "a.test" {
					t.Errorf("%+v", m)
				}
			}
			if v := p.Violations(); len(v) > 0 || p.Conns() != 1 || !c.Reusable() {
				t.Errorf("%d connections, reusable %v, violations %q", p.Conns(), c.Reusable(), v)
			}
		})
	}
}

// Postfix counts the error of each command of a group, and slows us down from the
// tenth on.
func TestSingleDoesNotAnnoy(t *testing.T) {
	t.Parallel()
	for _, w := range ways() {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			p, c := w.start(t, refuseBad())
			for range 20 {
				if !c.Reusable() {
					break
				}
				if err := c.Single(t.Context(), singleEnvelope(), []byte("bad@x"), parts("x\r\n")); err == nil {
					t.Fatal("not refused")
				}
			}
			negative := strings.Count(p.Transcript(), "S: 5")
			if c.Reusable() || negative < maxRefusals || negative >= 10 {
				t.Errorf("reusable %v after %d negative replies", c.Reusable(), negative)
			}
		})
	}
}

// RFC 2920 section 3.1: a 354 may come although no recipient was taken.
func TestSingle354ForNobody(t *testing.T) {
	t.Parallel()
	for _, command := range []string{"MAIL", "RCPT"} {
		p := smtptest.Start(t, smtptest.Ext("PIPELINING"), smtptest.On(command, "550 5.0.0 no"), smtptest.On("DATA", "354 go on"))
		c := dial(t, p, Options{})
		var e *Error
		err := c.Single(t.Context(), Envelope{}, []byte("x@y"), parts("x\r\n"))
		if !errors.As(err, &e) || e.Command != command || e.Reply.Code != 550 || c.Reusable() {
			t.Errorf("got %v, reusable %v", err, c.Reusable())
		}
		waitUntil(t, func() bool { return p.Open() == 0 })
		if !strings.HasSuffix(p.Transcript(), "S: 354 go on\n") || len(p.Messages()) > 0 {
			t.Errorf("something came after 354:\n%s", p.Transcript())
		}
	}
}

func TestSingleRefusedForwardIsNoFailure(t *testing.T) {
	t.Parallel()
	for _, w := range ways() {
		p, c := w.start(t, smtptest.On("XFORWARD", "550 5.7.0 not you"))
		if err := c.Single(t.Context(), singleEnvelope(), []byte("x@y"), parts("x\r\n")); err != nil || len(p.Messages()) != 1 {
			t.Errorf("%s: %v, %v", w.name, err, p.Messages())
		}
	}
}
