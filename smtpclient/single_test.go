package smtpclient

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"superlistd/internal/smtptest"
	"superlistd/wire"
)

// way is a kind of next hop that Single has to deal with.
type way struct {
	name   string
	ext    []string
	lmtp   bool
	writes int // of one message with XFORWARD and nothing refused
	chunk  bool
}

func ways() []way {
	return []way{
		{"pipelined", []string{"PIPELINING", "XFORWARD NAME ADDR"}, false, 2, false},
		{"lock-step", []string{"XFORWARD NAME ADDR"}, false, 5, false},
		{"lock-step in spite of CHUNKING", []string{"CHUNKING", "XFORWARD NAME ADDR"}, false, 5, false},
		{"one write", []string{"PIPELINING", "CHUNKING", "XFORWARD NAME ADDR"}, false, 1, true},
		{"LMTP", []string{"PIPELINING", "XFORWARD NAME ADDR"}, true, 2, false},
		{"LMTP in one write", []string{"PIPELINING", "CHUNKING", "XFORWARD NAME ADDR"}, true, 1, true},
	}
}

func (w way) start(t testing.TB, opts ...smtptest.Option) (*smtptest.Peer, *Conn) {
	t.Helper()
	p := smtptest.Start(t, append(w.options(), opts...)...)
	return p, dial(t, p, Options{LMTP: w.lmtp})
}

func (w way) options() []smtptest.Option {
	opts := []smtptest.Option{smtptest.Ext(w.ext...)}
	if w.lmtp {
		opts = append(opts, smtptest.LMTP())
	}
	return opts
}

// parts makes content of these parts.
func parts(ss ...string) Content {
	var m Content
	for _, s := range ss {
		m.Parts = append(m.Parts, []byte(s))
	}
	return m
}

func singleEnvelope() Envelope {
	return Envelope{ReversePath: "l-bounces@x.test", Client: &wire.ClientInfo{Name: "a.test", Addr: "192.0.2.1"}}
}

func TestSingle(t *testing.T) {
	t.Parallel()
	for _, w := range ways() {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			p, c := w.start(t)
			rec := record(c)
			for i := range 3 {
				rec.writes = nil
				rcpt := fmt.Sprintf("member%d@x.test", i)
				m := parts("To: "+rcpt+"\r\n", "Subject: x\r\n\r\n", "body\r\n")
				if err := c.Single(t.Context(), singleEnvelope(), []byte(rcpt), m); err != nil {
					t.Fatalf("%v\n%s", err, p.Transcript())
				}
				if len(rec.writes) != w.writes {
					t.Errorf("%d writes, want %d: %q", len(rec.writes), w.writes, rec.writes)
				}
				got := p.Messages()[i]
				want := "To: " + rcpt + "\r\nSubject: x\r\n\r\nbody\r\n"
				if got.Content != want || fmt.Sprint(got.Rcpts) != "["+rcpt+"]" || got.Sender != "l-bounces@x.test" || got.BDAT != w.chunk || got.Conn != 1 {
					t.Errorf("%+v", got)
				}
				if got.Client["NAME"] != "a.test" || got.Client["ADDR"] != "192.0.2.1" {
					t.Errorf("client %v", got.Client)
				}
				if r := c.LastReply(); r.Code != 250 || !strings.Contains(r.String(), "queued as PEER") || !c.Reusable() {
					t.Errorf("reply %v, reusable %v", r, c.Reusable())
				}
			}
			if v := p.Violations(); len(v) > 0 {
				t.Errorf("violations %q", v)
			}
		})
	}
}

// Another client's message does not get the facts of the last one's.
func TestSingleForwardsTheClientOfEach(t *testing.T) {
	t.Parallel()
	p, c := ways()[0].start(t)
	for i, name := range []string{"a.test", "a.test", "b.test", ""} {
		env := Envelope{ReversePath: "l@x"}
		if name != "" {
			env.Client = &wire.ClientInfo{Name: name}
		}
		if err := c.Single(t.Context(), env, []byte("x@y"), parts("x\r\n")); err != nil {
			t.Fatal(err)
		}
		if got := p.Messages()[i].Client["NAME"]; got != name {
			t.Errorf("%d: client %q, want %q", i, got, name)
		}
	}
}

// cuts are ways to cut content into what a Content holds.
func cuts(s string) map[string]func() Content {
	a, b := len(s)/3, 2*len(s)/3
	body := func(wrap func(io.Reader) io.Reader) func() Content {
		return func() Content {
			return Content{Parts: [][]byte{[]byte(s[:a])}, Body: wrap(strings.NewReader(s[a:b])), Tail: [][]byte{[]byte(s[b:])}}
		}
	}
	all := map[string]func() Content{
		"whole":            func() Content { return parts(s) },
		"parts and a tail": func() Content { return Content{Parts: parts(s[:a], "", s[a:b]).Parts, Tail: parts(s[b:]).Parts} },
		"body":             body(func(r io.Reader) io.Reader { return r }),
		"plain reader":     body(func(r io.Reader) io.Reader { return onlyReader{r} }),
		"data with EOF":    body(func(r io.Reader) io.Reader { return iotest.DataErrReader(onlyReader{r}) }),
	}
	if len(s) > writeSize {
		delete(all, "parts and a tail")
		delete(all, "data with EOF")
	}
	if len(s) < 20 {
		all["octets"] = func() Content { return parts(strings.Split(s, "")...) }
		for i := range s {
			all[fmt.Sprint("cut at ", i)] = func() Content { return parts(s[:i], s[i:]) }
		}
	}
	return all
}

func TestSingleContent(t *testing.T) {
	t.Parallel()
	all := contents()
	all["dots at borders"] = ".\r\n.\r\n..\r\n.x"
	all["a lone dot"] = "."
	all["a dot after CR"] = "a\r.\r\n\r\n.\r\n"
	all["not canonical"] = "a\nb\rc\n.\r"
	for _, w := range ways() {
		for name, content := range all {
			t.Run(w.name+"/"+name, func(t *testing.T) {
				t.Parallel()
				p, c := w.start(t)
				n := 0
				for how, cut := range cuts(content) {
					m := cut()
					chunk := w.chunk && m.Body == nil && len(content) <= writeSize
					if err := c.Single(t.Context(), singleEnvelope(), []byte("x@y"), m); err != nil {
						t.Fatalf("%s: %v", how, err)
					}
					n++
					got := p.Messages()
					if len(got) != n || got[n-1].Content != canonical(content) || got[n-1].BDAT != chunk {
						t.Fatalf("%s: content differs: %d octets, want %d; %d messages, want %d; BDAT %v",
							how, len(got[len(got)-1].Content), len(canonical(content)), len(got), n, got[len(got)-1].BDAT)
					}
				}
				if v := p.Violations(); len(v) > 0 {
					t.Errorf("violations %q", v)
				}
			})
		}
	}
}

// What cannot be sent at all leaves the session alone.
func TestSingleNotBegun(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, rcpt string
		env        Envelope
		want       error
	}{
		{"UTF8", "x@y", Envelope{UTF8: true}, ErrUTF8},
		{"size", "x@y", Envelope{Size: 1001}, ErrSize},
		{"recipient with a line end", "x@y>\r\nRCPT TO:<z@y", Envelope{}, ErrSyntax},
		{"recipient with a bracket", "x@y>", Envelope{}, ErrSyntax},
		{"reverse-path with a blank", "x@y", Envelope{ReversePath: "a b@c"}, ErrSyntax},
		{"raw with a line end", "x@y", Envelope{Raw: "FROM:<a@b>\r\nRSET"}, ErrSyntax},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := smtptest.Start(t, smtptest.Ext("PIPELINING", "SIZE 1000"))
			c := dial(t, p, Options{})
			w := record(c)
			err := c.Single(t.Context(), tt.env, []byte(tt.rcpt), parts("x\r\n"))
			if !errors.Is(err, tt.want) || len(w.writes) > 0 || !c.Reusable() {
				t.Errorf("got %v, reusable %v, written %q", err, c.Reusable(), w.writes)
			}
			if err := c.Single(t.Context(), Envelope{Size: 1000}, []byte("x@y"), parts("x\r\n")); err != nil {
				t.Error(err)
			}
			if m := only(t, p); m.Mail != "FROM:<> SIZE=1000" {
				t.Errorf("MAIL %s", m.Mail)
			}
		})
	}
}

func TestSingleBesideATransaction(t *testing.T) {
	t.Parallel()
	p := smtptest.Start(t)
	c := dial(t, p, Options{})
	tx := begin(t, c, Envelope{})
	if err := c.Single(t.Context(), Envelope{}, []byte("x@y"), parts("x\r\n")); !errors.Is(err, ErrState) {
		t.Errorf("got %v", err)
	}
	rcpt(t, tx, "x@y")
	write(t, tx, "first")
	commit(t, tx)
	if err := c.Single(t.Context(), Envelope{}, []byte("x@y"), parts("second")); err != nil {
		t.Error(err)
	}
	tx = begin(t, c, Envelope{})
	rcpt(t, tx, "x@y")
	write(t, tx, "third")
	commit(t, tx)
	if ms := p.Messages(); len(ms) != 3 || ms[1].Content != "second\r\n" || ms[2].Content != "third\r\n" {
		t.Errorf("%+v", ms)
	}
	_ = c.Close()
	if err := c.Single(t.Context(), Envelope{}, []byte("x@y"), parts("x")); !errors.Is(err, ErrLost) || errors.Is(err, ErrUnknown) {
		t.Errorf("closed: %v", err)
	}
}

func TestSingleBodyError(t *testing.T) {
	t.Parallel()
	boom := errors.New("boom")
	for _, w := range ways() {
		p, c := w.start(t)
		long := bytes.NewReader(make([]byte, 3*writeSize))
		err := c.Single(t.Context(), singleEnvelope(), []byte("x@y"), Content{Body: io.MultiReader(long, iotest.ErrReader(boom))})
		if !errors.Is(err, boom) || errors.Is(err, ErrLost) || c.Reusable() {
			t.Errorf("%s: %v, reusable %v", w.name, err, c.Reusable())
		}
		p.Close()
		if len(p.Messages()) > 0 {
			t.Errorf("%s: half a message was queued", w.name)
		}
	}
}

func TestSingleContext(t *testing.T) {
	t.Parallel()
	for _, w := range ways() {
		for _, how := range []string{"cancel", "deadline", "cancelled before"} {
			for _, verb := range []string{"MAIL", "."} {
				t.Run(w.name+"/"+how+"/"+verb, func(t *testing.T) {
					t.Parallel()
					probe, c := w.start(t)
					if err := c.Single(t.Context(), singleEnvelope(), []byte("x@y"), parts("x\r\n")); err != nil {
						t.Fatal(err)
					}
					step := probe.Steps() // the reply to the dot
					if verb == "MAIL" {
						step = 4
					}
					_, c = w.start(t, smtptest.StallAt(step))
					ctx, cancel := context.WithCancel(t.Context())
					want, unknown := context.Canceled, verb == "." || w.chunk
					switch how {
					case "cancel":
						time.AfterFunc(50*time.Millisecond, cancel)
					case "deadline":
						want = context.DeadlineExceeded
						ctx, cancel = context.WithTimeout(ctx, 50*time.Millisecond)
					default:
						cancel()
						unknown = false
					}
					defer cancel()
					start := time.Now()
					err := c.Single(ctx, singleEnvelope(), []byte("x@y"), parts("x\r\n"))
					if !errors.Is(err, ErrLost) || !errors.Is(err, want) || time.Since(start) > 5*time.Second || c.Reusable() {
						t.Errorf("got %v after %v, reusable %v", err, time.Since(start), c.Reusable())
					}
					if errors.Is(err, ErrUnknown) != unknown {
						t.Errorf("got %v, unknown should be %v", err, unknown)
					}
				})
			}
		}
	}
}

// The watch over a context outlives Single. It must not harm what comes next.
func TestSingleContextOfAnEarlierCallDoesNotMatter(t *testing.T) {
	t.Parallel()
	p := smtptest.Start(t)
	pool := newPool(t, p, 1, time.Minute)
	for i := range 50 {
		c := get(t, pool, i > 0)
		for range 2 {
			ctx, cancel := context.WithCancel(t.Context())
			if err := c.Single(ctx, Envelope{}, []byte("x@y"), parts("x\r\n")); err != nil {
				t.Fatal(err)
			}
			go cancel()
		}
		pool.Put(c)
	}
	if len(p.Messages()) != 100 || p.Conns() != 1 {
		t.Errorf("%d messages over %d connections", len(p.Messages()), p.Conns())
	}
}

// An idle session that has ended leaves no doubt, even if all goes in one write.
func TestSingleOnASessionThatIsGone(t *testing.T) {
	t.Parallel()
	for _, says := range []string{"", "421 4.4.2 timeout\r\n", "250 2.0.0 Ok\r\n"} {
		c, done := scripted(t, "220 x\r\n", "250-x\r\n250-CHUNKING\r\n250 PIPELINING\r\n", says)
		if _, err := io.WriteString(c.nc, "NOOP\r\n"); err != nil { // whose reply nobody waits for
			t.Fatal(err)
		}
		<-done
		waitUntil(t, func() bool { return !c.quiet() })
		err := c.Single(t.Context(), Envelope{}, []byte("x@y"), parts("x\r\n"))
		if !errors.Is(err, ErrLost) || errors.Is(err, ErrUnknown) {
			t.Errorf("%q: %v", says, err)
		}
	}
}
