package message

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"superlistd/lists"
)

// benchAlternative is an ordinary post of n octets: text and HTML, both quoted-printable.
func benchAlternative(n int) []byte {
	var text, html strings.Builder
	for i := 0; text.Len() < n/3-600; i++ {
		fmt.Fprintf(&text, "Line %d of an ordinary text, with a letter =C3=A9 now and then.\r\n", i)
	}
	for i := 0; html.Len() < n*2/3-1200; i++ {
		fmt.Fprintf(&html, "<p class=3D\"x\">Line %d of an <b>ordinary</b> text, with <a href=3D\"https:=\r\n//www.example.org/%d\">a link</a> &amp; a letter =C3=A9.</p>\r\n", i, i)
	}
	const encoded = "; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
	return []byte("From: Ann <ann@example.net>\r\nTo: team@lists.example.org\r\nSubject: Minutes\r\nMessage-ID: <1@example.net>\r\nMIME-Version: 1.0\r\n" +
		"Content-Type: multipart/alternative; boundary=\"b1\"\r\n\r\n--b1\r\nContent-Type: text/plain" + encoded + text.String() +
		"\r\n--b1\r\nContent-Type: text/html" + encoded + "<html><body>\r\n" + html.String() + "</body></html>\r\n--b1--\r\n")
}

// BenchmarkBody is a post looked at, decorated, and read once, as for one transaction.
func BenchmarkBody(b *testing.B) {
	large := hostile(50 << 20)
	small := rawContent(benchAlternative(10 << 10))
	footer := Decoration{Footer: "-- \nThe team's list\nhttps://lists.example.org/team"}
	for _, bb := range []struct {
		name string
		c    Content
		d    Decoration
	}{
		{"Alternative10KiB/nothing", small, Decoration{}},
		{"Alternative10KiB/footer", small, footer},
		{"Alternative10KiB/text", small, Decoration{HTML: lists.HTMLText}},
		{"Attachment50MB/nothing", large["attachment"], Decoration{}},
		{"Attachment50MB/footer", large["attachment"], footer},
		{"Attachment50MB/removed", large["attachment"], Decoration{Remove: []int{1}}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(bb.c.Size())
			for b.Loop() {
				body, err := Inspect(bb.c)
				if err != nil {
					b.Fatal(err)
				}
				body.Parts()
				out, err := body.Decorate(bb.d)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, out.Body.Reader(0)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkHTMLText1MiB is HTML alone, of which text is made.
func BenchmarkHTMLText1MiB(b *testing.B) {
	raw := []byte("Content-Type: text/html; charset=utf-8\r\n\r\n" + strings.Repeat("<p>Line of an <b>ordinary</b> text, with <a href=\"https://www.example.org/\">a link</a> &amp; a letter é.</p>\r\n", 10000))
	body, err := Inspect(rawContent(raw))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		if _, err := body.Decorate(Decoration{HTML: lists.HTMLText}); err != nil {
			b.Fatal(err)
		}
	}
}
