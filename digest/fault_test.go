package digest_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"superlistd/delivery"
	"superlistd/internal/faultdisk"
	"superlistd/internal/housetest"
	"superlistd/lists"
)

// story gathers posts and sends issues, whatever fails, and remembers which posts are still the spool's.
type story struct {
	*house
	all  []delivery.Gathered
	open map[int]bool
}

func (y *story) gather(issue int) {
	n := len(y.all)
	y.all = append(y.all, y.gathered(text(n, fmt.Sprint("Issue ", issue)), issue))
	y.open[n] = y.desk.Gather(y.t.Context(), y.all[n]) != nil
}

func (y *story) run() {
	y.gather(0)
	y.gather(0)
	_ = y.desk.Tick(y.t.Context(), y.now)
	y.gather(0) // late
	y.gather(1)
	_ = y.desk.Tick(y.t.Context(), y.now)
	_, _ = y.desk.Send(y.t.Context(), list)
}

// finish is what comes after a restart: the spool hands over what it still has, and what it has lost its note of, and time goes on.
func (y *story) finish(again int) {
	for n, g := range y.all {
		if y.open[n] || n == again {
			must(y.t, y.desk.Gather(y.t.Context(), g))
		}
	}
	for range 3 {
		y.now = y.now.Add(40 * time.Hour)
		y.tick()
	}
}

// check is the law: every post is in exactly one digest of each form, under the label of its issue, and nothing is left over.
func (y *story) check() {
	t := y.t
	labels := map[string]string{}
	for _, name := range []string{"dora", "paul"} {
		seen := map[string]int{}
		for _, m := range y.got(name) {
			_, label, _ := strings.Cut(m.raw, "\nSubject: Team Digest, ")
			label, _, _ = strings.Cut(label, "\r\n")
			label = strings.TrimSuffix(label, ", supplement")
			var posts []string
			if m.form == lists.DeliveryDigest {
				posts, _, _ = unfold(t, m.raw)
			} else {
				posts, _, _ = burst(t, m.raw)
			}
			for _, p := range posts {
				_, issue, _ := strings.Cut(p, "Subject: Issue ")
				if issue = issue[:1]; labels[issue] == "" {
					labels[issue] = label
				}
				if labels[issue] != label {
					t.Errorf("issue %s is %q and %q", issue, labels[issue], label)
				}
				_, number, _ := strings.Cut(p, "Post number ")
				seen[number[:1]]++
			}
		}
		for n := range y.all {
			if seen[fmt.Sprint(n)] != 1 {
				t.Errorf("%s has post %d %d times", name, n, seen[fmt.Sprint(n)])
			}
		}
	}
	if len(labels) == 2 && labels["0"] == labels["1"] {
		t.Errorf("one label for two issues: %v", labels)
	}
	if left := y.files(); len(left) > 0 {
		t.Errorf("left over: %q", left)
	}
}

func newStory(t *testing.T) *story {
	y := &story{house: open(t, "digest_count=2"), open: map[int]bool{}}
	y.join(lists.DeliveryDigest, "dora")
	y.join(lists.DeliveryPlain, "paul")
	return y
}

// The n-th step of the disk fails, for every n. What Gather took is sent once, with the label of its issue.
func TestFaults(t *testing.T) {
	t.Parallel()
	for _, f := range append([]housetest.DiskFault{housetest.EIOOnce, housetest.EIOForEver}, housetest.Ends...) {
		t.Run(f.Name, func(t *testing.T) {
			t.Parallel()
			f.EachStep(t, 40, func(n int, disk *faultdisk.Disk) {
				y := newStory(t)
				y.again(disk)
				y.run()
				f.End(t, disk)
				disk.Crash()
				y.again(nil)
				y.finish(n % len(y.all))
				y.check()
				_ = os.RemoveAll(y.data)
			})
		})
	}
}

// The next hop fails at the n-th step, for every n: before a copy, between two, or when all are in and its reply is lost.
func TestHopFails(t *testing.T) {
	t.Parallel()
	for _, why := range []error{errors.New("no connection"), delivery.ErrPartial, delivery.ErrAllRefused} {
		housetest.CallFault{Err: why}.EachStep(t, 5, func(c *housetest.Calls) {
			y := newStory(t)
			y.hop.fail = func() error { return c.Step("hop") }
			y.run()
			y.hop.fail = nil
			y.finish(0)
			y.check()
			if t.Failed() {
				t.Fatal(why)
			}
		})
	}
}

// What fails is not tried at each Tick, and a mailing that is refused for good stops no other. After days it is the spool's, which tells the owners.
func TestRefusedForGood(t *testing.T) {
	t.Parallel()
	y := newStory(t)
	y.hop.fail = func() error { return delivery.ErrAllRefused }
	y.gather(0)
	y.gather(0)
	for range 3 {
		if err := y.desk.Tick(t.Context(), y.now); (err == nil) != (y.hop.jobs > 1) && y.hop.jobs != 1 {
			t.Errorf("after %d jobs: %v", y.hop.jobs, err)
		}
	}
	if y.hop.jobs != 1 {
		t.Errorf("%d jobs in a row", y.hop.jobs)
	}
	y.hop.fail = func() error {
		if y.hop.jobs%2 == 0 { // the first of two
			return delivery.ErrAllRefused
		}
		return nil
	}
	y.gather(1)
	y.gather(1)
	y.now = y.now.Add(time.Hour)
	if err := y.desk.Tick(t.Context(), y.now); !errors.Is(err, delivery.ErrAllRefused) {
		t.Errorf("%v", err)
	}
	if posts, _, _ := unfold(t, y.one("dora", lists.DeliveryDigest)); len(posts) != 2 || !strings.Contains(posts[0], "Issue 1") {
		t.Errorf("%q", posts)
	}
	y.hop.fail = func() error { return delivery.ErrAllRefused }
	y.now = y.now.Add(6 * 24 * time.Hour)
	y.hop.spool = errors.New("no room")
	if err := y.desk.Tick(t.Context(), y.now); !errors.Is(err, y.hop.spool) {
		t.Errorf("%v", err)
	}
	y.hop.spool = nil
	y.now = y.now.Add(time.Hour)
	y.tick()
	if posts, _, _ := unfold(t, y.one("dora", lists.DeliveryDigest)); len(posts) != 2 || !strings.Contains(posts[0], "Issue 0") {
		t.Errorf("by the spool: %q", posts)
	}
	if left := y.files(); len(left) > 0 || !y.logged("left to the spool") {
		t.Errorf("left %q, %+v", left, y.log)
	}
}
