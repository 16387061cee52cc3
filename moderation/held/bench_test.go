package held_test

import (
	"strconv"
	"strings"
	"testing"

	"superlistd/internal/faultdisk"
	"superlistd/lists"
	"superlistd/moderation/held"
)

// BenchmarkPut10KiB is one post on the disk, synced.
func BenchmarkPut10KiB(b *testing.B) {
	s := held.Open(b.TempDir(), held.Options{})
	content := strings.Repeat("0123456789", 1024)
	f := factsFor(b, "team@lists.test", "")
	for b.Loop() {
		if _, _, err := s.Put(f, strings.NewReader(content), int64(len(content))); err != nil {
			b.Fatal(err)
		}
	}
}

// The same with 5,000 posts there and limits to be looked at, not synced.
func BenchmarkPutBeside5000(b *testing.B) {
	s := with5000(b, held.Options{Entries: 1 << 30, ListSize: 1 << 40})
	f := factsFor(b, "team@lists.test", "")
	for b.Loop() {
		put(b, s, f)
	}
}

func BenchmarkList5000(b *testing.B) {
	s := with5000(b, held.Options{})
	for b.Loop() {
		if all, err := s.List(lists.Address{}, "", 10_000); err != nil || len(all) != 5000 {
			b.Fatal(len(all), err)
		}
	}
}

func with5000(b *testing.B, o held.Options) *held.Store {
	data := b.TempDir()
	o.Disk = faultdisk.New(faultdisk.Fault{})
	s := held.Open(data, held.Options{Disk: o.Disk})
	for n := range 5000 {
		put(b, s, factsFor(b, "team@lists.test", strconv.Itoa(n)))
	}
	return held.Open(data, o)
}
