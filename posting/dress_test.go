package posting

import (
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"io"
	"strings"
	"testing"

	"github.com/emersion/go-msgauth/dkim"
	"github.com/foxcpp/go-mockdns"

	"superlistd/identity"
	"superlistd/lists"
	"superlistd/message"
)

// Whether From is rewritten depends on what the author's domain asks receivers to do.
func TestRewriteByPolicy(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		author, settings string
		broken           bool
		want             string
	}{
		"no policy":        {author: "ann@plain.test", want: "Ann <ann@plain.test>"},
		"reject":           {author: "ann@strict.test", want: "Ann via team <team@lists.test>"},
		"reject, but kept": {author: "ann@strict.test", settings: "from=keep", want: "Ann <ann@strict.test>"},
		"a domain of ours": {author: "ann@plain.test", settings: "from_domains=plain.test", want: "Ann via team <team@lists.test>"},
		"not to be known":  {author: "ann@plain.test", broken: true, want: "Ann via team <team@lists.test>"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := open(t, nil)
			if c.broken {
				h.zones["_dmarc.plain.test."] = mockdns.Zone{Err: errBroken}
			}
			var settings []string
			if c.settings != "" {
				settings = []string{c.settings}
			}
			p := h.read(plainPost(c.author), c.author, "192.0.2.1")
			head, _ := h.copyOf(p, h.judge(p, h.list(settings...)))
			if got := head.Values("From"); len(got) != 1 || strings.ReplaceAll(got[0], `"`, "") != c.want {
				t.Errorf("From %q, want %q", got, c.want)
			}
		})
	}
}

// What we found stands above all that strangers say we found.
func TestResultsAreOurs(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	forged := "Authentication-Results: " + hostname + "; dmarc=pass header.from=strict.test\n"
	p := h.read(forged+plainPost("ann@plain.test"), "ann@plain.test", "192.0.2.1")
	head, _ := h.copyOf(p, h.judge(p, h.list()))
	got := head.Values("Authentication-Results")
	if len(got) != 1 || !strings.Contains(got[0], "spf=pass") || strings.Contains(got[0], "strict.test") {
		t.Errorf("%q", got)
	}
}

// signers makes a key for lists.test and the DNS records for it.
func signers(t testing.TB) (func(string) *identity.Signer, map[string][]string) {
	t.Helper()
	var keys []identity.Key
	records := map[string][]string{}
	for selector, make := range map[string]func() ([]byte, error){
		"rsa": func() ([]byte, error) { return identity.NewRSAKey(2048) }, "ed": identity.NewEd25519Key,
	} {
		text, err := make()
		if err != nil {
			t.Fatal(err)
		}
		key, err := identity.ParseKey(selector, text)
		if err != nil {
			t.Fatal(err)
		}
		record, err := key.Record()
		if err != nil {
			t.Fatal(err)
		}
		keys, records[selector+"._domainkey.lists.test"] = append(keys, key), []string{record}
	}
	s, err := identity.NewSigner("lists.test", nil, keys...)
	if err != nil {
		t.Fatal(err)
	}
	return func(domain string) *identity.Signer {
		if domain != "lists.test" {
			return nil
		}
		return s
	}, records
}

// Every copy carries our signatures over what it is in the end, whatever was done to it.
func TestSignatures(t *testing.T) {
	t.Parallel()
	sign, records := signers(t)
	for _, settings := range [][]string{
		nil, {"from=list", "subject_prefix=[team]"}, {"footer=-- \\nThe team"}, {"from=wrap"}, {"anonymous=on"}, {"reply_to=list", "header=Read this."},
	} {
		t.Run(strings.Join(settings, " "), func(t *testing.T) {
			t.Parallel()
			h := open(t, func(o *Options) { o.Signer = sign })
			p := h.read(plainPost("ann@strict.test"), "ann@strict.test", "192.0.2.1")
			_, text := h.copyOf(p, h.judge(p, h.list(settings...)))
			found, err := dkim.VerifyWithOptions(strings.NewReader(text), &dkim.VerifyOptions{
				LookupTXT: func(name string) ([]string, error) { return records[name], nil },
			})
			if err != nil || len(found) != 2 {
				t.Fatalf("%d signatures, %v", len(found), err)
			}
			for _, v := range found {
				if v.Err != nil || v.Domain != "lists.test" {
					t.Errorf("%+v in\n%s", v, text)
				}
			}
		})
	}
}

// A post that is changed in nothing that the author signed still carries his signature, and it verifies.
func TestAuthorsSignatureSurvives(t *testing.T) {
	t.Parallel()
	h := open(t, nil)
	signed, record := authorSigned(t)
	h.zones["a._domainkey.plain.test."] = mockdns.Zone{TXT: []string{record}}
	p := h.read(signed, "ann@plain.test", "192.0.2.9")
	j := h.judge(p, h.list())
	if j.Proof != lists.Proven {
		t.Errorf("a post with a signature is %v", j.Proof)
	}
	_, text := h.copyOf(p, j)
	found, err := dkim.VerifyWithOptions(strings.NewReader(text), &dkim.VerifyOptions{
		LookupTXT: func(string) ([]string, error) { return []string{record}, nil },
	})
	if err != nil || len(found) != 1 || found[0].Err != nil {
		t.Errorf("%+v, %v in\n%s", found, err, text)
	}
}

func authorSigned(t *testing.T) (post, record string) {
	t.Helper()
	text, err := identity.NewRSAKey(2048)
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	key := parsed.(*rsa.PrivateKey)
	public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err = dkim.Sign(&out, strings.NewReader(strings.ReplaceAll(plainPost("ann@plain.test"), "\n", "\r\n")), &dkim.SignOptions{
		Domain: "plain.test", Selector: "a", Signer: key,
		HeaderCanonicalization: dkim.CanonicalizationRelaxed, BodyCanonicalization: dkim.CanonicalizationSimple,
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(out.String(), "\r\n", "\n"), "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(public)
}

// A desk without anybody to sign leaves the copy alone.
func TestNobodySigns(t *testing.T) {
	t.Parallel()
	h := open(t, func(o *Options) { o.Signer = func(string) *identity.Signer { return nil } })
	p := h.read(plainPost("ann@plain.test"), "ann@plain.test", "192.0.2.1")
	if head, _ := h.copyOf(p, h.judge(p, h.list())); head.Has("DKIM-Signature") {
		t.Error("signed by nobody")
	}
}

// FuzzPost judges and dresses whatever comes. The law: no copy has a field that neither the author nor we wrote, there is
// one header, and it can be read again.
func FuzzPost(f *testing.F) {
	f.Add([]byte(plainPost("ann@plain.test")), "[team]", "-- \\nfoot", uint8(0))
	f.Add([]byte("From: =?utf-8?q?a=0D=0ABcc:_x@y?= <ann@plain.test>\nSubject: =?utf-8?q?=0D=0AEvil:_1?=\nMessage-ID: <1@x>\n\nx\n"), "p", "f", uint8(3))
	f.Add([]byte("From: ann@plain.test\nContent-Type: multipart/mixed; boundary=\"\"\n\n--\n--\n----\n"), "", "f", uint8(1))
	f.Add([]byte("From: a@plain.test, b@plain.test\nContent-Type: multipart/alternative; boundary=b\n\n--b\n\nx\n--b\nContent-Type: text/html\n\n<p>x\n--b--\n"), "", "f", uint8(2))
	sign, _ := signers(f)
	h := open(f, func(o *Options) { o.Signer = sign })
	list := h.list()
	f.Fuzz(func(t *testing.T, raw []byte, prefix, footer string, kind uint8) {
		l := list
		l.Settings.From = []string{lists.FromDMARC, lists.FromKeep, lists.FromList, lists.FromWrap}[kind%4]
		l.Settings.HTML = []string{lists.HTMLAccept, lists.HTMLText}[kind/4%2]
		l.Settings.Anonymous = kind/8%2 == 1
		l.Settings.Attachments = []lists.Action{lists.Accept, lists.Remove}[kind/16%2]
		for name, value := range map[string]string{"subject_prefix": prefix, "footer": footer} {
			if s, err := lists.LookupSetting(name); err == nil {
				_ = s.Set(&l.Settings, value) // what cannot be set, no list has
			}
		}
		spool := message.NewSpool(t.TempDir(), 1<<20, 0)
		defer spool.Close()
		spool.Write(bytes.ReplaceAll(bytes.ReplaceAll(bytes.ReplaceAll(raw, []byte("\r"), nil), []byte("\n"), []byte("\r\n")), []byte{0}, nil))
		p, err := Read(spool, Envelope{ReversePath: "ann@plain.test", Session: "s", Proto: "ESMTP"})
		if err != nil {
			return
		}
		h.fuzzed(t, p, l)
	})
}

func (h *house) fuzzed(t *testing.T, p *Post, l lists.List) {
	ctx := context.Background()
	j, err := h.desk.Judge(ctx, p, l)
	if err != nil {
		t.Fatal(err)
	}
	if j.Action != lists.Accept {
		if j.Reason == nil {
			t.Fatalf("%s without a reason", j.Action)
		}
		return
	}
	c, err := h.desk.Dress(ctx, p, j)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(bytes.ReplaceAll(c.Head, []byte("\r\n"), nil), []byte("\n")) {
		t.Fatal("a bare line feed")
	}
	head := message.ParseHeader(c.Head)
	if l.Settings.From != lists.FromWrap && head.Len() != len(c.Head) {
		t.Fatalf("the header ends at %d of %d:\n%q", head.Len(), len(c.Head), c.Head)
	}
	if n := len(head.Values("From")); n != 1 {
		t.Fatalf("%d From", n)
	}
	for _, name := range []string{"Bcc", "Evil"} {
		if head.Has(name) && (name == "Bcc" || !p.Head.Has(name)) {
			t.Fatalf("a %s in\n%q", name, c.Head)
		}
	}
	if n, err := io.Copy(io.Discard, c.Content.Reader(c.BodyOffset)); err != nil || n != c.Content.Size()-c.BodyOffset {
		t.Fatalf("a body of %d octets instead of %d: %v", n, c.Content.Size()-c.BodyOffset, err)
	}
}

// BenchmarkJudgeAndDress is a post from 10 KiB to 10 MiB, without DNS and signing: what it costs, and that it grows no faster than the post.
func BenchmarkJudgeAndDress(b *testing.B) {
	full := []string{"subject_prefix=[team]", "footer=-- \\nThe team", "reply_to=list", "from=list", "extensions=exe=remove", "header_rules=X-Spam: /yes/ refuse"}
	for _, c := range []struct {
		name     string
		size     int
		settings []string
	}{{"plain/10KiB", 10 << 10, nil}, {"full/10KiB", 10 << 10, full}, {"full/1MiB", 1 << 20, full}, {"full/10MiB", 10 << 20, full}} {
		b.Run(c.name, func(b *testing.B) {
			h := open(b, func(o *Options) { o.Identity = nil })
			l := h.list(c.settings...)
			line := strings.Repeat("words ", 12) + "\n"
			text := plainPost("ann@plain.test") + strings.Repeat(line, c.size/len(line))
			spool := message.NewSpool(b.TempDir(), 1<<20, 0)
			defer spool.Close()
			io.WriteString(spool, strings.ReplaceAll(text, "\n", "\r\n"))
			b.SetBytes(spool.Size())
			b.ReportAllocs()
			for b.Loop() {
				judgeAndDress(b, h, l, spool)
			}
		})
	}
}

func judgeAndDress(b *testing.B, h *house, l lists.List, spool *message.Spool) {
	p, err := Read(spool, Envelope{ReversePath: "ann@plain.test", Session: "s", Proto: "ESMTP"})
	if err != nil {
		b.Fatal(err)
	}
	j := h.judge(p, l)
	c, err := h.desk.Dress(b.Context(), p, j)
	if err != nil || j.Action != lists.Accept {
		b.Fatal(err, j.Verdict)
	}
	if _, err := io.Copy(io.Discard, c.Content.Reader(c.BodyOffset)); err != nil {
		b.Fatal(err)
	}
}
