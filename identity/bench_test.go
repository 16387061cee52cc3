package identity_test

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"superlistd/identity"
	"superlistd/lists"
)

func BenchmarkCheck(b *testing.B) {
	txt := published(b, "example.com")
	txt["_dmarc.example.com"] = "v=DMARC1; p=reject"
	txt["example.com"] = "v=spf1 ip4:192.0.2.1 -all"
	body := strings.Repeat("A line of text that is seventy-six columns long, as most of them are.....\r\n", 132)
	plain := []byte(plainPost + body)
	signed := sign(b, signer(b, "example.com"), plain)
	for _, bb := range []struct {
		name    string
		message []byte
	}{{"unsigned/10KiB", plain}, {"2signatures/10KiB", signed}} {
		b.Run(bb.name, func(b *testing.B) {
			c := identity.New(identity.Options{Resolver: resolver(zones(txt))})
			f := facts(b, "ann@example.com", "ann@example.com")
			b.ReportAllocs()
			for b.Loop() {
				if r := c.Check(b.Context(), f, func() io.Reader { return bytes.NewReader(bb.message) }); r.Proof != lists.Proven {
					b.Fatal(r)
				}
			}
		})
	}
}

func BenchmarkSign(b *testing.B) {
	rsa2048, err := identity.NewRSAKey(2048)
	if err != nil {
		b.Fatal(err)
	}
	head := []byte(strings.Repeat("Received: from a.example by b.example with ESMTPS id 1234567890;\r\n\tMon, 1 Jan 2026 00:00:00 +0000\r\n", 5) +
		"From: Ann <ann@example.com>\r\nTo: team@lists.example.org\r\nSubject: Lunch\r\nDate: Mon, 1 Jan 2026 00:00:00 +0000\r\nMessage-ID: <x@example.com>\r\n" +
		"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nList-Id: Team <team.lists.example.org>\r\nList-Unsubscribe: <mailto:team-unsubscribe@lists.example.org>\r\n\r\n")
	for _, bb := range []struct {
		name string
		keys []identity.Key
	}{
		{"rsa2048", []identity.Key{key(b, "a", rsa2048)}},
		{"ed25519", []identity.Key{key(b, "b", keys().ed)}},
		{"both", []identity.Key{key(b, "a", rsa2048), key(b, "b", keys().ed)}},
	} {
		b.Run("copy/"+bb.name, func(b *testing.B) {
			s, err := identity.NewSigner("lists.example.org", nil, bb.keys...)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := s.Sign(head, identity.BodyHash{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Time per octet: that of a nasty body is near that of a plain one.
func BenchmarkHashBody(b *testing.B) {
	for _, bb := range []struct{ name, line string }{
		{"text", "A line of text that is seventy-six columns long, as most of them are.....\r\n"},
		{"blanklines", "\r\n"},
		{"blanks", " \t"},
		{"letters", "a "},
	} {
		b.Run(bb.name+"/1MiB", func(b *testing.B) {
			body := []byte(strings.Repeat(bb.line, 1<<20/len(bb.line)))
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				if _, err := identity.HashBody(bytes.NewReader(body)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// Time per octet of what a stranger may put in, up to the largest header.
func BenchmarkHostileHeader(b *testing.B) {
	signature := "DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=rsa; bh=x; b=x; h=from"
	for _, bb := range []struct{ name, piece, rest string }{
		{"fields", "a:\r\n", signature + "\r\n"},
		{"folds", "", "X: y" + strings.Repeat("\r\n z", 50_000) + "\r\n" + signature + "\r\n"},
		{"signatures", signature + "\r\n", ""},
		{"names", "", signature + strings.Repeat(":a", 100_000) + "\r\n"},
	} {
		b.Run(bb.name+"/200KiB", func(b *testing.B) {
			head := "From: a@example.com\r\n" + bb.rest
			if bb.piece != "" {
				head += strings.Repeat(bb.piece, (200<<10-len(head))/len(bb.piece))
			}
			message := []byte(head + "\r\nx\r\n")
			c := identity.New(identity.Options{Resolver: resolver(zones(published(b, "example.com")))})
			b.SetBytes(int64(len(message)))
			for b.Loop() {
				c.Check(b.Context(), facts(b, "a@example.com", "x@example.net"), func() io.Reader { return bytes.NewReader(message) })
			}
		})
	}
}
