package delivery

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"superlistd/delivery/spool"
)

// newServed is compared with asking each note.
func TestServedIsWhatSomeNoteCovers(t *testing.T) {
	t.Parallel()
	for seed := range uint64(500) {
		r := rand.New(rand.NewPCG(seed, 1))
		key := func(n int) string { return fmt.Sprintf("k%02d", n) }
		var notes []spool.Served
		for range r.IntN(6) {
			var n spool.Served
			for range 1 + r.IntN(3) {
				from := r.IntN(40)
				n.Ranges = append(n.Ranges, spool.Range{After: key(from), UpTo: key(from + 1 + r.IntN(8))})
			}
			for range r.IntN(3) {
				n.But = append(n.But, key(r.IntN(48)))
			}
			notes = append(notes, n)
		}
		s := newServed(notes)
		for k := range 50 {
			want := slices.ContainsFunc(notes, func(n spool.Served) bool { return noteCovers(n, key(k)) })
			if got := s.has(key(k)); got != want {
				t.Fatalf("seed %d: has(%s) = %v of %+v", seed, key(k), got, notes)
			}
			for skipped := k + 1; skipped < 50 && key(skipped) <= s.beyond(key(k)); skipped++ {
				if !s.has(key(skipped)) {
					t.Fatalf("seed %d: beyond(%s) = %s leaves out %s of %+v", seed, key(k), s.beyond(key(k)), key(skipped), notes)
				}
			}
		}
		if s.beyond("k00") == "k00" && s.has("k01") && len(s.missing) == 0 && s.within("k01") >= 0 && s.ranges[s.within("k01")].After <= "k00" {
			t.Fatalf("seed %d: nothing is skipped of %+v", seed, notes)
		}
	}
}
