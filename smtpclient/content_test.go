package smtpclient

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"superlistd/internal/smtptest"
)

// canonical is what must arrive, written down slowly: CRLF for every line end, a
// space for other CRs, and a finished last line.
func canonical(s string) string {
	s = strings.ReplaceAll(s, "\r\n", "\n")
	s = strings.ReplaceAll(s, "\r", " ")
	s = strings.ReplaceAll(s, "\n", "\r\n")
	if s != "" && !strings.HasSuffix(s, "\r\n") {
		s += "\r\n"
	}
	return s
}

func contents() map[string]string {
	rng := rand.New(rand.NewPCG(1, 2))
	random := make([]byte, 300000)
	for i := range random {
		random[i] = "\r\n.ax"[rng.IntN(5)]
	}
	return map[string]string{
		"empty":             "",
		"small":             "Subject: x\r\n\r\nhello\r\n",
		"smuggling":         "x\r\n.\r\r\nMAIL FROM:<a@b>\r\n.\n\n.\r\n\r.\r\n.\r\nend",
		"dots":              strings.Repeat(".\r\n..\r\n.\n", 30000),
		"one long line":     strings.Repeat("a", 200000),
		"bare line feeds":   strings.Repeat("\n", 150000),
		"carriage returns":  strings.Repeat("\r", 150000),
		"exactly a buffer":  strings.Repeat("a", writeSize-2) + "\r\n",
		"one over a buffer": strings.Repeat("a", writeSize-1) + "\r\n",
		"no last line end":  strings.Repeat("line\r\n", 20000) + "open",
		"CR at the end":     strings.Repeat("line\r\n", 20000) + "\r",
		"random":            string(random),
	}
}

func TestContent(t *testing.T) {
	t.Parallel()
	feeds := map[string]func(tx *Transaction, s string) error{
		"Write": func(tx *Transaction, s string) error { _, err := io.WriteString(tx, s); return err },
		"small writes": func(tx *Transaction, s string) error {
			_, err := io.Copy(onlyWriter{tx}, iotest.HalfReader(onlyReader{strings.NewReader(s)}))
			return err
		},
		"ReadFrom": func(tx *Transaction, s string) error { _, err := tx.ReadFrom(strings.NewReader(s)); return err },
		"ReadFrom, a reader": func(tx *Transaction, s string) error {
			_, err := tx.ReadFrom(onlyReader{strings.NewReader(s)})
			return err
		},
	}
	for name, content := range contents() {
		for how, feed := range feeds {
			for _, chunking := range []bool{false, true} {
				for _, hold := range []bool{false, true} {
					t.Run(fmt.Sprintf("%s/%s/chunking=%v/hold=%v", name, how, chunking, hold), func(t *testing.T) {
						t.Parallel()
						p := smtptest.Start(t)
						c := dial(t, p, Options{})
						tx := begin(t, c, Envelope{})
						rcpt(t, tx, "x@y")
						if chunking {
							if !tx.SetChunking(1 << 20) {
								t.Fatal("no chunking")
							}
						}
						write(t, tx, "")
						if err := feed(tx, content); err != nil {
							t.Fatal(err)
						}
						if hold {
							if err := tx.Hold(t.Context()); err != nil {
								t.Fatal(err)
							}
							if tx.DotSent() || len(p.Messages()) > 0 {
								t.Error("Hold let it go")
							}
						}
						commit(t, tx)
						m := only(t, p)
						if m.BDAT != chunking || m.Content != canonical(content) {
							t.Errorf("content differs: %d octets, want %d, BDAT %v", len(m.Content), len(canonical(content)), m.BDAT)
						}
						if !tx.DotSent() || !c.Reusable() {
							t.Error("not done")
						}
						tx = begin(t, c, Envelope{}) // in step?
						rcpt(t, tx, "z@y")
						write(t, tx, "second")
						commit(t, tx)
					})
				}
			}
		}
	}
}

func TestSmallContentIsOneWrite(t *testing.T) {
	t.Parallel()
	p := smtptest.Start(t)
	c := dial(t, p, Options{})
	for _, size := range []int{0, 1024, 60000} {
		w := record(c)
		tx := begin(t, c, Envelope{})
		rcpt(t, tx, "x@y")
		if tx.SetChunking(int64(size)) {
			t.Errorf("BDAT for %d octets", size)
		}
		write(t, tx, strings.Repeat("a", size))
		commit(t, tx)
		if len(w.writes) != 3 || !strings.HasSuffix(w.writes[2], ".\r\n") {
			t.Errorf("%d octets: %d writes, want 3", size, len(w.writes))
		}
	}
}

func TestChunkingIsNotForEverything(t *testing.T) {
	t.Parallel()
	p := smtptest.Start(t, smtptest.Ext("PIPELINING"))
	if tx := begin(t, dial(t, p, Options{}), Envelope{}); tx.SetChunking(1 << 20) {
		t.Error("BDAT without CHUNKING")
	}
	p = smtptest.Start(t)
	if tx := begin(t, dial(t, p, Options{}), Envelope{}); tx.SetChunking(0) || tx.SetChunking(1000) {
		t.Error("BDAT for unknown size or little content")
	}
}

func TestRefusedChunkEndsTheTransfer(t *testing.T) {
	t.Parallel()
	p := smtptest.Start(t, smtptest.On("BDAT", "552 5.3.4 too big"))
	c := dial(t, p, Options{})
	tx := begin(t, c, Envelope{})
	rcpt(t, tx, "x@y")
	tx.SetChunking(1 << 30)
	write(t, tx, "")
	var err error
	n := 0
	for ; n < 1<<30 && err == nil; n += 1 << 16 {
		_, err = tx.Write(make([]byte, 1<<16))
	}
	var e *Error
	if !errors.As(err, &e) || e.Command != "BDAT" || e.Reply.Code != 552 {
		t.Fatalf("got %v", err)
	}
	if n > 4<<20 {
		t.Errorf("noticed after %d octets", n)
	}
	if _, err := tx.Commit(t.Context()); !errors.Is(err, ErrState) {
		t.Errorf("Commit: %v", err)
	}
	tx.Abort()
	if c.Reusable() {
		t.Error("reusable")
	}
}

func TestReaderErrorIsTheReaders(t *testing.T) {
	t.Parallel()
	boom := errors.New("boom")
	p := smtptest.Start(t)
	tx := begin(t, dial(t, p, Options{}), Envelope{})
	rcpt(t, tx, "x@y")
	write(t, tx, "")
	n, err := tx.ReadFrom(io.MultiReader(bytes.NewReader(make([]byte, 100)), iotest.ErrReader(boom)))
	if n != 100 || !errors.Is(err, boom) || errors.Is(err, ErrLost) {
		t.Errorf("%d, %v", n, err)
	}
	tx.Abort()
	p.Close()
	if len(p.Messages()) > 0 {
		t.Error("half a message was queued")
	}
}

func TestLMTP(t *testing.T) {
	t.Parallel()
	for _, chunking := range []bool{false, true} {
		p := smtptest.Start(t, smtptest.LMTP(), smtptest.FinalReply(func(a string) string {
			return map[string]string{"no@x": "550 5.2.1 no", "later@x": "452-4.2.2 full\n452 4.2.2 up"}[a]
		}), smtptest.RcptReply(func(a string) string {
			return map[string]string{"unknown@x": "550 5.1.1 unknown"}[a]
		}))
		c := dial(t, p, Options{LMTP: true})
		tx := begin(t, c, Envelope{})
		n, err := tx.Rcpts(t.Context(), source("a@x", "unknown@x", "no@x", "b@x", "later@x"), nil)
		if n != 4 || err != nil {
			t.Fatal(n, err)
		}
		if chunking {
			tx.SetChunking(1 << 20)
		}
		write(t, tx, strings.Repeat("x\r\n", 50000))
		rs, err := tx.Commit(t.Context())
		if err != nil || len(rs) != 4 {
			t.Fatalf("%v, %v", rs, err)
		}
		if got := fmt.Sprint(rs[0].Code, rs[1].Code, rs[2].Code, rs[3].Code, len(rs[3].Lines)); got != "250 550 250 452 2" {
			t.Errorf("replies %s", got)
		}
		if !c.Reusable() || fmt.Sprint(only(t, p).Rcpts) != "[a@x b@x]" {
			t.Errorf("%+v", p.Messages())
		}
	}
}

// What comes while the dot is held back is no answer to it.
func TestHeldSessionThatIsGone(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, says string
		closing    bool
	}{
		{"hangs up", "", false},
		{"says 421", "421 4.4.2 timeout\r\n", true},
		{"says 250 before its time", "250 2.0.0 Ok: queued\r\n", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			client, done := scripted(t, "220 x\r\n", "250-x\r\n250 PIPELINING\r\n", "250 ok\r\n250 ok\r\n", "354 go\r\n", tt.says)
			tx := begin(t, client, Envelope{})
			rcpt(t, tx, "x@y")
			write(t, tx, "x")
			if err := tx.Hold(t.Context()); err != nil {
				t.Fatal(err)
			}
			<-done
			waitUntil(t, func() bool { return !client.quiet() })
			rs, err := tx.Commit(t.Context())
			if !errors.Is(err, ErrLost) || len(rs) > 0 || tx.DotSent() {
				t.Errorf("%v, %v, DotSent %v", rs, err, tx.DotSent())
			}
			var closing *Closing
			if errors.As(err, &closing) != tt.closing {
				t.Errorf("Closing: %v", err)
			}
		})
	}
}

func waitUntil(t *testing.T, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it never came to pass")
		}
	}
}
