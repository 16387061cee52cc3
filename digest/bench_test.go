package digest_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"superlistd/delivery"
	"superlistd/delivery/spool"
	"superlistd/lists"
)

// BenchmarkSend1000x10KiB closes an issue of 1,000 posts of 10 KiB for 10,000 members, compiles it in both forms, and hands it over.
func BenchmarkSend1000x10KiB(b *testing.B) {
	h := open(b, "digest_size=none", "digest_count=none")
	var names []string
	for n := range 5000 {
		names = append(names, fmt.Sprint("member", n))
	}
	h.join(lists.DeliveryDigest, names...)
	for i := range names {
		names[i] = "plain" + names[i]
	}
	h.join(lists.DeliveryPlain, names...)
	lines := strings.Repeat(strings.Repeat("words ", 12)+"\n", 140)
	octets := int64(0)
	h.opts.Deliver = func(_ context.Context, j delivery.Job) (delivery.Result, error) {
		octets = 0
		for _, r := range j.Routes {
			n, err := io.Copy(io.Discard, r.Body.Reader(0))
			if octets += n; err != nil {
				return delivery.Result{}, err
			}
		}
		return delivery.Result{}, nil
	}
	h.again(nil)
	for issue := 0; b.Loop(); issue++ {
		b.StopTimer()
		for n := range 1000 {
			h.gather(text(n, fmt.Sprint("Subject ", n/3))+lines, issue)
		}
		b.StartTimer()
		if n, err := h.desk.Send(b.Context(), list); n != 1000 || err != nil {
			b.Fatal(n, err)
		}
	}
	b.SetBytes(octets)
}

// BenchmarkGather10KiB is one post on the disk, synced.
func BenchmarkGather10KiB(b *testing.B) {
	h := open(b, "digest_size=none", "digest_count=none")
	h.again(spool.RealDisk{})
	h.join(lists.DeliveryDigest, "dora")
	raw := text(1, "Lunch") + strings.Repeat("0123456789\n", 930)
	for b.Loop() {
		h.gather(raw, 0)
	}
}

// BenchmarkSend50MB is an issue of one post with a large file: what memory it takes.
func BenchmarkSend50MB(b *testing.B) {
	h := open(b, "digest_size=none", "digest_count=none")
	h.join(lists.DeliveryDigest, "dora")
	h.join(lists.DeliveryPlain, "paul")
	raw := strings.Replace(text(1, "Film"), "\n\n", "\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nSee!\n--b\nContent-Type: video/mp4; name=film.mp4\nContent-Transfer-Encoding: base64\n\n", 1) +
		strings.Repeat(strings.Repeat("A", 76)+"\n", 50_000_000/78) + "--b--\n"
	h.opts.Deliver = func(context.Context, delivery.Job) (delivery.Result, error) { return delivery.Result{}, nil }
	h.again(nil)
	b.ReportAllocs()
	for issue := 0; b.Loop(); issue++ {
		b.StopTimer()
		h.gather(raw, issue)
		b.StartTimer()
		if n, err := h.desk.Send(b.Context(), list); n != 1 || err != nil {
			b.Fatal(n, err)
		}
	}
}
