package smtpclient

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"superlistd/wire"
)

func benchConn(b *testing.B, hop Hop) *Conn {
	b.Helper()
	c, err := Dial(context.Background(), Options{Hop: hop})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(c.Quit)
	return c
}

func benchHops(b *testing.B, run func(b *testing.B, hop Hop)) {
	b.Run("in-process", func(b *testing.B) { run(b, startSink(b)) })
	b.Run("smtp-sink", func(b *testing.B) { run(b, startSMTPSink(b)) })
}

func BenchmarkRelay(b *testing.B) {
	benchHops(b, func(b *testing.B, hop Hop) {
		for _, size := range []int{1 << 10, 10 << 10, 1 << 20} {
			b.Run(fmt.Sprintf("%dKiB", size>>10), func(b *testing.B) {
				c := benchConn(b, hop)
				content := []byte(strings.Repeat(strings.Repeat("x", 74)+"\r\n", size/76+1)[:size-2] + "\r\n")
				src := bytes.NewReader(content)
				client := &wire.ClientInfo{Name: "spike.example.org", Addr: "192.0.2.5", Helo: "spike.example.org", Proto: "ESMTP"}
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					src.Reset(content)
					tx, err := c.Begin(Envelope{Client: client, Raw: "FROM:<a@b.test> SIZE=1000"})
					if err != nil {
						b.Fatal(err)
					}
					if _, err := tx.Rcpt(ctx, "TO:<x@y.test>"); err != nil {
						b.Fatal(err)
					}
					if err := tx.Data(ctx); err != nil {
						b.Fatal(err)
					}
					if _, err := tx.ReadFrom(src); err != nil {
						b.Fatal(err)
					}
					if _, err := tx.Commit(ctx); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	})
}

func BenchmarkRcpts(b *testing.B) {
	benchHops(b, func(b *testing.B, hop Hop) {
		for _, n := range []int{100, 1000, 50000} {
			b.Run(fmt.Sprint(n), func(b *testing.B) {
				c := benchConn(b, hop)
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				src := &counter{limit: n, buf: make([]byte, 0, 64)}
				total := 0
				b.ReportAllocs()
				for b.Loop() {
					tx, err := c.Begin(Envelope{ReversePath: "l-bounces@x.test"})
					if err != nil {
						b.Fatal(err)
					}
					src.n = 0
					if got, err := tx.Rcpts(ctx, src.next, nil); got != n || err != nil {
						b.Fatal(got, err)
					}
					if err := tx.Data(ctx); err != nil {
						b.Fatal(err)
					}
					if _, err := tx.Commit(ctx); err != nil {
						b.Fatal(err)
					}
					total += n
				}
				b.ReportMetric(float64(total)/b.Elapsed().Seconds(), "rcpt/s")
			})
		}
	})
}

func BenchmarkDial(b *testing.B) {
	hop := startSink(b)
	for b.Loop() {
		c, err := Dial(context.Background(), Options{Hop: hop})
		if err != nil {
			b.Fatal(err)
		}
		c.Quit()
	}
}
