package enrol_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"superlistd/enrol"
	"superlistd/internal/faultdisk"
	"superlistd/internal/housetest"
	"superlistd/lists"
)

// story is what six people want, at a desk where something fails. Whoever is told no comes again with the same mail.
type story struct {
	*house
	mails map[string]enrol.Mail // by what they are about
	raw   map[string]string
	taken map[string]bool
	all   []letter
}

func newStory(t *testing.T) *story {
	y := &story{house: newHouse(t, "subscribe", "confirm+approve", "owners_notice", "on"), taken: map[string]bool{}}
	y.mails, y.raw = map[string]enrol.Mail{}, map[string]string{}
	return y
}

// once sends a mail until it is taken; each time it is the same.
func (y *story) once(what, from string, proof lists.Proof, raw string, send func(m enrol.Mail) error) {
	if y.taken[what] {
		return
	}
	m, known := y.mails[what]
	if !known {
		m = y.mail(from, proof, raw)
		y.mails[what] = m
		_, y.raw[what], _ = strings.Cut(raw+"\n\n", "\n\n")
	}
	m.Body = strings.NewReader(y.raw[what])
	y.taken[what] = send(m) == nil
}

func (y *story) to(service lists.Service) func(m enrol.Mail) error {
	return func(m enrol.Mail) error { return y.desk.Take(y.T.Context(), y.Settings(), service, m) }
}

// reply answers the newest letter with that in its line "reader: subject", if it has come.
func (y *story) reply(what, line, raw string) {
	for _, l := range slices.Backward(y.all) {
		if l.Line() == line {
			ext := extension(y.T, l.Value("Reply-To"))
			y.once(what, "x@m.test", lists.Unproven, raw, func(m enrol.Mail) error {
				if err := y.desk.Known(y.List, ext); err != nil {
					return err
				}
				return y.desk.Confirm(y.T.Context(), y.Settings(), ext, m)
			})
			return
		}
	}
}

func (y *story) chapter() {
	y.once("ann asks", "ann@m.test", lists.Unproven, "Subject: x", y.to(lists.ServiceSubscribe))
	y.once("mia leaves", "mia@m.test", lists.Proven, "Subject: x", y.to(lists.ServiceUnsubscribe))
	y.once("bea pauses", "bea@m.test", lists.Proven, "Subject: x\n\nset nomail\n", y.to(lists.ServiceRequest))
	y.once("olga orders", "olga@m.test", lists.Unproven, "Subject: x\n\nadd kim@m.test\nset bea@m.test nomail\n", y.to(lists.ServiceRequest))
	y.all = append(y.all, y.Take()...)
	y.reply("olga confirms", "olga@m.test"+confirmOrders, "Subject: x")
	y.all = append(y.all, y.Take()...)
	y.reply("kim accepts", "kim@m.test"+invitation, "Subject: x")
	y.reply("ann confirms", "ann@m.test"+confirmJoin, "Subject: x")
	y.all = append(y.all, y.Take()...)
	y.reply("owen approves", approval, "Subject: approve")
	_ = y.desk.Tick(y.T.Context(), y.Now())
	y.all = append(y.all, y.Take()...)
}

// check is the law: everybody got what he wanted, and each letter once.
func (y *story) check() {
	y.Fail = nil
	y.open(nil)
	for range 3 {
		y.chapter()
	}
	var got []string
	for _, l := range y.all {
		got = append(got, l.Line())
	}
	want := []string{
		"ann@m.test" + confirmJoin, "ann@m.test" + waiting, approval, "ann@m.test" + welcome, "mia@m.test" + goodbye,
		"bea@m.test: team@lists.test: Wie Sie die Beiträge erhalten", "x@m.test: team@lists.test: done: ann@m.test",
		"owen@m.test olga@m.test: team@lists.test: ann@m.test has joined", "owen@m.test olga@m.test: team@lists.test: mia@m.test has left",
		"olga@m.test" + confirmOrders, "olga@m.test" + orders, "kim@m.test" + invitation, "kim@m.test" + welcome,
		"owen@m.test olga@m.test: team@lists.test: kim@m.test has joined",
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		y.T.Errorf("sent:\n%s\nwant:\n%s\nlog: %q", strings.Join(got, "\n"), strings.Join(want, "\n"), y.events)
	}
	y.wantMember("ann@m.test", true)
	y.wantMember("kim@m.test", true)
	y.wantMember("mia@m.test", false)
	if bea, _ := y.Member("bea@m.test"); bea.Delivery != lists.DeliveryNone {
		y.T.Error("bea gets posts")
	}
}

// The n-th step of the disk fails, for every n.
func TestDiskFaults(t *testing.T) {
	t.Parallel()
	faults := []housetest.DiskFault{housetest.EIOOnce.Where(thisHour), housetest.ENOSPCForEver.Where(housetest.Changes)}
	for _, f := range append(faults, housetest.Ends...) {
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			f.EachStep(t, 50, func(_ int, disk *faultdisk.Disk) {
				y := newStory(t)
				y.open(disk)
				y.chapter()
				f.End(t, disk)
				y.check()
				_ = os.RemoveAll(y.Data)
			})
		})
	}
}

// thisHour leaves out the looks for what was counted in other hours, which are most steps, and alike.
func thisHour(_, path string) bool {
	return !strings.Contains(path, "/count.") || strings.HasSuffix(path, start.Format(".2006010215"))
}

// The n-th call to the store or the next hop fails, for every n: before it is done, or after.
func TestFaultsAround(t *testing.T) {
	t.Parallel()
	for _, f := range housetest.CallFaults {
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			f.EachStep(t, 15, func(c *housetest.Calls) {
				y := newStory(t)
				y.open(c.Disk)
				y.Fail = c.Step
				y.chapter()
				y.Wait(time.Minute)
				y.check()
				_ = os.RemoveAll(y.Data)
			})
		})
	}
}
