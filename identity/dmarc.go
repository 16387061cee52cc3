package identity

import (
	"context"
	"net/url"
	"strings"
)

// Policy is what a domain asks receivers to do with mail that fails DMARC.
type Policy string

// The policies of RFC 9989 section 4.7, and what is there when the DNS did not tell.
const (
	PolicyNone       Policy = "none"
	PolicyQuarantine Policy = "quarantine"
	PolicyReject     Policy = "reject"
	PolicyUnknown    Policy = "unknown"
)

// DMARC is the outcome of RFC 9989 for a post.
type DMARC struct {
	// Result is none, pass, fail, temperror or permerror; "" when nothing was asked.
	Result string
	// Record is the domain whose record applies, "" without one.
	Record string
	// Test: the record says t=y.
	Test bool
	// Published is the policy before t=y softens it.
	Published Policy
}

// Record is a DMARC policy record (RFC 9989 section 4.7). P, SP and NP are "" when
// the tag is not there.
type Record struct {
	P, SP, NP Policy
	// PSD is 'y', 'n' or 'u', the default.
	PSD byte
	// Test is t=y.
	Test bool
	// StrictDKIM and StrictSPF are adkim=s and aspf=s.
	StrictDKIM, StrictSPF bool
	// Reports: rua has a URI that may be one.
	Reports bool
	// Invalid: p, sp or np has a value that is no policy.
	Invalid bool
}

// ParseRecord reads a TXT record, its strings joined. It gives false for what is not
// a DMARC record: another or no version, or the version not first. Unknown tags and
// broken values are passed over, as RFC 9989 section 4.8 wants; of a tag that comes
// twice the first counts.
func ParseRecord(txt string) (Record, bool) {
	version, rest, _ := strings.Cut(txt, ";")
	name, value, ok := strings.Cut(version, "=")
	if !ok || !strings.EqualFold(trim(name), "v") || trim(value) != "DMARC1" {
		return Record{}, false
	}
	r := Record{PSD: 'u'}
	seen := make(map[string]bool, 8)
	for tag := range strings.SplitSeq(rest, ";") {
		name, value, ok := strings.Cut(tag, "=")
		if name = strings.ToLower(trim(name)); !ok || !isRecordTag(name) || seen[name] {
			continue
		}
		seen[name] = true
		r.set(name, trim(value))
	}
	return r, true
}

func isRecordTag(name string) bool {
	switch name {
	case "p", "sp", "np", "psd", "t", "adkim", "aspf", "rua":
		return true
	}
	return false
}

func (r *Record) set(name, value string) {
	word := strings.ToLower(value)
	switch name {
	case "p":
		r.P = r.request(word)
	case "sp":
		r.SP = r.request(word)
	case "np":
		r.NP = r.request(word)
	case "psd":
		if word == "y" || word == "n" {
			r.PSD = word[0]
		}
	case "t":
		r.Test = word == "y"
	case "adkim":
		r.StrictDKIM = word == "s"
	case "aspf":
		r.StrictSPF = word == "s"
	case "rua":
		r.Reports = hasURI(value)
	}
}

func (r *Record) request(word string) Policy {
	switch p := Policy(word); p {
	case PolicyNone, PolicyQuarantine, PolicyReject:
		return p
	}
	r.Invalid = true
	return ""
}

// hasURI reports whether one of the URIs is one, its obsolete "!size" cut off.
func hasURI(value string) bool {
	for u := range strings.SplitSeq(value, ",") {
		u, _, _ = strings.Cut(trim(u), "!")
		if p, err := url.Parse(u); err == nil && p.Scheme != "" && p.Opaque+p.Host != "" {
			return true
		}
	}
	return false
}

// usable tells whether the record has a policy to apply. One with a broken policy
// and nobody to report to is none (RFC 9989 section 4.10.1).
func (r Record) usable() bool { return !r.Invalid || r.Reports }

// requestFor is the policy for the record's own domain, or for one below it that is
// there in the DNS or not.
func (r Record) requestFor(below, exists bool) Policy {
	p := r.P
	if r.Invalid {
		return PolicyNone
	}
	if below && r.SP != "" {
		p = r.SP
	}
	if below && !exists && r.NP != "" {
		p = r.NP
	}
	if p == "" {
		return PolicyNone
	}
	return p
}

// soften is the policy one level below, that t=y asks for.
func soften(p Policy) Policy {
	if p == PolicyReject {
		return PolicyQuarantine
	}
	return PolicyNone
}

// author is what DMARC says of a From domain.
type author struct {
	domain string
	org    string // organisational domain, for alignment
	at     string // where the record was found, "" without one
	rec    Record // zero unless usable
	usable bool
	// policy is what receivers apply, published what it is without t=y.
	policy, published Policy
	failed            bool // the DNS did not tell
}

// discover finds the record that applies to an author's domain (RFC 9989 section
// 4.10.1) and its organisational domain.
func (c *Checker) discover(ctx context.Context, domain string) author {
	a := author{domain: domain, policy: PolicyNone, published: PolicyNone}
	w := c.walk(ctx, domain)
	if w.failed {
		a.failed, a.policy, a.published = true, PolicyUnknown, PolicyUnknown
		return a
	}
	a.org = w.alignment()
	f, ok := w.policy()
	if !ok {
		return a
	}
	a.at = f.name
	if a.usable = f.rec.usable(); !a.usable {
		return a
	}
	a.rec = f.rec
	exists := true
	below := f.name != domain
	if below && f.rec.NP != "" && f.rec.NP != f.rec.requestFor(true, true) {
		var known bool
		if exists, known = c.exists(ctx, domain); !known {
			a.failed, a.policy, a.published = true, PolicyUnknown, PolicyUnknown
			return a
		}
	}
	a.published = f.rec.requestFor(below, exists)
	if a.policy = a.published; f.rec.Test {
		a.policy = soften(a.published)
	}
	return a
}

// mayAlign tells without asking whether a pass for the domain could speak for the
// author. What is not below the author's organisational domain never can.
func (a author) mayAlign(domain string, strict bool) bool {
	if domain == "" || a.failed {
		return false
	}
	return domain == a.domain || !strict && within(domain, a.org)
}

// aligned tells whether a pass for the domain speaks for the author (RFC 9989 section
// 4.10.2); pending is set when the DNS did not tell.
func (c *Checker) aligned(ctx context.Context, a author, domain string, strict bool) (aligned, pending bool) {
	if domain != "" && domain == a.domain {
		return true, false // whatever the record says
	}
	if !a.mayAlign(domain, strict) {
		return false, false
	}
	w := c.walk(ctx, domain)
	if w.failed {
		return false, true
	}
	return w.alignment() == a.org, false
}
