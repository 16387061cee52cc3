package identity_test

import (
	"cmp"
	"strings"
	"testing"

	"github.com/emersion/go-msgauth/authres"

	"superlistd/identity"
)

func TestAuthenticationResults(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		in   identity.Result
		want string
	}{
		{"nothing was looked at: RFC 8601 B.2", identity.Result{}, "example.org; none"},
		{"all", identity.Result{
			Author: "example.com",
			SPF:    identity.SPF{Result: "softfail", Domain: "bounces.example.com"},
			DKIM:   []identity.DKIM{{Result: "fail", Domain: "example.com", Selector: "s1", Algorithm: "rsa-sha256", B: "abc", Reason: "body hash did not verify"}},
			DMARC:  identity.DMARC{Result: "fail", Record: "example.com", Published: identity.PolicyReject},
		}, `example.org; spf=softfail smtp.mailfrom=bounces.example.com; dkim=fail reason="body hash did not verify" header.d=example.com header.s=s1 header.a=rsa-sha256 header.b=abc; dmarc=fail policy.published-domain-policy=reject header.from=example.com`},
		{"a stranger cannot leave his place", identity.Result{
			DKIM: []identity.DKIM{{Result: "permerror", Domain: "a b", Selector: "x; dmarc=pass", B: "\r\nBcc: x\"\\", Algorithm: "ä"}},
		}, `example.org; dkim=permerror header.d="a b" header.s="x; dmarc=pass" header.a="??" header.b="??Bcc: x\"\\"`},
		{"nor fill the field", identity.Result{DKIM: []identity.DKIM{{Result: "pass", Selector: strings.Repeat("x", 10_000)}}},
			"example.org; dkim=pass header.s=" + strings.Repeat("x", 253)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := tt.in.AuthenticationResults("example.org"); got != tt.want {
				t.Errorf("got\n%s, want\n%s", got, tt.want)
			}
		})
	}
}

// The law: whatever strangers put in, another's parser reads as many results as were
// given, of the methods and with the values that were given, under our name.
func FuzzAuthenticationResults(f *testing.F) {
	f.Add("example.org", "example.com", "s1", "rsa-sha256", "AbCd/+==", "body hash did not verify", true)
	f.Add("h", "x; dkim=pass", "\r\nFrom: x", `"`, `\`, "(comment", false)
	f.Add("h o", "ä", "=", ";;", "\x00", "a\"b;c", true)
	f.Fuzz(func(t *testing.T, host, domain, selector, algorithm, b, reason string, helo bool) {
		host = cmp.Or(host, "h") // there is no host without a name
		r := identity.Result{
			Author: domain,
			SPF:    identity.SPF{Result: "pass", Domain: domain, Helo: helo},
			DKIM:   []identity.DKIM{{Result: "fail", Domain: domain, Selector: selector, Algorithm: algorithm, B: b, Reason: reason}, {Result: "pass", Domain: "example.com"}},
			DMARC:  identity.DMARC{Result: "none"},
		}
		value := r.AuthenticationResults(host)
		for i := 0; i < len(value); i++ {
			if value[i] < ' ' || value[i] > '~' {
				t.Fatalf("octet %#x in %q", value[i], value)
			}
		}
		if len(value) > 20*2*256 {
			t.Fatalf("%d octets", len(value))
		}
		if name := clean(host); name == strings.TrimSpace(name) && !namedAs(value, name) {
			t.Fatalf("%q is not of %q", value, host)
		}
		methods := outsideQuotes(value)
		if n := strings.Count(methods, ";"); n != 4 {
			t.Fatalf("%d results in %q, want 4", n, value)
		}
		for _, m := range []string{"spf=pass", "dkim=fail", "dkim=pass", "dmarc=none"} {
			if strings.Count(methods, "; "+m) != 1 {
				t.Fatalf("%q stands not once in %q", m, value)
			}
		}
		// authres splits at any ";" and "=", also in quotes: it can judge plain values only.
		if !strings.Contains(value, `"`) {
			_, results, err := authres.Parse(value)
			if err != nil || len(results) != 4 {
				t.Fatalf("%q: %d results, %v", value, len(results), err)
			}
		}
	})
}

// clean is what a value may become: 253 octets, printable.
func clean(s string) string {
	b := []byte(s[:min(len(s), 253)])
	for i, c := range b {
		if c < ' ' || c > '~' {
			b[i] = '?'
		}
	}
	return string(b)
}

// outsideQuotes drops quoted strings, read as RFC 5322 section 3.2.4 has them.
func outsideQuotes(s string) string {
	var b strings.Builder
	quoted := false
	for i := 0; i < len(s); i++ {
		switch {
		case quoted && s[i] == '\\':
			i++
		case s[i] == '"':
			quoted = !quoted
		case !quoted:
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// namedAs tells whether a value begins with a name and ";", the name as it is or quoted.
func namedAs(value, name string) bool {
	quoted := `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `"`
	return strings.HasPrefix(value, name+";") || strings.HasPrefix(value, quoted+";")
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r > '~' }) < 0
}
