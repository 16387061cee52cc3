package message

import (
	"net/mail"
	"slices"
	"strings"
	"testing"
	"time"

	"superlistd/lists"
)

func TestAuthors(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, header string
		want         []string // nil: nothing that a decision may rest on
	}{
		{"plain", "From: ann@example.org\r\n", []string{"ann@example.org"}},
		{"name", "From: Ann B <ann@Example.ORG>\r\n", []string{"ann@example.org"}},
		{"quoted name with an address", "From: \"bob@example.org\" <ann@example.org>\r\n", []string{"ann@example.org"}},
		{"unquoted name with an address", "From: bob@example.org <ann@example.org>\r\n", []string{"ann@example.org"}},
		{"comment with an address", "From: ann@example.org (bob@example.org)\r\n", []string{"ann@example.org"}},
		{"comment in the address", "From: ann (x) @ (y) example.org\r\n", []string{"ann@example.org"}},
		{"surname first, unquoted", "From: Smith, Ann <ann@example.org>\r\n", []string{"ann@example.org"}},
		{"folded", "From: Ann\r\n\t<ann@example.org>\r\n", []string{"ann@example.org"}},
		{"dot at the end of the domain", "From: <ann@example.org.>\r\n", []string{"ann@example.org"}},
		{"source route", "From: <@a.example,@b.example:ann@example.org>\r\n", []string{"ann@example.org"}},
		{"group", "From: Us: ann@example.org, Bob <bob@example.org>;\r\n", []string{"ann@example.org", "bob@example.org"}},
		{"several fields", "From: ann@example.org\r\nfrom : bob@example.org\r\n", []string{"ann@example.org", "bob@example.org"}},
		{"same address twice is two", "From: ann@example.org, ann@example.org\r\n", []string{"ann@example.org", "ann@example.org"}},
		{"literal", "From: ann@[192.0.2.1]\r\n", []string{"ann@[192.0.2.1]"}},
		{"quoted local part stays one", "From: \"a@evil.test> x\"@good.test\r\n", []string{`"a@evil.test> x"@good.test`}},
		{"quoted local part in brackets", "From: <\"a>b <c@d\"@good.test>\r\n", []string{`"a>b <c@d"@good.test`}},
		{"UTF-8", "From: Jörg <jörg@bücher.example>\r\n", []string{"jörg@xn--bcher-kva.example"}},
		{"encoded name", "From: =?utf-8?q?bob=40example.org?= <ann@example.org>\r\n", []string{"ann@example.org"}},
		{"text behind the bracket", "From: <ann@example.org> Ann\r\n", []string{"ann@example.org"}},

		{"two brackets", "From: <ann@example.org> <bob@example.org>\r\n", nil},
		{"bracket in bracket", "From: <ann@example.org <bob@example.org>\r\n", nil},
		{"open bracket", "From: Ann <ann@example.org\r\n", nil},
		{"open quote", "From: \"Ann <ann@example.org>\r\n", nil},
		{"open comment", "From: ann@example.org (Ann\r\n", nil},
		{"open literal", "From: ann@[192.0.2.1\r\n", nil},
		{"two words", "From: Ann ann@example.org\r\n", nil},
		{"address before a colon", "From: bob@example.org: ann@example.org;\r\n", nil},
		{"one good, one bad", "From: ann@example.org, bob@@example.org\r\n", nil},
		{"blank in the quotes is the address's own", "From: \"a . b\"@example.org\r\n", []string{`"a . b"@example.org`}},
		{"blank beside quotes", "From: \"a . b\" @example.org\r\n", nil},
		{"two at signs", "From: ann@example.org@example.net\r\n", nil},
		{"empty", "From:\r\n", nil},
		{"null", "From: <>\r\n", nil},
		{"a name alone", "From: Ann\r\n", nil},
		{"none", "To: ann@example.org\r\n", nil},
		{"behind the end of the header", "Subject: x\r\noops\r\nFrom: ann@example.org\r\n", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, a := range Authors(ParseHeader([]byte(tt.header))) {
				got = append(got, a.String())
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestNamed(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, header string
		want         int
	}{
		{"none", "From: ann@example.org\r\n", 0},
		{"both fields", "To: a@example.org, b@example.org\r\nCc: C <c@example.org>\r\n", 3},
		{"Bcc and others are not named", "Bcc: a@example.org\r\nReply-To: b@example.org\r\n", 0},
		{"several fields", "To: a@example.org\r\nTO: b@example.org\r\n", 2},
		{"empty elements and names are none", "To: , ,Smith, Ann <a@example.org>,,\r\n", 1},
		{"groups", "To: undisclosed-recipients:;\r\nCc: us: a@example.org, b@example.org;, c@example.org\r\n", 3},
		{"commas in quotes and comments", "To: \"a,b,c\" <a@example.org> (x,y)\r\n", 1},
		{"unreadable ones count", "To: a b@c d, <x> <y>\r\n", 2},
		{"open quote", "To: a@example.org, \"b@example.org, c@example.org\r\n", 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := Named(ParseHeader([]byte(tt.header))); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}

// What a stranger sends costs time in proportion to its length: each of these took minutes if it were the square.
func TestHostileValuesAreLinear(t *testing.T) {
	t.Parallel()
	for _, unit := range []string{`"`, `""`, "(", "()", "<", "<>", "\\", ",", ":", "@", "a@b.c,", " ", "[", `<"`, "(\\", "<\"\">", ";x=", `;x=""`, "\r\n "} {
		value := strings.Repeat(unit, MaxHeader/len(unit))
		h := ParseHeader([]byte("From: " + value + "\r\nTo: " + value + "\r\nContent-Type: a/" + value + "\r\nReceived: " + value + "\r\nList-Id: " + value + "\r\n\r\n"))
		start := time.Now()
		Authors(h)
		Named(h)
		Parse(h.Bytes())
		l := lists.List{Address: lists.Address{Local: "team", Domain: "example.org"}}
		Dress(h, l, Trace{}, Dressing{})
		_ = CheckLoop(h, "mx.example.org", lists.Address{Local: "team", Domain: "example.org"}, "team.example.org")
		if d := time.Since(start); d > 5*time.Second {
			t.Errorf("%q: %v", unit, d)
		}
	}
}

// FuzzAuthors: every author found is an address that survives being written and read, and where the standard library can
// read a From as well, both found the same, or we found it unclear.
func FuzzAuthors(f *testing.F) {
	for _, s := range []string{
		"ann@example.org", "Ann <ann@example.org>, Bob <bob@example.org>", `"a@evil.test> x"@good.test`, "us: a@b.example;, c@d.example",
		"(c) a@b.example (d)", "<@x,@y:a@b.example>", `"q\"\\" <"a\"b"@c.example>`, "=?utf-8?q?a?= <a@b.example>", "a b <c@d.example> e", "<a@b.example", "a . b @ c.example",
		"Joe@Home <j@x.example>", "a@[IPv6:2001:db8::1]", "a:b:c@d.example", "\\a@b.example", "<\\>a@b.example>",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, value string) {
		if strings.ContainsAny(value, "\r\n") {
			return
		}
		h := ParseHeader([]byte("From: " + value + "\r\nTo: " + value + "\r\n\r\n"))
		got := Authors(h)
		if n := Named(h); n < len(got) {
			t.Fatalf("%q: %d authors, %d named", value, len(got), n)
		}
		for _, a := range got {
			if b, err := lists.ParseAddress(a.String()); err != nil || b != a {
				t.Fatalf("%q: %q reads as %q, %v", value, a, b, err)
			}
		}
		theirs, err := mail.ParseAddressList(value)
		if err != nil || len(got) == 0 {
			return
		}
		var want []lists.Address
		for _, m := range theirs {
			at := strings.LastIndexByte(m.Address, '@')
			a := lists.Address{Local: m.Address[:at], Domain: m.Address[at+1:]}
			if b, err := lists.ParseAddress(a.String()); err == nil {
				a = b // the domain folded
			}
			want = append(want, a)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%q: got %q, net/mail %q", value, got, want)
		}
	})
}
