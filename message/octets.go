package message

import (
	"bytes"
	"io"
)

// Octets are content in memory.
type Octets []byte

var _ Content = Octets(nil)

// Size is their number.
func (o Octets) Size() int64 { return int64(len(o)) }

// Reader reads them from octet off on.
func (o Octets) Reader(off int64) io.Reader {
	return bytes.NewReader(o[min(max(off, 0), int64(len(o))):])
}
