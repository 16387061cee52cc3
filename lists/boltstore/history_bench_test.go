package boltstore_test

import (
	"fmt"
	"testing"
	"time"

	"superlistd/lists/boltstore"
)

// benchPosts is what a list with 50 posts a day has of sixty days.
const benchPosts = 3000

func BenchmarkHistoryNote(b *testing.B) {
	h := openHistory(b, notedHistory(b, benchPosts), boltstore.Options{})
	b.ReportAllocs()
	for n := benchPosts; b.Loop(); n++ {
		if err := h.Note(b.Context(), team, numbered(n, noon().Add(time.Duration(n)*10*time.Minute))); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkHistoryRecent(b *testing.B) {
	h := openHistory(b, notedHistory(b, benchPosts), boltstore.Options{})
	since := noon().Add((benchPosts - 6) * 10 * time.Minute)
	b.ReportAllocs()
	for b.Loop() {
		if _, n, err := h.Recent(b.Context(), team, team, "", since); err != nil || n != 6 {
			b.Fatal(n, err)
		}
	}
}

func BenchmarkHistoryInThread32(b *testing.B) {
	h := openHistory(b, notedHistory(b, benchPosts), boltstore.Options{})
	var ids []string
	for n := range 32 {
		ids = append(ids, fmt.Sprint(n*90, "@x"))
	}
	b.ReportAllocs()
	for b.Loop() {
		if is, err := h.InThread(b.Context(), team, team, ids, noon()); err != nil || is {
			b.Fatal(is, err)
		}
	}
}
