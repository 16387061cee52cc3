package message

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"superlistd/lists"
)

func TestForeignResultsWithOurNameGo(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		value string
		gone  bool
	}{
		{"mx.example.org; spf=pass", true},
		{"MX.Example.ORG 1; spf=pass", true},
		{"(a (comment)) mx.example.org (b); spf=pass", true},
		{"\r\n\tmx.example.org;\r\n\tnone", true},
		{`"mx.example.org"; none`, true},
		{"mx.example.org.; none", true},
		{"mx.example.org", true},
		{"mx.example.org.;none", true},
		{`"mx.ex\ample.org" 1; none`, true},
		{"\r\n\t(a (b) \\) c) mx.example.org(d); none", true},
		{"mx.example.org\t1; none", true},
		{"MX.bücher.example; none", false},
		// Who can tell what another program makes of these?
		{"(mx.example.org; spf=pass", true},
		{`"mx.example.org; spf=pass`, true},
		{`mx.exam"ple.org; x=mx.example.org`, true},
		{"mx.example.org=; none", true},
		{`"mx.example.net; spf=pass`, false},
		{"mx.example.net; spf=pass", false},
		{"mx.example.net; spf=pass smtp.mailfrom=mx.example.org", false},
		{"below.mx.example.org; none", false},
		{"(mx.example.org) mx.example.net; none", false},
		{"mx.example.org.example.net; spf=pass", false},
		{"example.org; x=mx.example.org", false},
		{"", false},
	} {
		in := "Authentication-results: " + tt.value + "\r\n"
		h := dressWith(t, in, Dressing{})
		if got := !h.Has("Authentication-Results"); got != tt.gone {
			t.Errorf("%q: gone %v, want %v", tt.value, got, tt.gone)
		}
	}
}

// The law: our own name is found in whatever dress, and never where another's is.
func FuzzClaimsToBe(f *testing.F) {
	f.Add("mx.example.org; none")
	f.Add(" (x) \"mx.example.org\" 1; spf=pass")
	f.Add("(((")
	f.Fuzz(func(t *testing.T, in string) {
		plain := strings.ToLower(strings.ReplaceAll(in, `\`, ""))
		if claimsToBe(in, "mx.example.org") && !strings.Contains(plain, "mx.example.org") && lists.IsASCII(in) && !strings.ContainsAny(in, "(\"") {
			t.Fatalf("%q does not name us", in)
		}
		if !claimsToBe("(x)\r\n\tMX.example.org ("+in, "mx.example.org") {
			t.Fatalf("our name before %q is not seen", in)
		}
	})
}

func TestArchivedAt(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, url, id, want string }{
		{"a step of the path", "https://a.example.org/team", "<1@b>", "<https://a.example.org/team/1@b>"},
		{"not two slashes", "https://a.example.org/team/", "<1@b>", "<https://a.example.org/team/1@b>"},
		{"named place", "https://a.example.org/?q={id}#x", "<1@b>", "<https://a.example.org/?q=1@b#x>"},
		{"hash of Mailman 3", "https://a.example.org/message/{hash}/", "<1@b>", "<https://a.example.org/message/H62L6ZQPYBI3XNG3Y3OENTP7FPZVLE6K/>"},
		{"octets with a meaning", "https://a.example.org/", "<a/b?c#d%e&f>", "<https://a.example.org/a%2Fb%3Fc%23d%25e%26f>"},
		{"brackets and controls", "https://a.example.org/", "<a\x01b\"c>", ""},
		{"no brackets", "https://a.example.org/", "1@b", "<https://a.example.org/1@b>"},
		{"words", "https://a.example.org/", "1 2", ""},
		{"none", "https://a.example.org/", "", ""},
		{"too long for a line", "https://a.example.org/", "<" + strings.Repeat("x", 998) + ">", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := dressWith(t, "Message-id: "+tt.id+"\r\n", Dressing{}, "archive_url="+tt.url)
			if got := strings.Join(h.Values("Archived-At"), " AND "); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestWrapper(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, head   string
		declared     bool
		kind, coding string
	}{
		{"ASCII", "Subject: Tea\r\n", false, "message/rfc822", ""},
		{"declared", "Subject: Tea\r\n", true, "message/rfc822", "8bit"},
		{"said by the post", "Content-Transfer-Encoding: 8BIT\r\n", false, "message/rfc822", "8bit"},
		{"UTF-8 header", "Subject: Thé\r\n", false, "message/global", "8bit"},
		{"header that is no UTF-8", "Subject: Th\xe9\r\n", false, "message/rfc822", "8bit"},
		{"base64 inside", "Content-Transfer-Encoding: base64\r\n", false, "message/rfc822", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := dressWith(t, "From: ann@example.net\r\n"+tt.head, Dressing{EightBit: tt.declared}, "from=wrap")
			if got := strings.Join(h.Values("Content-Type"), ","); got != tt.kind {
				t.Errorf("type %q, want %q", got, tt.kind)
			}
			if got := strings.Join(h.Values("Content-Transfer-Encoding"), ","); got != tt.coding {
				t.Errorf("encoding %q, want %q", got, tt.coding)
			}
		})
	}
}

func TestUTF8IsTold(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, address, head string
		settings            []string
		want                bool
	}{
		{"ASCII", "team@lists.example.org", "From: Ann <ann@example.net>\r\n", []string{"from=list"}, false},
		{"the post's own", "team@lists.example.org", "From: jörg@example.net\r\nSubject: Thé\r\n", []string{"subject_prefix=[t]"}, false},
		{"a name is encoded", "team@lists.example.org", "From: Jörg <jo@example.net>\r\n", []string{"from=list", "subject_prefix=[é]"}, false},
		{"the list's address", "thé@lists.example.org", "From: ann@example.net\r\n", nil, true},
		{"the address for answers", "team@lists.example.org", "From: ann@example.net\r\n", []string{"reply_to=thé@example.net"}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := testList(t, tt.address, tt.settings...)
			tr := testTrace(t)
			tr.For = l.Address
			if got := Dress(ParseHeader([]byte(tt.head+"\r\n")), l, tr, Dressing{}).UTF8; got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

func TestUndoRefusesWhatDoesNotFit(t *testing.T) {
	t.Parallel()
	h := ParseHeader([]byte("From: ann@example.net\r\nSubject: Tea"))
	out := Dress(h, testList(t, "team@lists.example.org", "subject_prefix=[team]"), testTrace(t), Dressing{})
	if back, ok := Undo(out.Head, out.Edits); !ok || !bytes.Equal(back, h.Bytes()) {
		t.Fatalf("got %q, %v", back, ok)
	}
	for _, head := range [][]byte{nil, out.Head[1:], bytes.Replace(out.Head, []byte("[team]"), []byte("[meat]"), 1), out.Head[:len(out.Head)-1]} {
		if back, ok := Undo(head, out.Edits); ok {
			t.Errorf("%q was undone to %q", head, back)
		}
	}
}

// What a stranger sends costs time in proportion to its length, in the fields that dressing reads.
func TestHostileFieldsAreLinear(t *testing.T) {
	t.Parallel()
	all := []lists.List{
		testList(t, "team@lists.example.org", "from=list", "reply_to=list", "subject_prefix=[équipe]", "archive_url=https://a.example.org/"),
		testList(t, "team@lists.example.org", "from=wrap", "reply_to=author", "subject_prefix=team"),
		testList(t, "team@lists.example.org", "anonymous=on", "subject_prefix=[team]"),
	}
	for _, unit := range []string{
		"=?", "=?utf-8?q?", "=?utf-8?q?Re:?= ", "=?koi8-r?b?79TXOg==?= ", "=?utf-16?b?AFIAZQ==?=", "Re[1]: ", "\u00a0", "team", "\r\n ", "a@b.c,",
		"<a@b> ", "ann@example.net ", "\"", "İ",
	} {
		value := strings.Repeat(unit, MaxHeader/len(unit)/8)
		one := "=?koi8-r?q?" + strings.NewReplacer("=", "", "?", "", "\r\n", "", " ", "_").Replace(value) + "?="
		raw := []byte("X: y\r\n")
		for _, name := range []string{"From", "Reply-To", "Cc", "Subject", "References", "Message-ID", "Authentication-Results"} {
			raw = fmt.Appendf(raw, "%s: %s\r\n%s: ann@example.net %s\r\n", name, value, name, one)
		}
		raw = append(raw, strings.Repeat("Bcc:\r\n", 4_000)...)
		h := ParseHeader(append(raw, '\r', '\n'))
		for _, l := range all {
			start := time.Now()
			Dress(h, l, Trace{}, Dressing{Results: value, AuthorName: value})
			if d := time.Since(start); d > 5*time.Second {
				t.Errorf("%q: %v", unit, d)
			}
		}
	}
}
