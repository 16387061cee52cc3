package bouncing_test

import (
	"fmt"
	"strings"
	"testing"
)

// A bounce is one commit at most.
func BenchmarkTake(b *testing.B) {
	const members = 1000
	h := newHouse(b, members+2, "bounce_storm", "off")
	extension := extension(b, h.path())
	l := h.settings()
	n := 0
	for b.Loop() {
		who := fmt.Sprintf("m%d=n.test", n%members)
		must(b, h.desk.Take(b.Context(), l, extension+"+"+who, strings.NewReader(gone("x@n.test", fmt.Sprint(n/members)))))
		n++
	}
}
