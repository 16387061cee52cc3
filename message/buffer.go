package message

import (
	"math/bits"
	"sync"
)

// Buffers are powers of two from smallest to largest; others are not kept.
const (
	smallestBits = 13
	largestBits  = 20
	smallest     = 1 << smallestBits
)

// buffers are free buffers, one pool for each size. It is a cache and no state: a program without it does the
// same, and slower.
var buffers [largestBits - smallestBits + 1]sync.Pool

// getBuffer returns an empty buffer with room for at least size octets. What it held before is still in it.
func getBuffer(size int) []byte {
	class := max(bits.Len(uint(size-1)), smallestBits)
	if class > largestBits {
		return make([]byte, 0, size)
	}
	if b, ok := buffers[class-smallestBits].Get().(*[]byte); ok {
		return (*b)[:0]
	}
	return make([]byte, 0, 1<<class)
}

// putBuffer keeps b for another. Nobody may look at it any more.
func putBuffer(b []byte) {
	class := bits.Len(uint(cap(b))) - 1
	if class < smallestBits || class > largestBits || cap(b) != 1<<class {
		return
	}
	b = b[:0]
	buffers[class-smallestBits].Put(&b)
}
