package bouncing_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// A bounce is one commit at most.
func BenchmarkTake(b *testing.B) {
	const members = 1000
	h := newHouse(b, members+2, "bounce_storm", "off")
	extension := extension(b, h.path())
	l := h.Settings()
	n := 0
	for b.Loop() {
		who := fmt.Sprintf("m%d=n.test", n%members)
		must(b, h.desk.Take(b.Context(), l, extension+"+"+who, strings.NewReader(gone("x@n.test", fmt.Sprint(n/members)))))
		n++
	}
}

// BenchmarkReplay takes the bounces of ten posts of which each comes back from all 1,000 members, by as many sessions at once as
// Postfix opens to the LMTP door.
func BenchmarkReplay(b *testing.B) {
	const members, posts = 1000, 10
	for _, sessions := range []int{1, 10, 50} {
		b.Run(fmt.Sprintf("10000 bounces, %d sessions", sessions), func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				h := newHouse(b, members+2, "bounce_storm", "off")
				var commits, next atomic.Int64
				h.Fail = func(step string) error {
					if step == "after book" {
						commits.Add(1)
					}
					return nil
				}
				extension, l := extension(b, h.path()), h.Settings()
				b.StartTimer()
				var wg sync.WaitGroup
				for range sessions {
					wg.Go(func() {
						for n := next.Add(1) - 1; n < members*posts; n = next.Add(1) - 1 {
							who := fmt.Sprintf("%s+m%d=n.test", extension, n%members)
							if err := h.desk.Take(b.Context(), l, who, strings.NewReader(gone("x@n.test", fmt.Sprint(n/members)))); err != nil {
								b.Error(err)
							}
						}
					})
				}
				wg.Wait()
				b.ReportMetric(float64(commits.Load()), "commits")
				b.ReportMetric(float64(members*posts)/b.Elapsed().Seconds(), "bounces/s")
			}
		})
	}
}
