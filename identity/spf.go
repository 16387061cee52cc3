package identity

import (
	"context"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"blitiri.com.ar/go/spf"

	"superlistd/lists"
)

// Results as RFC 8601 section 2.7 writes them.
const (
	none      = "none"
	pass      = "pass"
	fail      = "fail"
	policy    = "policy"
	tempError = "temperror"
	permError = "permerror"
)

// maxSPFLookups bounds the questions of one evaluation. RFC 7208 section 4.6.4
// allows ten terms, but each "mx" may ask for ten hosts more.
const maxSPFLookups = 64

// SPF is the outcome of RFC 7208 for a post.
type SPF struct {
	// Result is none, neutral, pass, fail, softfail, temperror or permerror; "" when
	// nothing was asked.
	Result string
	// Domain was asked: of the reverse-path, or of HELO if that is null.
	Domain string
	// Helo: the reverse-path was null, so that the mailbox was postmaster@HELO (RFC
	// 7208 section 2.4).
	Helo bool
	// Aligned: it is a pass that speaks for the author (RFC 9989 section 4.4.2).
	Aligned bool

	pending bool // it could have been aligned, but the DNS did not tell
}

// checkSPF evaluates the record of the sender's domain for the client.
func (c *Checker) checkSPF(ctx context.Context, f Facts) SPF {
	s := SPF{Result: none, Helo: f.ReversePath == ""}
	sender := lists.Address{Local: "postmaster", Domain: f.Helo}
	if !s.Helo {
		a, err := lists.ParseAddress(f.ReversePath)
		if err != nil {
			return s
		}
		sender = a
	}
	domain, ok := canonicalName(sender.Domain)
	if !ok {
		return s // a literal, or no name at all: RFC 7208 section 4.3
	}
	s.Domain = domain
	if !f.Client.IsValid() {
		return s
	}
	local := sender.Local
	if strings.Contains(local, "@") {
		local = "postmaster" // spf splits at the first "@", which would not be ours
	}
	helo, ok := canonicalName(f.Helo)
	if !ok {
		helo = "unknown"
	}
	ip := net.IP(f.Client.Unmap().WithZone("").AsSlice())
	r, _ := spf.CheckHostWithSender(ip, helo, local+"@"+domain,
		spf.WithContext(ctx), spf.WithResolver(&spfResolver{cache: c.dns, limit: c.timeout / 4}))
	s.Result = string(r)
	return s
}

// spfResolver bounds what one evaluation may ask.
type spfResolver struct {
	*cache
	limit time.Duration
	asked atomic.Int32
}

func (r *spfResolver) spent(name string) error {
	if r.asked.Add(1) > maxSPFLookups {
		return &net.DNSError{Err: "too many lookups for one post", Name: name, IsTemporary: true}
	}
	return nil
}

func (r *spfResolver) LookupTXT(ctx context.Context, name string) ([]string, error) {
	if err := r.spent(name); err != nil {
		return nil, err
	}
	return r.cache.LookupTXT(ctx, name)
}

func (r *spfResolver) LookupMX(ctx context.Context, name string) ([]*net.MX, error) {
	if err := r.spent(name); err != nil {
		return nil, err
	}
	return r.cache.LookupMX(ctx, name)
}

func (r *spfResolver) LookupIPAddr(ctx context.Context, name string) ([]net.IPAddr, error) {
	if err := r.spent(name); err != nil {
		return nil, err
	}
	return r.cache.LookupIPAddr(ctx, name)
}

// LookupAddr asks the client's own zone. It gets less time, or a client with a slow
// one could keep a record that has "ptr" from contradicting it.
func (r *spfResolver) LookupAddr(ctx context.Context, addr string) ([]string, error) {
	if err := r.spent(addr); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, r.limit)
	defer cancel()
	return r.cache.LookupAddr(ctx, addr)
}
