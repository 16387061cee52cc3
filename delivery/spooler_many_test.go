package delivery_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"superlistd/delivery"
	"superlistd/delivery/spool"
	"superlistd/lists"
)

// lazyDisk syncs nothing: what is measured is not the disk.
type lazyDisk struct{ spool.RealDisk }

func (lazyDisk) SyncDir(string) error { return nil }

func (d lazyDisk) Create(path string) (spool.File, error) {
	f, err := d.RealDisk.Create(path)
	return lazyFile{f}, err
}

func (d lazyDisk) Open(path string) (spool.File, error) {
	f, err := d.RealDisk.Open(path)
	return lazyFile{f}, err
}

type lazyFile struct{ spool.File }

func (lazyFile) Sync() error { return nil }

// Whoever comes by a timer counts on it: Drain ends when nothing is due any more, and not before, however many there are.
func TestDrainLeavesNothingThatIsDue(t *testing.T) {
	t.Parallel()
	o := spooling(t.TempDir())
	o.Spool = spool.Open(t.TempDir(), spool.Options{Slots: 4, Disk: lazyDisk{}})
	h, q := quickHouse(t, o)
	all := []lists.Address{h.list("a@lists.test", "ann@m.test"), h.list("b@lists.test", "ann@m.test")}
	const due, later = 300, 50
	fill(t, o.Spool, all, due, 0)
	fill(t, o.Spool, all, later, time.Hour)
	h.d.Spooler().Drain(t.Context())
	if got := q.mail.Load(); got != due {
		t.Errorf("%d of %d arrived", got, due)
	}
	if infos, err := o.Spool.Entries(); err != nil || len(infos) != later {
		t.Errorf("%d are left, %v; want those %d that are not due", len(infos), err, later)
	}
}

// BenchmarkDrain delivers small entries of many lists, all that are due, beside others that are not.
func BenchmarkDrain(b *testing.B) {
	for _, n := range []struct{ due, later int }{{100, 0}, {5000, 0}, {500, 5000}} {
		b.Run(fmt.Sprintf("due=%d/later=%d", n.due, n.later), func(b *testing.B) {
			o := delivery.Options{Batch: 1000, MaxArmed: 20, Connections: 40, RelayShare: 4, SpoolConnections: 10, SpoolPerList: 4,
				Lifetime: time.Hour, Timeout: time.Minute, Hostname: "mx.lists.test"}
			o.Spool = spool.Open(b.TempDir(), spool.Options{Slots: 10, Disk: lazyDisk{}})
			h, q := quickHouse(b, o)
			var all []lists.Address
			for i := range 100 {
				all = append(all, h.list(fmt.Sprintf("list%d@lists.test", i), "ann@m.test"))
			}
			fill(b, o.Spool, all, n.later, time.Hour)
			for b.Loop() {
				b.StopTimer()
				fill(b, o.Spool, all, n.due, 0)
				before := q.mail.Load()
				b.StartTimer()
				h.d.Spooler().Drain(b.Context())
				if got := q.mail.Load() - before; got != int64(n.due) {
					b.Fatalf("%d of %d arrived", got, n.due)
				}
			}
			b.ReportMetric(float64(b.N*n.due)/b.Elapsed().Seconds(), "entries/s")
		})
	}
}

// fill makes entries for one recipient each.
func fill(b testing.TB, s *spool.Spool, all []lists.Address, n int, wait time.Duration) {
	b.Helper()
	const head = "Subject: x\r\n\r\n"
	for i := range n {
		list := all[i%len(all)]
		e, err := s.Prepare(spool.Plan{
			ID: spool.NewID(), List: list, ReversePath: list, Accepted: time.Now(),
			Audience: spool.Audience{List: list, Members: 1}, Head: int64(len(head)), Body: int64(len(body)),
		}, []byte(head), strings.NewReader(body), int64(len(body)))
		if err == nil {
			err = e.Publish()
		}
		if err == nil {
			err = e.Release(time.Now().Add(wait))
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}
