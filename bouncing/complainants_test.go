package bouncing_test

import (
	"maps"
	"testing"
	"time"

	"superlistd/lists"
)

// Complainants and Complained tell the same: for two years, of one list, till it is forgiven.
func TestComplainants(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 0)
	want := func(list lists.Address, who ...string) {
		t.Helper()
		got, err := h.desk.Complainants(t.Context(), list)
		must(t, err)
		all := map[string]bool{}
		for _, w := range who {
			all[w] = true
		}
		if !maps.Equal(got, all) {
			t.Errorf("complainants of %s: %v, want %v", list, got, all)
		}
	}
	want(h.List)
	h.complain(isp, arf("abuse", link("team@lists.test", "ann@m.test")))
	want(h.List, "ann@m.test")
	want(parse(t, "other@lists.test"))
	must(t, h.desk.Forgive(t.Context(), h.List, parse(t, "Ann@m.test")))
	want(h.List)
	h.complain(isp, arf("abuse", link("team@lists.test", "bea@m.test")))
	want(h.List, "bea@m.test")
	h.wait(3 * 365 * 24 * time.Hour)
	want(h.List)
	if h.complained("bea@m.test") {
		t.Error("remembered for ever")
	}
}
