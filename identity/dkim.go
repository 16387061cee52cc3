package identity

import (
	"bytes"
	"context"
	"io"
	"net"
	"slices"
	"strings"

	"github.com/emersion/go-msgauth/dkim"
	"golang.org/x/net/publicsuffix"
)

const (
	maxKeyRecord = 2 << 10 // octets; an RSA key of 8192 bits takes 1400
	keyLabel     = "._domainkey."
	maxPicks     = 1 << 18   // names in h= times fields: dkim looks for each among all
	maxFolding   = 256 << 20 // octets, see mail.folding; a To of 100 kB takes 70 MB
)

// DKIM is the outcome of RFC 6376 for one signature.
type DKIM struct {
	// Result is pass, fail, policy, temperror or permerror. policy: it may verify, but
	// is not taken, for l= or for what would cost too much.
	Result string
	// Domain is d=, in A-labels, or "" when it is no domain; Selector is s=.
	Domain, Selector string
	// Algorithm is a=, B the first octets of b=, which tell signatures apart (RFC
	// 6008).
	Algorithm, B string
	// Reason is why it did not pass, for people.
	Reason string
	// Aligned: it is a pass that speaks for the author (RFC 9989 section 4.4.1).
	Aligned bool

	pending bool // it could have been aligned, but the DNS did not tell
}

// checkDKIM verifies the signatures of a post with go-msgauth. Its verifier takes
// time in the square of some things that a stranger chooses; what has too much of
// them is not given to it.
func (c *Checker) checkDKIM(ctx context.Context, m *mail, author string) []DKIM {
	picked := c.pick(m, author)
	results := make([]DKIM, len(picked))
	for i, s := range picked {
		results[i] = DKIM{Selector: s.selector, Algorithm: s.algorithm, B: s.b}
		results[i].Domain, _ = canonicalName(s.domain)
	}
	if reason := m.costs(picked); reason != "" {
		return rejected(results, reason)
	}
	body := &guard{r: m.body}
	verified, err := dkim.VerifyWithOptions(io.MultiReader(bytes.NewReader(m.without(picked)), body), &dkim.VerifyOptions{
		LookupTXT:        func(name string) ([]string, error) { return c.lookupKey(ctx, name) },
		MaxVerifications: c.maxSignatures,
	})
	if err != nil || len(verified) != len(results) {
		return rejected(results, "content cannot be read")
	}
	if body.reason != "" {
		return rejected(results, body.reason)
	}
	for i, v := range verified {
		// Only what was verified may speak for a domain, not what was read here.
		if d, ok := canonicalName(v.Domain); ok || v.Err == nil {
			results[i].Domain = d
		}
		results[i].Result, results[i].Reason = outcome(v.Err, picked[i].length)
	}
	return results
}

func outcome(err error, length bool) (result, reason string) {
	switch {
	case err == nil:
		return pass, ""
	case length:
		result = policy
	case dkim.IsTempFail(err):
		result = tempError
	case dkim.IsPermFail(err):
		result = permError
	default:
		result = fail
	}
	return result, strings.TrimPrefix(err.Error(), "dkim: ")
}

func rejected(results []DKIM, reason string) []DKIM {
	for i := range results {
		results[i].Result, results[i].Reason = policy, reason
	}
	return results
}

// lookupKey fetches a key record. A U-label in d= is asked for in A-labels.
func (c *Checker) lookupKey(ctx context.Context, name string) ([]string, error) {
	if i := strings.LastIndex(name, keyLabel); i >= 0 {
		if d, ok := canonicalName(name[i+len(keyLabel):]); ok {
			name = name[:i+len(keyLabel)] + d
		}
	}
	txt, err := c.dns.LookupTXT(ctx, name)
	for _, t := range txt {
		if len(t) > maxKeyRecord {
			return nil, &net.DNSError{Err: "key record is too long", Name: name, IsNotFound: true}
		}
	}
	return txt, err
}

// pick chooses the signatures to verify. A list or two on the way adds its own on
// top; the author's must not be lost among them.
func (c *Checker) pick(m *mail, author string) []signature {
	if len(m.signatures) <= c.maxSignatures {
		return m.signatures
	}
	picked := make([]signature, 0, c.maxSignatures)
	for _, wanted := range []bool{true, false} {
		for _, s := range m.signatures {
			if len(picked) < c.maxSignatures && related(s.domain, author) == wanted {
				picked = append(picked, s)
			}
		}
	}
	slices.SortFunc(picked, func(a, b signature) int { return a.start - b.start })
	return picked
}

// related reports whether two domains may have the same organisation.
func related(domain, author string) bool {
	d, ok := canonicalName(domain)
	if !ok {
		return false
	}
	if within(d, author) || within(author, d) {
		return true
	}
	a, err := publicsuffix.EffectiveTLDPlusOne(author)
	return err == nil && within(d, a)
}

// costs returns why the verifier would take too long, or "".
func (m *mail) costs(picked []signature) string {
	if m.folding > maxFolding {
		return "header fields are folded too often"
	}
	picks := 0
	for _, s := range picked {
		picks += s.names * m.fields
	}
	if picks > maxPicks {
		return "too many signed fields"
	}
	return ""
}

// without returns the header with the picked signatures only.
func (m *mail) without(picked []signature) []byte {
	if len(picked) == len(m.signatures) {
		return m.head
	}
	head := make([]byte, 0, len(m.head))
	end := 0
	for _, s := range m.signatures {
		if !slices.ContainsFunc(picked, func(p signature) bool { return p.start == s.start }) {
			head = append(head, m.head[end:s.start]...)
			end = s.end
		}
	}
	return append(head, m.head[end:]...)
}
