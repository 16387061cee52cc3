package message

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"path/filepath"
	"strings"
	"testing"

	"github.com/emersion/go-msgauth/dkim"

	"superlistd/lists"
)

// TestAuthorsSignatureOfTheBody: where nothing is done to a body, the author's DKIM signature verifies; where something is, it
// does not, so that the test would see it.
func TestAuthorsSignatureOfTheBody(t *testing.T) {
	t.Parallel()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	all := bodies(t)
	for _, tt := range []struct {
		name, story string
		d           Decoration
		want        bool
	}{
		{"nothing asked for", "alternative", Decoration{}, true},
		{"no HTML to turn into text", "mixed", Decoration{HTML: lists.HTMLText}, true},
		{"HTML left", "html", Decoration{HTML: lists.HTMLAccept}, true},
		{"signed HTML", "signed", Decoration{HTML: lists.HTMLText}, true},
		{"nothing there to remove", "mixed", Decoration{Remove: []int{9}}, true},
		{"a footer of blanks", "plain", Decoration{Footer: "\n\n"}, true},
		{"encrypted", "encrypted", Decoration{Header: "x", Footer: "y"}, true},
		{"S/MIME", "smime", Decoration{Header: "x", Footer: "y"}, true},

		{"footer", "plain", Decoration{Footer: "y"}, false},
		{"removed", "mixed", Decoration{Remove: []int{1}}, false},
		{"HTML to text", "html", Decoration{HTML: lists.HTMLText}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var signed bytes.Buffer
			if err := dkim.Sign(&signed, bytes.NewReader(all[filepath.Join("..", "testdata", "body", tt.story+".txtar")]), &dkim.SignOptions{
				Domain: "example.net", Selector: "x", Signer: key,
				HeaderCanonicalization: dkim.CanonicalizationSimple, BodyCanonicalization: dkim.CanonicalizationSimple,
				HeaderKeys: []string{"From", "Subject", "MIME-Version", "Content-Type"},
			}); err != nil {
				t.Fatal(err)
			}
			out, err := inspect(t, signed.Bytes()).Decorate(tt.d)
			if err != nil {
				t.Fatal(err)
			}
			l := testList(t, "team@lists.example.org")
			copied := append(Dress(out.Header, l, testTrace(t), Dressing{}).Head, readAll(t, out.Body.Reader(out.BodyOffset))...)
			if got := verifies(t, copied, key); got != tt.want || out.Changed == tt.want {
				t.Errorf("verifies: %v, changed: %v; want %v\n%s", got, out.Changed, tt.want, copied)
			}
		})
	}
}

// TestSignedPartIsUntouched: the octets between the delimiters of a multipart/signed are those that were signed.
func TestSignedPartIsUntouched(t *testing.T) {
	t.Parallel()
	raw := bodies(t)[filepath.Join("..", "testdata", "body", "signed.txtar")]
	_, body, _ := strings.Cut(string(raw), "\r\n\r\n")
	out, err := inspect(t, raw).Decorate(Decoration{Header: "é", Footer: "--s1--", HTML: lists.HTMLText})
	if err != nil || !out.Changed {
		t.Fatal(err)
	}
	if all := string(readAll(t, out.Body.Reader(0))); strings.Count(all, body) != 1 {
		t.Errorf("%q is not in %q", body, all)
	}
}

func TestPartFacts(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, head, want string }{
		{"plain", "", `text/plain||`},
		{"name of the type", "Content-Type: image/PNG; name=a.png", `image/png|a.png|`},
		{"filename first", "Content-Type: image/png; name=a.png\r\nContent-Disposition: INLINE; filename=b.png", `image/png|b.png|inline`},
		{"quoted", `Content-Disposition: attachment; filename="a \"b\".exe"`, `text/plain|a "b".exe|attachment`},
		{"unknown disposition", "Content-Disposition: x-show; filename=a.exe", `text/plain|a.exe|attachment`},
		{"encoded-word", `Content-Disposition: attachment; filename="=?utf-8?q?th=C3=A9=2Eexe?="`, `text/plain|thé.exe|attachment`},
		{"RFC 2231", `Content-Disposition: attachment; filename=x.txt; filename*=iso-8859-1'fr'th%E9.exe`, `text/plain|thé.exe|attachment`},
		{"RFC 2231 without a charset", `Content-Disposition: attachment; filename*=x.exe`, `text/plain|x.exe|attachment`},
		{"in pieces", "Content-Disposition: attachment;\r\n filename*0*=utf-8''th%C3%A9; filename*1=\".e\";\r\n filename*2*=%78e", `text/plain|thé.exe|attachment`},
		{"in pieces that end", "Content-Disposition: attachment; filename*0=a; filename*2=b", `text/plain|a|attachment`},
		{"broken percent", `Content-Disposition: attachment; filename*=utf-8''%zz%41.exe`, `text/plain|%zz%41.exe|attachment`},
		{"turned around", "Content-Disposition: attachment; filename*=utf-8''a%E2%80%AEtxt.exe%0D%0AX:%20y", "text/plain|atxt.exe X: y|attachment"},
		{"too long", "Content-Disposition: attachment; filename=" + strings.Repeat("x", 4000) + ".exe", "text/plain|" + strings.Repeat("x", 124) + "…" + strings.Repeat("x", 120) + ".exe|attachment"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			facts := inspect(t, []byte(tt.head+"\r\n\r\nbody")).Parts()
			if len(facts) != 1 {
				t.Fatalf("%d parts", len(facts))
			}
			f := facts[0]
			if got := f.Type + "|" + f.Filename + "|" + f.Disposition; got != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
			if f.Size > int64(len("body")+2) {
				t.Errorf("size %d", f.Size)
			}
		})
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, want string }{
		{"quoted-printable", "Content-Transfer-Encoding: quoted-printable\r\n\r\na=3Db=\r\nc=  \r\nd=zz =C3=A9=\r\n", "a=bcd=zz é"},
		{"base64 with junk in it", "Content-Transfer-Encoding: base64\r\n\r\nYWJj\r\n*ZGVm!\r\nZw==aGk=", "abcdefghi"},
		{"charset", "Content-Type: text/plain; charset=koi8-r\r\n\r\n\xf4\xc5\xcb\xd3\xd4", "Текст"},
		{"octets of no charset", "\r\n\xe9 \xc3\xa9 \x80", "é é €"},
		{"unknown charset", "Content-Type: text/plain; charset=x-none\r\n\r\nabc", "abc"},
		{"unknown encoding", "Content-Transfer-Encoding: x-none\r\n\r\nabc\r\n", "abc\n"},
		{"HTML that names its charset", "Content-Type: text/html\r\n\r\n<meta http-equiv=Content-Type content=\"text/html; charset=koi8-r\"><p>\xf4", "Т\n"},
		{"HTML in two octets", "Content-Type: text/html; charset=utf-16be\r\n\r\n\x00<\x00p\x00>\x00a", "a\n"},
		{"HTML that says so of itself but is not", "Content-Type: text/html\r\n\r\n<meta charset=utf-16><p>a", "a\n"},
		{"attachment", "Content-Disposition: attachment\r\n\r\nabc", ""},
		{"cut", "\r\n" + strings.Repeat("é", 100), strings.Repeat("é", 50)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := inspect(t, []byte(tt.in)).Text(101)
			if err != nil || got != tt.want {
				t.Errorf("got %q, %v; want %q", got, err, tt.want)
			}
		})
	}
}
