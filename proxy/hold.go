package proxy

import (
	"context"
	"encoding/hex"
	"errors"

	"github.com/rs/zerolog"

	"superlistd/lists"
	"superlistd/message"
	"superlistd/moderation/held"
	"superlistd/posting"
	"superlistd/templates"
	"superlistd/wire"
)

// soften gives a post a second way where a refusal would harm somebody who has done nothing.
//
// At the SMTP door, one recipient's refusal is the whole message's: others who would have taken it would lose it. So it goes to
// them, and the author is told by mail of the list that refused; when he is not proven, that list's moderators decide.
//
// What the LMTP door refuses, Postfix mails back. So only an author who is proven hears of it there.
func (s *session) soften(verdicts []verdict) {
	if s.srv.office == nil {
		return
	}
	others := false
	for i, v := range verdicts {
		if v.err != nil && !v.soft() && s.door == SMTP {
			return // that is the reply for all
		}
		others = others || v.err == nil && (v.goes() || v.post.Action == lists.Hold) && s.tx.rcpts[i].local()
		others = others || !s.tx.rcpts[i].local()
	}
	for i := range verdicts {
		v := &verdicts[i]
		proven := v.post.Proof == lists.Proven
		if s.door == LMTP && !proven && s.strangersPath() {
			v.spare()
		}
		switch {
		case v.err == nil, !v.soft():
		case s.door == LMTP && (proven || s.tx.from == ""), s.door == SMTP && !others:
		case proven:
			v.tell, v.err = v.err, nil
		default:
			v.post.Verdict, v.err = v.post.Held(), nil
		}
	}
}

// strangersPath tells a reverse-path at which a mail from Postfix about a refusal may hit somebody who wrote nothing.
func (s *session) strangersPath() bool {
	if s.tx.from == "" {
		return false
	}
	a, err := lists.ParseAddress(s.tx.from)
	return err != nil || !s.srv.lists.Ours(a)
}

// spare turns the refusals that are not soft into what makes no mail: what a person may have written waits, the rest is dropped.
func (v *verdict) spare() {
	var r *refusal
	if v.kind != lists.Post || !errors.As(v.err, &r) {
		return
	}
	for _, written := range []error{lists.ErrNoAuthor, lists.ErrForged, lists.ErrCommand} {
		if errors.Is(v.err, written) {
			v.post.Verdict, v.err = v.post.Held(), nil
			return
		}
	}
	if !v.soft() {
		v.post.Action, v.err = lists.Discard, nil
	}
}

// soft tells a refusal that is the list's own, about a post that a person may have written.
func (v verdict) soft() bool {
	var r *refusal
	if v.kind != lists.Post || !errors.As(v.err, &r) {
		return false
	}
	for _, hard := range []error{
		lists.ErrAutomatic, lists.ErrBanned, lists.ErrNoAuthor, lists.ErrForged, lists.ErrCommand, message.ErrLoop, message.ErrHops,
	} {
		if errors.Is(v.err, hard) {
			return false
		}
	}
	return true
}

// keep does what comes before anything is sent to members: authors hear of refusals, posts that wait for a moderator are on
// disk, and what services are asked for is done. With an error, nothing may be sent, and the message comes again: all of it
// may be done twice.
func (s *session) keep(ctx context.Context, p *posting.Post, verdicts []verdict) error {
	if s.srv.office != nil {
		if err := s.tellRefused(ctx, p, verdicts); err != nil {
			return err
		}
		if err := s.hold(ctx, p, verdicts); err != nil {
			return err
		}
	}
	return s.serveAll(ctx, p, verdicts)
}

// hold keeps the posts that wait for a moderator.
func (s *session) hold(ctx context.Context, p *posting.Post, verdicts []verdict) error {
	kept := map[lists.Address]bool{}
	for _, v := range verdicts {
		if v.err != nil || v.kind != lists.Post || v.post.Action != lists.Hold || kept[v.list.Address] {
			continue
		}
		kept[v.list.Address] = true
		facts, err := s.heldFacts(p, v)
		if err == nil {
			facts.ID, err = s.srv.office.Hold(ctx, v.list, facts, p.Content)
		}
		if err != nil {
			return err
		}
		s.event(s.tx, zerolog.InfoLevel).Stringer("list", v.list.Address).Str("held", facts.ID).
			Stringer("proof", v.post.Proof).AnErr("reason", v.post.Reason).Msg("post held")
	}
	return nil
}

// tellRefused writes to an author which lists have refused the post that others take.
func (s *session) tellRefused(ctx context.Context, p *posting.Post, verdicts []verdict) error {
	facts := templates.Facts{Author: p.Author().String(), MessageID: messageID(p.Head), Date: p.At}
	var from *lists.List
	for i, v := range verdicts {
		switch {
		case v.tell != nil:
			if from == nil {
				from = &verdicts[i].list
			}
			facts.Items = append(facts.Items, templates.Item{
				List: v.list.Address.String(), Reason: templates.Reason(v.tell), Detail: v.post.Text,
			})
			s.logRefused(s.tx, s.tx.rcpts[i].address.String(), v.tell)
		case v.goes() && v.kind == lists.Post:
			facts.Lists = append(facts.Lists, v.list.Address.String())
		}
	}
	if from == nil {
		return nil
	}
	for _, subject := range message.Texts(p.Head, "Subject") {
		facts.PostSubject = subject
		break
	}
	key, err := p.Key(*from)
	if err != nil {
		return err
	}
	return s.srv.office.Tell(ctx, *from, p.Author(), templates.Refused, facts, hex.EncodeToString(key[:]))
}

// heldFacts are what moderators and a later release must know of a post.
func (s *session) heldFacts(p *posting.Post, v verdict) (held.Facts, error) {
	key, err := p.Key(v.list)
	if err != nil {
		return held.Facts{}, err
	}
	f := held.Facts{
		Key: hex.EncodeToString(key[:16]), List: v.list.Address,
		Envelope: held.Envelope{ReversePath: p.ReversePath, Client: p.Client, EightBit: p.EightBit, UTF8: p.UTF8},
		Author:   p.Author(), AuthorName: message.AuthorName(p.Head), Proof: v.post.Proof.String(), Results: s.srv.desk.Results(p),
		MessageID: messageID(p.Head), Reason: templates.Reason(v.post.Reason), Text: v.post.Text, Remove: v.post.Remove,
	}
	for _, subject := range message.Texts(p.Head, "Subject") {
		f.Subject = subject
		break
	}
	return f, nil
}

// set is the reply to a post that goes nowhere now: it is held, or dropped without a word to the sender.
func (s *session) set(v verdict) wire.Reply {
	switch {
	case v.tell != nil:
		return text(250, "2.0.0", "Ok, but not for "+v.list.Address.String())
	case v.post.Action == lists.Hold:
		return heldReply(v.post.Verdict)
	case v.kind != lists.Post:
		return text(250, "2.0.0", "Ok: taken as "+s.id)
	}
	s.event(s.tx, zerolog.InfoLevel).Stringer("list", v.list.Address).AnErr("reason", v.post.Reason).Msg("post discarded")
	return text(250, "2.0.0", "Ok: taken as "+s.id)
}
