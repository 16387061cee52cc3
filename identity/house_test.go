package identity_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/foxcpp/go-mockdns"

	"superlistd/identity"
	"superlistd/lists"
)

// zones makes a mock DNS: TXT records by name, without the root's dot.
func zones(txt map[string]string) map[string]mockdns.Zone {
	z := make(map[string]mockdns.Zone, len(txt))
	for name, record := range txt {
		z[name+"."] = mockdns.Zone{TXT: strings.Split(record, "\n")}
	}
	return z
}

// brokenDNS is what a server says that does not work.
func brokenDNS() mockdns.Zone {
	return mockdns.Zone{Err: &net.DNSError{Err: "server misbehaving", IsTemporary: true}}
}

func resolver(z map[string]mockdns.Zone) *countingDNS {
	return &countingDNS{Resolver: &mockdns.Resolver{Zones: z}, asked: map[string]int{}}
}

// countingDNS counts questions, and holds those for slow names until the context ends.
type countingDNS struct {
	*mockdns.Resolver
	slow string // suffix

	mu    sync.Mutex
	asked map[string]int
}

func (d *countingDNS) count(ctx context.Context, name string) error {
	d.mu.Lock()
	d.asked[name]++
	d.mu.Unlock()
	if d.slow != "" && strings.HasSuffix(name, d.slow) {
		<-ctx.Done()
	}
	if ctx.Err() != nil {
		return &net.DNSError{Err: ctx.Err().Error(), Name: name, IsTimeout: true}
	}
	return nil
}

func (d *countingDNS) questions() (n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, c := range d.asked {
		n += c
	}
	return n
}

func (d *countingDNS) times(name string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.asked[name]
}

func (d *countingDNS) LookupTXT(ctx context.Context, name string) ([]string, error) {
	if err := d.count(ctx, name); err != nil {
		return nil, err
	}
	return d.Resolver.LookupTXT(ctx, name)
}

func (d *countingDNS) LookupMX(ctx context.Context, name string) ([]*net.MX, error) {
	if err := d.count(ctx, name); err != nil {
		return nil, err
	}
	return d.Resolver.LookupMX(ctx, name)
}

func (d *countingDNS) LookupIPAddr(ctx context.Context, name string) ([]net.IPAddr, error) {
	if err := d.count(ctx, name); err != nil {
		return nil, err
	}
	return d.Resolver.LookupIPAddr(ctx, name)
}

func (d *countingDNS) LookupAddr(ctx context.Context, addr string) ([]string, error) {
	if err := d.count(ctx, addr); err != nil {
		return nil, err
	}
	return d.Resolver.LookupAddr(ctx, addr)
}

func address(t testing.TB, s string) lists.Address {
	t.Helper()
	a, err := lists.ParseAddress(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// facts are those of a post by one author from 192.0.2.1.
func facts(t testing.TB, from, reversePath string) identity.Facts {
	t.Helper()
	return identity.Facts{
		Client:      netip.MustParseAddr("192.0.2.1"),
		Helo:        "mail.example.com",
		ReversePath: reversePath,
		Authors:     []lists.Address{address(t, from)},
	}
}

func content(message string) func() io.Reader {
	return func() io.Reader { return strings.NewReader(message) }
}

func crlf(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") }

// keys are made once: RSA takes a while, so it is the shortest that is taken.
var keys = sync.OnceValue(func() (k struct{ rsa, ed []byte }) {
	var err error
	if k.rsa, err = identity.NewRSAKey(1024); err != nil {
		panic(err)
	}
	if k.ed, err = identity.NewEd25519Key(); err != nil {
		panic(err)
	}
	return k
})

func key(t testing.TB, selector string, pem []byte) identity.Key {
	t.Helper()
	k, err := identity.ParseKey(selector, pem)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// signer has selectors "rsa" and "ed".
func signer(t testing.TB, domain string) *identity.Signer {
	t.Helper()
	s, err := identity.NewSigner(domain, func() time.Time { return time.Unix(1700000000, 0) },
		key(t, "rsa", keys().rsa), key(t, "ed", keys().ed))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// published are the key records of signer.
func published(t testing.TB, domain string) map[string]string {
	t.Helper()
	txt := map[string]string{}
	for selector, pem := range map[string][]byte{"rsa": keys().rsa, "ed": keys().ed} {
		record, err := key(t, selector, pem).Record()
		if err != nil {
			t.Fatal(err)
		}
		txt[selector+"._domainkey."+domain] = record
	}
	return txt
}

// sign puts the signatures on top of a message.
func sign(t testing.TB, s *identity.Signer, message []byte) []byte {
	t.Helper()
	head, body := message, []byte(nil)
	if i := bytes.Index(message, []byte("\r\n\r\n")); i >= 0 {
		head, body = message[:i+4], message[i+4:]
	}
	hash, err := identity.HashBody(bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	fields, err := s.Sign(head, hash)
	if err != nil {
		t.Fatal(err)
	}
	return append(fields, message...)
}
