package digest_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"superlistd/delivery"
	"superlistd/delivery/spool"
	"superlistd/lists"
	"superlistd/message"
)

// posts that readers see in a digest, as they come out of posting.Desk.Piece.
func samples() []string {
	return []string{
		text(1, "Lunch"),
		"From: =?utf-8?q?J=C3=B6rg?= <joerg@example.org>\nTo: team@lists.test\nCc: =?utf-8?q?B=C3=A4rbel?= <b@example.org>\nSubject: =?utf-8?q?Gru=C3=9F?=\nDate: Sat, 21 Nov 2026 12:01:00 +0000\nMessage-ID: <2@example.org>\n" +
			"MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: 8bit\n\n\n  Grüße an alle.\n\n" + strings.Repeat("-", 30) + "\n" +
			strings.Repeat("-", 70) + "\n" + strings.Repeat("-", 29) + "\n.\n.dot\n\tcode\n-- \nJörg\n\n\n",
		"From: bob@example.org\nTo: team@lists.test\nSubject: Re: [team] Lunch\nIn-Reply-To: <1@example.org>\nDate: Sat, 21 Nov 2026 12:02:00 +0000\nMessage-ID: <3@example.org>\n" +
			"MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: multipart/alternative; boundary=a\n\n--a\nContent-Type: text/html\n\n<p>At <b>one</b>?\n--a\nContent-Type: text/plain; charset=iso-8859-1\n" +
			"Content-Transfer-Encoding: quoted-printable\n\nAt one =BF\n--a--\n--b\nContent-Type: application/pdf; name=\"menu.pdf\"\nContent-Disposition: attachment\nContent-Transfer-Encoding: base64\n\nAAAA\n" +
			"--b\nContent-Type: text/html\n\n<p>Only <i>HTML</i>.</p>\n--b--\n",
		"From: eve@example.org\nSubject: Re: Lunch\nDate: Sat, 21 Nov 2026 12:03:00 +0000\nMessage-ID: <4@example.org>\n\nMe too.\n",
	}
}

// golden compares with a file, or writes it with -update.
func golden(t *testing.T, name, got string) {
	t.Helper()
	got = strings.ReplaceAll(got, "\r\n", "\n")
	path := filepath.Join("testdata", name)
	if *update {
		must(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	if err != nil || string(want) != got {
		t.Errorf("%s is not what is made now (%v); run with -update and read the difference. Got:\n%s", path, err, got)
	}
}

var marks = regexp.MustCompile(`=_[0-9a-f]{32}|digest\.[0-9a-f]{32}`)

// A digest in both forms, read by a person once.
func TestGolden(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		setting []string
	}{
		{"en", []string{"subject_prefix=[team]", "header=Confidential.", "footer=-- \\nThe team"}},
		{"de", []string{"language=de", "subject_prefix=[team]", "description=Für alle", "reply_to=office@lists.test"}},
		{"fr", []string{"language=fr", "post=nobody"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := open(t, tt.setting...)
			h.again(spool.RealDisk{})
			h.join(lists.DeliveryDigest, "dora")
			h.join(lists.DeliveryPlain, "paul")
			for _, raw := range samples() {
				h.gather(raw, 0)
				h.now = h.now.Add(time.Minute)
			}
			if _, err := h.desk.Send(t.Context(), list); err != nil {
				t.Fatal(err)
			}
			golden(t, tt.name+".mime.eml", marks.ReplaceAllString(h.one("dora", lists.DeliveryDigest), "=_MARK"))
			plain := h.one("paul", lists.DeliveryPlain)
			b, err := message.Inspect(message.Octets(plain))
			must(t, err)
			body, err := b.Text(1 << 20)
			must(t, err)
			head := message.ParseHeader([]byte(plain)).Bytes()
			golden(t, tt.name+".plain.txt", marks.ReplaceAllString(string(head), "=_MARK")+body)
		})
	}
}

// In plain text a file has the size that it has when it is saved, and a forwarded mail its subject.
func TestFilesInPlainText(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.join(lists.DeliveryPlain, "paul")
	pdf := base64.StdEncoding.EncodeToString(make([]byte, 650))
	h.gather("From: ann@example.org\nSubject: Files\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nHere.\n"+
		"--b\nContent-Type: application/pdf; name=plan.pdf\nContent-Transfer-Encoding: base64\n\n"+pdf[:400]+"\n"+pdf[400:]+"\n"+
		"--b\nContent-Type: message/rfc822\n\nFrom: bob@example.org\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\n\nHello.\n"+
		"--b\nContent-Type: message/rfc822\nContent-Disposition: attachment; filename=old.eml\n\nSubject: Old\n\nx\n--b--\n", 0)
	if _, err := h.desk.Send(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	posts, _, _ := burst(t, h.one("paul", lists.DeliveryPlain))
	for _, want := range []string{"[File: plan.pdf, application/pdf, 650 bytes]\n", "[File: message/rfc822, \"Grüße\", 69 bytes]\n", "[File: old.eml, message/rfc822, \"Old\", 17 bytes]"} {
		if len(posts) != 1 || !strings.Contains(posts[0], want) {
			t.Errorf("no %q in %q", want, posts)
		}
	}
}

// What the posts are is what they were, octet for octet.
func TestPostsAsTheyAre(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.join(lists.DeliveryDigest, "dora")
	all := append(samples(), "no header at all", "Subject: no end", "Subject: a\n\n", "\n\n", "X: "+strings.Repeat("long ", 60_000)+"\n\nx\n", text(9, "\xff\xfe"), "Subject: x\n\nbare \r here\n")
	for _, raw := range all {
		h.gather(raw, 0)
	}
	if _, err := h.desk.Send(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	posts, _, _ := unfold(t, h.one("dora", lists.DeliveryDigest))
	if len(posts) != len(all) {
		t.Fatalf("%d posts of %d", len(posts), len(all))
	}
	for _, raw := range all {
		want, found := strings.ReplaceAll(raw, "\n", "\r\n"), false
		for _, got := range posts {
			found = found || got == want
		}
		if !found {
			t.Errorf("not there: %.200q", want)
		}
	}
}

// A mail that needs SMTPUTF8 is one of RFC 6532 inside of the digest; one that is beyond ASCII without it is not. The digest needs it for
// neither: a server that does not have it would refuse all posts for the sake of one.
func TestGlobal(t *testing.T) {
	t.Parallel()
	for _, utf8 := range []bool{false, true} {
		h := open(t)
		h.join(lists.DeliveryDigest, "dora")
		post := strings.Replace(text(1, "Grüße"), "Post", strings.Repeat("Grüße ", 20)+"Post", 1)
		g := h.gathered(post, 0)
		g.UTF8 = utf8
		must(t, h.desk.Gather(t.Context(), g))
		h.opts.Deliver = func(ctx context.Context, j delivery.Job) (delivery.Result, error) {
			if j.Routes[0].UTF8 {
				t.Error("the digest needs SMTPUTF8")
			}
			return h.hop.deliver(ctx, j)
		}
		h.again(nil)
		if _, err := h.desk.Send(t.Context(), list); err != nil {
			t.Fatal(err)
		}
		raw := h.one("dora", lists.DeliveryDigest)
		posts, _, _ := unfold(t, raw)
		if utf8 {
			whole, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(posts[0], "\r\n", ""))
			must(t, err)
			posts[0] = string(whole)
		}
		if posts[0] != strings.ReplaceAll(post, "\n", "\r\n") {
			t.Errorf("SMTPUTF8 %v: the post became %q", utf8, posts[0])
		}
		if got := strings.Contains(raw, "Content-Type: message/global\r\n"); got != utf8 {
			t.Errorf("SMTPUTF8 %v:\n%s", utf8, raw)
		}
	}
}

// A digest that the next hop would not take goes in parts, and a post that is too large as its text.
func TestMaxSize(t *testing.T) {
	t.Parallel()
	const most = 200_000
	h := open(t, "digest_size=none", "digest_count=none")
	h.opts.MaxSize = func(context.Context) int64 { return most }
	h.again(nil)
	h.join(lists.DeliveryDigest, "dora")
	h.join(lists.DeliveryPlain, "paul")
	line := strings.Repeat("ö=", 30) + "\n"
	for n := range 30 {
		h.gather(strings.Replace(text(n, fmt.Sprint("Subject ", n)), "\n\n", "\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\n", 1)+strings.Repeat(line, 150), 0)
	}
	h.gather("From: ann@example.org\nTo: "+strings.Repeat("a@example.org, ", 9000)+"b@example.org\nSubject: large\nMessage-ID: <l@x>\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/plain; charset=utf-8\n\n"+
		strings.Repeat(line, 20_000)+"\n--b\nContent-Disposition: attachment; filename=big.bin\n\nxxxx\n--b--\n", 0)
	if n, err := h.desk.Send(t.Context(), list); n != 31 || err != nil {
		t.Fatal(n, err)
	}
	seen := map[string]int{}
	for _, form := range []lists.Delivery{lists.DeliveryDigest, lists.DeliveryPlain} {
		name := map[lists.Delivery]string{lists.DeliveryDigest: "dora", lists.DeliveryPlain: "paul"}[form]
		all := h.got(name)
		for n, mail := range all {
			if len(mail.raw) > most {
				t.Errorf("%s: part %d has %d octets", name, n, len(mail.raw))
			}
			if want := fmt.Sprintf("(part %d of %d)", n+1, len(all)); !strings.Contains(mail.raw, want) {
				t.Errorf("%s: no %q", name, want)
			}
			posts, _, _ := []string(nil), "", ""
			if form == lists.DeliveryDigest {
				posts, _, _ = unfold(t, mail.raw)
			} else {
				posts, _, _ = burst(t, mail.raw)
			}
			for _, p := range posts {
				seen[name+regexp.MustCompile(`Subject: .*`).FindString(p)]++
				if strings.Contains(p, "Subject: large") && !strings.Contains(p, "big.bin") {
					t.Errorf("%s: its file is not named: %.300q", name, p)
				}
			}
		}
		if len(all) < 3 {
			t.Errorf("%s: %d parts", name, len(all))
		}
	}
	if len(seen) != 62 {
		t.Errorf("%d posts: %v", len(seen), seen)
	}
	for what, n := range seen {
		if n != 1 {
			t.Errorf("%s: %d times", what, n)
		}
	}
}

// Threads come together, by what they answer and, without that, by their topic.
func TestThreads(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.join(lists.DeliveryPlain, "paul")
	for _, p := range []struct{ from, head string }{
		{"Ann 1", "Subject: One\nMessage-ID: <1@x>"},
		{"Bob 2", "Subject: Two\nMessage-ID: <2@x>"},
		{"Cat 3", "Subject: Re: elsewhere\nIn-Reply-To: <gone@x>\nMessage-ID: <3@x>"},
		{"Dan 4", "Subject: Changed\nReferences: <1@x>\nMessage-ID: <4@x>"},
		{"Eve 5", "Subject: AW: two\nMessage-ID: <5@x>"},
		{"Fay 6", "Subject: Renamed\nReferences: <gone@x> <3b@x>\nMessage-ID: <6@x>"},
		{"Gus 7", "Subject: one more\nIn-Reply-To: <4@x>\nMessage-ID: <7@x>"},
		{"Hal 8", "Message-ID: <8@x>"},
		{"", "X: y"},
	} {
		from := ""
		if p.from != "" {
			from = "From: " + p.from + " <a@example.org>\n"
		}
		h.gather(from+p.head+"\n\nx\n", 0)
		h.now = h.now.Add(time.Minute)
	}
	if _, err := h.desk.Send(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	_, preamble, _ := burst(t, h.one("paul", lists.DeliveryPlain))
	_, got, _ := strings.Cut(preamble, "Topics:\n")
	want := `
  One
    1.  Ann 1
    2.  Dan 4
    3.  Gus 7

  Two
    4.  Bob 2
    5.  Eve 5

  elsewhere
    6.  Cat 3
    7.  Fay 6

  -
    8.  Hal 8

  -
    9.  ?
`
	if got != want {
		t.Errorf("contents:%s\nwant:%s", got, want)
	}
}

// FuzzCompile makes digests of whatever comes. The law: every post is one part, as it came; the whole can be read again; as text there
// is nothing between two lines of hyphens but one post.
func FuzzCompile(f *testing.F) {
	for _, s := range samples() {
		f.Add([]byte(s), []byte("From: x@example.org\n\n--b\n"), uint8(0))
	}
	f.Add([]byte("Content-Type: multipart/digest; boundary=\"\"\n\n--\n--\n----\n"), []byte(strings.Repeat("Content-Type: multipart/mixed; boundary=a\n\n--a\n", 40)), uint8(1))
	f.Add([]byte("Subject: =?utf-8?q?a=0D=0A"+strings.Repeat("-", 30)+"?=\n\nx"), []byte("\n"+strings.Repeat("-", 30)+"\n\n-\x00-"), uint8(2))
	f.Fuzz(func(t *testing.T, a, b []byte, kind uint8) {
		h := open(t, "footer=-- \\nThe team")
		if kind%2 == 1 {
			h.opts.MaxSize = func(context.Context) int64 { return 100_000 }
			h.again(nil)
		}
		h.join(lists.DeliveryDigest, "dora")
		h.join(lists.DeliveryPlain, "paul")
		all := [][]byte{a, b, []byte(text(3, "good"))}
		for _, raw := range all {
			g := h.gathered(string(bytes.ReplaceAll(raw, []byte("\r"), nil)), 0)
			g.UTF8 = kind&2 != 0
			must(t, h.desk.Gather(t.Context(), g))
		}
		if n, err := h.desk.Send(t.Context(), list); n != len(all) || err != nil {
			t.Fatal(n, err)
		}
		var posts, plain []string
		for _, m := range h.got("dora") {
			some, _, footer := unfold(t, m.raw)
			if posts = append(posts, some...); !strings.Contains(footer, "The team") {
				t.Errorf("footer %q", footer)
			}
			if head := message.ParseHeader([]byte(m.raw)); len(head.Values("From")) != 1 || head.Has("Bcc") {
				t.Errorf("header\n%s", head.Bytes())
			}
			if b, err := message.Inspect(message.Octets(m.raw)); err != nil || b.Limited() {
				t.Errorf("not to be read: %v", err)
			}
		}
		for _, m := range h.got("paul") {
			some, _, _ := burst(t, m.raw)
			plain = append(plain, some[:len(some)-1]...) // the last is the footer
		}
		if len(posts) != len(all) || len(plain) != len(all) {
			t.Errorf("%d posts, %d as text, of %d", len(posts), len(plain), len(all))
		}
	})
}
