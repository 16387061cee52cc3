package smtpclient

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"
)

// sinkConn is a session with the sink of the benchmarks, which allocates nothing.
func sinkConn(tb testing.TB, chunking bool) *Conn {
	tb.Helper()
	c, err := Dial(context.Background(), Options{Hop: startSink(tb)})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(c.Quit)
	c.caps.Chunking = chunking
	return c
}

func TestSingleDoesNotAllocate(t *testing.T) {
	for _, chunking := range []bool{false, true} {
		for _, file := range []bool{false, true} {
			c := sinkConn(t, chunking)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			body := bytes.NewReader(bytes.Repeat([]byte("line\r\n"), 1000))
			section := io.NewSectionReader(body, 0, body.Size())
			m, env, rcpt := parts("To: x\r\n", "Subject: x\r\n\r\n", strings.Repeat("line\r\n", 1000)), singleEnvelope(), []byte("ann@x.test")
			n := testing.AllocsPerRun(200, func() {
				if file {
					_, _ = section.Seek(0, io.SeekStart) // to where there is something
					m.Body = section
				}
				if err := c.Single(ctx, env, rcpt, m); err != nil {
					t.Fatal(err)
				}
			})
			if n > 0 {
				t.Errorf("chunking %v, reader %v: %v allocations", chunking, file, n)
			}
		}
	}
}

func BenchmarkSingle(b *testing.B) {
	run := func(b *testing.B, c *Conn, size int) {
		content := bytes.Repeat([]byte(strings.Repeat("x", 74)+"\r\n"), size/76)
		m, env, rcpt := parts("To: ann@x.test\r\n", "Subject: x\r\n\r\n", string(content)), singleEnvelope(), []byte("ann@x.test")
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		b.SetBytes(int64(size))
		b.ReportAllocs()
		for b.Loop() {
			if err := c.Single(ctx, env, rcpt, m); err != nil {
				b.Fatal(err)
			}
		}
	}
	for _, size := range []int{2 << 10, 20 << 10, 1 << 20} {
		b.Run(fmt.Sprintf("in-process/DATA/%dKiB", size>>10), func(b *testing.B) { run(b, sinkConn(b, false), size) })
		if size < writeSize {
			b.Run(fmt.Sprintf("in-process/BDAT/%dKiB", size>>10), func(b *testing.B) { run(b, sinkConn(b, true), size) })
		}
		b.Run(fmt.Sprintf("smtp-sink/%dKiB", size>>10), func(b *testing.B) { run(b, benchConn(b, startSMTPSink(b)), size) })
	}
}
