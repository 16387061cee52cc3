package proxy

import (
	"context"
	"maps"
	"slices"

	"superlistd/bouncing"
	"superlistd/delivery"
	"superlistd/lists"
	"superlistd/message"
	"superlistd/moderation/held"
	"superlistd/posting"
)

// routes dresses a copy for each list and each service, once each, however often it was named.
func (s *session) routes(ctx context.Context, p *posting.Post, verdicts []verdict) ([]delivery.Route, error) {
	var routes []delivery.Route
	served := &roll{keys: map[string]bool{}}
	for i, v := range verdicts {
		if v.goes() && v.kind == lists.Post {
			served.keys[s.tx.rcpts[i].address.Key()] = true
		}
	}
	seen := map[string]bool{}
	for _, i := range s.tx.order() {
		r, v := s.tx.rcpts[i], verdicts[i]
		key := r.address.Key()
		if !v.goes() || !r.local() || seen[key] {
			continue
		}
		seen[key] = true
		if v.kind != lists.Post {
			routes = append(routes, s.serviceRoute(p, v, r.address))
			continue
		}
		some, err := s.srv.press.postRoutes(ctx, p, v.post, s.tx.relayed, served)
		if err != nil {
			return nil, err
		}
		routes = append(routes, some...)
	}
	return routes, nil
}

// press makes routes of posts.
type press struct {
	desk      *posting.Desk
	directory *lists.Directory
	hostname  string
	bounces   *bouncing.Desk
	hop       *delivery.Deliverer
}

// postRoutes takes a post to the members of the list that took it, and of the lists among them. relayed are recipients that are
// served in their own names; served are the lists that have the post, in the order of their routes, and grows.
func (r press) postRoutes(ctx context.Context, p *posting.Post, j posting.Judgement, relayed map[string]struct{}, served *roll) ([]delivery.Route, error) {
	served.keys[j.List.Address.Key()] = true
	inner, within, err := r.nested(ctx, p, j, served)
	if err != nil {
		return nil, err
	}
	var routes []delivery.Route
	for _, j := range append([]posting.Judgement{j}, inner...) {
		route, err := r.membersRoute(ctx, p, j)
		if err != nil {
			return nil, err
		}
		route.Audience.Not, route.Audience.NotAt = slices.Clone(served.order), slices.Clone(served.issues)
		route.Audience.Except = without(except(relayed, p, j), within)
		served.order, served.issues = append(served.order, j.List.Address), append(served.issues, j.List.Digests.Number)
		routes = append(routes, route)
		if j.List.Digests.Members == 0 {
			continue
		}
		if route, err = r.digestRoute(p, j); err != nil {
			return nil, err
		}
		routes = append(routes, route)
	}
	return routes, nil
}

// roll are the lists that get a post.
type roll struct {
	order  []lists.Address
	issues []int // that they gather, in the same order
	keys   map[string]bool
}

// membersRoute takes a post to the members of its list who get posts one by one.
func (r press) membersRoute(ctx context.Context, p *posting.Post, j posting.Judgement) (delivery.Route, error) {
	key, err := p.Key(j.List)
	if err != nil {
		return delivery.Route{}, err
	}
	w := r.choose(ctx, j.List, [16]byte(key[:]))
	dress := r.desk.Dress
	if w == personal {
		dress = r.desk.DressPersonal
	}
	c, err := dress(ctx, p, j)
	if err != nil {
		return delivery.Route{}, err
	}
	route := listRoute(p, j.List, c)
	route.AnyUTF8, route.Audience.Members = j.List.UTF8Members > 0, j.List.Members
	route.Audience.Select.Delivery = lists.DeliveryMail
	setWay(&route, r.bounces, j.List, w, p.At)
	return route, nil
}

// DigestKind is the kind of gathering (delivery.Route.Gather) of the posts that wait for a digest.
const DigestKind = "digest"

// digestRoute keeps a post for the digest that its list gathers now.
func (r press) digestRoute(p *posting.Post, j posting.Judgement) (delivery.Route, error) {
	c, err := r.desk.Piece(p, j)
	if err != nil {
		return delivery.Route{}, err
	}
	route := listRoute(p, j.List, c)
	route.Gather, route.Audience.Members, route.Audience.Select.Delivery = DigestKind, j.List.Digests.Members, lists.DeliveryDigest
	return route, nil
}

// listRoute is a copy of a post for some of a list. Who they are depends on the issue that the list gathers now, however late it goes out.
func listRoute(p *posting.Post, l lists.List, c posting.Copy) delivery.Route {
	r := delivery.Route{
		List: l.Address, ReversePath: l.Bounces(), Head: c.Head, Body: c.Content, BodyOffset: c.BodyOffset, Note: c.Note,
		EightBit: c.EightBit, UTF8: c.UTF8 || !l.Bounces().ASCII(), MessageID: messageID(p.Head), Language: l.Settings.Language,
		Audience: delivery.Audience{List: l.Address, Select: lists.Selection{Issue: l.Digests.Number}},
	}
	r.Owners, _ = ownersOf(l)
	return r
}

// serviceRoute takes mail for a service to the people behind it.
func (s *session) serviceRoute(p *posting.Post, v verdict, to lists.Address) delivery.Route {
	r := delivery.Route{
		List: to, ReversePath: v.list.Bounces(), Body: p.Content, BodyOffset: p.BodyOffset,
		Head:     message.Forward(p.Head, posting.Trace(p.Envelope, s.srv.opts.Hostname, to)),
		EightBit: p.EightBit, UTF8: p.UTF8 || !v.list.Bounces().ASCII(), MessageID: messageID(p.Head),
	}
	if s.srv.opts.Bounces != nil {
		r.ReversePath = s.srv.opts.Bounces.Path(v.list, p.At)
	}
	r.Audience.Fixed, r.AnyUTF8 = ownersOf(v.list)
	r.Owners = r.Audience.Fixed
	return r
}

// Release returns what makes the routes of a held post that a moderator has approved, for moderation.Options. The post is not judged
// again, but for the parts that are to be removed; what was found about its author when it came still holds.
func Release(desk *posting.Desk, directory *lists.Directory, hostname string, bounces *bouncing.Desk, hop *delivery.Deliverer) func(context.Context, held.Facts, message.Content, lists.List) ([]delivery.Route, error) {
	return func(ctx context.Context, f held.Facts, content message.Content, l lists.List) ([]delivery.Route, error) {
		p, err := posting.Reread(content, posting.Envelope{
			ReversePath: f.Envelope.ReversePath, Client: f.Envelope.Client, EightBit: f.Envelope.EightBit, UTF8: f.Envelope.UTF8,
			Proto: "ESMTP", Session: f.ID, At: f.At,
		}, f.Proof, f.Results)
		if err != nil {
			return nil, err
		}
		j, err := desk.Judge(ctx, p, l)
		if err != nil {
			return nil, err
		}
		if len(j.Remove) == 0 {
			j.Remove = f.Remove
		}
		return press{desk, directory, hostname, bounces, hop}.postRoutes(ctx, p, j, nil, &roll{keys: map[string]bool{}})
	}
}

// except are the members who get no copy: who is served in his own name, and, if the list or he himself wants that, who is
// named in To or Cc, and the author.
func except(relayed map[string]struct{}, p *posting.Post, j posting.Judgement) map[string]struct{} {
	named := j.List.Settings.NoDups && len(p.To) > 0
	silent := !j.Author.Address.IsZero() && !j.Author.MeToo()
	if !named && !silent {
		return relayed
	}
	out := maps.Clone(relayed)
	if out == nil {
		out = map[string]struct{}{}
	}
	if named {
		for _, a := range p.To {
			out[a.Key()] = struct{}{}
		}
	}
	if silent {
		out[j.Author.Address.Key()] = struct{}{}
	}
	return out
}

// ownersOf tells who reads the service mail of a list: its owners, or the site's postmaster (RFC 2142 section 6).
func ownersOf(l lists.List) (mailboxes []string, utf8 bool) {
	for _, o := range l.Settings.Owners {
		mailboxes = append(mailboxes, o.String())
		utf8 = utf8 || !o.ASCII()
	}
	if len(mailboxes) == 0 {
		mailboxes = []string{"postmaster"}
	}
	return mailboxes, utf8
}
