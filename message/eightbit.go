package message

import (
	"io"
	"slices"
)

// BeyondASCII reads all of a content and tells whether an octet of it needs 8BITMIME (RFC 6152), whatever its client declared.
func BeyondASCII(r io.Reader) (bool, error) {
	buf := make([]byte, 32<<10)
	for {
		n, err := r.Read(buf)
		if slices.ContainsFunc(buf[:n], func(c byte) bool { return c >= 0x80 }) {
			return true, nil
		}
		switch {
		case err == io.EOF:
			return false, nil
		case err != nil:
			return false, err
		}
	}
}
