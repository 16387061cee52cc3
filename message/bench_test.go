package message

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"
)

// benchPost is a post of n octets with the header of an ordinary one: 3 KiB, two signatures, five hops.
func benchPost(n int) []byte {
	var b bytes.Buffer
	for i := range 5 {
		fmt.Fprintf(&b, "Received: from mail%d.example.net (mail%d.example.net [192.0.2.%d])\r\n\tby mx%d.example.org (Postfix) with ESMTPS id 4XyZ%d\r\n\tfor <team@lists.example.org>; Fri, 20 Nov 2026 09:00:0%d +0000 (UTC)\r\n", i, i, i, i, i, i)
	}
	for range 2 {
		b.WriteString("DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.net; s=2026;\r\n\th=from:to:subject:date:message-id:mime-version; bh=" +
			strings.Repeat("A", 43) + "=;\r\n\tb=" + strings.Repeat(strings.Repeat("B", 70)+"\r\n\t ", 5) + "==\r\n")
	}
	b.WriteString("Return-Path: <ann@example.net>\r\nFrom: Ann Example <ann@example.net>\r\nTo: Team <team@lists.example.org>, bob@example.net\r\n" +
		"Cc: carol@example.net\r\nSubject: Minutes of the last meeting\r\nDate: Fri, 20 Nov 2026 08:59:59 +0000\r\nMessage-ID: <1234567890@example.net>\r\n" +
		"References: <1@example.net> <2@example.net>\r\n <3@example.net>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=\"b1\"\r\n" +
		"Authentication-Results: mx.example.org; spf=pass; dkim=pass\r\nList-Unsubscribe: <mailto:x@example.net>\r\nX-Mailer: Test\r\nUser-Agent: Test\r\n\r\n" +
		"--b1\r\nContent-Type: text/plain\r\n\r\n")
	line := strings.Repeat("x", 74) + "\r\n"
	for b.Len()+len(line) < n-200 {
		b.WriteString(line)
	}
	b.WriteString("--b1\r\nContent-Type: text/html\r\n\r\n<p>\r\n--b1--\r\n")
	return b.Bytes()
}

func BenchmarkParseHeader10KiB(b *testing.B) {
	raw := benchPost(10 << 10)
	b.ReportAllocs()
	for b.Loop() {
		ParseHeader(raw)
	}
}

func BenchmarkDress10KiB(b *testing.B) {
	for _, bb := range []struct {
		name     string
		settings []string
	}{
		{"default", nil},
		{"prefix", []string{"subject_prefix=[team]"}},
		{"all", []string{"subject_prefix=[équipe]", "from=list", "reply_to=list", "keep_dkim=off", "archive_url=https://lists.example.org/team/{hash}/"}},
		{"wrap", []string{"from=wrap", "subject_prefix=[team]"}},
		{"anonymous", []string{"anonymous=on"}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			h, l, tr := ParseHeader(benchPost(10<<10)), testList(b, "team@lists.example.org", append(bb.settings, "description=The whole team")...), testTrace(b)
			d := Dressing{Author: mustAddress(b, "ann@example.net"), Results: "mx.example.org; spf=pass smtp.mailfrom=ann@example.net; dkim=pass header.d=example.net"}
			b.ReportAllocs()
			for b.Loop() {
				Dress(h, l, tr, d)
			}
		})
	}
}

func BenchmarkDecide10KiB(b *testing.B) {
	h, l := ParseHeader(benchPost(10<<10)), testList(b, "team@lists.example.org")
	id := l.ID()
	b.ReportAllocs()
	for b.Loop() {
		if err := CheckLoop(h, "mx9.example.org", l.Address, id); err != nil {
			b.Fatal(err)
		}
		if len(Authors(h)) != 1 || Named(h) != 3 {
			b.Fatal("misread")
		}
	}
}

func BenchmarkParse10KiB(b *testing.B) {
	raw := benchPost(10 << 10)
	b.ReportAllocs()
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		Parse(raw)
	}
}

// BenchmarkSpool is a message in, its header, and its content out twice, as two transactions do.
func BenchmarkSpool(b *testing.B) {
	for _, bb := range []struct {
		name string
		size int
	}{{"10KiB", 10 << 10}, {"100KiB", 100 << 10}, {"10MiB", 10 << 20}} {
		b.Run(bb.name, func(b *testing.B) {
			raw, dir := benchPost(bb.size), b.TempDir()
			b.ReportAllocs()
			b.SetBytes(int64(len(raw)))
			for b.Loop() {
				s := NewSpool(dir, 128_000, 50_000_000)
				for p := raw; len(p) > 0; {
					n, err := s.Write(p[:min(len(p), 32<<10)])
					if err != nil {
						b.Fatal(err)
					}
					p = p[n:]
				}
				for range 2 {
					if _, err := io.Copy(io.Discard, struct {
						io.WriterTo
						io.Reader
					}{s.Reader(s.BodyOffset()).(io.WriterTo), nil}); err != nil {
						b.Fatal(err)
					}
				}
				if err := s.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
