package delivery_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"superlistd/delivery"
	"superlistd/delivery/spool"
	"superlistd/internal/faultdisk"
	"superlistd/internal/housetest"
	"superlistd/internal/smtptest"
)

// diskFault is a way for a disk to fail, and what it may cost.
type diskFault struct {
	housetest.DiskFault
	// twice is how many transactions may be repeated: the one whose note was lost, and with the power all since the last sync.
	twice int
}

var diskFaults = []diskFault{
	{housetest.EIOOnce, 0},
	{housetest.ENOSPCOnce, 0},
	{housetest.EIOForEver, 1},
	{housetest.ENOSPCForEver, 1},
	{housetest.Kill, 1},
	{housetest.PowerCut, 2},
}

// The same law, with the n-th step of the disk failing, for every n: in a process that goes on, and in one that ends there and
// is followed by another. In half of the runs the next hop also puts somebody off and fails a dot.
func TestFaultsOfTheDisk(t *testing.T) {
	t.Parallel()
	for _, r := range roads {
		for _, f := range diskFaults {
			for _, rough := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/%s/rough %v", r.name, f.Name, rough), func(t *testing.T) {
					t.Parallel()
					least := 20
					if r.name == "through" && !rough {
						least = 2 // nothing is left for the spool
					}
					f.EachStep(t, least, func(_ int, disk *faultdisk.Disk) { runOnDisk(t, r, f, disk, rough) })
				})
			}
		}
	}
}

// roughHop puts one member off and refuses one dot, each once.
func roughHop() []smtptest.Option {
	put, refused := new(flag), new(flag)
	return []smtptest.Option{
		smtptest.RcptReply(func(addr string) string {
			if addr == "member000001@m.test" && put.first() {
				return "450 4.2.0 come again"
			}
			return ""
		}),
		smtptest.FinalReply(func(addr string) string {
			if addr == "member000002@m.test" && refused.first() {
				return "451 4.3.0 not now"
			}
			return ""
		}),
	}
}

func runOnDisk(t *testing.T, r road, f diskFault, disk *faultdisk.Disk, rough bool) {
	dir := t.TempDir()
	o := r.options(dir)
	o.SpoolConnections = 1 // so that one transaction is in flight
	o.Spool = spool.Open(dir, spool.Options{Slots: 1, Disk: disk})
	var hop []smtptest.Option
	if rough {
		hop = roughHop()
	}
	h := newHouse(t, o, hop...)
	members := numbered(faultMembers)
	team := h.list("team@lists.test", members...)
	told := false
	for range 3 {
		if _, err := h.deliver(r.post(h, team)); err == nil {
			told = true
			break
		}
	}
	h.workUntil(f, disk)
	// Another process, with a disk that works.
	o.Spool = spool.Open(dir, spool.Options{Slots: 1})
	h.renew(o)
	if !told && h.insist(func() delivery.Route { return r.post(h, team) }) == 0 {
		t.Error("the sender was told no")
	}
	h.drain(o, 20*time.Second)
	h.wantLaw(o, members, true, f.twice)
	if left, _ := filepath.Glob(filepath.Join(dir, "spool", "????????????????????????????????")); len(left) > 0 {
		t.Errorf("left in the spool: %q", left)
	}
	if t.Failed() {
		t.Logf("told 250 before: %v\n%s", told, h.tail())
	}
}

// workUntil is drain by a process that ends after a while, which is short where the disk cannot recover.
func (h *house) workUntil(f diskFault, disk *faultdisk.Disk) {
	h.t.Helper()
	patience := 5 * time.Second
	if f.Fault.Forever || f.Fault.Crash {
		patience = 100 * time.Millisecond
	}
	ctx, cancel := context.WithTimeout(h.t.Context(), patience)
	defer cancel()
	h.d.Spooler().Drain(ctx)
	f.End(h.t, disk)
}

// flag is up once.
type flag struct{ up atomic.Bool }

func (f *flag) first() bool { return f.up.CompareAndSwap(false, true) }

// Everybody of one transaction is put off, all others are in, and the spool cannot take him: the guard must not say that the
// whole post is done, or the retry would be told 250 and he would have nothing.
func TestWhoIsPutOffIsNotForgottenWithTheSpool(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	o := roads[0].options(dir)
	disk := faultdisk.New(faultdisk.Fault{At: 1, Forever: true, Match: func(op, _ string) bool { return op == "rename" }})
	o.Spool = spool.Open(dir, spool.Options{Slots: 1, Disk: disk})
	put := new(flag)
	h := newHouse(t, o, smtptest.RcptReply(func(addr string) string {
		if addr == "member000004@m.test" && put.first() {
			return "450 4.2.0 come again"
		}
		return ""
	}))
	members := numbered(faultMembers)
	team := h.list("team@lists.test", members...)
	_, err := h.deliver(roads[0].post(h, team))
	wantError(t, err, delivery.ErrPartial)
	if !disk.Tripped() {
		t.Fatal("the spool was not asked")
	}
	o.Spool = spool.Open(dir, spool.Options{Slots: 1})
	h.renew(o)
	if _, err := h.deliver(roads[0].post(h, team)); err != nil {
		t.Fatal(err)
	}
	h.drain(o, 20*time.Second)
	h.wantOnce(members...)
}
