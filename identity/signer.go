package identity

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// signedFields are put under the signature wherever they are there, in this order
// (RFC 6376 section 5.4.1). The list is closed: a field name of a stranger never gets
// into the signature field.
var signedFields = []string{
	"from", "sender", "reply-to", "to", "cc", "subject", "date", "message-id", "in-reply-to", "references",
	"mime-version", "content-type", "content-transfer-encoding", "content-disposition", "content-id",
	"content-description", "content-language", "content-location",
	"list-id", "list-post", "list-help", "list-subscribe", "list-unsubscribe", "list-unsubscribe-post",
	"list-owner", "list-archive", "archived-at", "auto-submitted",
}

// maxInstances bounds how many fields of one name are signed, from the lowest up.
const maxInstances = 16

// Signer puts DKIM signatures (RFC 6376) on copies: relaxed/relaxed, one by each of
// its keys. It is safe for many goroutines.
type Signer struct {
	domain string
	keys   []Key
	now    func() time.Time
}

// NewSigner returns a signer for a domain. Every key needs a selector of its own, for
// a selector has one record (RFC 8463 section 3 wants RSA beside Ed25519 so). now is
// the clock of t=; nil is time.Now.
func NewSigner(domain string, now func() time.Time, keys ...Key) (*Signer, error) {
	d, ok := canonicalName(domain)
	if !ok {
		return nil, fmt.Errorf("dkim: %q is not a domain name", domain)
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("dkim: no key for %s", d)
	}
	seen := make(map[string]bool, len(keys))
	for _, k := range keys {
		if seen[k.selector] {
			return nil, fmt.Errorf("dkim: two keys for selector %s of %s", k.selector, d)
		}
		seen[k.selector] = true
	}
	if now == nil {
		now = time.Now
	}
	return &Signer{domain: d, keys: keys, now: now}, nil
}

// Domain is the d= of the signatures, in A-labels.
func (s *Signer) Domain() string { return s.domain }

// Sign returns a DKIM-Signature field for each key, with CRLF, to be put on top of
// head: the header of a copy as it goes on the wire, with or without its blank line,
// its first line a field.
// body is the hash of what follows. Copies of one header need one call, and copies
// of one body one HashBody. From is signed once more than it is there, so that
// nobody can add another one. A header without From is an error (RFC 6376 section
// 5.4).
func (s *Signer) Sign(head []byte, body BodyHash) ([]byte, error) {
	names, data := selectFields(splitFields(head))
	if len(names) == 0 || names[0] != "from" {
		return nil, fmt.Errorf("dkim: no From to sign for %s", s.domain)
	}
	out := make([]byte, 0, 512*len(s.keys))
	for _, k := range s.keys {
		start := len(out)
		out = s.appendField(out, k, names, body)
		field := out[start+len(fieldName)+1:]
		h := sha256.New()
		h.Write(data)
		h.Write(appendRelaxed(nil, strings.ToLower(fieldName), field))
		sig, err := k.sign(h.Sum(nil))
		if err != nil {
			return nil, fmt.Errorf("dkim: sign with %s: %w", k.name(s.domain), err)
		}
		out = appendFolded(out, base64.StdEncoding.EncodeToString(sig))
		out = append(out, "\r\n"...)
	}
	return out, nil
}

const (
	fieldName = "DKIM-Signature"
	maxColumn = 76
)

// selectFields picks what is signed: the names for h=, and the canonical fields.
func selectFields(fields [][]byte) (names []string, data []byte) {
	found := make([][][]byte, len(signedFields)) // values, from the lowest up
	for i := len(fields) - 1; i >= 0; i-- {
		name, value, ok := bytes.Cut(fields[i], []byte(":"))
		if !ok {
			continue
		}
		at := indexField(bytes.TrimRight(name, " \t"))
		if at >= 0 && len(found[at]) < maxInstances {
			found[at] = append(found[at], value)
		}
	}
	for i, name := range signedFields {
		for _, value := range found[i] {
			names = append(names, name)
			data = append(appendRelaxed(data, name, value), "\r\n"...)
		}
		if name == "from" && len(names) > 0 {
			names = append(names, name)
		}
	}
	return names, data
}

func indexField(name []byte) int {
	for i, s := range signedFields {
		if len(s) == len(name) && strings.EqualFold(s, string(name)) {
			return i
		}
	}
	return -1
}

// appendField appends the field up to "b=".
func (s *Signer) appendField(dst []byte, k Key, names []string, body BodyHash) []byte {
	dst = append(dst, fieldName+": v=1; a="+k.algorithm()+"; c=relaxed/relaxed;\r\n\td="+s.domain+"; s="+k.selector+";\r\n\tt="...)
	dst = strconv.AppendInt(dst, s.now().Unix(), 10)
	dst = append(dst, ";\r\n\th="...)
	column := 10
	for i, name := range names {
		if column+len(name) > maxColumn {
			dst = append(dst, "\r\n\t "...)
			column = 9
		}
		dst = append(dst, name...)
		if column += len(name) + 1; i < len(names)-1 {
			dst = append(dst, ':')
		}
	}
	dst = append(dst, ";\r\n\tbh="...)
	dst = base64.StdEncoding.AppendEncode(dst, body[:])
	return append(dst, ";\r\n\tb="...)
}

// appendFolded appends a long word in lines.
func appendFolded(dst []byte, word string) []byte {
	for room := maxColumn - 10; len(word) > room; room = maxColumn - 9 {
		dst = append(append(dst, word[:room]...), "\r\n\t "...)
		word = word[room:]
	}
	return append(dst, word...)
}

// sign signs a hash: RSA PKCS #1 v1.5 (RFC 6376 section 3.3.1), or pure Ed25519 over
// the hash (RFC 8463 section 3).
func (k Key) sign(hash []byte) ([]byte, error) {
	if private, ok := k.private.(ed25519.PrivateKey); ok {
		return ed25519.Sign(private, hash), nil
	}
	return k.private.Sign(rand.Reader, hash, crypto.SHA256)
}
