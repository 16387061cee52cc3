package identity

import (
	"container/list"
	"context"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"
)

const (
	keepFound    = 5 * time.Minute // Go's resolver does not tell the TTL
	keepNotFound = time.Minute
	maxAnswer    = 4 << 10 // octets; a larger answer is used, but not kept
	maxKept      = 4 << 20 // octets of all answers
	entryCost    = 200     // octets, about, of an entry besides its name and text
)

// Resolver asks the DNS. *net.Resolver is one.
type Resolver interface {
	LookupTXT(ctx context.Context, name string) ([]string, error)
	LookupMX(ctx context.Context, name string) ([]*net.MX, error)
	LookupIPAddr(ctx context.Context, host string) ([]net.IPAddr, error)
	LookupAddr(ctx context.Context, addr string) ([]string, error)
}

// ResolverAt returns a resolver that asks one server, by UDP, and by TCP where an
// answer is too long for that. The address has a port: "127.0.0.1:53".
func ResolverAt(server string) *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, network, server)
	}}
}

// cache keeps answers, found and not found, but no failures, and asks once for many
// who want to know the same at the same time. It refuses what is no name, and asks
// with the root's dot, so that no search list of resolv.conf answers for a stranger.
// Its errors are always *net.DNSError, unwrapped, as spf and dkim expect.
type cache struct {
	resolver Resolver
	now      func() time.Time
	max      int

	mu      sync.Mutex
	entries map[question]*list.Element // of *answer
	recent  *list.List                 // the latest used first
	size    int                        // octets
	asking  map[question]*flight
}

// flight is a question under way. done is closed when the rest is set; final is
// false when the asker gave up for a reason of his own, and others have to ask.
type flight struct {
	done  chan struct{}
	value any
	err   error
	final bool
}

type question struct {
	kind byte // T, M, A or P
	name string
}

type answer struct {
	question
	value   any
	err     error
	size    int
	expires time.Time
}

func newCache(o Options) *cache {
	c := &cache{resolver: o.Resolver, now: o.Now, max: o.CacheSize, entries: map[question]*list.Element{}, recent: list.New(), asking: map[question]*flight{}}
	if c.resolver == nil {
		c.resolver = net.DefaultResolver
	}
	if c.now == nil {
		c.now = time.Now
	}
	if c.max <= 0 {
		c.max = defaultCacheSize
	}
	return c
}

func (c *cache) LookupTXT(ctx context.Context, name string) ([]string, error) {
	return lookup(ctx, c, 'T', name, c.resolver.LookupTXT, func(v []string) (n int) {
		for _, s := range v {
			n += len(s) + 16
		}
		return n
	})
}

func (c *cache) LookupMX(ctx context.Context, name string) ([]*net.MX, error) {
	return lookup(ctx, c, 'M', name, c.resolver.LookupMX, func(v []*net.MX) (n int) {
		for _, mx := range v {
			n += len(mx.Host) + 32
		}
		return n
	})
}

func (c *cache) LookupIPAddr(ctx context.Context, host string) ([]net.IPAddr, error) {
	return lookup(ctx, c, 'A', host, c.resolver.LookupIPAddr, func(v []net.IPAddr) int { return len(v) * 56 })
}

func (c *cache) LookupAddr(ctx context.Context, addr string) ([]string, error) {
	return lookup(ctx, c, 'P', addr, c.resolver.LookupAddr, func(v []string) (n int) {
		for _, s := range v {
			n += len(s) + 16
		}
		return n
	})
}

// lookup answers from the cache, waits for who is asking the same, or asks. Nobody
// fails because another one's time is over: who waited asks himself then.
func lookup[T any](ctx context.Context, c *cache, kind byte, name string, ask func(context.Context, string) (T, error), size func(T) int) (T, error) {
	q, full, ok := newQuestion(kind, name)
	if !ok {
		var nothing T
		return nothing, &net.DNSError{Err: "not a domain name", Name: name, IsNotFound: true}
	}
	for {
		a, f, mine := c.get(q)
		if a != nil {
			v, _ := a.value.(T)
			return v, a.err
		}
		if mine {
			return fetch(ctx, c, q, f, full, ask, size)
		}
		select {
		case <-f.done:
			if f.final {
				v, _ := f.value.(T)
				return v, f.err
			}
		case <-ctx.Done():
			var nothing T
			return nothing, dnsError(ctx.Err(), name)
		}
	}
}

// fetch asks for all who wait.
func fetch[T any](ctx context.Context, c *cache, q question, f *flight, full string, ask func(context.Context, string) (T, error), size func(T) int) (v T, err error) {
	octets := maxAnswer + 1
	defer func() { c.answered(q, f, octets) }() // also when the resolver panics
	if v, err = ask(ctx, full); err != nil {
		err = dnsError(err, q.name)
	}
	f.value, f.err = v, err
	if err == nil || isNotFound(err) {
		octets = size(v)
		f.final = true
	} else {
		f.final = ctx.Err() == nil
	}
	return v, err
}

// newQuestion makes the question, and the name as the resolver gets it.
func newQuestion(kind byte, name string) (q question, full string, ok bool) {
	if kind == 'P' {
		_, err := netip.ParseAddr(name)
		return question{kind, name}, name, err == nil
	}
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	return question{kind, name}, name + ".", isName(name)
}

// get returns the answer that is kept, or the flight to wait for; mine: the caller
// is to fetch it.
func (c *cache) get(q question) (a *answer, f *flight, mine bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.entries[q]; ok {
		if a := e.Value.(*answer); c.now().Before(a.expires) {
			c.recent.MoveToFront(e)
			return a, nil, false
		}
		c.drop(e)
	}
	if f, ok := c.asking[q]; ok {
		return nil, f, false
	}
	f = &flight{done: make(chan struct{})}
	c.asking[q] = f
	return nil, f, true
}

// answered wakes who waits, and keeps an answer of that many octets.
func (c *cache) answered(q question, f *flight, octets int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	close(f.done)
	delete(c.asking, q)
	if octets > maxAnswer {
		return
	}
	a := &answer{question: q, value: f.value, err: f.err, size: octets + len(q.name) + entryCost, expires: c.now().Add(keepFound)}
	if a.err != nil {
		a.expires = c.now().Add(keepNotFound)
	}
	c.entries[q] = c.recent.PushFront(a)
	c.size += a.size
	for c.recent.Len() > c.max || c.size > maxKept {
		c.drop(c.recent.Back())
	}
}

func (c *cache) drop(e *list.Element) {
	a := c.recent.Remove(e).(*answer)
	delete(c.entries, a.question)
	c.size -= a.size
}

// dnsError makes a *net.DNSError of any error. What is unknown is temporary: it must
// not pass for "there is no such record".
func dnsError(err error, name string) error {
	if d, ok := err.(*net.DNSError); ok {
		if !d.IsNotFound && !d.IsTimeout && !d.IsTemporary {
			d2 := *d
			d2.IsTemporary = true
			return &d2
		}
		return d
	}
	return &net.DNSError{Err: err.Error(), Name: name, IsTemporary: true}
}
