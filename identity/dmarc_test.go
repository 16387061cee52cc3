package identity_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/foxcpp/go-mockdns"
	"github.com/google/go-cmp/cmp"

	"superlistd/identity"
)

func TestRecord(t *testing.T) {
	t.Parallel()
	rec := func(f func(*identity.Record)) identity.Record {
		r := identity.Record{PSD: 'u'}
		f(&r)
		return r
	}
	for _, tt := range []struct {
		name, in string
		want     identity.Record
		ok       bool
	}{
		{"RFC 9989 B.2.1", "v=DMARC1; p=none; rua=mailto:dmarc-feedback@example.com",
			rec(func(r *identity.Record) { r.P, r.Reports = identity.PolicyNone, true }), true},
		{"RFC 9989 B.2.5", "v=DMARC1; p=quarantine; rua=mailto:dmarc-feedback@example.com,mailto:tld-test@thirdparty.example.net; t=y",
			rec(func(r *identity.Record) { r.P, r.Reports, r.Test = identity.PolicyQuarantine, true, true }), true},
		{"RFC 9989 B.3.1", "v=DMARC1; p=reject; aspf=r; rua=mailto:dmarc-feedback@example.com",
			rec(func(r *identity.Record) { r.P, r.Reports = identity.PolicyReject, true }), true},
		{"all tags, in any order and case", "V = DMARC1 ;psd=N; np=REJECT ;sp=quarantine;ADKIM=S; aspf=s;p=none;",
			identity.Record{P: identity.PolicyNone, SP: identity.PolicyQuarantine, NP: identity.PolicyReject, PSD: 'n', StrictDKIM: true, StrictSPF: true}, true},
		{"p may be missing", "v=DMARC1", rec(func(*identity.Record) {}), true},
		{"unknown tags are ignored", "v=DMARC1; p=reject; pct=0; rf=afrf; x=; =; ;;nonsense",
			rec(func(r *identity.Record) { r.P = identity.PolicyReject }), true},
		{"broken values become the default", "v=DMARC1; p=reject; psd=maybe; t=1; adkim=strict; aspf=; rua=!,nobody",
			rec(func(r *identity.Record) { r.P = identity.PolicyReject }), true},
		{"a broken policy is noted", "v=DMARC1; p=rejct",
			rec(func(r *identity.Record) { r.Invalid = true }), true},
		{"the first of two counts", "v=DMARC1; p=reject; p=none",
			rec(func(r *identity.Record) { r.P = identity.PolicyReject }), true},
		{"the obsolete size is cut off", "v=DMARC1; p=none; rua=mailto:a@example.com!10m",
			rec(func(r *identity.Record) { r.P, r.Reports = identity.PolicyNone, true }), true},
		{"the version is first", "p=reject; v=DMARC1", identity.Record{}, false},
		{"the version is in capitals", "v=dmarc1; p=reject", identity.Record{}, false},
		{"another version", "v=DMARC2; p=reject", identity.Record{}, false},
		{"a longer version", "v=DMARC12; p=reject", identity.Record{}, false},
		{"no version", "p=reject", identity.Record{}, false},
		{"SPF", "v=spf1 -all", identity.Record{}, false},
		{"nothing", "", identity.Record{}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, ok := identity.ParseRecord(tt.in)
			if ok != tt.ok {
				t.Fatalf("ParseRecord(%q) = %v, want %v", tt.in, ok, tt.ok)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("ParseRecord(%q) (-want +got)\n%s", tt.in, d)
			}
		})
	}
}

func TestWalkNames(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, want string }{
		{"RFC 9989 section 4.10", "a.b.c.d.e.f.g.h.i.j.mail.example.com",
			"a.b.c.d.e.f.g.h.i.j.mail.example.com g.h.i.j.mail.example.com h.i.j.mail.example.com i.j.mail.example.com j.mail.example.com mail.example.com example.com com"},
		{"RFC 9989 section 5.1.8", "mail.a.b.c.d.e.f.g.example.com",
			"mail.a.b.c.d.e.f.g.example.com c.d.e.f.g.example.com d.e.f.g.example.com e.f.g.example.com f.g.example.com g.example.com example.com com"},
		{"eight labels", "a.b.c.d.e.f.example.com",
			"a.b.c.d.e.f.example.com b.c.d.e.f.example.com c.d.e.f.example.com d.e.f.example.com e.f.example.com f.example.com example.com com"},
		{"two labels", "example.com", "example.com com"},
		{"one label", "com", "com"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := strings.Join(identity.WalkNames(tt.in), " "); got != tt.want {
				t.Errorf("walk of %s asks\n%s, want\n%s", tt.in, got, tt.want)
			}
		})
	}
}

func TestOrganisation(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, in    string
		txt         map[string]string
		org, record string
	}{
		{"RFC 9989 4.10.2, first example", "a.mail.example.com",
			map[string]string{"_dmarc.mail.example.com": "v=DMARC1; p=none", "_dmarc.example.com": "v=DMARC1; p=none"}, "example.com", "example.com"},
		{"RFC 9989 4.10.2, second example", "a.mail.example.com",
			map[string]string{"_dmarc.mail.example.com": "v=DMARC1; psd=n", "_dmarc.example.com": "v=DMARC1"}, "mail.example.com", "mail.example.com"},
		{"RFC 9989 4.10.2, last example", "a.mail.example.com",
			map[string]string{"_dmarc.com": "v=DMARC1; psd=y"}, "example.com", "com"},
		{"psd=y stops the walk, one below it is the organisation", "a.mail.example.com",
			map[string]string{"_dmarc.example.com": "v=DMARC1; psd=y", "_dmarc.com": "v=DMARC1; psd=y"}, "mail.example.com", "example.com"},
		{"psd=y at the start is the organisation", "example.com",
			map[string]string{"_dmarc.example.com": "v=DMARC1; psd=y", "_dmarc.com": "v=DMARC1; psd=y"}, "example.com", "example.com"},
		{"the author's own record goes first", "a.mail.example.com",
			map[string]string{"_dmarc.a.mail.example.com": "v=DMARC1; p=reject", "_dmarc.example.com": "v=DMARC1; p=none"}, "example.com", "a.mail.example.com"},
		{"a record between the author and the organisation is not asked", "a.mail.example.com",
			map[string]string{"_dmarc.mail.example.com": "v=DMARC1; p=reject", "_dmarc.example.com": "v=DMARC1; p=none"}, "example.com", "example.com"},
		{"several records are none", "mail.example.com",
			map[string]string{"_dmarc.mail.example.com": "v=DMARC1; psd=n\nv=DMARC1; psd=n", "_dmarc.example.com": "v=DMARC1"}, "example.com", "example.com"},
		{"other records beside it do not count", "mail.example.com",
			map[string]string{"_dmarc.mail.example.com": "hello\nv=DMARC1; psd=n\nv=spf1 -all"}, "mail.example.com", "mail.example.com"},
		{"without a record the public suffix list", "a.b.example.co.uk", nil, "example.co.uk", ""},
		{"a private suffix is one too", "a.b.github.io", nil, "b.github.io", ""},
		{"a public suffix alone", "co.uk", nil, "co.uk", ""},
		{"a name of a house's own", "mail.corp", nil, "mail.corp", ""},
		{"a house's own suffix with a record", "mail.corp", map[string]string{"_dmarc.corp": "v=DMARC1"}, "corp", "corp"},
		{"a suffix that forgot psd=y does not join its registrants", "mail.example.co.uk",
			map[string]string{"_dmarc.co.uk": "v=DMARC1; p=reject"}, "example.co.uk", "co.uk"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := identity.New(identity.Options{Resolver: resolver(zones(tt.txt))})
			org, record := c.Organisation(t.Context(), tt.in)
			if org != tt.org || record != tt.record {
				t.Errorf("%s: organisation %q by the record of %q, want %q by %q", tt.in, org, record, tt.org, tt.record)
			}
		})
	}
}

func TestPolicy(t *testing.T) {
	t.Parallel()
	with := func(z mockdns.Zone, txt map[string]string, name string) map[string]mockdns.Zone {
		all := zones(txt)
		all[name+"."] = z
		return all
	}
	orgs := map[string]string{"_dmarc.example.com": "v=DMARC1; p=none; sp=quarantine; np=reject"}
	there := mockdns.Zone{A: []string{"192.0.2.7"}}
	for _, tt := range []struct {
		name, in string
		zones    map[string]mockdns.Zone
		want     identity.Policy
	}{
		{"no record", "example.com", nil, identity.PolicyNone},
		{"p", "example.com", zones(orgs), identity.PolicyNone},
		{"sp for what is there", "sub.example.com", with(there, orgs, "sub.example.com"), identity.PolicyQuarantine},
		{"a TXT record is there too", "sub.example.com", with(mockdns.Zone{TXT: []string{"x"}}, orgs, "sub.example.com"), identity.PolicyQuarantine},
		{"np for what is not there", "sub.example.com", zones(orgs), identity.PolicyReject},
		{"np unknown", "sub.example.com", with(brokenDNS(), orgs, "sub.example.com"), identity.PolicyUnknown},
		{"without np sp counts", "sub.example.com", zones(map[string]string{"_dmarc.example.com": "v=DMARC1; p=none; sp=reject"}), identity.PolicyReject},
		{"without sp p counts", "sub.example.com", zones(map[string]string{"_dmarc.example.com": "v=DMARC1; p=reject"}), identity.PolicyReject},
		{"np without sp", "sub.example.com", zones(map[string]string{"_dmarc.example.com": "v=DMARC1; p=reject; np=none"}), identity.PolicyNone},
		{"sp is not for the domain itself", "example.com", zones(map[string]string{"_dmarc.example.com": "v=DMARC1; p=none; sp=reject"}), identity.PolicyNone},
		{"the suffix speaks where the organisation does not", "example.com", with(there, map[string]string{"_dmarc.com": "v=DMARC1; p=none; sp=reject; psd=y"}, "example.com"), identity.PolicyReject},
		{"t=y is no reason not to rewrite", "example.com", zones(map[string]string{"_dmarc.example.com": "v=DMARC1; p=reject; t=y"}), identity.PolicyReject},
		{"a broken policy is none", "example.com", zones(map[string]string{"_dmarc.example.com": "v=DMARC1; p=reject; sp=rejct"}), identity.PolicyNone},
		{"a broken policy with reports is none", "example.com", zones(map[string]string{"_dmarc.example.com": "v=DMARC1; p=reject; sp=rejct; rua=mailto:a@example.com"}), identity.PolicyNone},
		{"a broken DNS", "example.com", map[string]mockdns.Zone{"_dmarc.example.com.": brokenDNS()}, identity.PolicyUnknown},
		{"a U-label is asked in A-labels", "BÜCHER.example", zones(map[string]string{"_dmarc.xn--bcher-kva.example": "v=DMARC1; p=reject"}), identity.PolicyReject},
		{"a literal has none", "[192.0.2.1]", nil, identity.PolicyNone},
		{"nonsense has none", "a..b", nil, identity.PolicyNone},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := identity.New(identity.Options{Resolver: resolver(tt.zones)})
			if got := c.Policy(t.Context(), tt.in); got != tt.want {
				t.Errorf("Policy(%s) = %s, want %s", tt.in, got, tt.want)
			}
		})
	}
}

// The law: a record reads the same when it is written again from what was read, in
// another order, and never asks more than eight names.
func FuzzRecord(f *testing.F) {
	for _, s := range []string{
		"v=DMARC1; p=reject; sp=none; np=quarantine; t=y; psd=n; adkim=s; aspf=s; rua=mailto:a@b.example",
		"v=DMARC1", "v = DMARC1 ; p = reject", "v=DMARC1;p=x;p=none", "v=DMARC1;;;=;p", "p=none; v=DMARC1", "v=DMARC1; rua=,!,a:",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		r, ok := identity.ParseRecord(in)
		if !ok {
			if r != (identity.Record{}) {
				t.Fatalf("%q is no record, but %+v", in, r)
			}
			return
		}
		again, ok := identity.ParseRecord(write(r))
		if !ok || again != r {
			t.Fatalf("%q reads as %+v, written again as %q: %+v", in, r, write(r), again)
		}
	})
}

func write(r identity.Record) string {
	tags := []string{"psd=" + string(r.PSD)}
	add := func(given bool, tag string) {
		if given {
			tags = append(tags, tag)
		}
	}
	add(r.P != "", "p="+string(r.P))
	add(r.SP != "", "sp="+string(r.SP))
	add(r.NP != "", "np="+string(r.NP))
	add(r.Test, "t=y")
	add(r.StrictDKIM, "adkim=s")
	add(r.StrictSPF, "aspf=s")
	add(r.Reports, "rua=mailto:a@example.org")
	slices.Reverse(tags)
	if r.Invalid { // on a tag that is not set already
		for tag, p := range map[string]identity.Policy{"p": r.P, "sp": r.SP, "np": r.NP} {
			if p == "" {
				tags = append(tags, tag+"=broken")
				break
			}
		}
	}
	return "v=DMARC1; " + strings.Join(tags, "; ")
}

func TestPolicyStopsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dns := resolver(nil)
	dns.slow = "."
	c := identity.New(identity.Options{Resolver: dns})
	if got := c.Policy(ctx, "example.com"); got != identity.PolicyUnknown {
		t.Errorf("Policy = %s, want unknown", got)
	}
}
