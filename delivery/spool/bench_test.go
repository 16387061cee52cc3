package spool_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"superlistd/delivery/spool"
)

func BenchmarkAccept(b *testing.B) {
	for _, disk := range []struct {
		name string
		spool.Disk
	}{{"synced", spool.RealDisk{}}, {"not synced", idle{}}} {
		b.Run("10KiB/"+disk.name, func(b *testing.B) {
			s := spool.Open(b.TempDir(), spool.Options{Disk: disk})
			body := strings.Repeat("x", 10<<10)
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				e, err := s.Prepare(planOf(""), []byte(postHead), strings.NewReader(body), int64(len(body)))
				must(b, err)
				must(b, e.Publish())
				b.StopTimer()
				must(b, e.Finish())
				b.StartTimer()
			}
		})
	}
}

func BenchmarkNote(b *testing.B) {
	keys := make([]string, 1<<16)
	for i := range keys {
		keys[i] = key(i)
	}
	for _, hands := range []int{1, 10} { // connections that deliver copies in turn
		b.Run(fmt.Sprintf("personal copies over %d", hands), func(b *testing.B) {
			e := post(b, spool.Open(b.TempDir(), spool.Options{}), name("a"))
			one := spool.Served{Ranges: make([]spool.Range, 1)}
			n, each := 0, (len(keys)-1)/hands
			b.ReportAllocs()
			for b.Loop() {
				i := n%hands*each + n/hands%each
				one.Ranges[0] = spool.Range{After: keys[i], UpTo: keys[i+1]}
				n++
				must(b, e.Note(one, 1, 0))
			}
		})
	}
}

// many fills a spool with 5000 entries that wait.
func many(b *testing.B, o spool.Options) *spool.Spool {
	b.Helper()
	data := b.TempDir()
	o.Disk = idle{}
	s := spool.Open(data, o)
	for range 5000 {
		e, err := s.Prepare(planOf(""), []byte(postHead), strings.NewReader(postBody), int64(len(postBody)))
		must(b, err)
		must(b, e.Publish())
		must(b, e.Release(time.Now().Add(time.Hour)))
	}
	o.Disk = nil
	return spool.Open(data, o)
}

func BenchmarkFolder(b *testing.B) {
	c := newClock()
	s := many(b, spool.Options{Now: c.now, High: 1 << 40, Entries: 6000, Free: 1})
	b.Run("Due/5000", func(b *testing.B) {
		for b.Loop() {
			_, _, err := s.Due()
			must(b, err)
		}
	})
	b.Run("Full/5000, a second later", func(b *testing.B) {
		for b.Loop() {
			c.move(time.Second)
			must(b, s.Full())
		}
	})
	b.Run("Full/5000, in the same second", func(b *testing.B) {
		for b.Loop() {
			must(b, s.Full())
		}
	})
}

// A journal of a million lines is read when an entry is claimed.
func BenchmarkClaim(b *testing.B) {
	for _, n := range []int{1, 100_000} {
		b.Run(fmt.Sprintf("%d notes", n), func(b *testing.B) {
			s := spool.Open(b.TempDir(), spool.Options{Disk: idle{}})
			e := post(b, s, name("a"))
			for i := range n {
				must(b, e.Note(note(i), 1, 0))
			}
			must(b, e.Release(time.Now()))
			b.ReportAllocs()
			for b.Loop() {
				must(b, claim(b, s, name("a")).Release(time.Now()))
			}
		})
	}
}
