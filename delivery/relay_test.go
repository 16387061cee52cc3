package delivery_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"superlistd/internal/smtptest"
	"superlistd/smtpclient"
	"superlistd/wire"
)

func TestRelayForwardsLinesRaw(t *testing.T) {
	t.Parallel()
	h := newHouse(t, usual)
	r := h.d.NewRelay(wire.ClientInfo{Name: "client.test"}, `from: <"a b"@m.test> SIZE=10 RET=HDRS ENVID=x+2By`)
	for _, args := range []string{`to: <"b  c"@far.test> NOTIFY=NEVER ORCPT=rfc822;b@far.test`, "TO:<postmaster>"} {
		if reply, err := r.Rcpt(t.Context(), args); err != nil || reply.String() != "250 2.1.5 Ok" {
			t.Errorf("%s: %v, %v", args, reply, err)
		}
	}
	if r.Accepted() != 2 {
		t.Errorf("accepted %d", r.Accepted())
	}
	if err := r.Data(t.Context(), t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := r.Fill(t.Context(), strings.NewReader("a\n.b\rc\r\n.\r\nend")); err != nil {
		t.Fatal(err)
	}
	if reply, err := r.Commit(t.Context()); err != nil || !strings.Contains(reply.String(), "queued as PEER") {
		t.Errorf("%v, %v", reply, err)
	}
	m := h.peer.Messages()[0]
	if m.Mail != `from: <"a b"@m.test> SIZE=10 RET=HDRS ENVID=x+2By` || m.Client["NAME"] != "client.test" ||
		m.RcptArgs[0] != `to: <"b  c"@far.test> NOTIFY=NEVER ORCPT=rfc822;b@far.test` || m.RcptArgs[1] != "TO:<postmaster>" {
		t.Errorf("MAIL %s, RCPT %q, client %v", m.Mail, m.RcptArgs, m.Client)
	}
	if m.Content != "a\r\n.b c\r\n.\r\nend\r\n" {
		t.Errorf("content %q", m.Content)
	}
	h.wantClean()
}

// The context of DATA may end while the content still comes: it is the client that is slow then.
func TestContentOutlastsTheContextOfData(t *testing.T) {
	t.Parallel()
	h := newHouse(t, usual)
	r := h.d.NewRelay(wire.ClientInfo{}, "FROM:<ann@m.test>")
	step := func(f func(ctx context.Context) error) {
		t.Helper()
		ctx, cancel := context.WithCancel(t.Context())
		err := f(ctx)
		cancel()
		if err != nil {
			t.Fatal(err)
		}
	}
	step(func(ctx context.Context) error { _, err := r.Rcpt(ctx, "TO:<out@far.test>"); return err })
	step(func(ctx context.Context) error { return r.Data(ctx, t.Context()) })
	line := strings.Repeat("x", 70) + "\r\n"
	for range 5000 { // far more than waits for one write
		if _, err := r.Write([]byte(line)); err != nil {
			t.Fatal(err)
		}
	}
	step(func(ctx context.Context) error { _, err := r.Commit(ctx); return err })
	if m := h.peer.Messages(); len(m) != 1 || len(m[0].Content) != 5000*len(line) {
		t.Errorf("%d messages", len(m))
	}
	h.wantClean()
}

// The context of the content ends it, and leaves nothing.
func TestContextOfTheContentEnds(t *testing.T) {
	t.Parallel()
	h := newHouse(t, usual)
	r := h.d.NewRelay(wire.ClientInfo{}, "FROM:<ann@m.test>")
	if _, err := r.Rcpt(t.Context(), "TO:<out@far.test>"); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	if err := r.Data(t.Context(), ctx); err != nil {
		t.Fatal(err)
	}
	cancel()
	var err error
	for n := 0; err == nil && n < 30_000; n++ { // the end is heard of beside the writes, and not at once
		if _, err = r.Write([]byte(strings.Repeat("x", 70) + "\r\n")); n > 1000 {
			time.Sleep(time.Millisecond)
		}
	}
	wantError(t, err, context.Canceled)
	if _, err := r.Commit(t.Context()); !errors.Is(err, smtpclient.ErrLost) {
		t.Errorf("commit: %v", err)
	}
	h.wantNothing()
}

// A refused MAIL is the reply to its recipient, and the next recipient opens a new transaction, as in Postfix.
func TestRelayMailRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t, usual, smtptest.On("MAIL", "550 5.1.8 Sender domain not found"))
	r := h.d.NewRelay(wire.ClientInfo{}, "FROM:<ann@none.test>")
	for range 3 {
		if reply, err := r.Rcpt(t.Context(), "TO:<out@far.test>"); err != nil || reply.Code != 550 {
			t.Errorf("%v, %v", reply, err)
		}
	}
	if r.Accepted() != 0 || r.Lost() {
		t.Errorf("accepted %d, lost %v", r.Accepted(), r.Lost())
	}
	if got := strings.Count(h.peer.Transcript(), "C: MAIL"); got != 3 {
		t.Errorf("MAIL was tried %d times", got)
	}
	r.Abort()
	h.wantNothing()
}

// Once recipients were promised their copy and the connection is gone, nothing more is promised.
func TestRelayLost(t *testing.T) {
	t.Parallel()
	for _, how := range []smtptest.Option{
		smtptest.RcptReply(func(addr string) string {
			if addr == "two@far.test" {
				return "421 4.3.2 Bye"
			}
			return ""
		}),
	} {
		h := newHouse(t, usual, how)
		r := h.d.NewRelay(wire.ClientInfo{}, "FROM:<ann@m.test>")
		if reply, err := r.Rcpt(t.Context(), "TO:<one@far.test>"); err != nil || reply.Code != 250 {
			t.Fatal(reply, err)
		}
		for _, to := range []string{"two@far.test", "three@far.test"} {
			_, err := r.Rcpt(t.Context(), "TO:<"+to+">")
			wantError(t, err, smtpclient.ErrLost)
		}
		if !r.Lost() {
			t.Error("not lost")
		}
		wantError(t, r.Data(t.Context(), t.Context()), smtpclient.ErrLost)
		_, err := r.Write([]byte("x"))
		wantError(t, err, smtpclient.ErrLost)
		wantError(t, r.Fill(t.Context(), strings.NewReader("x")), smtpclient.ErrLost)
		_, err = r.Commit(t.Context())
		wantError(t, err, smtpclient.ErrLost)
		r.Abort()
		if h.peer.Conns() != 1 {
			t.Errorf("%d connections", h.peer.Conns())
		}
		h.wantNothing()
	}
}

// An argument that may not be written is refused alone: the recipients before it keep their transaction.
func TestRelayArgumentsThatMayNotBeWritten(t *testing.T) {
	t.Parallel()
	h := newHouse(t, usual)
	r := h.d.NewRelay(wire.ClientInfo{}, "FROM:<ann@m.test>")
	if _, err := r.Rcpt(t.Context(), "TO:<one@far.test>"); err != nil {
		t.Fatal(err)
	}
	_, err := r.Rcpt(t.Context(), "TO:<x@far.test>\r\nRCPT TO:<y@far.test>")
	wantError(t, err, smtpclient.ErrSyntax)
	if r.Lost() {
		t.Error("the transaction was given up")
	}
	r.Abort()
	h.wantNothing()
}
