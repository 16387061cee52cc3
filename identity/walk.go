package identity

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync"

	"golang.org/x/net/publicsuffix"

	"superlistd/lists"
)

// maxWalk bounds the questions of one tree walk (RFC 9989 section 4.10).
const maxWalk = 8

// found is a domain with exactly one DMARC record.
type found struct {
	name string
	rec  Record
}

// walk is the outcome of a DNS tree walk: the records on the way up, the longest
// name first, the one that stopped it last.
type walk struct {
	start  string
	found  []found
	failed bool // the DNS did not tell one of the names on the way
}

// walkNames returns the names that a walk asks: the domain, and its parents from
// seven labels down to one.
func walkNames(domain string) []string {
	names := make([]string, 1, maxWalk)
	names[0] = domain
	parents := strings.Count(domain, ".")
	for rest := domain; parents > 0; parents-- {
		_, rest, _ = strings.Cut(rest, ".")
		if parents < maxWalk {
			names = append(names, rest)
		}
	}
	return names
}

// walk asks all names side by side and then stops where RFC 9989 section 4.10 stops:
// a few questions more than one after the other, answered in the time of one.
func (c *Checker) walk(ctx context.Context, domain string) walk {
	names := walkNames(domain)
	var answers [maxWalk]struct {
		txt []string
		err error
	}
	var wg sync.WaitGroup
	for i, name := range names {
		wg.Go(func() { answers[i].txt, answers[i].err = c.dns.LookupTXT(ctx, "_dmarc."+name) })
	}
	wg.Wait()
	w := walk{start: domain}
	for i, name := range names {
		if answers[i].err != nil && !isNotFound(answers[i].err) {
			w.failed = true
			return w
		}
		rec, ok := onlyRecord(answers[i].txt)
		if !ok {
			continue
		}
		w.found = append(w.found, found{name, rec})
		if rec.PSD != 'u' {
			break
		}
	}
	return w
}

// onlyRecord returns the DMARC record among TXT records. Several are none.
func onlyRecord(txt []string) (rec Record, ok bool) {
	for _, t := range txt {
		r, is := ParseRecord(t)
		if !is {
			continue
		}
		if ok {
			return Record{}, false
		}
		rec, ok = r, true
	}
	return rec, ok
}

// organisation is the organisational domain (RFC 9989 section 4.10.2), false when
// the walk found no record at all.
func (w walk) organisation() (string, bool) {
	for _, f := range w.found {
		switch {
		case f.rec.PSD == 'n':
			return f.name, true
		case f.rec.PSD == 'y' && f.name != w.start:
			return oneBelow(w.start, f.name), true
		}
	}
	if n := len(w.found); n > 0 {
		return w.found[n-1].name, true
	}
	return w.start, false
}

// policy is the record that applies: of the domain, its organisational domain, or
// the public suffix domain above it, in this order.
func (w walk) policy() (found, bool) {
	org, ok := w.organisation()
	if !ok {
		return found{}, false
	}
	for _, name := range []string{w.start, org} {
		for _, f := range w.found {
			if f.name == name {
				return f, true
			}
		}
	}
	// The organisational domain has no record: then it is one below the last, psd=y.
	return w.found[len(w.found)-1], true
}

// alignment is the organisational domain for comparing with another. Where the walk
// finds nothing the public suffix list decides. The list also keeps a suffix that
// has a record without psd=y from becoming the organisation of all its registrants:
// by the letter of RFC 9989 each of them could speak for every other one.
func (w walk) alignment() string {
	org, ok := w.organisation()
	if ok && !isSuffix(org) {
		return org
	}
	registered, err := publicsuffix.EffectiveTLDPlusOne(w.start)
	if err != nil {
		return w.start
	}
	return registered
}

// isSuffix reports whether the list has the domain. Its default rule, which makes a
// suffix of every last label, is not meant: "corp" may be a house's own.
func isSuffix(domain string) bool {
	suffix, icann := publicsuffix.PublicSuffix(domain)
	return suffix == domain && (icann || strings.Contains(domain, "."))
}

// oneBelow is the domain one label below parent on the way to domain.
func oneBelow(domain, parent string) string {
	rest := strings.TrimSuffix(domain, "."+parent)
	return domain[strings.LastIndexByte(rest, '.')+1:]
}

// within reports whether a domain is the other or below it.
func within(domain, parent string) bool {
	return domain == parent || len(domain) > len(parent) && domain[len(domain)-len(parent)-1] == '.' && strings.HasSuffix(domain, parent)
}

// exists tells whether the DNS has the domain, for "np"; known is false when it did
// not say. RFC 9989 appendix A.4 goes by NXDOMAIN, which Go's resolver does not tell
// from an empty answer: here a domain that has no address, no MX and no TXT is not.
func (c *Checker) exists(ctx context.Context, domain string) (exists, known bool) {
	var errs [3]error
	var wg sync.WaitGroup
	wg.Go(func() { _, errs[0] = c.dns.LookupIPAddr(ctx, domain) })
	wg.Go(func() { _, errs[1] = c.dns.LookupMX(ctx, domain) })
	wg.Go(func() { _, errs[2] = c.dns.LookupTXT(ctx, domain) })
	wg.Wait()
	known = true
	for _, err := range errs {
		if err == nil {
			return true, true
		}
		known = known && isNotFound(err)
	}
	return false, known
}

// canonicalName returns a domain in lower-case A-labels, and false for what cannot
// be asked for in the DNS.
func canonicalName(domain string) (string, bool) {
	a, err := lists.ParseAddress("x@" + domain)
	if err != nil || !isName(a.Domain) {
		return "", false
	}
	return a.Domain, true
}

// isName reports whether the DNS can be asked for the name: letters, digits, "-" and
// "_" in labels of 1 to 63 octets, 253 octets in all (RFC 1035 section 2.3.4).
func isName(s string) bool {
	if len(s) == 0 || len(s) > 253 {
		return false
	}
	label := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '.':
			if label == 0 {
				return false
			}
			label = 0
			continue
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return false
		}
		if label++; label > 63 {
			return false
		}
	}
	return label > 0
}

// isNotFound reports whether the DNS said that there is nothing.
func isNotFound(err error) bool {
	var d *net.DNSError
	return errors.As(err, &d) && d.IsNotFound
}

// trim takes blanks off both ends.
func trim(s string) string { return strings.Trim(s, " \t\r\n") }
