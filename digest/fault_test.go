package digest_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
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

// What fails is not tried at each Tick, and a mailing that is refused for good stops no other, and not for ever.
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
	y.tick()
	if left := y.files(); len(left) > 0 || !y.logged("given up") {
		t.Errorf("left %q, %+v", left, y.log)
	}
}

// Members come, go and change their minds, while posts come and issues go out. The law: who is a member all the while has every post once.
func TestSwitches(t *testing.T) {
	t.Parallel()
	forms := []lists.Delivery{lists.DeliveryMail, lists.DeliveryDigest, lists.DeliveryPlain}
	for seed := range uint64(20) {
		rng := rand.New(rand.NewPCG(seed, 1))
		y := newStory(t)
		names := []string{"dora", "paul", "ann", "bob", "eve"}
		y.join(lists.DeliveryMail, names[2:]...)
		got := map[string]map[string]int{}
		for _, name := range names {
			got[name] = map[string]int{}
		}
		posts := 0
		var late []delivery.Gathered
		for range 60 {
			switch rng.IntN(5) {
			case 0:
				y.set(names[rng.IntN(len(names))], forms[rng.IntN(len(forms))])
			case 1, 2:
				posts++
				raw := strings.Replace(text(posts, "x"), "Post number ", "Post number #", 1)
				l := y.list()
				y.single(raw, l.Digests.Number, got)
				if l.Digests.Members > 0 {
					g := y.gathered(raw, l.Digests.Number)
					if rng.IntN(4) == 0 {
						late = append(late, g)
					} else {
						must(t, y.desk.Gather(t.Context(), g))
					}
				}
			case 3:
				y.tick()
			case 4:
				for _, g := range late {
					must(t, y.desk.Gather(t.Context(), g))
				}
				late = nil
				if rng.IntN(3) == 0 {
					_, err := y.desk.Send(t.Context(), list)
					must(t, err)
				}
			}
		}
		for _, g := range late {
			must(t, y.desk.Gather(t.Context(), g))
		}
		y.finish(-1)
		for _, name := range names {
			for _, m := range y.got(name) {
				var some []string
				if m.form == lists.DeliveryDigest {
					some, _, _ = unfold(t, m.raw)
				} else {
					some, _, _ = burst(t, m.raw)
				}
				for _, p := range some {
					_, number, _ := strings.Cut(p, "#")
					number, _, _ = strings.Cut(number, ".")
					got[name][number]++
				}
			}
			for n := 1; n <= posts; n++ {
				if got[name][fmt.Sprint(n)] != 1 {
					t.Fatalf("seed %d: %s has post %d of %d %d times", seed, name, n, posts, got[name][fmt.Sprint(n)])
				}
			}
		}
	}
}

// single is what members get who have each post on its own.
func (y *story) single(raw string, issue int, got map[string]map[string]int) {
	_, number, _ := strings.Cut(raw, "#")
	number, _, _ = strings.Cut(number, ".")
	for rs := (lists.Recipients{Select: lists.Selection{Issue: issue}}); !rs.Done(); rs.Reset() {
		must(y.t, y.store.Recipients(y.t.Context(), list, &rs, 100))
		for i := range rs.Len() {
			name, _, _ := strings.Cut(string(rs.Key(i)), "@")
			got[name][number]++
		}
	}
}
