package delivery_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"superlistd/delivery"
	"superlistd/lists"
	"superlistd/lists/memstore"
	"superlistd/smtpclient"
	"superlistd/wire"
)

// quickHop answers as fast as it can, and counts; it keeps nothing.
type quickHop struct {
	ln          net.Listener
	wg          sync.WaitGroup
	mu          sync.Mutex
	open        []net.Conn
	rcpts, mail atomic.Int64
}

func newQuickHop(t testing.TB) *quickHop {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	q := &quickHop{ln: ln}
	q.wg.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			q.mu.Lock()
			q.open = append(q.open, c)
			q.mu.Unlock()
			q.wg.Go(func() { q.serve(c) })
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		q.mu.Lock()
		for _, c := range q.open {
			_ = c.Close()
		}
		q.mu.Unlock()
		q.wg.Wait()
	})
	return q
}

func (q *quickHop) serve(c net.Conn) {
	defer c.Close()
	r, w := bufio.NewReaderSize(c, 64<<10), bufio.NewWriterSize(c, 64<<10)
	_, _ = w.WriteString("220 quick.test\r\n") // errors come back with Flush
	content := false
	for {
		if r.Buffered() == 0 && w.Flush() != nil {
			return
		}
		line, err := r.ReadSlice('\n')
		switch {
		case err != nil:
			return
		case content && !bytes.Equal(line, []byte(".\r\n")):
		case content:
			content = false
			q.mail.Add(1)
			_, _ = w.WriteString("250 2.0.0 Ok: queued as QUICK\r\n")
		case bytes.HasPrefix(line, []byte("RCPT")):
			q.rcpts.Add(1)
			_, _ = w.WriteString("250 2.1.5 Ok\r\n")
		case bytes.HasPrefix(line, []byte("DATA")):
			content = true
			_, _ = w.WriteString("354 Go on\r\n")
		case bytes.HasPrefix(line, []byte("EHLO")):
			_, _ = w.WriteString("250-quick.test\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 XFORWARD NAME ADDR PROTO HELO IDENT\r\n")
		default:
			_, _ = w.WriteString("250 2.0.0 Ok\r\n")
		}
	}
}

// quickHouse is a house with a quick hop, and without a peer.
func quickHouse(t testing.TB, o delivery.Options) (*house, *quickHop) {
	t.Helper()
	q := newQuickHop(t)
	h := &house{t: t, store: memstore.New()}
	h.pool = smtpclient.NewPool(smtpclient.Options{Hop: smtpclient.Hop{Network: "tcp", Address: q.ln.Addr().String()}}, o.Connections, time.Minute)
	t.Cleanup(h.pool.Close)
	var err error
	if h.d, err = delivery.New(h.pool, h.store, o, discard()); err != nil {
		t.Fatal(err)
	}
	return h, q
}

// frugal is a store that allocates nothing to speak of, as boltstore: what is measured is the expansion.
type frugal struct{ members int }

func (f frugal) Recipients(_ context.Context, _ lists.Address, r *lists.Recipients, n int) error {
	next := 0
	if c := r.Cursor(); len(c) > 0 {
		for _, d := range c[len("member"):len("member000000")] {
			next = 10*next + int(d-'0')
		}
		next++
	}
	a := []byte("member000000@m.test")
	for ; n > 0 && next < f.members; n, next = n-1, next+1 {
		for i, rest := len("member000000")-1, next; i >= len("member"); i, rest = i-1, rest/10 {
			a[i] = byte('0' + rest%10)
		}
		r.Append(a, a)
	}
	if next == f.members {
		r.SetDone()
	}
	return nil
}

func (f frugal) Contains(context.Context, lists.Address, int, [][]byte, []bool) error { return nil }

// A hundred thousand members in twenty transactions cost the buffers of twenty connections, and no
// allocation for each member.
func TestMemoryOfALargeExpansion(t *testing.T) {
	const members = 100_000
	q := newQuickHop(t)
	pool := smtpclient.NewPool(smtpclient.Options{Hop: smtpclient.Hop{Network: "tcp", Address: q.ln.Addr().String()}}, 40, 0)
	defer pool.Close()
	o := usual
	o.Batch = 5000
	d, err := delivery.New(pool, frugal{members}, o, discard())
	if err != nil {
		t.Fatal(err)
	}
	list := address(t, "team@lists.test")
	routes := []delivery.Route{{
		List: list, ReversePath: list, Head: []byte("Subject: x\r\n\r\n"), Body: content(body),
		Audience: delivery.Audience{List: list, Members: members},
	}}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	e, err := d.Expand(t.Context(), wire.ClientInfo{}, routes)
	if err != nil {
		t.Fatal(err)
	}
	outcomes, _, err := e.Commit(t.Context(), true)
	runtime.ReadMemStats(&after)
	if err != nil || outcomes[0].Accepted != members || outcomes[0].Transactions != 20 || q.rcpts.Load() != members || q.mail.Load() != 20 {
		t.Fatalf("%+v, %v; %d recipients in %d messages arrived", outcomes, err, q.rcpts.Load(), q.mail.Load())
	}
	octets, count := after.TotalAlloc-before.TotalAlloc, int64(after.Mallocs-before.Mallocs)
	t.Logf("%d KiB in %d allocations", octets>>10, count)
	if octets > 20<<20 {
		t.Errorf("%d MiB allocated, want at most 20: one for each transaction", octets>>20)
	}
	if count > members/10 {
		t.Errorf("%d allocations", count)
	}
}

func BenchmarkExpand(b *testing.B) {
	for _, members := range []int{1, 1000, 20_000} {
		for _, size := range []int{1 << 10, 100 << 10} {
			b.Run(fmt.Sprintf("members=%d/octets=%d", members, size), func(b *testing.B) {
				h, q := quickHouse(b, delivery.Options{Batch: 1000, MaxArmed: 20, Connections: 40, RelayShare: 4})
				r := h.route(h.list("team@lists.test", numbered(members)...))
				r.Body = content(strings.Repeat(strings.Repeat("x", 76)+"\r\n", size/78))
				r.BodyOffset = 0
				b.ReportAllocs()
				for b.Loop() {
					if _, _, err := h.expand(r); err != nil {
						b.Fatal(err)
					}
				}
				if got := q.rcpts.Load(); got%int64(members) != 0 {
					b.Fatalf("%d recipients arrived", got)
				}
				b.ReportMetric(float64(members)*float64(b.N)/b.Elapsed().Seconds(), "members/s")
			})
		}
	}
}
