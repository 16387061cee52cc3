package proxy

import (
	"context"
	"errors"

	"github.com/rs/zerolog"

	"superlistd/bouncing"
	"superlistd/enrol"
	"superlistd/lists"
	"superlistd/message"
	"superlistd/moderation"
	"superlistd/posting"
)

// does tells whether mail to a service is for us, and not for the owners.
func (s *session) does(t lists.Target) bool {
	switch t.Service {
	case lists.ServiceConfirm, lists.ServiceBounces:
		return true
	case lists.ServiceSubscribe, lists.ServiceUnsubscribe, lists.ServiceRequest, lists.ServiceHelp:
		return s.srv.opts.Enrol != nil
	}
	return false
}

// serveAll does what services are asked for, each once, however often it was named.
func (s *session) serveAll(ctx context.Context, p *posting.Post, verdicts []verdict) error {
	if err := s.complained(ctx, p, verdicts); err != nil {
		return err
	}
	done := map[string]bool{}
	for i, v := range verdicts {
		key := s.tx.rcpts[i].address.Key()
		if v.err != nil || !v.taken || done[key] {
			continue
		}
		done[key] = true
		if v.serve.Service == lists.ServiceBounces {
			if err := s.bounced(ctx, p, v.serve); err != nil {
				return err
			}
			continue
		}
		if err := s.serveOne(ctx, p, v.serve); err != nil {
			return err
		}
		s.event(s.tx, zerolog.InfoLevel).Stringer("list", v.list.Address).Str("service", string(v.serve.Service)).
			Stringer("author", p.Author()).Stringer("proof", s.srv.desk.Proof(ctx, p)).Msg("request taken")
	}
	return nil
}

// complained reads what may be a complaint about a post, which comes to where bounces do, or to the owners: those are addresses that an
// administrator can give to a feedback loop. It goes on to them all the same.
func (s *session) complained(ctx context.Context, p *posting.Post, verdicts []verdict) error {
	if s.srv.opts.Bounces == nil || !bouncing.Complains(p.Head) {
		return nil
	}
	for _, v := range verdicts {
		if v.err == nil && v.kind == lists.ToService && (v.serve.Service == lists.ServiceOwner || v.serve.Service == lists.ServiceBounces) {
			from := bouncing.Complainant{Author: p.Author(), Proven: s.srv.desk.Proof(ctx, p) == lists.Proven}
			return s.srv.opts.Bounces.Complaint(ctx, from, p.Content.Reader(0))
		}
	}
	return nil
}

// bounced counts what came back. It goes no further, so that no bounce ever makes another one.
func (s *session) bounced(ctx context.Context, p *posting.Post, t lists.Target) error {
	if s.srv.opts.Bounces != nil && t.Extension != "" {
		if err := s.srv.opts.Bounces.Take(ctx, *t.List, t.Extension, p.Content.Reader(0)); err != nil {
			return err
		}
	}
	s.logBounce(s.tx, t)
	return nil
}

func (s *session) serveOne(ctx context.Context, p *posting.Post, t lists.Target) error {
	if t.Service == lists.ServiceConfirm && s.srv.office != nil {
		from := p.Author()
		if s.srv.desk.Proof(ctx, p) == lists.Contradicted {
			from = lists.Address{} // who has the address may decide; but nobody is written to who may not have asked
		}
		err := s.srv.office.Answer(ctx, *t.List, t.Extension, p.Head, p.Content.Reader(p.BodyOffset), from)
		if s.srv.opts.Enrol == nil || !errors.Is(err, moderation.ErrToken) {
			return err
		}
	}
	m := enrol.Mail{
		Head: p.Head, Body: p.Content.Reader(p.BodyOffset), Author: p.Author(), AuthorName: message.AuthorName(p.Head),
		Proof: s.srv.desk.Proof(ctx, p), Client: p.ClientIP(), Automatic: p.ReversePath == "",
	}
	if t.Service == lists.ServiceConfirm {
		return s.srv.opts.Enrol.Confirm(ctx, *t.List, t.Extension, m)
	}
	return s.srv.opts.Enrol.Take(ctx, *t.List, t.Service, m)
}
