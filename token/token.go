// Package token makes and checks short keyed texts that stand in addresses: whoever shows one had it from us. It owns
// the one secret of an installation, and knows neither addresses nor what the tokens are for.
package token

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"strings"
)

const (
	secretSize = 32 // octets
	macSize    = 10 // octets: 80 bits, 16 characters without padding
	// Length is that of what Make returns, in characters.
	Length = 16
)

// Keys make tokens from the secret of an installation. They may be used by many goroutines.
type Keys struct{ secret [secretSize]byte }

// What a keyed hash is for, so that none can stand for another.
const (
	forToken = 't'
	forKey   = 'k'
)

// Make returns the token for a purpose and its parts: Length characters of a to z and 2 to 7. Other parts, in number, order
// or where one ends, make another token.
func (k *Keys) Make(purpose string, parts ...string) string {
	sum := k.sum(forToken, purpose, parts)
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:macSize]))
}

// Check tells whether Make gave that token for the purpose and parts. The case does not matter, since addresses lose it
// on their way, and the time does not tell how much of it was right.
func (k *Keys) Check(token, purpose string, parts ...string) bool {
	if len(token) != Length {
		return false
	}
	return subtle.ConstantTimeCompare([]byte(strings.ToLower(token)), []byte(k.Make(purpose, parts...))) == 1
}

// Derive returns a key of 32 octets for a purpose of its own, which tells nothing about the secret.
func (k *Keys) Derive(purpose string) []byte { return k.sum(forKey, purpose, nil) }

// sum writes the length before each text, so that no two lists of texts look alike.
func (k *Keys) sum(use byte, purpose string, parts []string) []byte {
	h := hmac.New(sha256.New, k.secret[:])
	buf := []byte{use}
	for i := -1; i < len(parts); i++ {
		text := purpose
		if i >= 0 {
			text = parts[i]
		}
		buf = append(binary.AppendUvarint(buf, uint64(len(text))), text...)
	}
	h.Write(buf) // never fails
	return h.Sum(nil)
}
