package proxy

import (
	"context"
	"errors"

	"superlistd/delivery"
	"superlistd/lists"
	"superlistd/message"
	"superlistd/posting"
	"superlistd/wire"
)

// verdict is what was decided for one recipient.
type verdict struct {
	err   error             // why it was refused; nil: serve it
	tell  error             // why it was refused, which the author is told by mail
	list  lists.List        // as it is now, not as it was at RCPT
	kind  lists.Kind        // of the recipient's target
	serve lists.Target      // for services
	post  posting.Judgement // for posts
	taken bool              // mail to a service that we do ourselves
}

// goes tells whether something is to be sent for the recipient.
func (v verdict) goes() bool {
	if v.kind == lists.Post {
		return v.err == nil && v.post.Action == lists.Accept
	}
	return v.err == nil && !v.taken
}

// deliver judges a stored message for all its recipients, and serves them: nothing is committed before
// everything is armed. It returns a reply for each recipient, or nil when the client has gone.
func (s *session) deliver(ctx context.Context) []wire.Reply {
	tx := s.tx
	p, err := posting.Read(tx.spool, s.envelope())
	if err != nil {
		s.logRefused(tx, "", err)
		return tx.all(replyTo(err))
	}
	verdicts := s.judge(ctx, p)
	s.soften(verdicts)
	if refused := s.refusals(verdicts); refused != nil {
		return refused
	}
	routes, err := s.routes(ctx, p, verdicts)
	if err == nil {
		err = s.keep(ctx, p, verdicts)
	}
	if err != nil {
		return tx.all(replyTo(s.handFailed(err)))
	}
	reply, err := s.hand(ctx, p, routes, verdicts)
	if errors.Is(err, delivery.ErrGone) {
		s.logCut(tx, err)
		return nil
	}
	return s.answers(verdicts, reply, err)
}

// envelope is what the dialogue knows of the message.
func (s *session) envelope() posting.Envelope {
	e := posting.Envelope{
		ReversePath: s.tx.from, Client: s.tx.client, EightBit: s.tx.eightBit, UTF8: s.tx.utf8,
		Proto: "ESMTP", Session: s.id, At: s.srv.opts.Now(),
		Trusted: s.trusted || s.door == LMTP && local(s.tx.client),
	}
	switch {
	case s.door == LMTP:
		e.Proto = "LMTP"
	case !s.extended:
		e.Proto = "SMTP"
	}
	return e
}

// local tells mail that began on this host (Postfix XFORWARD_README): without any client. SOURCE=LOCAL alone says less, namely that
// the client is one of those of local_header_rewrite_clients, and these may be anybody who has logged in.
func local(c wire.ClientInfo) bool {
	return c.Source == "LOCAL" && (c.Addr == "" || c.Addr == wire.Unavailable)
}

// judge decides for each recipient, by its list as it is now.
func (s *session) judge(ctx context.Context, p *posting.Post) []verdict {
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
			s.judgePost(ctx, p, v)
			continue
		}
		v.taken = s.does(v.serve)
		if v.serve.Service != lists.ServiceBounces {
			v.err = message.CheckLoop(p.Head, s.srv.opts.Hostname, r.address, "")
		}
	}
	return out
}

func (s *session) judgePost(ctx context.Context, p *posting.Post, v *verdict) {
	if v.post, v.err = s.srv.desk.Judge(ctx, p, v.list); v.err != nil {
		return
	}
	if v.post.Trouble != nil {
		s.log.Error().Stringer("list", v.list.Address).Err(v.post.Trouble).Msg("judged without the list's history")
	}
	v.err = refused(v.post.Verdict)
	if v.post.Action == lists.Hold && s.srv.office == nil {
		v.err = &refusal{v.post.Reason, v.post.Text}
	}
}

// answers are the replies to a message of which everything was sent, or nothing (err).
func (s *session) answers(verdicts []verdict, reply wire.Reply, err error) []wire.Reply {
	out := make([]wire.Reply, len(verdicts))
	first := -1 // at the SMTP door, the reply that counts: of who was sent to, else of who was held
	for i, v := range verdicts {
		switch {
		case v.err != nil:
			out[i] = replyTo(v.err)
			continue
		case !v.goes():
			out[i] = s.set(v)
		case err != nil:
			out[i] = replyTo(err)
		default:
			out[i] = reply
		}
		if first < 0 || v.goes() && !verdicts[first].goes() {
			first = i
		}
	}
	if s.door == SMTP && first >= 0 {
		out[0] = out[first]
	}
	return out
}

// hand delivers to everyone who is to be served. The reply is the next hop's own.
func (s *session) hand(ctx context.Context, p *posting.Post, routes []delivery.Route, verdicts []verdict) (wire.Reply, error) {
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
	s.remember(ctx, p, verdicts, result.Outcomes)
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

// remember notes a post that went out, where its list counts posts. Nothing depends on it that a sender was promised.
func (s *session) remember(ctx context.Context, p *posting.Post, verdicts []verdict, outcomes []delivery.Outcome) {
	before := map[lists.Address]bool{}
	for _, o := range outcomes {
		if o.Gather == "" {
			before[o.List] = o.Before
		}
	}
	for _, v := range verdicts {
		if v.kind != lists.Post || !v.goes() || before[v.list.Address] {
			continue
		}
		if err := s.srv.desk.Posted(ctx, p, v.post); err != nil {
			s.log.Error().Stringer("list", v.list.Address).Err(err).Msg("post not noted in the list's history")
		}
	}
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

// handFailed logs why nothing was committed.
func (s *session) handFailed(err error) error {
	s.logRefused(s.tx, "", err)
	return err
}
