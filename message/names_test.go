package message

import (
	"strings"
	"testing"
)

func TestRewrittenFrom(t *testing.T) {
	t.Parallel()
	const by = " <team@lists.example.org>"
	for _, tt := range []struct {
		name, from, member, description, want string
	}{
		{"name of From", "Ann <ann@example.net>", "", "Team", `"Ann via Team"` + by},
		{"quoted", `"Ann \"the\" Example" <ann@example.net>`, "", "Team", `"Ann the Example via Team"` + by},
		{"in a comment", "ann@example.net (Ann Example)", "", "Team", `"Ann Example via Team"` + by},
		{"member's name", "ann@example.net", "Ann E.", "Team", `"Ann E. via Team"` + by},
		{"From goes before the member's name", "Ann <ann@example.net>", "Other", "Team", `"Ann via Team"` + by},
		{"local part", "ann@example.net", "", "Team", `"ann via Team"` + by},
		{"list by its local part", "Ann <ann@example.net>", "", "", `"Ann via team"` + by},
		{"a description that is a sentence", "Ann <ann@example.net>", "", "All that is to be said of tea and of talk", `"Ann via team"` + by},
		{"address for a name", `"ann@example.net" <ann@example.net>`, "", "Team", `"ann via Team"` + by},
		{"address for a name, and a member", `"ann@example.net" <ann@example.net>`, "Ann E.", "Team", `"ann via Team"` + by},
		{"another's address for a name", `"boss@example.com" <ann@example.net>`, "", "Team", `"boss via Team"` + by},
		{"address in a name", `"Ann (ann@example.net)" <ann@example.net>`, "", "Team", `"Ann via Team"` + by},
		{"address in brackets in a name", `"Ann <boss@example.com>" <ann@example.net>`, "", "Team", `"Ann via Team"` + by},
		{"encoded address for a name", `=?utf-8?q?boss=40example=2Ecom?= <ann@example.net>`, "", "Team", `"boss via Team"` + by},
		{"full width", `=?utf-8?q?boss=EF=BC=A0example.com?= <ann@example.net>`, "", "Team", `"boss via Team"` + by},
		{"encoded twice", `=?utf-8?q?=3D=3Futf-8=3Fq=3Fboss=3D40example.com=3F=3D?= <ann@example.net>`, "", "Team",
			"=?utf-8?b?PT91dGYtOD9xP2Jvc3M9NDBleGFtcGxlLmNvbT89IHZpYSBUZWFt?=" + by},
		{"UTF-8", "=?iso-8859-1?q?J=F6rg?= <jo@example.net>", "", "Team", "=?utf-8?b?SsO2cmcgdmlhIFRlYW0=?=" + by},
		{"raw UTF-8", "Jörg <jo@example.net>", "", "Team", "=?utf-8?b?SsO2cmcgdmlhIFRlYW0=?=" + by},
		{"unknown charset", "=?x-none?q?J=F6rg?= <jo@example.net>", "Joerg", "Team", `"Joerg via Team"` + by},
		{"line ends in a word", "=?utf-8?q?Ann=0D=0ABcc=3A_x=40y?= <ann@example.net>", "", "Team", `"Ann Bcc via Team"` + by},
		{"controls in the member's name", "ann@example.net", "Ann\r\nBcc: x", "Te\r\nam", `"Ann Bcc: x via Te am"` + by},
		{"marks that turn the text", "=?utf-8?b?QW5u4oCuZ3Jv?= <ann@example.net>", "", "Team", `"Anngro via Team"` + by},
		{"long", strings.Repeat("a", 5000) + " <ann@example.net>", "", "Team", `"` + strings.Repeat("a", maxName) + ` via Team"` + by},
		{"several", "Ann <ann@example.net>, Bob <bob@example.net>", "", "Team", `"Ann via Team"` + by},
		{"none", "", "", "Team", `"Team"` + by},
		{"unreadable", "Ann <ann@example.net> <x@y>", "", "Team", `"Team"` + by},
		{"quoted local part", `"a@b c"@example.net`, "", "Team", `"c via Team"` + by},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := testList(t, "team@lists.example.org", "from=list")
			l.Settings.Description = tt.description
			out := Dress(ParseHeader([]byte("From: "+tt.from+"\r\nFrom: "+tt.from+"\r\n\r\n")), l, testTrace(t), Dressing{AuthorName: tt.member})
			if got := ParseHeader(out.Head).Values("From"); len(got) != 1 || got[0] != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

// The caller's author decides whose name it is, whatever else From says.
func TestAuthorIsTheOneJudged(t *testing.T) {
	t.Parallel()
	h := ParseHeader([]byte("From: Ann <ann@example.net>, Bob <BOB@example.net>\r\n\r\n"))
	for in, want := range map[string]string{
		"bob@example.net":   `"Bob" <BOB@example.net>`,
		"ann@example.net":   `"Ann" <ann@example.net>`,
		"carol@example.net": `"Carol C." <carol@example.net>`,
	} {
		if got := author(h, Dressing{Author: mustAddress(t, in), AuthorName: "Carol C."}).String(); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
	}
}

func TestFromIsRewrittenWhenAsked(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, from, author string
		policy, want       bool
	}{
		{"kept", "keep", "ann@gmail.com", true, false},
		{"no policy", "dmarc", "ann@example.net", false, false},
		{"policy", "dmarc", "ann@example.net", true, true},
		{"domain named", "dmarc", "ann@gmail.com", false, true},
		{"domain with any end", "dmarc", "ann@Yahoo.co.uk", false, true},
		{"a domain's name elsewhere", "dmarc", "ann@yahoo.example.net.invalid", false, false},
		{"always", "list", "ann@example.net", false, true},
		{"wrapped", "wrap", "ann@example.net", false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in := "From: " + tt.author + "\r\n"
			out := Dress(ParseHeader([]byte(in+"\r\n")), testList(t, "team@lists.example.org", "from="+tt.from), testTrace(t), Dressing{Rewrite: tt.policy})
			if got := !strings.Contains(string(out.Head[:out.Outer]), in); got != tt.want {
				t.Errorf("rewritten %v, want %v: %s", got, tt.want, out.Head)
			}
		})
	}
}
