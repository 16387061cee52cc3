package bounce_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"unicode"
	"unicode/utf8"

	"superlistd/bounce"
)

// dsn is a report of RFC 3464 on those recipients, with an original of about size octets.
func dsn(size int, recipients ...string) string {
	var b strings.Builder
	b.WriteString("Return-Path: <>\r\nFrom: MAILER-DAEMON@mx.example.com\r\nTo: team-bounces@lists.example.net\r\nSubject: Undelivered Mail\r\n" +
		"MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b1\r\n\r\n" +
		"--b1\r\nContent-Type: text/plain\r\n\r\nI could not deliver it.\r\n--b1\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example.com\r\n")
	for _, r := range recipients {
		fmt.Fprintf(&b, "\r\nFinal-Recipient: rfc822; %s\r\nAction: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 <%s>: Recipient address rejected:\r\n User unknown\r\n", r, r)
	}
	b.WriteString("\r\n--b1\r\nContent-Type: message/rfc822\r\n\r\nFrom: otto@sender.example\r\nTo: decoy@quoted.example\r\nMessage-ID: <lunch@sender.example>\r\n\r\n")
	const line = "Who comes to lunch on Friday? Mail to carol@quoted.example failed: 550.\r\n"
	b.WriteString(strings.Repeat(line, max(0, size-b.Len())/len(line)))
	b.WriteString("\r\n--b1--\r\n")
	return b.String()
}

func read(t testing.TB, mail string) bounce.Report {
	t.Helper()
	r, err := bounce.Read(strings.NewReader(mail))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestReadTellsErrorsOfTheReader(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	if _, err := bounce.Read(iotest.ErrReader(broken)); !errors.Is(err, broken) {
		t.Errorf("error %v, want %v", err, broken)
	}
	if _, err := bounce.Read(io.MultiReader(strings.NewReader(dsn(0, "ann@example.org")), iotest.ErrReader(broken))); !errors.Is(err, broken) {
		t.Errorf("error %v behind a whole report, want %v", err, broken)
	}
}

// However a mail arrives, it says the same: octet by octet, and with either line end.
func TestReadDoesNotDependOnPieces(t *testing.T) {
	t.Parallel()
	for _, name := range mails(t) {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(raw, []byte("base64")) || bytes.IndexByte(raw, 0) >= 0 {
			continue
		}
		want := fmt.Sprint(read(t, string(raw)))
		r, err := bounce.Read(iotest.OneByteReader(bytes.NewReader(raw)))
		if got := fmt.Sprint(r); err != nil || got != want {
			t.Errorf("%s, octet by octet: %s, want %s", name, got, want)
		}
		crlf := strings.ReplaceAll(strings.ReplaceAll(string(raw), "\r\n", "\n"), "\n", "\r\n")
		if got := fmt.Sprint(read(t, crlf)); got != want {
			t.Errorf("%s with CRLF: %s, want %s", name, got, want)
		}
	}
}

// A report that somebody passes on, or that came back itself, is not ours to count: whatever the sample, as an attachment of a
// person's mail it is no bounce, and in a bounce of another recipient nobody of it is named.
func TestQuotedReportsNameNobody(t *testing.T) {
	t.Parallel()
	for _, name := range mails(t) {
		raw, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		forwarded := "From: Otto <otto@sender.example>\nTo: team@lists.example.net\nSubject: look\nMIME-Version: 1.0\n" +
			"Content-Type: multipart/mixed; boundary=outermost\n\n--outermost\n\nWhat is that?\n--outermost\nContent-Type: message/rfc822\n\n" + string(raw) + "\n--outermost--\n"
		if r := read(t, forwarded); r.Kind != bounce.None || len(r.Recipients) > 0 {
			t.Errorf("%s, forwarded: %v", name, r)
		}
		quoted := "From: Otto <otto@sender.example>\nTo: team@lists.example.net\nSubject: Re: Undelivered Mail\nUser-Agent: mua\n\nWhat is that?\n\n> " +
			strings.ReplaceAll(string(raw), "\n", "\n> ") + "\n"
		if r := read(t, quoted); r.Kind != bounce.None || len(r.Recipients) > 0 {
			t.Errorf("%s, quoted: %v", name, r)
		}
		outer := strings.ReplaceAll(dsn(0, "real@example.org"), "b1", "outermost")
		returned := strings.Replace(outer, "From: otto@sender.example\r\n", string(raw)+"\n", 1)
		if r := read(t, returned); len(r.Recipients) != 1 || r.Recipients[0].Address.String() != "real@example.org" {
			t.Errorf("%s, bounced: %v", name, r)
		}
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	var many []string
	for i := range bounce.MaxRecipients + 500 {
		many = append(many, fmt.Sprintf("m%d@example.org", i))
	}
	if r := read(t, dsn(0, many...)); len(r.Recipients) != bounce.MaxRecipients || r.Kind != bounce.Hard {
		t.Errorf("%d recipients, %v, want %d", len(r.Recipients), r.Kind, bounce.MaxRecipients)
	}
	deep := strings.Replace(dsn(0, "ann@example.org"), "boundary=b1\r\n\r\n", "boundary=b1\r\n\r\n"+nest(100), 1)
	if r := read(t, deep); len(r.Recipients) != 1 {
		t.Errorf("behind a hundred multiparts: %v", r)
	}
	long := strings.Replace(dsn(0, "ann@example.org"), "User unknown", strings.Repeat("unknown\r\n ", 5000), 1)
	if r := read(t, long); len(r.Recipients) != 1 || len(r.Recipients[0].Diagnostic) > 1000 {
		t.Errorf("a long diagnostic: %d recipients", len(r.Recipients))
	}
}

// nest is a part with n multiparts in one another.
func nest(n int) string {
	var b strings.Builder
	b.WriteString("--b1\r\n")
	for i := range n {
		fmt.Fprintf(&b, "Content-Type: multipart/mixed; boundary=n%dx\r\n\r\n--n%dx\r\n", i, i)
	}
	b.WriteString("\r\nx\r\n")
	return b.String()
}

// junk is what a stranger may send to make a reader slow or big, each as one mail without end.
var junk = map[string]string{
	"signs":          "@",
	"brackets":       "<a@",
	"lines of signs": "@\n",
	"report":         "Final-Recipient: rfc822; a@b.example\n",
	"folds":          " x\n",
	"delimiters":     "--b1\n\n",
	"phrases":        "following address(es) failed:\n\nann@example.org\n",
	"tags":           "<p><!--<",
	"escapes":        `\x{`,
	"comments":       "(((",
	"transcript":     ">>> RCPT To:<ann@example.org>\n<<< 550 no\n",
	"bounce":         "<ann@example.org>: 550 user unknown. Delivery failed\n\n",
}

// endless gives n octets of a mail that goes on with the same.
func endless(kind, more string, n int) io.Reader {
	head := "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example.com\nSubject: Undelivered Mail\nContent-Type: " + kind + "; boundary=b1; report-type=delivery-status\n\n"
	if strings.HasPrefix(kind, "multipart/") {
		head += "--b1\nContent-Type: message/delivery-status\n\n"
	}
	return io.LimitReader(io.MultiReader(strings.NewReader(head), &repeat{text: strings.Repeat(more, 1+(8<<10)/len(more))}), int64(n))
}

type repeat struct {
	text string
	at   int
}

func (r *repeat) Read(p []byte) (n int, err error) {
	for n < len(p) {
		k := copy(p[n:], r.text[r.at:])
		n += k
		r.at = (r.at + k) % len(r.text)
	}
	return n, nil
}

// Four times the junk takes no more memory.
func TestMemoryDoesNotGrow(t *testing.T) { // not parallel: it counts what is allocated
	measure := func(kind, more string, n int) uint64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := bounce.Read(endless(kind, more, n)); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	const small = 2 << 20 // more than all limits together
	for name, more := range junk {
		kinds := []string{"text/plain", "multipart/report"}
		if name == "tags" || name == "brackets" {
			kinds = []string{"text/html"}
		}
		for _, kind := range kinds {
			few, many := measure(kind, more, small), measure(kind, more, 4*small)
			if many > few+few/4+1<<20 {
				t.Errorf("%s as %s: %d octets for 2 MiB, %d for 8 MiB", name, kind, few, many)
			}
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, name := range mails(f) {
		raw, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		r, err := bounce.Read(bytes.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		checkLaws(t, r)
		again, err := bounce.Read(iotest.HalfReader(bytes.NewReader(raw)))
		if err != nil || fmt.Sprint(again) != fmt.Sprint(r) {
			t.Errorf("in halves: %v, want %v", again, r)
		}
		post := append([]byte("List-Id: <team.example.org>\nFrom: otto@sender.example\nX: y\n"), raw...)
		if r, err := bounce.Read(bytes.NewReader(post)); err != nil || r.Kind != bounce.None || len(r.Recipients) > 0 {
			t.Errorf("a post of a list is a bounce: %v, %v", r, err)
		}
	})
}

// checkLaws checks what holds of any report.
func checkLaws(t *testing.T, r bounce.Report) {
	t.Helper()
	worst := bounce.None
	seen := make(map[string]bool)
	for _, one := range r.Recipients {
		worst = max(worst, one.Kind)
		if one.Address.Check() != nil || seen[one.Address.Key()] {
			t.Errorf("address %q", one.Address)
		}
		seen[one.Address.Key()] = true
		if !one.Final.IsZero() && one.Final.Check() != nil {
			t.Errorf("final address %q", one.Final)
		}
		if len(one.Diagnostic) > 1000 || !utf8.ValidString(one.Diagnostic) || strings.ContainsFunc(one.Diagnostic, unicode.IsControl) {
			t.Errorf("diagnostic %q", one.Diagnostic)
		}
		if len(one.Status) > 9 {
			t.Errorf("status %q", one.Status)
		}
	}
	if r.Kind != worst || r.Cause == "" || (r.Kind != bounce.None) != (r.Cause == bounce.Failed) || len(r.Recipients) > bounce.MaxRecipients {
		t.Errorf("report %+v", r)
	}
}

func BenchmarkRead(b *testing.B) {
	mail := dsn(10<<10, "ann@example.org")
	b.Run("dsn 10 KiB", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(mail)))
		for b.Loop() {
			if r := read(b, mail); r.Kind != bounce.Hard {
				b.Fatal(r)
			}
		}
	})
	for _, size := range []int{1 << 20, 20 << 20} {
		for _, name := range []string{"report", "phrases", "lines of signs"} {
			b.Run(fmt.Sprintf("%s %d MiB", name, size>>20), func(b *testing.B) {
				b.ReportAllocs()
				b.SetBytes(int64(size))
				for b.Loop() {
					if _, err := bounce.Read(endless("multipart/report", junk[name], size)); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
	b.Run("text 20 MiB", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(20 << 20)
		for b.Loop() {
			if _, err := bounce.Read(endless("text/plain", junk["phrases"], 20<<20)); err != nil {
				b.Fatal(err)
			}
		}
	})
}
