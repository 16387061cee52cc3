package message

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"slices"
	"testing"

	"github.com/emersion/go-msgauth/dkim"
)

// TestAuthorsSignature: the author's DKIM signature verifies behind the list unless a setting that must break it stepped in.
func TestAuthorsSignature(t *testing.T) {
	t.Parallel()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	const (
		fields = "To: team@lists.example.org\r\nDate: Fri, 20 Nov 2026 08:59:59 +0000\r\nMessage-ID: <1@example.net>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n"
		plain  = "From: Ann <ann@example.net>\r\nSubject:  Tea\r\n\tat  four \r\n" + fields
		body   = "\r\nTea at four?  \r\n\r\n"
	)
	for _, tt := range []struct {
		name     string
		head     string
		settings []string
		want     bool
	}{
		{"nothing set", plain, nil, true},
		{"From kept", plain, []string{"from=keep"}, true},
		{"answers to the list", plain, []string{"reply_to=list"}, true},
		{"archive", plain, []string{"archive_url=https://lists.example.org/team/"}, true},
		{"subject has the prefix", "From: Ann <ann@example.net>\r\nSubject: Re: [TEAM]  Tea\r\n" + fields, []string{"subject_prefix=[team]"}, true},
		{"no subject", "From: Ann <ann@example.net>\r\n" + fields, nil, true},
		{"another list's fields", plain + "Precedence: bulk\r\nReturn-Path: <x@y>\r\nAuthentication-Results: mx.example.org; dkim=fail\r\n", nil, true},
		{"odd octets", "From: Ann <ann@example.net>\r\nSubject: Caf\xe9 =?x?q?y?=\r\n" + fields + "X-Y : z\r\n", nil, true},
		{"wrapped: the one inside", plain, []string{"from=wrap", "subject_prefix=[team]"}, true},

		{"prefix", plain, []string{"subject_prefix=[team]"}, false},
		{"From rewritten", plain, []string{"from=list"}, false},
	} {
		for kind, key := range map[string]crypto.Signer{"rsa": rsaKey, "ed25519": edKey} {
			for _, c := range []dkim.Canonicalization{dkim.CanonicalizationSimple, dkim.CanonicalizationRelaxed} {
				t.Run(tt.name+", "+kind+", "+string(c), func(t *testing.T) {
					t.Parallel()
					var signed bytes.Buffer
					if err := dkim.Sign(&signed, bytes.NewReader([]byte(tt.head+body)), &dkim.SignOptions{
						Domain: "example.net", Selector: "x", Signer: key, HeaderCanonicalization: c, BodyCanonicalization: c,
						HeaderKeys: []string{"From", "From", "To", "Subject", "Subject", "Date", "Message-ID", "MIME-Version", "Content-Type", "X-Y"},
					}); err != nil {
						t.Fatal(err)
					}
					raw := signed.Bytes()
					if !verifies(t, raw, key) {
						t.Fatal("it does not verify before")
					}
					h := ParseHeader(raw)
					out := Dress(h, testList(t, "team@lists.example.org", tt.settings...), testTrace(t), Dressing{Results: "mx.example.org; dkim=pass"})
					post := append(slices.Clip(out.Head), raw[h.Len():]...)
					if out.Outer < len(out.Head) {
						post = post[out.Outer:]
					}
					if got := verifies(t, post, key); got != tt.want {
						t.Errorf("verifies: %v, want %v\n%s", got, tt.want, post)
					}
				})
			}
		}
	}
}

// verifies tells whether the one signature of post is good.
func verifies(t *testing.T, post []byte, key crypto.Signer) bool {
	t.Helper()
	record := "v=DKIM1; k=ed25519; p="
	public, ok := key.Public().(ed25519.PublicKey)
	if !ok {
		der, err := x509.MarshalPKIXPublicKey(key.Public())
		if err != nil {
			t.Fatal(err)
		}
		record, public = "v=DKIM1; k=rsa; p=", der
	}
	found, err := dkim.VerifyWithOptions(bytes.NewReader(post), &dkim.VerifyOptions{
		LookupTXT: func(string) ([]string, error) {
			return []string{record + base64.StdEncoding.EncodeToString(public)}, nil
		},
	})
	if err != nil || len(found) != 1 {
		t.Fatalf("%d signatures, %v in\n%s", len(found), err, post)
	}
	return found[0].Err == nil
}
