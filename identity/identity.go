package identity

import (
	"context"
	"io"
	"net/netip"
	"sync"
	"time"

	"superlistd/lists"
)

const (
	defaultTimeout    = 3 * time.Second
	defaultSignatures = 5
	defaultCacheSize  = 4096
)

// Options of a Checker. Zero values are the defaults.
type Options struct {
	// Resolver answers DNS questions; nil is the system's. See ResolverAt.
	Resolver Resolver
	// Timeout is for all lookups of one post together; default 3 s.
	Timeout time.Duration
	// MaxSignatures is how many DKIM signatures of a post are verified; default 5.
	// Of more, those related to the author's domain are preferred.
	MaxSignatures int
	// CacheSize is how many DNS answers are kept, at most 4 MiB of them; default 4096.
	CacheSize int
	// Now is the clock of the cache; nil is time.Now.
	Now func() time.Time
}

// Checker proves From addresses. It is safe for many goroutines, and one serves the
// whole process, for it holds the cache of DNS answers.
type Checker struct {
	dns           *cache
	timeout       time.Duration
	maxSignatures int
}

// New returns a Checker. It starts no goroutine and needs no closing.
func New(o Options) *Checker {
	c := &Checker{dns: newCache(o), timeout: o.Timeout, maxSignatures: o.MaxSignatures}
	if c.timeout <= 0 {
		c.timeout = defaultTimeout
	}
	if c.maxSignatures <= 0 {
		c.maxSignatures = defaultSignatures
	}
	return c
}

// Facts are what the dialogue knows about a post.
type Facts struct {
	// Client is the address of who handed the post to our side of the world: behind
	// Postfix that of XFORWARD, else that of the connection. The zero Addr is
	// unknown, and then SPF says nothing.
	Client netip.Addr
	// Helo is the client's HELO name, as given.
	Helo string
	// ReversePath is the mailbox of MAIL FROM, without angle brackets; "" is <>.
	ReversePath string
	// Authors are the addresses of all From fields. Only a post with exactly one
	// author is looked at: the others are nobody's (RFC 9989 section 5.3.1).
	Authors []lists.Address
	// Trusted: the post came through a door behind which the sender's login was
	// checked, or from this host. It is proven without any lookup.
	Trusted bool
}

// Result is what was found. The zero Result is an Unproven post that was not looked at.
type Result struct {
	// Proof is the verdict on the From address.
	Proof lists.Proof
	// Author is the domain of the From address, "" when there is not exactly one author.
	Author string
	SPF    SPF
	// DKIM has one entry for each signature that was verified, in header order.
	DKIM  []DKIM
	DMARC DMARC
	// Policy is what the domain asks receivers to do with mail that fails, softened
	// by t=y (RFC 9989 section 4.7). PolicyUnknown when the DNS did not tell.
	Policy Policy
}

// Check looks at one post. It never fails: what the DNS does not tell in time leaves
// the post Unproven, and so does a header that is not one author's. content gives
// the whole message, header and body with CRLF line ends, from its start; it is
// called at most once, and read past the header only when there is a signature to
// verify. nil is a message without content.
//
// Proven is a pass of SPF or DKIM that is aligned with the From domain, by its DMARC
// record or, where it has none, by the organisational domain. Contradicted is a
// domain whose policy is quarantine or reject and that has no such pass.
func (c *Checker) Check(ctx context.Context, f Facts, content func() io.Reader) Result {
	if f.Trusted {
		return Result{Proof: lists.Proven}
	}
	if len(f.Authors) != 1 || !isName(f.Authors[0].Domain) {
		return Result{}
	}
	var m *mail
	if content != nil {
		// A second From that is no address is seen by readers, but not in Authors; DKIM
		// would sign only one of the two (RFC 6376 section 8.15).
		if m = readMail(content()); m.froms != 1 {
			return Result{}
		}
	}
	r := Result{Author: f.Authors[0].Domain}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	// A slow stranger may use up three quarters; the rest is for alignment.
	first, cancelFirst := context.WithTimeout(ctx, c.timeout-c.timeout/4)
	defer cancelFirst()

	var wg sync.WaitGroup
	wg.Go(func() { r.SPF = c.checkSPF(first, f) })
	if m != nil && len(m.signatures) > 0 {
		wg.Go(func() { r.DKIM = c.checkDKIM(first, m, r.Author) })
	}
	a := c.discover(first, r.Author)
	wg.Wait()
	c.align(ctx, a, &r)
	a.judge(&r)
	return r
}

// align marks the passes that speak for the author, side by side.
func (c *Checker) align(ctx context.Context, a author, r *Result) {
	var wg sync.WaitGroup
	if r.SPF.Result == pass {
		wg.Go(func() { r.SPF.Aligned, r.SPF.pending = c.aligned(ctx, a, r.SPF.Domain, a.rec.StrictSPF) })
	} else {
		r.SPF.pending = r.SPF.Result == tempError && a.mayAlign(r.SPF.Domain, a.rec.StrictSPF)
	}
	for i := range r.DKIM {
		if d := &r.DKIM[i]; d.Result == pass {
			wg.Go(func() { d.Aligned, d.pending = c.aligned(ctx, a, d.Domain, a.rec.StrictDKIM) })
		} else {
			d.pending = d.Result == tempError && a.mayAlign(d.Domain, a.rec.StrictDKIM)
		}
	}
	wg.Wait()
}

// judge draws the conclusion (RFC 9989 section 5.3.5 and 5.3.6).
func (a author) judge(r *Result) {
	aligned, pending := r.SPF.Aligned, r.SPF.pending
	for _, d := range r.DKIM {
		aligned = aligned || d.Aligned
		pending = pending || d.pending
	}
	r.Policy = a.policy
	r.DMARC = DMARC{Record: a.at, Test: a.rec.Test, Published: a.published}
	if aligned {
		r.Proof = lists.Proven
	}
	switch {
	case a.failed:
		r.DMARC.Result = tempError
	case a.at == "":
		r.DMARC.Result = none
	case !a.usable:
		r.DMARC.Result = permError
	case aligned:
		r.DMARC.Result = pass
	case pending:
		// Who could still speak for the author was not heard. A stranger's slow DNS
		// does not come here: it could not be aligned.
		r.DMARC.Result = tempError
	default:
		r.DMARC.Result = fail
		if a.policy == PolicyQuarantine || a.policy == PolicyReject {
			r.Proof = lists.Contradicted
		}
	}
}

// Policy tells what receivers would do with mail of the domain that passes neither
// SPF nor DKIM in alignment, to decide whether From has to be rewritten. It never
// fails: PolicyUnknown when the DNS does not tell within Timeout. t=y does not
// soften it: rewriting From is what a domain that tests its policy asks lists to do
// (RFC 9989 section 4.7, "t"), and receivers of the older RFC 7489 ignore t.
func (c *Checker) Policy(ctx context.Context, domain string) Policy {
	domain, ok := canonicalName(domain)
	if !ok {
		return PolicyNone // a literal has no record, nor has what is no name
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	return c.discover(ctx, domain).published
}
