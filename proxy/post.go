package proxy

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"superlistd/delivery"
	"superlistd/lists"
	"superlistd/message"
	"superlistd/wire"
)

// post is a message for at least one list, with what is known of it.
type post struct {
	head    message.Header
	body    int64 // offset of the body in the spool
	authors []lists.Address
	to      []lists.Address // To and Cc, as far as they can be read
	named   int             // all of To and Cc
	now     time.Time
}

// verdict is what was decided for one recipient.
type verdict struct {
	err   error        // why it was refused; nil: serve it
	list  lists.List   // as it is now, not as it was at RCPT
	by    lists.Member // the author, if he is one
	kind  lists.Kind   // of the recipient's target
	serve lists.Target // for services
}

// deliver judges a stored message for all its recipients, and serves them: nothing is committed before
// everything is armed. It returns a reply for each recipient, or nil when the client has gone.
func (s *session) deliver(ctx context.Context) []wire.Reply {
	tx := s.tx
	p, err := s.readPost()
	if err != nil {
		s.logRefused(tx, "", err)
		return tx.all(replyTo(err))
	}
	verdicts := s.judge(ctx, p)
	if refused := s.refusals(verdicts); refused != nil {
		return refused
	}
	routes := s.routes(p, verdicts)
	reply, err := s.hand(ctx, p, routes)
	if errors.Is(err, delivery.ErrGone) {
		s.logCut(tx, err)
		return nil
	}
	out := make([]wire.Reply, len(tx.rcpts))
	for i, v := range verdicts {
		switch {
		case v.err != nil:
			out[i] = replyTo(v.err)
			continue
		case err != nil:
			out[i] = replyTo(err)
			continue
		case v.serve.Service == lists.ServiceBounces:
			s.logBounce(tx, v.serve)
		}
		out[i] = reply
	}
	return out
}

func (s *session) readPost() (*post, error) {
	head, err := s.tx.spool.Header()
	if err != nil {
		return nil, err
	}
	return &post{
		head: head, body: s.tx.spool.BodyOffset(), now: time.Now(),
		authors: message.Authors(head), named: message.Named(head), to: message.Recipients(head),
	}, nil
}

// judge decides for each recipient, by its list as it is now.
func (s *session) judge(ctx context.Context, p *post) []verdict {
	out := make([]verdict, len(s.tx.rcpts))
	for i, r := range s.tx.rcpts {
		v := &out[i]
		v.kind = r.target.Kind
		if !r.local() {
			continue
		}
		if v.serve, v.err = s.srv.lists.Resolve(ctx, r.address); v.err != nil {
			continue
		}
		if v.serve.Kind != r.target.Kind || v.serve.List == nil {
			v.err = lists.ErrNoList // the list was replaced between RCPT and now
			continue
		}
		v.list = *v.serve.List
		if v.kind == lists.Post {
			v.by, v.err = s.judgePost(ctx, p, v.list)
		} else if v.serve.Service != lists.ServiceBounces {
			v.err = message.CheckLoop(p.head, s.srv.opts.Hostname, r.address, "")
		}
	}
	return out
}

func (s *session) judgePost(ctx context.Context, p *post, l lists.List) (by lists.Member, err error) {
	// Nothing of the road proves a From yet, so it is believed.
	l.Settings.Identity = lists.IdentityClaimed
	facts := lists.PostFacts{
		NullSender: s.tx.from == "", Authors: p.authors, Size: s.tx.spool.Size(), Named: p.to, NamedCount: p.named,
		Automatic: message.Automatic(p.head),
		Loop:      message.CheckLoop(p.head, s.srv.opts.Hostname, l.Address, l.ID()),
	}
	facts.ReversePath, _ = lists.ParseAddress(s.tx.from)
	if len(p.authors) == 1 {
		m, member, err := s.srv.store.Member(ctx, l.Address, p.authors[0])
		if err != nil {
			return by, err
		}
		if member {
			facts.Member, by = &m, m
		}
	}
	return by, refused(l.Judge(facts))
}

// refusal is a verdict as an error: the reason decides the reply's code, and the text is what people read.
type refusal struct {
	reason error
	text   string
}

func (r *refusal) Error() string { return r.reason.Error() }
func (r *refusal) Unwrap() error { return r.reason }

// refused is why a post does not go to the list, nil when it does.
func refused(v lists.Verdict) error {
	switch v.Action {
	case lists.Accept:
		return nil
	case lists.Refuse:
		return &refusal{v.Reason, v.Text}
	}
	return v.Reason
}

// refusals returns the replies when nothing is to be sent: at the SMTP door, which has one reply for all, as
// soon as one recipient is refused; at the LMTP door when all are.
func (s *session) refusals(verdicts []verdict) []wire.Reply {
	refused := 0
	var first error
	for i, v := range verdicts {
		if v.err == nil {
			continue
		}
		refused++
		if first == nil {
			first = v.err
		}
		s.logRefused(s.tx, s.tx.rcpts[i].address.String(), v.err)
	}
	switch {
	case refused == 0:
		return nil
	case s.door == SMTP:
		return s.tx.all(replyTo(first))
	case refused < len(verdicts):
		return nil
	}
	out := make([]wire.Reply, len(verdicts))
	for i, v := range verdicts {
		out[i] = replyTo(v.err)
	}
	return out
}

// routes dresses a copy for each list and each service, once each, however often it was named.
func (s *session) routes(p *post, verdicts []verdict) []delivery.Route {
	var routes []delivery.Route
	var served []lists.Address
	seen := map[string]bool{}
	for _, i := range s.tx.order() {
		r, v := s.tx.rcpts[i], verdicts[i]
		key := r.address.Key()
		if v.err != nil || !r.local() || seen[key] {
			continue
		}
		seen[key] = true
		trace := s.trace(p, r.address)
		route := delivery.Route{
			List: r.address, ReversePath: v.list.Bounces(), Body: s.tx.spool, BodyOffset: p.body,
			EightBit: s.tx.eightBit, UTF8: s.tx.utf8 || !v.list.Bounces().ASCII(),
			MessageID: messageID(p.head),
		}
		route.Owners, _ = ownersOf(v.list)
		switch {
		case v.kind == lists.Post:
			dressed := message.Dress(p.head, v.list, trace, message.Dressing{
				Author: v.by.Address, AuthorName: v.by.Name, EightBit: s.tx.eightBit,
			})
			route.Head, route.UTF8 = dressed.Head, route.UTF8 || dressed.UTF8
			route.AnyUTF8 = v.list.UTF8Members > 0
			route.Audience = delivery.Audience{
				List: v.list.Address, Members: v.list.Members, Not: slices.Clone(served), Except: s.except(p, v),
			}
			served = append(served, v.list.Address)
		case v.serve.Service == lists.ServiceBounces:
			continue // taken, and sent nowhere
		default:
			route.Head = message.Forward(p.head, trace)
			route.Audience.Fixed, route.AnyUTF8 = ownersOf(v.list)
		}
		routes = append(routes, route)
	}
	return routes
}

// except are the members who get no copy: who is served in his own name, and, if the list or he himself wants that, who is
// named in To or Cc, and the author.
func (s *session) except(p *post, v verdict) map[string]struct{} {
	named := v.list.Settings.NoDups && len(p.to) > 0
	silent := !v.by.Address.IsZero() && !v.by.MeToo()
	if !named && !silent {
		return s.tx.relayed
	}
	out := maps.Clone(s.tx.relayed)
	if out == nil {
		out = map[string]struct{}{}
	}
	if named {
		for _, a := range p.to {
			out[a.Key()] = struct{}{}
		}
	}
	if silent {
		out[v.by.Address.Key()] = struct{}{}
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

func (s *session) trace(p *post, to lists.Address) message.Trace {
	c := s.tx.client
	t := message.Trace{Hostname: s.srv.opts.Hostname, SID: s.id, Helo: c.Helo, Proto: "ESMTP", For: to, Time: p.now}
	if c.Helo == wire.Unavailable { // mail that began inside Postfix
		t.Helo = ""
	}
	t.Client = c.Name
	if c.Name == "" || c.Name == wire.Unavailable {
		t.Client = "unknown"
	}
	if c.Addr != "" && c.Addr != wire.Unavailable {
		t.Client += " [" + c.Addr + "]"
	}
	switch {
	case s.door == LMTP:
		t.Proto = "LMTP"
	case !s.extended:
		t.Proto = "SMTP"
	}
	return t
}

// hand delivers to everyone who is to be served. The reply is the next hop's own.
func (s *session) hand(ctx context.Context, p *post, routes []delivery.Route) (wire.Reply, error) {
	tx := s.tx
	job := delivery.Job{Client: tx.client, Routes: routes, Content: tx.spool.Reader(0), Gone: s.link.gone}
	if tx.relay != nil && tx.relay.Accepted() > 0 {
		job.Relay = tx.relay
	}
	if err := s.guard(p, &job); err != nil {
		return wire.Reply{}, s.handFailed(err)
	}
	result, err := s.srv.hop.Deliver(ctx, job)
	switch {
	case errors.Is(err, delivery.ErrGone):
		return wire.Reply{}, err
	case err != nil && !errors.Is(err, delivery.ErrPartial):
		return wire.Reply{}, s.handFailed(err)
	}
	if result.Relayed.Code != 0 {
		s.logRelayed(tx, result.Relayed)
	}
	reply := result.Posted
	if reply.Code == 0 {
		reply = text(250, "2.0.0", "Ok: "+taken(result.Outcomes, s.id))
	}
	s.logPosted(tx, result.Outcomes, reply, err)
	switch {
	case err != nil:
		return wire.Reply{}, err
	case result.Relayed.Code != 0:
		return result.Relayed, nil
	}
	return reply, nil
}

// taken says what became of a post of which nothing was sent now: it is in the spool, or nothing had to be sent (a list
// without members, a bounce that was taken, a post that came again).
func taken(outcomes []delivery.Outcome, sid string) string {
	for _, o := range outcomes {
		if o.Entry != "" {
			return "spooled as " + o.Entry
		}
	}
	return "taken as " + sid
}

// messageID is for people; a mail may have none, or several.
func messageID(h message.Header) string {
	ids := h.Values("Message-ID")
	if len(ids) == 0 {
		return ""
	}
	return ids[0][:min(len(ids[0]), 250)]
}

// guard names the message for the retry guard, for each list and for those who are relayed.
func (s *session) guard(p *post, job *delivery.Job) error {
	sum, ok, err := message.Digest(p.head, s.tx.spool.Reader(p.body))
	if err != nil || !ok {
		return err
	}
	// Who of a list is served by another list, or in his own name, is part of the key: when that changes between two
	// attempts, what was noted of the first does not tell who has the post.
	elsewhere := slices.Sorted(maps.Keys(s.tx.relayed))
	for i := range job.Routes {
		job.Routes[i].Key = guardKey(sum, s.tx.from, append([]string{job.Routes[i].List.Key()}, elsewhere...)...)
		if !job.Routes[i].Audience.List.IsZero() {
			elsewhere = append(elsewhere, job.Routes[i].List.Key())
		}
	}
	if job.Relay != nil && len(s.tx.relayed) == s.tx.relayCount() {
		job.RelayKey = guardKey(sum, s.tx.from, slices.Sorted(maps.Keys(s.tx.relayed))...)
	}
	return nil
}

func guardKey(sum [sha256.Size]byte, from string, to ...string) (k delivery.Key) {
	h := sha256.Sum256(fmt.Appendf(sum[:], "%q%q", from, to))
	copy(k[:], h[:])
	return k
}

// handFailed logs why nothing was committed.
func (s *session) handFailed(err error) error {
	s.logRefused(s.tx, "", err)
	return err
}
