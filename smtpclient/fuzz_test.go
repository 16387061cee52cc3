package smtpclient

import (
	"bytes"
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"superlistd/wire"
)

// hostile says all it has at once, and then hangs up.
type hostile struct {
	in *bytes.Reader
}

func (h hostile) Read(p []byte) (int, error)       { return h.in.Read(p) }
func (h hostile) Write(p []byte) (int, error)      { return len(p), nil }
func (h hostile) Close() error                     { return nil }
func (h hostile) LocalAddr() net.Addr              { return &net.UnixAddr{} }
func (h hostile) RemoteAddr() net.Addr             { return &net.UnixAddr{} }
func (h hostile) SetDeadline(time.Time) error      { return nil }
func (h hostile) SetReadDeadline(time.Time) error  { return nil }
func (h hostile) SetWriteDeadline(time.Time) error { return nil }

// drip gives one piece for each read, so that replies come when asked for.
type drip struct {
	hostile
	pieces [][]byte
}

func (d *drip) Read(p []byte) (int, error) {
	if len(d.pieces) == 0 {
		return 0, errors.New("hung up")
	}
	n := copy(p, d.pieces[0])
	if d.pieces[0] = d.pieces[0][n:]; len(d.pieces[0]) == 0 {
		d.pieces = d.pieces[1:]
	}
	return n, nil
}

// FuzzServerReplies lets a hostile server say anything, in pieces split at "|".
// Nothing may hang or panic, and success must be the server's own last word: a
// 2xx reply in answer to the dot.
func FuzzServerReplies(f *testing.F) {
	for _, s := range []string{
		"220 x|250-x\r\n250 PIPELINING|250 ok\r\n250 ok|354 go|250 2.0.0 queued",
		"220 x|250-x\r\n250 CHUNKING|250 ok|250 ok|250 ok|250 ok|250 ok|250 ok|250 queued",
		"220 x|250-x\r\n250 PIPELINING|250 ok\r\n452 4.5.3 full\r\n250 ok|354 go|550 no",
		"220 x|502 no|250 x|250 ok|250 ok|354 go|250-a\r\n550 b",
		"220 x|250-x\r\n250-SIZE 99999999999999999999\r\n250 LIMITS RCPTMAX=99999999999999999999|250 ok",
		"220 x|250-x\r\n250 AUTH CRAM-MD5 PLAIN LOGIN|334 AAAA|334 AAAA|235 ok",
		"220 x|250-x\r\n250 XCLIENT NAME ADDR|220 x|250 XFORWARD NAME|250",
		"220 x|250-x\r\n250 STARTTLS|220 go|\x16\x03\x03\x00\x02\x02\x28",
		"220 x\r\n250 x\r\n250 ok\r\n250 ok\r\n354 go\r\n250 ok",
		"220 x|250-x\r\n250 PIPELINING|250 ok\r\n250 ok|354 go\r\n250 early|250 late",
		"\x00\xff|", "220-|", "250 \r\n|",
	} {
		for mode := range uint8(16) {
			f.Add(strings.ReplaceAll(s, "|", "\r\n|")+"\r\n", mode)
		}
	}
	f.Fuzz(func(t *testing.T, says string, mode uint8) {
		d := new(drip)
		for piece := range strings.SplitSeq(says, "|") {
			d.pieces = append(d.pieces, []byte(piece))
		}
		d.pieces = append(d.pieces, nil)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		replies, accepted, err := converse(ctx, d, mode)
		if errors.Is(ctx.Err(), context.DeadlineExceeded) {
			t.Fatal("it took too long")
		}
		checkSuccess(t, says, mode, replies, accepted, err)
	})
}

// converse runs a whole session; mode chooses what it asks for.
func converse(ctx context.Context, nc net.Conn, mode uint8) (replies []wire.Reply, accepted int, err error) {
	o := &Options{LMTP: mode&1 != 0}
	if mode&8 != 0 {
		o.Auth, o.TLS, o.XClient = &Auth{User: "u", Password: "p"}, TLSOpportunistic, &wire.ClientInfo{Name: "a.test"}
	}
	c := newConn(o, nc)
	defer c.Close()
	if err := c.negotiate(ctx); err != nil {
		return nil, 0, err
	}
	c.lost = ErrLost
	tx, err := c.Begin(Envelope{Client: &wire.ClientInfo{Name: "a.test"}})
	if err != nil {
		return nil, 0, err
	}
	defer tx.Abort()
	if mode&2 != 0 {
		r, err := tx.Rcpt(ctx, "TO:<a@b>")
		if err != nil {
			return nil, 0, err
		}
		if r.Positive() {
			accepted++
		}
	}
	var tooMany *TooMany
	n, err := tx.Rcpts(ctx, source(addresses(3)...), nil)
	if err != nil && !errors.As(err, &tooMany) {
		return nil, 0, err
	}
	accepted += n
	tx.SetChunking(int64(mode&4) << 20)
	if err := tx.Data(ctx); err != nil {
		return nil, accepted, err
	}
	if _, err := tx.Write(bytes.Repeat([]byte("line\r\n"), 30000)); err != nil {
		return nil, accepted, err
	}
	replies, err = tx.Commit(ctx)
	return replies, accepted, err
}

func checkSuccess(t *testing.T, says string, mode uint8, replies []wire.Reply, accepted int, err error) {
	t.Helper()
	if err != nil {
		var e *Error
		if !errors.As(err, &e) && !errors.Is(err, ErrLost) && !errors.Is(err, ErrUnreachable) && !errors.Is(err, ErrState) {
			t.Errorf("unknown kind of error: %v", err)
		}
		return
	}
	want := 1
	if mode&1 != 0 {
		want = accepted
	}
	if accepted == 0 || len(replies) != want {
		t.Fatalf("success with %d accepted and %d replies", accepted, len(replies))
	}
	if mode&1 == 0 && !replies[0].Positive() {
		t.Errorf("success with %v", replies[0])
	}
	lines := strings.FieldsFunc(says, func(r rune) bool { return r == '\n' || r == '|' })
	positive := 0
	for _, l := range lines {
		if strings.HasPrefix(l, "2") {
			positive++
		}
	}
	// Banner, EHLO, MAIL, one recipient, and the dot.
	if positive < 5 && mode&1 == 0 {
		t.Errorf("success after %d positive lines: %q", positive, says)
	}
	if mode&4 == 0 && !strings.Contains(says, "354") {
		t.Errorf("success without 354: %q", says)
	}
}
