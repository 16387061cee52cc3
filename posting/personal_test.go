package posting

import (
	"encoding/base64"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/emersion/go-msgauth/dkim"

	"superlistd/identity"
	"superlistd/lists"
	"superlistd/message"
)

// pageOf is a member's link in tests.
func pageOf(list, member lists.Address) string {
	return "https://lists.test/u/" + base64.RawURLEncoding.EncodeToString([]byte(list.String()+" "+member.String()))
}

// ownCopy is the whole copy that goes to a member.
func (h *house) ownCopy(c Copy, l lists.List, member string) string {
	h.tb.Helper()
	own, err := h.desk.AppendOwn(nil, l.Address, address(h.tb, member), c.Head, c.Note)
	if err != nil {
		h.tb.Fatal(err)
	}
	body, err := io.ReadAll(c.Content.Reader(c.BodyOffset))
	if err != nil {
		h.tb.Fatal(err)
	}
	return string(own) + string(c.Head) + string(body)
}

// Each member's copy has a link of his own, and signatures that cover it, whatever was done to the post; the rest is what others get.
func TestPersonalCopies(t *testing.T) {
	t.Parallel()
	sign, records := signers(t)
	for _, settings := range [][]string{
		nil, {"from=list", "subject_prefix=[team]"}, {"footer=-- \\nThe team"}, {"from=wrap"}, {"anonymous=on"}, {"reply_to=list", "header=Read this."},
	} {
		t.Run(strings.Join(settings, " "), func(t *testing.T) {
			t.Parallel()
			h := open(t, func(o *Options) { o.Signer, o.Page = sign, pageOf })
			p := h.read(plainPost("ann@strict.test"), "ann@strict.test", "192.0.2.1")
			l := h.list(settings...)
			j := h.judge(p, l)
			c, err := h.desk.DressPersonal(t.Context(), p, j)
			if err != nil {
				t.Fatal(err)
			}
			for _, member := range []string{"bea@plain.test", `"carl c"@plain.test`, "dörte@plain.test"} {
				text := h.ownCopy(c, l, member)
				found, err := dkim.VerifyWithOptions(strings.NewReader(text), &dkim.VerifyOptions{
					LookupTXT: func(name string) ([]string, error) { return records[name], nil },
				})
				if err != nil || len(found) != 2 {
					t.Fatalf("%d signatures, %v", len(found), err)
				}
				for _, v := range found {
					if v.Err != nil {
						t.Errorf("for %s: %v\n%s", member, v.Err, text)
					}
					for _, name := range []string{"list-unsubscribe", "list-unsubscribe-post"} { // RFC 8058 section 4
						if !strings.Contains(" "+strings.Join(v.HeaderKeys, " ")+" ", " "+name+" ") {
							t.Errorf("%s is not signed: %q", name, v.HeaderKeys)
						}
					}
				}
				head := message.ParseHeader([]byte(text))
				want := "<mailto:team-unsubscribe@lists.test>,\t<" + pageOf(l.Address, address(t, member)) + ">"
				if got := head.Values("List-Unsubscribe"); len(got) != 1 || got[0] != want {
					t.Errorf("%q, want %q", got, want)
				}
				if got := head.Values("List-Unsubscribe-Post"); len(got) != 1 || got[0] != "List-Unsubscribe=One-Click" {
					t.Errorf("%q", got)
				}
			}
		})
	}
}

// A mail of the list's own, a digest, can have personal copies too.
func TestPersonalCopiesOfADigest(t *testing.T) {
	t.Parallel()
	sign, records := signers(t)
	h := open(t, func(o *Options) { o.Signer, o.Page = sign, pageOf })
	l, body := h.list(), message.Octets("Hello.\r\n")
	head := message.Issue{Subject: "Team Digest", MessageID: "d@lists.test", Type: "text/plain", Encoding: "7bit", Personal: true}.
		Head(l, message.Trace{Hostname: "lists.test", For: l.Address})
	note, err := h.desk.Note(head, body)
	if err != nil {
		t.Fatal(err)
	}
	text := h.ownCopy(Copy{Head: head, Content: body, Note: note}, l, "bea@plain.test")
	found, err := dkim.VerifyWithOptions(strings.NewReader(text), &dkim.VerifyOptions{
		LookupTXT: func(name string) ([]string, error) { return records[name], nil },
	})
	if err != nil || len(found) != 2 || found[0].Err != nil || found[1].Err != nil {
		t.Errorf("%d signatures, %v of\n%s", len(found), err, text)
	}
	if got := message.ParseHeader([]byte(text)).Values("List-Unsubscribe"); len(got) != 1 || !strings.Contains(got[0], pageOf(l.Address, address(t, "bea@plain.test"))) {
		t.Errorf("%q", got)
	}
}

// But for what is a member's own, it is the copy that all others get.
func TestPersonalIsWhatOthersGet(t *testing.T) {
	t.Parallel()
	h := open(t, func(o *Options) { o.Page = pageOf })
	p := h.read(plainPost("ann@plain.test"), "ann@plain.test", "192.0.2.1")
	l := h.list("footer=-- \\nThe team")
	j := h.judge(p, l)
	_, shared := h.copyOf(p, j)
	c, err := h.desk.DressPersonal(t.Context(), p, j)
	if err != nil {
		t.Fatal(err)
	}
	own := string(message.AppendPersonal(nil, l, pageOf(l.Address, address(t, "bea@plain.test"))))
	want := own + strings.Replace(shared, "List-Unsubscribe: <mailto:team-unsubscribe@lists.test>\r\n", "", 1)
	if got := h.ownCopy(c, l, "bea@plain.test"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestNotesThatAreNotOurs(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	good := note(2, identity.BodyHash{1})
	for _, s := range []string{"", "2", "2 ", good[:len(good)-4], "-" + good, "x" + good[1:], good + "AAAA", "3" + good[1:]} {
		if _, err := h.desk.AppendOwn(nil, address(t, "team@lists.test"), address(t, "bea@plain.test"), []byte("\r\n"), s); !errors.Is(err, errNote) {
			t.Errorf("%q: %v", s, err)
		}
	}
	if outer, hash, err := readNote(good); outer != 2 || hash != (identity.BodyHash{1}) || err != nil {
		t.Errorf("%q is %d, %x, %v", good, outer, hash, err)
	}
}

// BenchmarkPersonalCopy is what a copy of its own costs beside its transaction.
func BenchmarkPersonalCopy(b *testing.B) {
	for _, kind := range []string{"none", "rsa2048", "ed25519", "both"} {
		b.Run("signed="+kind, func(b *testing.B) {
			signer := signerOf(b, kind)
			h := open(b, func(o *Options) { o.Signer, o.Page = func(string) *identity.Signer { return signer }, pageOf })
			p := h.read(plainPost("ann@plain.test"), "ann@plain.test", "192.0.2.1")
			l := h.list()
			c, err := h.desk.DressPersonal(b.Context(), p, h.judge(p, l))
			if err != nil {
				b.Fatal(err)
			}
			member := address(b, "bea@plain.test")
			var fields []byte
			for b.Loop() {
				if fields, err = h.desk.AppendOwn(fields[:0], l.Address, member, c.Head, c.Note); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// signerOf makes a signer with keys of a kind; nil for none.
func signerOf(tb testing.TB, kind string) *identity.Signer {
	tb.Helper()
	var keys []identity.Key
	for name, make := range map[string]func() ([]byte, error){
		"rsa2048": func() ([]byte, error) { return identity.NewRSAKey(2048) }, "ed25519": identity.NewEd25519Key,
	} {
		if kind != name && kind != "both" {
			continue
		}
		text, err := make()
		if err != nil {
			tb.Fatal(err)
		}
		key, err := identity.ParseKey(name, text)
		if err != nil {
			tb.Fatal(err)
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil
	}
	s, err := identity.NewSigner("lists.test", nil, keys...)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}
