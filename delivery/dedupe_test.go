package delivery_test

import (
	"fmt"
	"slices"
	"testing"

	"superlistd/delivery"
	"superlistd/lists"
	"superlistd/smtpclient"
)

// everyone is the union of rosters, sorted.
func everyone(rosters ...[]string) []string {
	all := slices.Concat(rosters...)
	slices.Sort(all)
	return slices.Compact(all)
}

func TestTwinsAcrossLists(t *testing.T) {
	t.Parallel()
	m := numbered(5000)
	for _, tt := range []struct {
		name    string
		batch   int
		rosters [][]string
	}{
		{"two lists", 1000, [][]string{m[:3], m[2:5]}},
		{"two equal lists", 1000, [][]string{m[:10], m[:10]}},
		{"three lists, each pair has common members", 1000, [][]string{m[:30], m[20:50], slices.Concat(m[:5], m[45:60])}},
		{"three lists, the middle one adds nobody", 2, [][]string{m[:9], m[3:6], m[5:12]}},
		{"large ones in many batches", 700, [][]string{m[:3000], m[1000:4000], m[500:5000]}},
		{"none in common", 3, [][]string{m[:5], m[5:10], m[10:15]}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o := usual
			o.Batch, o.MaxArmed = tt.batch, 30
			h := newHouse(t, o)
			var routes []delivery.Route
			var served []lists.Address
			for i, roster := range tt.rosters {
				l := h.list(fmt.Sprintf("list%d@lists.test", i), roster...)
				routes = append(routes, h.route(l, slices.Clone(served)...))
				served = append(served, l)
			}
			h.mustExpand(routes...)
			h.wantOnce(everyone(tt.rosters...)...)
		})
	}
}

// Members are the same person however their address is written.
func TestTwinsAreFoundByKey(t *testing.T) {
	t.Parallel()
	h := newHouse(t, usual)
	a := h.list("a@lists.test", "Ann@M.test", "bob@bücher.test")
	b := h.list("b@lists.test", "ann@m.test", "BOB@xn--bcher-kva.test", "cat@m.test")
	h.mustExpand(h.route(a), h.route(b, a))
	h.wantOnce("Ann@m.test", "bob@xn--bcher-kva.test", "cat@m.test")
}

// Whoever is named himself gets the post in his own name, not again as a member.
func TestExplicitRecipients(t *testing.T) {
	t.Parallel()
	h := newHouse(t, delivery.Options{Batch: 2, MaxArmed: 10, Connections: 20, RelayShare: 2})
	a := h.list("a@lists.test", "ann@m.test", "Bob@m.test", "cat@m.test", "dan@m.test")
	b := h.list("b@lists.test", "bob@m.test", "dan@m.test", "eve@m.test")
	except := map[string]struct{}{address(t, "BOB@m.test").Key(): {}, address(t, "eve@m.test").Key(): {}}
	ra, rb := h.route(a), h.route(b, a)
	ra.Audience.Except, rb.Audience.Except = except, except
	h.mustExpand(ra, rb)
	h.wantOnce("ann@m.test", "cat@m.test", "dan@m.test")
}

// Who is refused is named right although others of the same slice were left out.
func TestRefusedAmongTwins(t *testing.T) {
	t.Parallel()
	o := usual
	o.Batch = 5000
	h := newHouse(t, o, refuseSome(2, "550 5.1.1 No such user"))
	m := numbered(4 * smtpclient.Window)
	var odd, thirds []string
	for i := range m {
		if i%2 == 1 {
			odd = append(odd, m[i])
		}
		if i%3 == 0 {
			thirds = append(thirds, m[i])
		}
	}
	a := h.list("a@lists.test", thirds...)
	b := h.list("b@lists.test", m...)
	h.mustExpand(h.route(a), h.route(b, a))
	h.wantOnce(odd...)
	var refused []string
	for i := 0; i < len(m); i += 2 {
		list := "b@lists.test "
		if i%3 == 0 {
			list = "a@lists.test "
		}
		refused = append(refused, list+m[i])
	}
	h.wantRefused(refused...)
}
