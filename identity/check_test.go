package identity_test

import (
	"fmt"
	"maps"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/foxcpp/go-mockdns"

	"superlistd/identity"
	"superlistd/lists"
)

const plainPost = "From: Ann <ann@example.com>\r\nTo: team@lists.example.org\r\nSubject: Lunch\r\n\r\nAt noon?\r\n"

func TestCheck(t *testing.T) {
	t.Parallel()
	reject := "v=DMARC1; p=reject"
	spfPass, spfFail := "v=spf1 ip4:192.0.2.1 -all", "v=spf1 -all"
	for _, tt := range []struct {
		name        string
		from        string // default ann@example.com
		reversePath string
		signedBy    string // domain of the signature, published
		txt         map[string]string
		broken      []string // names that the DNS does not answer
		want        lists.Proof
		results     string // spf/dkim/dmarc
	}{
		{name: "nothing published", reversePath: "ann@example.com",
			want: lists.Unproven, results: "none//none"},
		{name: "SPF of the domain itself, without a DMARC record", reversePath: "ann@example.com", txt: map[string]string{"example.com": spfPass},
			want: lists.Proven, results: "pass//none"},
		{name: "SPF of the same organisation, without a DMARC record", reversePath: "b@bounces.example.com", txt: map[string]string{"bounces.example.com": spfPass},
			want: lists.Proven, results: "pass//none"},
		{name: "SPF of a stranger", reversePath: "b@evil.example", txt: map[string]string{"evil.example": spfPass},
			want: lists.Unproven, results: "pass//none"},
		{name: "SPF of a stranger, against a policy", reversePath: "b@evil.example", txt: map[string]string{"evil.example": spfPass, "_dmarc.example.com": reject},
			want: lists.Contradicted, results: "pass//fail"},
		{name: "SPF fails, no policy", reversePath: "ann@example.com", txt: map[string]string{"example.com": spfFail},
			want: lists.Unproven, results: "fail//none"},
		{name: "SPF fails, p=none", reversePath: "ann@example.com", txt: map[string]string{"example.com": spfFail, "_dmarc.example.com": "v=DMARC1; p=none"},
			want: lists.Unproven, results: "fail//fail"},
		{name: "SPF fails, p=quarantine", reversePath: "ann@example.com", txt: map[string]string{"example.com": spfFail, "_dmarc.example.com": "v=DMARC1; p=quarantine"},
			want: lists.Contradicted, results: "fail//fail"},
		{name: "t=y makes nothing of quarantine", reversePath: "ann@example.com", txt: map[string]string{"_dmarc.example.com": "v=DMARC1; p=quarantine; t=y"},
			want: lists.Unproven, results: "none//fail"},
		{name: "t=y makes quarantine of reject", reversePath: "ann@example.com", txt: map[string]string{"_dmarc.example.com": "v=DMARC1; p=reject; t=y"},
			want: lists.Contradicted, results: "none//fail"},
		{name: "softfail is no pass", reversePath: "ann@example.com", txt: map[string]string{"example.com": "v=spf1 ~all", "_dmarc.example.com": reject},
			want: lists.Contradicted, results: "softfail//fail"},
		{name: "RFC 9989 B.1.1 example 1: SPF strict", reversePath: "sender@example.com", txt: map[string]string{"example.com": spfPass, "_dmarc.example.com": reject + "; aspf=s"},
			want: lists.Proven, results: "pass//pass"},
		{name: "RFC 9989 B.1.1 example 2: SPF relaxed", reversePath: "sender@child.example.com", txt: map[string]string{"child.example.com": spfPass, "_dmarc.example.com": reject},
			want: lists.Proven, results: "pass//pass"},
		{name: "the same, but strict", reversePath: "sender@child.example.com", txt: map[string]string{"child.example.com": spfPass, "_dmarc.example.com": reject + "; aspf=s"},
			want: lists.Contradicted, results: "pass//fail"},
		{name: "RFC 9989 B.1.1 example 3: no alignment", from: "sender@child.example.com", reversePath: "sender@example.net", txt: map[string]string{"example.net": spfPass, "_dmarc.example.com": reject},
			want: lists.Contradicted, results: "pass//fail"},
		{name: "a sibling is in the organisation", from: "ann@news.example.com", reversePath: "b@foo.example.com", txt: map[string]string{"foo.example.com": spfPass, "_dmarc.example.com": reject},
			want: lists.Proven, results: "pass//pass"},
		{name: "psd=n parts a branch from the organisation", from: "ann@example.com", reversePath: "b@foo.example.com",
			txt:  map[string]string{"foo.example.com": spfPass, "_dmarc.example.com": reject, "_dmarc.foo.example.com": "v=DMARC1; psd=n"},
			want: lists.Contradicted, results: "pass//fail"},
		{name: "a neighbour under a public suffix with a record is a stranger", from: "ann@example.co.uk", reversePath: "b@evil.co.uk",
			txt:  map[string]string{"evil.co.uk": spfPass, "_dmarc.co.uk": "v=DMARC1; p=reject"},
			want: lists.Contradicted, results: "pass//fail"},
		{name: "a domain that ends in the same letters is a stranger", reversePath: "b@notexample.com", txt: map[string]string{"notexample.com": spfPass, "_dmarc.example.com": reject},
			want: lists.Contradicted, results: "pass//fail"},
		{name: "RFC 9989 B.1.2 example 1: DKIM strict", reversePath: "b@esp.example", signedBy: "example.com", txt: map[string]string{"_dmarc.example.com": reject + "; adkim=s"},
			want: lists.Proven, results: "none/pass/pass"},
		{name: "RFC 9989 B.1.2 example 2: DKIM relaxed, the parent signs", from: "sender@child.example.com", reversePath: "b@esp.example", signedBy: "example.com", txt: map[string]string{"_dmarc.example.com": reject},
			want: lists.Proven, results: "none/pass/pass"},
		{name: "the same, but strict", from: "sender@child.example.com", reversePath: "b@esp.example", signedBy: "example.com", txt: map[string]string{"_dmarc.example.com": reject + "; adkim=s"},
			want: lists.Contradicted, results: "none/pass/fail"},
		{name: "RFC 9989 B.1.2 example 3: no alignment", from: "sender@child.example.com", reversePath: "b@esp.example", signedBy: "example.net", txt: map[string]string{"_dmarc.example.com": reject},
			want: lists.Contradicted, results: "none/pass/fail"},
		{name: "a signature over a public suffix speaks for nobody below it", reversePath: "b@esp.example", signedBy: "com", txt: map[string]string{"_dmarc.example.com": reject},
			want: lists.Contradicted, results: "none/pass/fail"},
		{name: "DKIM without a DMARC record", reversePath: "b@esp.example", signedBy: "mail.example.com",
			want: lists.Proven, results: "none/pass/none"},
		{name: "the null reverse-path asks for HELO", reversePath: "", txt: map[string]string{"mail.example.com": spfPass, "_dmarc.example.com": reject},
			want: lists.Proven, results: "pass//pass"},
		{name: "np is for a domain that is not there", from: "ceo@nowhere.example.com", reversePath: "b@esp.example", txt: map[string]string{"_dmarc.example.com": "v=DMARC1; p=none; np=reject"},
			want: lists.Contradicted, results: "none//fail"},
		{name: "a broken record without reports is no record", reversePath: "b@esp.example", txt: map[string]string{"_dmarc.example.com": "v=DMARC1; p=no"},
			want: lists.Unproven, results: "none//permerror"},
		{name: "a broken DMARC answer leaves it unproven", reversePath: "b@esp.example", txt: map[string]string{"_dmarc.example.com": reject}, broken: []string{"_dmarc.example.com"},
			want: lists.Unproven, results: "none//temperror"},
		{name: "but the very same domain needs no record", reversePath: "ann@example.com", txt: map[string]string{"example.com": spfPass}, broken: []string{"_dmarc.example.com"},
			want: lists.Proven, results: "pass//temperror"},
		{name: "a broken SPF answer leaves it unproven", reversePath: "ann@example.com", txt: map[string]string{"_dmarc.example.com": reject}, broken: []string{"example.com"},
			want: lists.Unproven, results: "temperror//temperror"},
		{name: "a broken SPF answer of a stranger does not", reversePath: "b@evil.example", txt: map[string]string{"_dmarc.example.com": reject}, broken: []string{"evil.example"},
			want: lists.Contradicted, results: "temperror//fail"},
		{name: "a broken key leaves it unproven", reversePath: "b@esp.example", signedBy: "example.com", txt: map[string]string{"_dmarc.example.com": reject}, broken: []string{"rsa._domainkey.example.com", "ed._domainkey.example.com"},
			want: lists.Unproven, results: "none/temperror/temperror"},
		{name: "a broken key of a stranger does not", reversePath: "b@esp.example", signedBy: "evil.example", txt: map[string]string{"_dmarc.example.com": reject}, broken: []string{"rsa._domainkey.evil.example", "ed._domainkey.evil.example"},
			want: lists.Contradicted, results: "none/temperror/fail"},
		{name: "a broken walk for the signer leaves it unproven", reversePath: "b@esp.example", signedBy: "mail.example.com", txt: map[string]string{"_dmarc.example.com": reject}, broken: []string{"_dmarc.mail.example.com"},
			want: lists.Unproven, results: "none/pass/temperror"},
		{name: "too many lookups are a permanent error", reversePath: "ann@example.com", txt: map[string]string{"example.com": "v=spf1 include:example.com -all", "_dmarc.example.com": reject},
			want: lists.Contradicted, results: "permerror//fail"},
		{name: "a reverse-path with a quoted @ is of its domain", reversePath: `"x@example.com"@evil.example`, txt: map[string]string{"evil.example": spfPass, "example.com": spfPass, "_dmarc.example.com": reject},
			want: lists.Contradicted, results: "pass//fail"},
		{name: "a reverse-path at a literal has no record", reversePath: "ann@[192.0.2.1]", want: lists.Unproven, results: "none//none"},
		{name: "an author at a literal is not looked at", from: "ann@[192.0.2.1]", reversePath: "ann@example.com", want: lists.Unproven, results: "//"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if tt.from == "" {
				tt.from = "ann@example.com"
			}
			txt, message := map[string]string{}, []byte(strings.Replace(plainPost, "ann@example.com", tt.from, 1))
			if tt.signedBy != "" {
				txt = published(t, tt.signedBy)
				message = sign(t, signer(t, tt.signedBy), message)
			}
			maps.Copy(txt, tt.txt)
			z := zones(txt)
			for _, name := range tt.broken {
				z[name+"."] = brokenDNS()
			}
			c := identity.New(identity.Options{Resolver: resolver(z)})
			r := c.Check(t.Context(), facts(t, tt.from, tt.reversePath), content(string(message)))
			if r.Proof != tt.want {
				t.Errorf("Proof = %v, want %v: %+v", r.Proof, tt.want, r)
			}
			dkim := ""
			if len(r.DKIM) > 0 {
				dkim = r.DKIM[0].Result
			}
			if got := r.SPF.Result + "/" + dkim + "/" + r.DMARC.Result; got != tt.results {
				t.Errorf("SPF/DKIM/DMARC = %s, want %s: %+v", got, tt.results, r)
			}
		})
	}
}

func TestCheckLooksAtOneAuthorOnly(t *testing.T) {
	t.Parallel()
	ann, bob := address(t, "ann@example.com"), address(t, "bob@example.com")
	txt := map[string]string{"example.com": "v=spf1 ip4:192.0.2.1"}
	for _, tt := range []struct {
		name    string
		authors []lists.Address
		head    string
		want    lists.Proof
	}{
		{"one", []lists.Address{ann}, "From: ann@example.com\r\n", lists.Proven},
		{"one, folded and in capitals", []lists.Address{ann}, "FROM :\r\n ann@example.com\r\n", lists.Proven},
		{"none", nil, "Subject: x\r\n", lists.Unproven},
		{"five", []lists.Address{ann, bob, ann, bob, ann}, "From: five\r\n", lists.Unproven},
		{"a second field that names nobody", []lists.Address{ann}, "From: Ann\r\nFrom: ann@example.com\r\n", lists.Unproven},
		{"a field that is not there", []lists.Address{ann}, "Sender: ann@example.com\r\n", lists.Unproven},
		{"a field in the body", []lists.Address{ann}, "Subject: x\r\n\r\nFrom: ann@example.com\r\n", lists.Unproven},
		{"a header of 10 kB", []lists.Address{ann}, "From: " + strings.Repeat("=?utf-8?q?=0D=0A?=\r\n ", 500) + "<ann@example.com>\r\n", lists.Proven},
		{"a header without end", []lists.Address{ann}, "From: ann@example.com\r\n" + strings.Repeat("X: y\r\n", 1<<16), lists.Unproven},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dns := resolver(zones(txt))
			c := identity.New(identity.Options{Resolver: dns})
			f := facts(t, "ann@example.com", "ann@example.com")
			f.Authors = tt.authors
			r := c.Check(t.Context(), f, content(tt.head+"\r\nHi\r\n"))
			if r.Proof != tt.want {
				t.Errorf("Proof = %v, want %v", r.Proof, tt.want)
			}
			if asked := dns.questions(); tt.want == lists.Unproven && asked > 0 {
				t.Errorf("%d questions for a post that is not looked at", asked)
			}
			if r.Author == "" && r.AuthenticationResults("mx.example.org") != "mx.example.org; none" {
				t.Errorf("results %q of nothing", r.AuthenticationResults("mx.example.org"))
			}
		})
	}
}

func TestTrustedIsProvenWithoutQuestions(t *testing.T) {
	t.Parallel()
	dns := resolver(zones(map[string]string{"_dmarc.example.com": "v=DMARC1; p=reject"}))
	c := identity.New(identity.Options{Resolver: dns})
	f := facts(t, "ann@example.com", "x@evil.example")
	f.Trusted = true
	if r := c.Check(t.Context(), f, content(plainPost)); r.Proof != lists.Proven {
		t.Errorf("Proof = %v, want proven", r.Proof)
	}
	if dns.questions() != 0 {
		t.Errorf("%d questions", dns.questions())
	}
}

func TestUnknownClientHasNoSPF(t *testing.T) {
	t.Parallel()
	c := identity.New(identity.Options{Resolver: resolver(zones(map[string]string{"example.com": "v=spf1 +all"}))})
	f := facts(t, "ann@example.com", "ann@example.com")
	f.Client = netip.Addr{}
	if r := c.Check(t.Context(), f, nil); r.Proof != lists.Unproven || r.SPF.Result != "none" {
		t.Errorf("%v, SPF %s; want unproven, none", r.Proof, r.SPF.Result)
	}
}

func TestMappedAddressIsAnIPv4Client(t *testing.T) {
	t.Parallel()
	c := identity.New(identity.Options{Resolver: resolver(zones(map[string]string{"example.com": "v=spf1 ip4:192.0.2.0/24 -all"}))})
	f := facts(t, "ann@example.com", "ann@example.com")
	f.Client = netip.MustParseAddr("::ffff:192.0.2.1")
	if r := c.Check(t.Context(), f, nil); r.Proof != lists.Proven {
		t.Errorf("%v by SPF %s; want proven", r.Proof, r.SPF.Result)
	}
}

// A stranger with a slow DNS neither holds the dialogue longer than the timeout nor
// escapes the contradiction.
func TestSlowStrangerIsContradictedInTime(t *testing.T) {
	t.Parallel()
	const timeout = 200 * time.Millisecond
	txt := map[string]string{"_dmarc.example.com": "v=DMARC1; p=reject", "evil.example": "v=spf1 include:slow.evil.example -all"}
	dns := resolver(zones(txt))
	dns.slow = "slow.evil.example."
	c := identity.New(identity.Options{Resolver: dns, Timeout: timeout})
	message := sign(t, signer(t, "slow.evil.example"), []byte(plainPost))
	start := time.Now()
	r := c.Check(t.Context(), facts(t, "ann@example.com", "x@evil.example"), content(string(message)))
	if r.Proof != lists.Contradicted || r.SPF.Result != "temperror" || r.DKIM[0].Result != "temperror" {
		t.Errorf("%v, want contradicted: %+v", r.Proof, r)
	}
	if took := time.Since(start); took > 20*timeout {
		t.Errorf("took %v, with a timeout of %v", took, timeout)
	}
}

// Nor does a slow name beside it take the time that the author's own proof needs.
func TestSlowNeighbourLeavesTimeForTheProof(t *testing.T) {
	t.Parallel()
	txt := published(t, "mail.example.com")
	txt["_dmarc.example.com"] = "v=DMARC1; p=reject"
	dns := resolver(zones(txt))
	dns.slow = "slow.example."
	c := identity.New(identity.Options{Resolver: dns, Timeout: 2 * time.Second})
	message := sign(t, signer(t, "mail.example.com"), []byte(plainPost))
	r := c.Check(t.Context(), facts(t, "ann@example.com", "x@slow.example"), content(string(message)))
	if r.Proof != lists.Proven || r.SPF.Result != "temperror" {
		t.Errorf("%v, want proven: %+v", r.Proof, r)
	}
}

func TestDeadDNSLeavesUnprovenInTime(t *testing.T) {
	t.Parallel()
	const timeout = 100 * time.Millisecond
	dns := resolver(nil)
	dns.slow = "."
	c := identity.New(identity.Options{Resolver: dns, Timeout: timeout})
	start := time.Now()
	r := c.Check(t.Context(), facts(t, "ann@example.com", "ann@example.com"), content(string(sign(t, signer(t, "example.com"), []byte(plainPost)))))
	if r.Proof != lists.Unproven || r.Policy != identity.PolicyUnknown {
		t.Errorf("%v with policy %s, want unproven, unknown", r.Proof, r.Policy)
	}
	if took := time.Since(start); took > 20*timeout {
		t.Errorf("took %v, with a timeout of %v", took, timeout)
	}
}

// Whatever a stranger publishes, the number of questions for one post is bounded.
func TestQuestionsAreBounded(t *testing.T) {
	t.Parallel()
	record := "v=spf1"
	z := map[string]mockdns.Zone{}
	for i := range 10 {
		name := fmt.Sprintf("mx%d.evil.example", i)
		record += " mx:" + name
		mx := mockdns.Zone{}
		for j := range 10 {
			host := fmt.Sprintf("%d.%s.", j, name)
			mx.MX = append(mx.MX, net.MX{Host: host})
			z[host] = mockdns.Zone{A: []string{"198.51.100.1"}}
		}
		z[name+"."] = mx
	}
	z["evil.example."] = mockdns.Zone{TXT: []string{record + " -all"}}
	dns := resolver(z)
	c := identity.New(identity.Options{Resolver: dns})
	from := "a@" + strings.Repeat("a.", 60) + "example.com"
	message := []byte(strings.Replace(plainPost, "ann@example.com", from, 1))
	for range 10 {
		message = sign(t, signer(t, strings.Repeat("b.", 60)+"example.com"), message)
	}
	f := facts(t, from, "x@evil.example")
	f.Client = netip.MustParseAddr("2001:db8::1")
	r := c.Check(t.Context(), f, content(string(message)))
	if len(r.DKIM) != 5 {
		t.Errorf("%d signatures verified, want 5", len(r.DKIM))
	}
	if r.SPF.Result != "temperror" {
		t.Errorf("SPF %s, want temperror", r.SPF.Result)
	}
	if n := dns.questions(); n > 64+8+5 {
		t.Errorf("%d questions for one post", n)
	}
}
