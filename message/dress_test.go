package message

import (
	"bytes"
	"flag"
	"fmt"
	"mime"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"

	"superlistd/lists"
)

var update = flag.Bool("update", false, "write what came out into testdata/rewrite")

// testList is team@lists.example.org with settings like "post=nobody".
func testList(tb testing.TB, address string, settings ...string) lists.List {
	tb.Helper()
	l := lists.List{Address: mustAddress(tb, address), Settings: lists.DefaultSettings()}
	for _, line := range settings {
		name, value, _ := strings.Cut(line, "=")
		s, err := lists.LookupSetting(name)
		if err != nil {
			tb.Fatal(err)
		}
		if err := s.Set(&l.Settings, value); err != nil {
			tb.Fatal(err)
		}
	}
	return l
}

// TestRewrite reads testdata/rewrite/*.txtar: post.eml is what came, want.eml the copies of the list, forward.eml, if it is
// there, what owners get, digest.eml what a digest holds, personal.eml what one member gets. The optional file "list" holds lines NAME=VALUE: address, and settings of the list; author-name,
// author-policy (reject), results, unsubscribe and page (of that member) are what the caller of Dress knows. Line ends are CRLF in the messages, and LF in the archive.
func TestRewrite(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("../testdata/rewrite/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			t.Parallel()
			rewrite(t, name)
		})
	}
}

// rewrite runs one story.
func rewrite(t *testing.T, name string) {
	a, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	file := func(name string) []byte {
		for _, f := range a.Files {
			if f.Name == name {
				return f.Data
			}
		}
		return nil
	}
	address, settings, d := "team@lists.example.org", []string(nil), Dressing{Key: []byte("key")}
	page := ""
	for line := range strings.Lines(string(file("list"))) {
		line = strings.TrimSuffix(line, "\n")
		switch key, v, _ := strings.Cut(line, "="); key {
		case "address":
			address = v
		case "author-name":
			d.AuthorName = v
		case "author-policy":
			d.Rewrite = v == "reject"
		case "results":
			d.Results = v
		case "unsubscribe":
			d.Unsubscribe = v
		case "page":
			page = v
		default:
			settings = append(settings, line)
		}
	}
	l := testList(t, address, settings...)
	tr := testTrace(t)
	tr.For = l.Address
	post := bytes.ReplaceAll(file("post.eml"), []byte("\n"), []byte("\r\n"))
	h := ParseHeader(post)
	body := post[h.Len():]
	if len(post) == 0 || file("want.eml") == nil && !*update {
		t.Fatal("post.eml or want.eml is missing or empty")
	}
	for i, f := range a.Files {
		var got []byte
		switch f.Name {
		case "want.eml":
			got = append(Dress(h, l, tr, d).Head, body...)
		case "forward.eml":
			tr := tr
			tr.For = l.Owner()
			got = append(Forward(h, tr), body...)
		case "digest.eml":
			head, _ := DigestHead(h, l, tr, d)
			got = append(head, body...)
		case "personal.eml":
			d := d
			d.Personal = true
			got = append(append(AppendPersonal(nil, l, page), Dress(h, l, tr, d).Head...), body...)
		default:
			continue
		}
		got = bytes.ReplaceAll(got, []byte("\r\n"), []byte("\n"))
		if *update {
			a.Files[i].Data = got
		} else if !bytes.Equal(got, f.Data) {
			t.Errorf("%s: got\n%s\nwant\n%s", f.Name, got, f.Data)
		}
	}
	if *update {
		if err := os.WriteFile(name, txtar.Format(a), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestMailto(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, want string }{
		{"plain", "team@lists.example.org", "<mailto:team@lists.example.org>"},
		{"plus and dash stay", "a-b+c_d.e~f@example.org", "<mailto:a-b+c_d.e~f@example.org>"},
		{"octets with a meaning in URLs", "a%b?c&d=e#f/g@example.org", "<mailto:a%25b%3Fc%26d%3De%23f%2Fg@example.org>"},
		{"quoted", `"a b,c<d>@e"@example.org`, "<mailto:%22a%20b%2Cc%3Cd%3E%40e%22@example.org>"},
		{"literal", "a@[192.0.2.1]", "<mailto:a@%5B192.0.2.1%5D>"},
		{"UTF-8", "jörg@example.org", "<mailto:j%C3%B6rg@example.org>"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := mustAddress(t, tt.in)
			got := string(appendMailto(nil, "X", a))
			if want := "X: " + tt.want + "\r\n"; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
			back, err := url.PathUnescape(strings.TrimSuffix(strings.TrimPrefix(got, "X: <mailto:"), ">\r\n"))
			if err != nil || back != a.String() {
				t.Errorf("reads back as %q, %v", back, err)
			}
		})
	}
}

func TestListID(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, description, want string }{
		{"none", "", "<team.lists.example.org>"},
		{"ASCII is quoted", "Team, the list", `"Team, the list" <team.lists.example.org>`},
		{"quotes and backslashes", `a "b" \c`, `"a \"b\" \\c" <team.lists.example.org>`},
		{"brackets", "<x.example.org>", `"<x.example.org>" <team.lists.example.org>`},
		{"UTF-8 is encoded", "Grüße", "=?utf-8?b?R3LDvMOfZQ==?= <team.lists.example.org>"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := testList(t, "team@lists.example.org")
			l.Settings.Description = tt.description
			if got := listID(l); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestLongDescriptionFoldsAndReadsBack(t *testing.T) {
	t.Parallel()
	for _, d := range []string{strings.Repeat("Plauderei und Tee ", 10) + "Ende", strings.Repeat("Grüße aus Köln ", 13) + "Ende"} {
		l := testList(t, "team@lists.example.org")
		l.Settings.Description = d
		h := ParseHeader(Dress(Header{}, l, testTrace(t), Dressing{}).Head)
		for line := range strings.SplitSeq(string(h.Bytes()), "\r\n") {
			if len(line) > 100 {
				t.Errorf("line of %d octets: %q", len(line), line)
			}
		}
		got, err := new(mime.WordDecoder).DecodeHeader(h.Values("List-Id")[0])
		if err != nil || strings.Trim(strings.TrimSuffix(got, " <team.lists.example.org>"), `"`) != d {
			t.Errorf("reads back as %q, %v", got, err)
		}
	}
}

// Every field of this table is asked for, in odd case, on its own.
func TestDressRemoves(t *testing.T) {
	t.Parallel()
	l := testList(t, "team@lists.example.org")
	for _, tt := range []struct {
		name string
		gone bool
	}{
		{"List-ID", true}, {"LIST-archive", true}, {"list-unsubscribe-post", true}, {"List-X", true}, {"precedence", true},
		{"Bcc", true}, {"RESENT-BCC", true}, {"Return-Path", true}, {"Errors-TO", true}, {"Delivered-To", true}, {"return-receipt-to", true},
		{"Return-Receipt-Requested", true}, {"Disposition-Notification-To", true}, {"Disposition-Notification-Options", true},
		{"Generate-Delivery-Report", true}, {"X-Confirm-Reading-To", true}, {"Read-Receipt-To", true},
		{"Registered-Mail-Reply-Requested-By", true}, {"Approved", true}, {"X-Approve", true}, {"Approve ", true},
		{"Require-TLS-ESMTP", false}, {"Received", false}, {"Subject", false}, {"Listing", false}, {"List", false}, {"Sender", false},
		{"Reply-To", false}, {"DKIM-Signature", false}, {"Auto-Submitted", false}, {"X-List-Id", false}, {"Comments", false},
		{strings.Repeat("n", 65), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in := tt.name + ":stranger\r\n\tfolded\r\n"
			out := string(Dress(ParseHeader([]byte(in+"\r\n")), l, testTrace(t), Dressing{}).Head)
			if got := !strings.Contains(out, in); got != tt.gone {
				t.Errorf("gone %v, want %v", got, tt.gone)
			}
			if tt.gone && strings.Contains(out, "stranger") {
				t.Error("some of it is left")
			}
		})
	}
}

// checkForward holds the laws of Forward.
func checkForward(t *testing.T, h Header, tr Trace) {
	t.Helper()
	out := Forward(h, tr)
	again := ParseHeader(append(out, "body"...))
	if again.Len() != len(out) || string(again.blank) != "\r\n" || again.Has("Return-Path") {
		t.Fatalf("Forward: %q", out)
	}
	if got, want := len(again.fields), 1+len(h.fields)-len(h.Values("Return-Path")); got != want {
		t.Fatalf("Forward: %d fields, want %d", got, want)
	}
}

func ExampleReceived() {
	fmt.Print(strings.NewReplacer("\r", "", "\t", "  ").Replace(Received(Trace{
		Hostname: "mx.example.org", SID: "4Xy7", Client: "sea.example.net [192.0.2.7]", Helo: "sea.example.net", Proto: "ESMTP",
		For: lists.Address{Local: "team", Domain: "lists.example.org"}, Time: time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC),
	})))
	// Output:
	// Received: from sea.example.net (sea.example.net [192.0.2.7])
	//   by mx.example.org (superlistd) with ESMTP id 4Xy7
	//   for <team@lists.example.org>; Fri, 20 Nov 2026 09:00:00 +0000
}
