package message

import (
	"io"
	"strings"
	"testing"
	"time"

	"superlistd/lists"
)

func TestTopic(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, subject, prefix, want string }{
		{"as it is", "Lunch", "", "Lunch"},
		{"marks of a reply", "Re: AW: Re[2]: Lunch", "", "Lunch"},
		{"the prefix, wherever it stands", "Re: [Team] re: [team] Lunch", "[team]", "Lunch"},
		{"the prefix of another list", "Re: [other] Lunch", "[team]", "[other] Lunch"},
		{"decoded", "=?utf-8?q?Re:_Gru=C3=9F?=", "", "Gruß"},
		{"nothing but marks", "Re: [team] ", "[team]", ""},
		{"nothing", "", "[team]", ""},
		{"no line of its own", "a=?utf-8?q?=0D=0AX:_y?=\r\n b", "", "a X: y b"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := Topic(ParseHeader([]byte("Subject: "+tt.subject+"\r\n\r\n")), tt.prefix); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

// The header of a digest holds nothing that its caller did not mean, and ends where it ends.
func FuzzIssueHead(f *testing.F) {
	f.Add("Team Digest, Vol 1, Issue 1", "Für alle", "https://lists.test/u/1", "team")
	f.Add("a\r\nBcc: x@y", "b\r\n\r\nc", "https://x/\r\nEvil: 1", "te am")
	f.Add(strings.Repeat("x", 2000), "=?utf-8?q?a?=", "http://x", "ü")
	f.Fuzz(func(t *testing.T, subject, description, page, local string) {
		l := lists.List{Address: lists.Address{Local: local, Domain: "lists.test"}, Settings: lists.DefaultSettings()}
		l.Settings.Description = description
		if l.Address.Check() != nil {
			return
		}
		raw := Issue{
			Subject: subject, MessageID: "1@lists.test", Date: time.Unix(0, 0).UTC(), Unsubscribe: page, Type: "text/plain", Encoding: "7bit",
		}.Head(l, Trace{Hostname: "mx.lists.test", For: l.Address})
		h := ParseHeader(raw)
		if h.Len() != len(raw) || strings.Contains(strings.ReplaceAll(string(raw), "\r\n", ""), "\n") {
			t.Fatalf("the header ends at %d of %d:\n%q", h.Len(), len(raw), raw)
		}
		for _, name := range []string{"From", "To", "Subject", "Date", "Message-ID", "List-Id", "List-Unsubscribe", "Auto-Submitted", "Received"} {
			if n := len(h.Values(name)); n != 1 {
				t.Fatalf("%d %s in\n%q", n, name, raw)
			}
		}
		if h.Has("Bcc") || h.Has("Evil") {
			t.Fatalf("a strange field in\n%q", raw)
		}
	})
}

func TestReadings(t *testing.T) {
	t.Parallel()
	part := func(kind, text string) string { return "Content-Type: " + kind + "\n\n" + text }
	multi := func(kind, boundary string, parts ...string) string {
		return "Content-Type: multipart/" + kind + "; boundary=" + boundary + "\n\n--" + boundary + "\n" + strings.Join(parts, "\n--"+boundary+"\n") + "\n--" + boundary + "--\n"
	}
	for _, tt := range []struct{ name, raw, want string }{
		{"plain", part("text/plain", "a\n"), "a"},
		{"HTML", part("text/html", "<p>a<p>b"), "a\n\nb"},
		{"a file", part("application/pdf; name=a.pdf", "x"), "[a.pdf application/pdf]"},
		{"text that is a file", "Content-Disposition: attachment; filename=a.txt\n" + part("text/plain", "x"), "[a.txt text/plain]"},
		{"the plain alternative", multi("alternative", "b", part("text/html", "<b>h"), part("text/plain", "p")), "p"},
		{"an empty plain alternative", multi("alternative", "b", part("text/plain", " \n"), part("text/html", "<b>h")), "h"},
		{"neither", multi("alternative", "b", part("text/calendar", "x"), part("image/png", "y")), "[ text/calendar]"},
		{
			"a file beside the other alternative",
			multi("alternative", "b", part("text/plain", "p"), multi("mixed", "c", part("text/html", "<b>h"), part("image/png", "i"), part("application/pdf; name=a.pdf", "x"))),
			"p|[a.pdf application/pdf]",
		},
		{"texts around a picture", multi("mixed", "b", part("text/plain", "a"), part("image/png", "i"), part("text/plain", "b")), "a|[ image/png]|b"},
		{"a message", multi("mixed", "b", part("text/plain", "a"), part("message/rfc822", "Subject: x\n\ny")), "a|[ message/rfc822]"},
		{"encrypted", multi("encrypted", "b", part("application/pgp-encrypted", "v"), part("application/octet-stream", "x")), "[ application/pgp-encrypted]|[ application/octet-stream]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b, err := Inspect(Octets(tt.raw))
			if err != nil {
				t.Fatal(err)
			}
			all, err := b.Readings()
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range all {
				if r.Text == nil {
					got = append(got, "["+r.Part.Filename+" "+r.Part.Type+"]")
					continue
				}
				text, err := io.ReadAll(r.Text)
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, strings.TrimSpace(string(text)))
			}
			if text := strings.Join(got, "|"); text != tt.want {
				t.Errorf("%q, want %q", text, tt.want)
			}
		})
	}
}
