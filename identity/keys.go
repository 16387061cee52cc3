package identity

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

const (
	minRSA  = 1024     // bits, RFC 8301 section 3.2
	maxRSA  = 8192     // bits; verifiers take no longer ones, and signing takes seconds
	maxFile = 64 << 10 // octets of a key file
)

// Key is a private DKIM key under its selector.
type Key struct {
	selector string
	private  crypto.Signer // *rsa.PrivateKey or ed25519.PrivateKey
}

// LoadKey reads a private key from a PEM file: RSA as PKCS #1 or PKCS #8, Ed25519 as
// PKCS #8. Errors name the file. warning is "" or tells that others than the owner
// and the group can read it.
func LoadKey(selector, path string) (k Key, warning string, err error) {
	f, err := os.Open(path)
	if err != nil {
		return Key{}, "", fmt.Errorf("dkim key: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return Key{}, "", fmt.Errorf("dkim key: %w", err)
	}
	if info.IsDir() {
		return Key{}, "", fmt.Errorf("dkim key %s: is a directory", path)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxFile))
	if err != nil {
		return Key{}, "", fmt.Errorf("dkim key: %w", err)
	}
	if k, err = ParseKey(selector, text); err != nil {
		return Key{}, "", fmt.Errorf("dkim key %s: %w", path, err)
	}
	if mode := info.Mode().Perm(); mode&0o007 != 0 {
		warning = fmt.Sprintf("dkim key %s: mode %04o lets everybody at it; use 0640 or 0600", path, mode)
	}
	return k, warning, nil
}

// ParseKey reads the one private key of a PEM text. See LoadKey.
func ParseKey(selector string, text []byte) (Key, error) {
	if !isName(selector) {
		return Key{}, fmt.Errorf("%q is not a selector", selector)
	}
	var private any
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if !strings.HasSuffix(block.Type, "PRIVATE KEY") {
			continue // a public key or certificate beside it does no harm
		}
		if private != nil {
			return Key{}, errors.New("more than one private key; give each its own file and selector")
		}
		var err error
		if private, err = parseBlock(block); err != nil {
			return Key{}, err
		}
	}
	switch p := private.(type) {
	case *rsa.PrivateKey:
		if bits := p.N.BitLen(); bits < minRSA || bits > maxRSA {
			return Key{}, fmt.Errorf("RSA key of %d bits; %d to %d are taken, 2048 is usual", bits, minRSA, maxRSA)
		}
		return Key{selector, p}, nil
	case ed25519.PrivateKey:
		return Key{selector, p}, nil
	case nil:
		return Key{}, errors.New("no private key in PEM form")
	default:
		return Key{}, fmt.Errorf("%T is neither RSA nor Ed25519", p)
	}
}

func parseBlock(block *pem.Block) (any, error) {
	var key any
	var err error
	switch block.Type {
	case "RSA PRIVATE KEY":
		if _, encrypted := block.Headers["DEK-Info"]; encrypted {
			return nil, errors.New("the key is encrypted; write it without a passphrase")
		}
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "ENCRYPTED PRIVATE KEY":
		return nil, errors.New("the key is encrypted; write it without a passphrase")
	default:
		return nil, fmt.Errorf("%q is neither RSA nor Ed25519", block.Type)
	}
	if err != nil {
		return nil, fmt.Errorf("private key: %w", err)
	}
	return key, nil
}

// NewRSAKey makes a key of that many bits (1024 to 8192) as PEM (PKCS #8).
func NewRSAKey(bits int) ([]byte, error) {
	if bits < minRSA || bits > maxRSA {
		return nil, fmt.Errorf("RSA key of %d bits; %d to %d are taken, 2048 is usual", bits, minRSA, maxRSA)
	}
	k, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		return nil, fmt.Errorf("make an RSA key: %w", err)
	}
	return encodeKey(k)
}

// NewEd25519Key makes an Ed25519 key as PEM (PKCS #8).
func NewEd25519Key() ([]byte, error) {
	_, k, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make an Ed25519 key: %w", err)
	}
	return encodeKey(k)
}

func encodeKey(k any) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		return nil, fmt.Errorf("encode a key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// Selector is the s= of the key's signatures.
func (k Key) Selector() string { return k.selector }

func (k Key) algorithm() string {
	if _, ok := k.private.(ed25519.PrivateKey); ok {
		return "ed25519-sha256"
	}
	return "rsa-sha256"
}

func (k Key) name(domain string) string { return k.selector + keyLabel + domain }

// Record is the text of the DNS TXT record that publishes the key (RFC 6376 section
// 3.6.1, RFC 8463 section 4).
func (k Key) Record() (string, error) {
	if p, ok := k.private.(ed25519.PrivateKey); ok {
		public := p.Public().(ed25519.PublicKey)
		return "v=DKIM1; k=ed25519; p=" + base64.StdEncoding.EncodeToString(public), nil
	}
	der, err := x509.MarshalPKIXPublicKey(k.private.Public())
	if err != nil {
		return "", fmt.Errorf("public key of %s: %w", k.selector, err)
	}
	return "v=DKIM1; k=rsa; p=" + base64.StdEncoding.EncodeToString(der), nil
}

// maxString is how long one string of a TXT record may be (RFC 1035 section 3.3).
const maxString = 255

// ZoneRecord is the record as a zone file has it, its text in strings of at most 255
// octets, with a line end.
func (k Key) ZoneRecord(domain string) (string, error) {
	text, err := k.Record()
	if err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s. IN TXT (", k.name(domain))
	for len(text) > 0 {
		n := min(len(text), maxString)
		fmt.Fprintf(&b, "\n\t\"%s\"", text[:n])
		text = text[n:]
	}
	b.WriteString(" )\n")
	return b.String(), nil
}
