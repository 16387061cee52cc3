package bounce

import (
	"strings"
	"testing"
)

func TestFindAddress(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, want string }{
		{"bare", "to ann@example.org.", "ann@example.org"},
		{"brackets", "<ann@example.org>: no", "ann@example.org"},
		{"quoted local part in brackets", `<"ann lee"@example.org>`, `"ann lee"@example.org`},
		{"quoted local part", `to "ann lee"@example.org now`, `"ann lee"@example.org`},
		{"quotes around it", "'ann@example.org'", "ann@example.org"},
		{"a type before it", "<SMTP:ann@example.org>", "ann@example.org"},
		{"a log", "to=<ann@example.org>, relay=x", "ann@example.org"},
		{"a log without brackets", "to=ann@example.org", "ann@example.org"},
		{"Japanese around it", "宛先ann@example.orgへ", "ann@example.org"},
		{"UTF-8 in brackets", "<grün@example.org>", "grün@example.org"},
		{"no dot", "ann@localhost", ""},
		{"an IP address", "x@192.0.2.1", ""},
		{"two signs", "ann@example.org@notes", "ann@example.org"},
		{"none", "a @ b", ""},
		{"the second one", "@ <> @x ann@example.org", "ann@example.org"},
		{"brackets that hold a sentence", "<see ann@example.org>", "ann@example.org"},
		{"plus", "ann+tag@example.org", "ann+tag@example.org"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a, start, end := findAddress(tt.in)
			if got := a.String(); got != tt.want {
				t.Errorf("findAddress(%q) = %q, want %q", tt.in, got, tt.want)
			}
			if end > 0 && !strings.Contains(tt.in[start:end], "@") {
				t.Errorf("findAddress(%q) is at %q", tt.in, tt.in[start:end])
			}
		})
	}
}

func TestReportAddress(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, want string }{
		{"rfc822;ann@example.org", "ann@example.org"},
		{"RFC822; <ann@example.org> (Ann)", "ann@example.org"},
		{"ann@example.org", "ann@example.org"},
		{"rfc822; rfc822;ann@example.org", "ann@example.org"},
		{"rfc822; ann+2Btag@example.org", "ann+tag@example.org"},
		{"rfc822; ann+41@example.org", "ann+41@example.org"},
		{`utf-8; gr\x{FC}n@example.org`, "grün@example.org"},
		{`utf-8; gr\x{ZZ}n@example.org`, ""},
		{`rfc822; "ann lee"@example.org`, `"ann lee"@example.org`},
		{`rfc822;"ann+20lee"@example.org`, `"ann lee"@example.org`},
		{"rfc822; ann@ department- of. example.org", "ann@department-of.example.org"},
		{"rfc822; ann@example.org.", "ann@example.org"},
		{"LOCAL;<>", ""},
		{"x400; /o=x/cn=ann", ""},
		{"", ""},
	} {
		a, ok := reportAddress(tt.in)
		if got := a.String(); got != tt.want || ok != (tt.want != "") {
			t.Errorf("reportAddress(%q) = %q, %v, want %q", tt.in, got, ok, tt.want)
		}
	}
}

func TestDecode(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, body, cte, set, want string }{
		{"quoted-printable", "a=3Db=\nc=C3=BC =\r\nd", "quoted-printable", "utf-8", "a=bcü d"},
		{"damaged quoted-printable", "a=b=ZZ=", "quoted-printable", "", "a=b=ZZ"},
		{"base64", "YW5u\r\nQGV4\n", "base64", "", "ann@ex"},
		{"damaged base64", "YW5u*Q", "base64", "", "ann"},
		{"Latin-1", "gr\xfcn", "", "iso-8859-1", "grün"},
		{"UTF-16", "a\x00n\x00n\x00@\x00", "", "utf-16le", "ann@"},
		{"ISO 2022", "\x1b$B@<K\\\x1b(B ann", "", "iso-2022-jp", "声本 ann"},
		{"ISO 2022 that nobody decodes", "\x1b$)C@<K\\\x1b(B ann", "", "iso-2022-kr", " ann"},
		{"a Chinese charset", "\xcd\xcb\xd0\xc5 ann", "", "gb2312", "退信 ann"},
		{"a charset that is not what is said", "退信 ann", "", "gb2312", "退信 ann"},
		{"a charset that nobody knows", "\xe4 ann", "", "x-none", "ä ann"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := string(decode([]byte(tt.body), tt.cte, tt.set)); got != tt.want {
				t.Errorf("decode(%q) = %q, want %q", tt.body, got, tt.want)
			}
		})
	}
}

func TestStripHTML(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ in, want string }{
		{"<p>a&amp;b</p>", "\na&b\n"},
		{"a<br/>b", "a\nb"},
		{"<style>a@b.example</style>x", "x"},
		{"<script>if (a<b) {}</script>x", "x"},
		{"<!-- a@b.example -->x", "x"},
		{"<!-- x", ""},
		{"a<b>c</b>\nd", "ac d"},
		{"to <ann@example.org>", "to <ann@example.org>"},
		{"&lt;ann@example.org&gt;", "<ann@example.org>"},
		{"a < b", "a "},
	} {
		if got := stripHTML(tt.in); got != tt.want {
			t.Errorf("stripHTML(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}
