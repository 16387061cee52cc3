package identity_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"superlistd/identity"
)

// pkcs1 writes a key the old way.
func pkcs1(t *testing.T, text []byte) []byte {
	t.Helper()
	block, _ := pem.Decode(text)
	k, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(k.(*rsa.PrivateKey))})
}

// shortRSA is a key of 512 bits, which crypto/rsa does not make any more.
func shortRSA(t *testing.T) []byte {
	t.Helper()
	for {
		p, err := rand.Prime(rand.Reader, 256)
		if err != nil {
			t.Fatal(err)
		}
		q, err := rand.Prime(rand.Reader, 256)
		if err != nil {
			t.Fatal(err)
		}
		one := big.NewInt(1)
		phi := new(big.Int).Mul(new(big.Int).Sub(p, one), new(big.Int).Sub(q, one))
		k := &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: new(big.Int).Mul(p, q), E: 65537}, D: new(big.Int).ModInverse(big.NewInt(65537), phi), Primes: []*big.Int{p, q}}
		if k.D != nil && p.Cmp(q) != 0 {
			return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(k)})
		}
	}
}

func TestParseKey(t *testing.T) {
	t.Parallel()
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(ec)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, selector string
		text           []byte
		err            string // "" is none
	}{
		{"RSA as PKCS #8", "s1", keys().rsa, ""},
		{"RSA as PKCS #1", "s1", pkcs1(t, keys().rsa), ""},
		{"Ed25519", "s1.lists", keys().ed, ""},
		{"text around it", "s1", append([]byte("my key\n"), keys().ed...), ""},
		{"two of them", "s1", append(append([]byte{}, keys().ed...), keys().rsa...), "more than one private key"},
		{"RSA too short", "s1", shortRSA(t), "512 bits|512-bit"},
		{"elliptic curve", "s1", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), "neither RSA nor Ed25519"},
		{"encrypted, new form", "s1", pem.EncodeToMemory(&pem.Block{Type: "ENCRYPTED PRIVATE KEY"}), "encrypted"},
		{"encrypted, old form", "s1", pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Headers: map[string]string{"DEK-Info": "x"}}), "encrypted"},
		{"a public key", "s1", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY"}), "no private key"},
		{"garbage in PEM", "s1", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte("x")}), "private key: "},
		{"nothing", "s1", nil, "no private key"},
		{"no selector", "", keys().ed, "is not a selector"},
		{"a selector that leaves its place", "s; d=evil.example", keys().ed, "is not a selector"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			k, err := identity.ParseKey(tt.selector, tt.text)
			switch {
			case tt.err == "" && err != nil:
				t.Errorf("%v", err)
			case tt.err == "" && k.Selector() != tt.selector:
				t.Errorf("selector %q, want %q", k.Selector(), tt.selector)
			case tt.err != "" && (err == nil || !regexp.MustCompile(tt.err).MatchString(err.Error())):
				t.Errorf("error %v, want %q", err, tt.err)
			}
		})
	}
}

func TestLoadKey(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name string, text []byte, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, text, mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, tt := range []struct{ name, path, warning, err string }{
		{"0600", write("a.pem", keys().ed, 0o600), "", ""},
		{"group may read", write("b.pem", keys().ed, 0o640), "", ""},
		{"all may read", write("c.pem", keys().ed, 0o644), "c.pem: mode 0644", ""},
		{"no key in it", write("d.pem", []byte("hello"), 0o600), "", "d.pem: no private key"},
		{"not there", filepath.Join(dir, "none.pem"), "", "none.pem: no such file"},
		{"a folder", dir, "", "is a directory"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, warning, err := identity.LoadKey("s1", tt.path)
			if !strings.Contains(warning, tt.warning) || tt.warning == "" && warning != "" {
				t.Errorf("warning %q, want %q", warning, tt.warning)
			}
			if (err != nil) != (tt.err != "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("error %v, want %q", err, tt.err)
			}
		})
	}
}

func TestZoneRecord(t *testing.T) {
	t.Parallel()
	rsa2048, err := identity.NewRSAKey(2048)
	if err != nil {
		t.Fatal(err)
	}
	quoted := regexp.MustCompile(`"([^"]*)"`)
	for _, tt := range []struct {
		name    string
		pem     []byte
		strings int
	}{{"RSA", rsa2048, 2}, {"Ed25519", keys().ed, 1}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			k := key(t, "2026a", tt.pem)
			zone, err := k.ZoneRecord("lists.example.org")
			if err != nil {
				t.Fatal(err)
			}
			if !strings.HasPrefix(zone, "2026a._domainkey.lists.example.org. IN TXT (") {
				t.Errorf("zone record\n%s", zone)
			}
			joined := ""
			parts := quoted.FindAllStringSubmatch(zone, -1)
			for _, p := range parts {
				if len(p[1]) > 255 {
					t.Errorf("a string of %d octets", len(p[1]))
				}
				joined += p[1]
			}
			record, err := k.Record()
			if err != nil || joined != record || len(parts) != tt.strings {
				t.Errorf("%d strings make %q, want %d and %q (%v)", len(parts), joined, tt.strings, record, err)
			}
		})
	}
}

func TestNewRSAKeyBounds(t *testing.T) {
	t.Parallel()
	for _, bits := range []int{0, 512, 1023, 8193} {
		if _, err := identity.NewRSAKey(bits); err == nil {
			t.Errorf("a key of %d bits is made", bits)
		}
	}
}

func TestNewSigner(t *testing.T) {
	t.Parallel()
	a, b := key(t, "s1", keys().rsa), key(t, "s1", keys().ed)
	for _, tt := range []struct {
		name, domain string
		keys         []identity.Key
	}{
		{"no key", "example.org", nil},
		{"no domain", "", []identity.Key{a}},
		{"a literal", "[192.0.2.1]", []identity.Key{a}},
		{"a domain that leaves its place", "example.org; s=x", []identity.Key{a}},
		{"two keys for a selector", "example.org", []identity.Key{a, b}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := identity.NewSigner(tt.domain, nil, tt.keys...); err == nil {
				t.Error("no error")
			}
		})
	}
	s, err := identity.NewSigner("BÜCHER.example", nil, a)
	if err != nil || s.Domain() != "xn--bcher-kva.example" {
		t.Errorf("domain %v, %v", s, err)
	}
}
