package delivery_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"superlistd/delivery"
	"superlistd/internal/housetest"
	"superlistd/internal/smtptest"
	"superlistd/lists"
	"superlistd/smtpclient"
)

// faultMembers need three transactions of faultBatch.
const faultMembers, faultBatch = 5, 2

// road is a way of a post: through, or by the spool.
type road struct {
	name     string
	armed    int
	personal bool
}

var roads = []road{{"through", 3, false}, {"spool", 2, false}, {"personal", 3, true}}

// options of a fault test: nothing waits long.
func (r road) options(dir string) delivery.Options {
	o := spooling(dir)
	o.Batch, o.MaxArmed = faultBatch, r.armed
	o.Timeout = 5 * time.Second
	o.Personal = map[string]delivery.Personal{"plain": func(p delivery.Person, c *delivery.Copy) error {
		c.Fields = fmt.Appendf(c.Fields, "X-Member: %s\r\n", p.Member)
		return nil
	}}
	return o
}

func (r road) post(h *house, list lists.Address) delivery.Route {
	p := h.post(list, 1)
	if r.personal {
		p.Personal = "plain"
	}
	return p
}

// impatient makes the house give up a silent next hop soon.
func (h *house) impatient(o delivery.Options, timeout time.Duration) {
	h.t.Helper()
	h.pool.Close()
	hop, err := smtpclient.ParseHop(h.peer.Hop())
	if err != nil {
		h.t.Fatal(err)
	}
	h.pool = smtpclient.NewPool(smtpclient.Options{Hop: hop, Hostname: "mx.lists.test", Timeout: timeout}, o.Connections, time.Minute)
	h.t.Cleanup(h.pool.Close)
	h.renew(o)
}

// insist sends a post as a client does: again, until it hears 250. It returns how often it asked.
func (h *house) insist(route func() delivery.Route) (asked int) {
	h.t.Helper()
	for asked = 1; asked <= 10; asked++ {
		_, err := h.deliver(route())
		if err == nil {
			return asked
		}
		var refused *smtpclient.Error
		if errors.As(err, &refused) && refused.Reply.Permanent() && !errors.Is(err, delivery.ErrPartial) {
			return 0 // the sender was told no
		}
	}
	h.t.Fatal("never told 250")
	return 0
}

// The law, with one fault of the next hop at the n-th step, for every n: who was told 250 has every member served
// exactly once, but for one transaction whose reply was lost, which may come twice. A refusal for good may end an entry, or
// skip a member; then somebody is told.
func TestFaultsOfTheNextHop(t *testing.T) {
	t.Parallel()
	for _, r := range roads {
		for _, fault := range []smtptest.Fault{
			smtptest.Drop, smtptest.Stall, smtptest.Garbage, smtptest.HalfReply, smtptest.RST,
			"421 4.3.2 closing", "451 4.3.0 not now", "550 5.7.1 no",
		} {
			t.Run(fmt.Sprintf("%s/%.3s", r.name, fault), func(t *testing.T) {
				t.Parallel()
				housetest.EachStep(t, 10, func(n int) string { return faultAt(t, r, n, fault) })
			})
		}
	}
}

// faultAt makes one run, and tells whether it came to the fault.
func faultAt(t *testing.T, r road, n int, fault smtptest.Fault) (broken string) {
	o := r.options(t.TempDir())
	h := newHouse(t, o, smtptest.Fail(n, fault))
	if fault == smtptest.Stall {
		h.impatient(o, 150*time.Millisecond)
	}
	members := numbered(faultMembers)
	team := h.list("team@lists.test", members...)
	route := func() delivery.Route { return r.post(h, team) }
	told := h.insist(route) > 0
	h.drain(o, 20*time.Second)
	if told {
		h.insist(route) // a client that lost our 250
		h.drain(o, 20*time.Second)
	}
	h.wantLaw(o, members, told, 1)
	if t.Failed() {
		t.Logf("step %d, %s, told 250: %v\n%s", n, fault, told, h.tail())
	}
	if h.peer.Tripped() {
		broken = string(fault)
	}
	return broken
}

// wantLaw checks who has the post. So many transactions may have come twice.
func (h *house) wantLaw(o delivery.Options, members []string, told bool, twice int) {
	h.t.Helper()
	has := map[string]int{}
	var messages [][]string
	for _, m := range h.peer.Messages() {
		if slices.Equal(m.Rcpts, []string{"owner@m.test"}) {
			continue
		}
		messages = append(messages, m.Rcpts)
		for _, rcpt := range m.Rcpts {
			has[rcpt]++
		}
	}
	failed := h.failedEntries(o)
	for _, m := range members {
		if has[m] == 0 && told && failed == 0 && !h.wasRefused(m) {
			h.t.Errorf("%s was lost", m)
		}
	}
	var doubled []string
	for _, m := range slices.Sorted(maps.Keys(has)) {
		if has[m] > 1 {
			doubled = append(doubled, m)
		}
		if has[m] > 1+twice {
			h.t.Errorf("%s has it %d times", m, has[m])
		}
	}
	if len(doubled) > 0 && !slices.ContainsFunc(messages, func(rcpts []string) bool { return containsAll(rcpts, doubled) }) && twice < 2 {
		h.t.Errorf("more than one transaction came twice: %q", doubled)
	}
	if twice == 0 && len(doubled) > 0 {
		h.t.Errorf("twice: %q", doubled)
	}
}

func (h *house) failedEntries(o delivery.Options) (n int) {
	h.t.Helper()
	infos, err := o.Spool.Entries()
	if err != nil {
		h.t.Error(err)
	}
	for _, i := range infos {
		if i.Failed {
			n++
		}
	}
	return n
}

func (h *house) wasRefused(member string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Contains(h.refused, "team@lists.test "+member)
}

func containsAll(all, some []string) bool {
	for _, s := range some {
		if !slices.Contains(all, s) {
			return false
		}
	}
	return true
}
