package identity_test

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/foxcpp/go-mockdns"

	"superlistd/identity"
)

func TestCacheKeepsAnswers(t *testing.T) {
	t.Parallel()
	now := time.Unix(1700000000, 0)
	z := zones(map[string]string{"there.example": "v=DMARC1", "big.example": strings.Repeat("x", 5000)})
	z["broken.example."] = brokenDNS()
	dns := resolver(z)
	c := identity.New(identity.Options{Resolver: dns, Now: func() time.Time { return now }})
	for _, tt := range []struct {
		name, ask string
		after     time.Duration
		times     int // asked by then
	}{
		{"found, first", "there.example", 0, 1},
		{"found, again", "There.Example.", 0, 1},
		{"found, at the end of its age", "there.example", 5*time.Minute - time.Second, 1},
		{"found, aged", "there.example", time.Second, 2},
		{"not found, first", "none.example", 0, 1},
		{"not found, again", "none.example", time.Minute - time.Second, 1},
		{"not found, aged", "none.example", time.Second, 2},
		{"a failure is not kept", "broken.example", 0, 1},
		{"a failure, again", "broken.example", 0, 2},
		{"what is too big is not kept", "big.example", 0, 1},
		{"what is too big, again", "big.example", 0, 2},
		{"no name", "a..b", 0, 0},
		{"a name with a blank", "a b", 0, 0},
		{"a name that is too long", strings.Repeat("a.", 130), 0, 0},
		{"a label that is too long", strings.Repeat("a", 64), 0, 0},
	} {
		now = now.Add(tt.after)
		_, _ = c.Asker().LookupTXT(t.Context(), tt.ask)
		full := strings.ToLower(strings.TrimSuffix(tt.ask, ".")) + "."
		if got := dns.times(full); got != tt.times {
			t.Errorf("%s: asked %d times, want %d", tt.name, got, tt.times)
		}
	}
}

func TestCacheIsBounded(t *testing.T) {
	t.Parallel()
	z := map[string]mockdns.Zone{}
	for i := range 3000 {
		z[fmt.Sprintf("%d.example.", i)] = mockdns.Zone{TXT: []string{strings.Repeat("x", 4000)}}
	}
	c := identity.New(identity.Options{Resolver: resolver(z), CacheSize: 2000})
	for i := range 3000 {
		if _, err := c.Asker().LookupTXT(t.Context(), fmt.Sprintf("%d.example", i)); err != nil {
			t.Fatal(err)
		}
	}
	if entries, octets := c.Kept(); octets > 4<<20 || entries > 2000 || entries < 500 {
		t.Errorf("%d answers of %d octets are kept", entries, octets)
	}
	for i := range 9000 {
		_, _ = c.Asker().LookupTXT(t.Context(), fmt.Sprintf("none%d.example", i))
	}
	if entries, octets := c.Kept(); entries != 2000 || octets > 4<<20 {
		t.Errorf("%d answers of %d octets are kept, want 2000", entries, octets)
	}
}

// blockingDNS answers when it is told to.
type blockingDNS struct {
	*mockdns.Resolver
	asked  atomic.Int32
	answer chan error
}

func (d *blockingDNS) LookupTXT(ctx context.Context, name string) ([]string, error) {
	d.asked.Add(1)
	select {
	case err := <-d.answer:
		return []string{"text"}, err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func TestCacheAsksOnceForMany(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		err  error
	}{{"an answer", nil}, {"a failure", &net.DNSError{Err: "server misbehaving"}}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				dns := &blockingDNS{answer: make(chan error)}
				c := identity.New(identity.Options{Resolver: dns})
				var wg sync.WaitGroup
				for range 50 {
					wg.Go(func() {
						txt, err := c.Asker().LookupTXT(t.Context(), "a.example")
						if (err != nil) != (tt.err != nil) || err == nil && txt[0] != "text" {
							t.Errorf("%q, %v", txt, err)
						}
					})
				}
				synctest.Wait() // all wait for one
				dns.answer <- tt.err
				wg.Wait()
				if n := dns.asked.Load(); n != 1 {
					t.Errorf("asked %d times, want once", n)
				}
			})
		})
	}
}

// Who waits for another does not fail because that one gives up.
func TestCacheOutlivesWhoAsked(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dns := &blockingDNS{answer: make(chan error)}
		c := identity.New(identity.Options{Resolver: dns})
		impatient, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := c.Asker().LookupTXT(impatient, "a.example"); !isTemporary(err) {
				t.Errorf("who gave up has %v, want a temporary error", err)
			}
		})
		synctest.Wait()
		wg.Go(func() {
			if txt, err := c.Asker().LookupTXT(t.Context(), "a.example"); err != nil || txt[0] != "text" {
				t.Errorf("who waited has %q, %v", txt, err)
			}
		})
		synctest.Wait()
		cancel()
		synctest.Wait() // who waited asks now
		dns.answer <- nil
		wg.Wait()
	})
}

// Who waits for another gives up in his own time.
func TestCacheWaitsNoLongerThanAllowed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dns := &blockingDNS{answer: make(chan error)}
		c := identity.New(identity.Options{Resolver: dns})
		var wg sync.WaitGroup
		wg.Go(func() { _, _ = c.Asker().LookupTXT(t.Context(), "a.example") })
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := c.Asker().LookupTXT(ctx, "a.example"); !isTemporary(err) {
			t.Errorf("%v, want a temporary error", err)
		}
		dns.answer <- nil
		wg.Wait()
	})
}

func isTemporary(err error) bool {
	d, ok := err.(*net.DNSError) // as spf and dkim look at it
	return ok && d.Temporary()
}

func TestCheckerServesMany(t *testing.T) {
	t.Parallel()
	txt := published(t, "example.com")
	txt["_dmarc.example.com"] = "v=DMARC1; p=reject"
	dns := resolver(zones(txt))
	c := identity.New(identity.Options{Resolver: dns, CacheSize: 8})
	message := sign(t, signer(t, "example.com"), []byte(plainPost))
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for i := range 20 {
				r := c.Check(t.Context(), facts(t, "ann@example.com", fmt.Sprintf("x@%d.example", i)), content(string(message)))
				if r.DMARC.Result != "pass" {
					t.Errorf("%+v", r)
				}
			}
		})
	}
	wg.Wait()
}
