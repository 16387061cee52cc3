package delivery_test

import (
	"context"
	"slices"
	"testing"

	"superlistd/delivery"
	"superlistd/lists"
)

// wants sets how members get the posts of a list.
func (h *house) wants(list lists.Address, how lists.Delivery, members ...string) {
	h.t.Helper()
	for _, m := range members {
		_, err := h.store.UpdateMember(context.Background(), list, address(h.t, m), func(m *lists.Member) error { m.Delivery = how; return nil })
		if err != nil {
			h.t.Fatal(err)
		}
	}
}

// Who gets no posts of a list has them from another.
func TestWhoGetsNoPosts(t *testing.T) {
	t.Parallel()
	o := usual
	o.Batch = 100
	h := newHouse(t, o)
	m := numbered(900)
	a, b := h.list("a@lists.test", m[:600]...), h.list("b@lists.test", m[300:]...)
	h.wants(a, lists.DeliveryNone, m[100:400]...)
	h.wants(b, lists.DeliveryNone, m[350:450]...)
	h.mustExpand(h.route(a), h.route(b, a))
	// By a: 0 to 99 and 400 to 599. By b: 300 to 349, and from 600. From 350 to 399 nobody wants any.
	h.wantOnce(slices.Concat(m[:100], m[300:350], m[400:])...)
}

func TestNobodyWantsPosts(t *testing.T) {
	t.Parallel()
	h := newHouse(t, usual)
	m := numbered(12)
	l := h.list("a@lists.test", m...)
	h.wants(l, lists.DeliveryNone, m...)
	if out := h.mustExpand(h.route(l)); !slices.Equal(out, []delivery.Outcome{{List: l}}) {
		t.Errorf("outcome %v", out)
	}
	h.wantNothing()
}

// Between two rounds of a waiting entry some give up their mail, and some want it again: nobody gets a second copy,
// and who wanted it all the while gets one.
func TestWishesChangeWhileAPostWaits(t *testing.T) {
	t.Parallel()
	h, o, members := halfServed(t, 5, 12)
	team := address(t, "team@lists.test")
	h.wants(team, lists.DeliveryMail, members[5], members[12]) // both are passed already
	h.wants(team, lists.DeliveryNone, members[0], members[90]) // one has it, the other has not
	h.goOn(t, o)
	gone := []string{members[5], members[12], members[90]}
	h.wantOnce(slices.DeleteFunc(members, func(m string) bool { return slices.Contains(gone, m) })...)
}
