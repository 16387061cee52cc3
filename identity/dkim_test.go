package identity_test

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"superlistd/identity"
	"superlistd/lists"
)

// The example of RFC 8463 appendix A.3, with the keys of A.2.
const rfc8463 = `DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=brisbane; t=1528637909; h=from : to :
 subject : date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus
 Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==
DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;
 d=football.example.com; i=@football.example.com;
 q=dns/txt; s=test; t=1528637909; h=from : to : subject :
 date : message-id : from : subject : date;
 bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;
 b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3
 DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz
 dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=
From: Joe SixPack <joe@football.example.com>
To: Suzie Q <suzie@shopping.example.net>
Subject: Is dinner ready?
Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)
Message-ID: <20030712040037.46341.5F8J@football.example.com>

Hi.

We lost the game.  Are you hungry yet?

Joe.
`

func rfc8463Keys() map[string]string {
	return map[string]string{
		"brisbane._domainkey.football.example.com": "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
		"test._domainkey.football.example.com":     "v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB",
	}
}

func TestExampleOfRFC8463(t *testing.T) {
	t.Parallel()
	c := identity.New(identity.Options{Resolver: resolver(zones(rfc8463Keys()))})
	f := facts(t, "joe@football.example.com", "")
	r := c.Check(t.Context(), f, content(crlf(rfc8463)))
	if r.Proof != lists.Proven || len(r.DKIM) != 2 || r.DKIM[0].Result != "pass" || r.DKIM[1].Result != "pass" {
		t.Errorf("%v, want proven by two signatures: %+v", r.Proof, r.DKIM)
	}
	const want = `mx.example.org; spf=none smtp.helo=mail.example.com; ` +
		`dkim=pass header.d=football.example.com header.s=brisbane header.a=ed25519-sha256 header.b="/gCrinpc"; ` +
		`dkim=pass header.d=football.example.com header.s=test header.a=rsa-sha256 header.b=F45dVWDf; ` +
		`dmarc=none header.from=football.example.com`
	if got := r.AuthenticationResults("mx.example.org"); got != want {
		t.Errorf("results\n%s, want\n%s", got, want)
	}
}

func TestSignatures(t *testing.T) {
	t.Parallel()
	signed := func(t *testing.T) string { return string(sign(t, signer(t, "example.com"), []byte(plainPost))) }
	for _, tt := range []struct {
		name   string
		edit   func(t *testing.T, message string) string
		txt    map[string]string
		result string
		proof  lists.Proof
	}{
		{"as signed", func(_ *testing.T, m string) string { return m }, nil, "pass", lists.Proven},
		{"a field added on top", func(_ *testing.T, m string) string { return "Received: by x\r\n" + m }, nil, "pass", lists.Proven},
		{"blanks added", func(_ *testing.T, m string) string { return strings.Replace(m, "noon?", "noon? \t", 1) + "\r\n\r\n" }, nil, "pass", lists.Proven},
		{"the body changed", func(_ *testing.T, m string) string { return m + "Footer\r\n" }, nil, "fail", lists.Contradicted},
		{"the subject changed", func(_ *testing.T, m string) string { return strings.Replace(m, "Lunch", "[team] Lunch", 1) }, nil, "fail", lists.Contradicted},
		{"l= is not taken", func(_ *testing.T, m string) string { return strings.ReplaceAll(m, "\tbh=", "\tl=0; bh=") }, nil, "policy", lists.Contradicted},
		{"l= folded is not taken either", func(_ *testing.T, m string) string { return strings.ReplaceAll(m, "bh=", "l\r\n =0; bh=") }, nil, "policy", lists.Contradicted},
		{"a bare CR in the body", func(_ *testing.T, m string) string { return m + "x \ry\r\n" }, nil, "policy", lists.Contradicted},
		{"a bare CR at the end", func(_ *testing.T, m string) string { return m + "\r" }, nil, "policy", lists.Contradicted},
		{"no tags at all", func(_ *testing.T, m string) string { return "DKIM-Signature:\r\n" + plainPost }, nil, "permerror", lists.Contradicted},
		{"the key is revoked", func(_ *testing.T, m string) string { return m }, map[string]string{
			"rsa._domainkey.example.com": "v=DKIM1; p=", "ed._domainkey.example.com": "v=DKIM1; p="}, "permerror", lists.Contradicted},
		{"two keys under one selector", func(_ *testing.T, m string) string { return m }, map[string]string{
			"rsa._domainkey.example.com": "v=DKIM1; p=\nv=DKIM1; p=", "ed._domainkey.example.com": "v=DKIM1; p="}, "permerror", lists.Contradicted},
		{"a key as long as a book", func(_ *testing.T, m string) string { return m }, map[string]string{
			"rsa._domainkey.example.com": published(t, "example.com")["rsa._domainkey.example.com"] + "; n=" + strings.Repeat("A", 4096), "ed._domainkey.example.com": "v=DKIM1; p="}, "permerror", lists.Contradicted},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			txt := published(t, "example.com")
			txt["_dmarc.example.com"] = "v=DMARC1; p=reject"
			for name, record := range tt.txt {
				txt[name] = record
			}
			c := identity.New(identity.Options{Resolver: resolver(zones(txt))})
			r := c.Check(t.Context(), facts(t, "ann@example.com", "x@esp.example"), content(tt.edit(t, signed(t))))
			if r.Proof != tt.proof || len(r.DKIM) == 0 || r.DKIM[0].Result != tt.result {
				t.Errorf("%v by %+v, want %v by %s", r.Proof, r.DKIM, tt.proof, tt.result)
			}
		})
	}
}

// The author's signature is found below more than MaxSignatures of others.
func TestManySignatures(t *testing.T) {
	t.Parallel()
	txt := published(t, "example.com")
	message := sign(t, signer(t, "example.com"), []byte(plainPost))
	for i := range 20 {
		message = sign(t, signer(t, fmt.Sprintf("list%d.example.net", i)), message)
	}
	c := identity.New(identity.Options{Resolver: resolver(zones(txt)), MaxSignatures: 3})
	r := c.Check(t.Context(), facts(t, "ann@example.com", "x@esp.example"), content(string(message)))
	if r.Proof != lists.Proven || len(r.DKIM) != 3 {
		t.Errorf("%v by %d signatures, want proven by 3: %+v", r.Proof, len(r.DKIM), r.DKIM)
	}
	if last := r.DKIM[2]; last.Domain != "example.com" || last.Selector != "ed" || last.Result != "pass" {
		t.Errorf("the last is %+v, want that of example.com", last)
	}
}

// What go-msgauth takes square time for, and what would leave its goroutines behind.
func TestHostileSignaturesCostLittle(t *testing.T) {
	t.Parallel()
	txt := published(t, "example.com")
	signed := string(sign(t, signer(t, "example.com"), []byte(plainPost)))
	simple := strings.ReplaceAll(signed, "relaxed/relaxed", "simple/simple")
	for _, tt := range []struct{ name, message, reason string }{
		{"a body of line ends", simple + strings.Repeat("\r\n", 5<<20), "too many blank lines"},
		{"a body of lines of blanks", signed + strings.Repeat(" \t\r\n", 5<<20), "too many blank lines"},
		{"a body of bare LF", simple + strings.Repeat("\n", 5<<20), "too many blank lines"},
		{"thousands of names in h=", strings.ReplaceAll(signed, "h=from:", "h=from:"+strings.Repeat("a:", 50_000)) + "x\r\n", "too many signed fields"},
		{"a field folded without end", "X: y\r\n" + strings.Repeat(" z\r\n", 50_000) + signed, "header fields are folded too often"},
		{"thousands of fields", strings.Repeat("a:\r\n", 40_000) + signed, "too many signed fields"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := identity.New(identity.Options{Resolver: resolver(zones(txt))})
			start := time.Now()
			r := c.Check(t.Context(), facts(t, "ann@example.com", "x@esp.example"), content(tt.message))
			if len(r.DKIM) != 2 || r.DKIM[0].Result != "policy" || r.DKIM[0].Reason != tt.reason {
				t.Errorf("%+v, want policy for %q", r.DKIM, tt.reason)
			}
			if took := time.Since(start); took > 5*time.Second { // minutes, if it were not for the guards
				t.Errorf("took %v", took)
			}
		})
	}
}

type failingReader struct{ io.Reader }

func (r failingReader) Read(p []byte) (int, error) {
	n, err := r.Reader.Read(p)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// Not parallel: it counts goroutines.
func TestBrokenContentLeavesNothingBehind(t *testing.T) {
	txt := published(t, "example.com")
	message := sign(t, signer(t, "example.com"), []byte(plainPost))
	c := identity.New(identity.Options{Resolver: resolver(zones(txt))})
	before := runtime.NumGoroutine()
	for range 20 {
		r := c.Check(t.Context(), facts(t, "ann@example.com", "x@esp.example"),
			func() io.Reader { return failingReader{bytes.NewReader(message)} })
		if r.Proof != lists.Unproven || r.DKIM[0].Result != "policy" {
			t.Fatalf("%v by %+v, want unproven", r.Proof, r.DKIM)
		}
	}
	for range 100 {
		if runtime.NumGoroutine() <= before {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), before)
}
