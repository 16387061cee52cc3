package proxy

import (
	"context"
	"time"

	"superlistd/bouncing"
	"superlistd/delivery"
	"superlistd/lists"
)

// PersonalKind is the kind of personal copies of posts and digests (delivery.Route.Personal): posting.Desk.AppendOwn makes what is a member's own, and
// bouncing.PersonalPath the reverse-path.
const PersonalKind = "post"

// way is how the copies of a post differ.
type way int

const (
	shared   way = iota // not at all: the reverse-path names the list
	xverp               // the next hop makes a reverse-path for each member
	personal            // we do, and each copy has a link of its own
)

// choose decides for a post with that key, for its retry likewise. A reverse-path for each member has its price, so that a list may have
// it on some of its posts only: Postfix drains a post with such at a fifth of its rate.
func (r press) choose(ctx context.Context, l lists.List, key [16]byte) way {
	able := r.hop.MakesPersonal(PersonalKind)
	switch {
	case able && l.Settings.Copies == lists.CopiesPersonal:
		return personal
	case r.bounces == nil || !l.Settings.Verp.Chosen(l.Members, key):
		return shared
	}
	if l.Settings.Verp == lists.VerpAuto || !able {
		return xverp // which counts where it is offered: nobody asked for the price of personal copies
	}
	// A next hop that cannot be asked now gets the wish for XVERP.
	if hop, err := r.hop.Capabilities(ctx); err == nil && !hop.XVERP {
		return personal
	}
	return xverp
}

// setWay sets the reverse-path by which bounces of the copies come back.
func setWay(route *delivery.Route, bounces *bouncing.Desk, l lists.List, w way, at time.Time) {
	if w == personal {
		route.Personal = PersonalKind
	}
	if bounces == nil {
		return
	}
	route.ReversePath = bounces.Path(l, at)
	if w == xverp {
		route.XVERP = string(route.ReversePath.Local[len(l.Bounces().Local)]) + "="
	}
}

// DigestWay returns what decides for a digest of a list, which its route's key names, as for the list's posts.
func DigestWay(bounces *bouncing.Desk, hop *delivery.Deliverer) func(context.Context, *delivery.Route, lists.List, time.Time) {
	r := press{bounces: bounces, hop: hop}
	return func(ctx context.Context, route *delivery.Route, l lists.List, at time.Time) {
		setWay(route, bounces, l, r.choose(ctx, l, route.Key), at)
	}
}
