package proxy

import (
	"context"
	"errors"
	"strings"

	"superlistd/bouncing"
	"superlistd/lists"
	"superlistd/moderation"
	"superlistd/wire"
)

func upper(s string) string { return strings.ToUpper(s) }

// syntaxReply answers a MAIL or RCPT line that could not be read.
func syntaxReply(err error) wire.Reply {
	if errors.Is(err, wire.ErrPath) {
		return replyTo(errPath)
	}
	return text(501, "5.5.4", "Syntax error in the command's arguments")
}

// rcpt adds a recipient: ours by its list, another's by the next hop's leave.
func (s *session) rcpt(args string) {
	if s.tx == nil {
		s.fault(text(503, "5.5.1", "Send MAIL first"))
		return
	}
	path, params, err := wire.ParseRcpt(args)
	if err != nil {
		s.fault(syntaxReply(err))
		return
	}
	if len(s.tx.rcpts) >= s.srv.opts.Recipients {
		s.tooMany()
		return
	}
	if len(s.tx.rcpts) == 0 {
		s.tx.client = s.client()
	}
	ctx, cancel := s.budget()
	defer cancel()
	address, target, err := s.route(ctx, path.Mailbox)
	if err == nil {
		err = s.early(target)
	}
	if err != nil {
		s.refuseRcpt(path.Mailbox, err)
		return
	}
	switch target.Kind {
	case lists.Relay:
		s.relayRcpt(ctx, recipient{address, target}, args)
	case lists.Postmaster:
		// RFC 5321 section 4.5.1: postmaster of a domain of ours is the site's own.
		s.relayRcpt(ctx, recipient{address, target}, "TO:<postmaster>"+printParams(params))
	default:
		s.tx.rcpts = append(s.tx.rcpts, recipient{address, target})
		s.replyText(250, "2.1.5", "Ok")
	}
}

// tooMany refuses a recipient over the limit; the log says so once in a transaction.
func (s *session) tooMany() {
	if !s.tx.full {
		s.tx.full = true
		s.logRefused(s.tx, "", errTooMany)
	}
	s.reply(replyTo(errTooMany))
}

// route finds out where a mailbox leads. What we cannot read as an address (a bare <root>, say) is none of ours, but
// the next hop's; unless its domain is ours, for then the next hop would only send it back to us.
func (s *session) route(ctx context.Context, mailbox string) (lists.Address, lists.Target, error) {
	address, err := lists.ParseAddress(mailbox)
	if err != nil {
		at := strings.LastIndexByte(mailbox, '@')
		if a, bad := lists.ParseAddress("x" + mailbox[max(at, 0):]); bad == nil && s.srv.lists.Ours(a) {
			return lists.Address{}, lists.Target{}, err
		}
		return lists.Address{}, lists.Target{Kind: lists.Relay}, nil
	}
	target, err := s.srv.lists.Resolve(ctx, address)
	return address, target, err
}

// early refuses at RCPT what is certain before the content: RFC 5321 prefers that to a later word.
func (s *session) early(t lists.Target) error {
	switch {
	case t.Kind == lists.Post:
		facts := lists.EarlyFacts{Size: s.tx.size}
		facts.ReversePath, _ = lists.ParseAddress(s.tx.from)
		if err := refused(t.List.JudgeEarly(facts)); err != nil {
			return err
		}
		// Said at RCPT, not at MAIL: mail that is only relayed goes on, and MAIL does not tell which it is.
		return s.srv.hop.Full()
	case t.Kind == lists.ToService && t.Service == lists.ServiceConfirm:
		return s.known(t)
	case t.Kind == lists.ToService && t.Service == lists.ServiceBounces:
		if t.Extension == "" { // no mail of ours goes out with it
			return bouncing.ErrForged
		}
		if s.srv.opts.Bounces != nil {
			return s.srv.opts.Bounces.Known(t.List.Address, t.Extension, s.tx.from)
		}
	}
	return nil
}

// known tells whether a keyed address is one that we gave out. Programs do not answer to those.
func (s *session) known(t lists.Target) error {
	err := errService
	if s.tx.from == "" {
		return err
	}
	if s.srv.office != nil {
		if err = s.srv.office.Known(t.List.Address, t.Extension); !errors.Is(err, moderation.ErrToken) {
			return err
		}
	}
	if s.srv.opts.Enrol != nil {
		err = s.srv.opts.Enrol.Known(t.List.Address, t.Extension)
	}
	return err
}

func (s *session) refuseRcpt(rcpt string, err error) {
	s.logRefused(s.tx, rcpt, err)
	s.reply(replyTo(err))
}

// relayRcpt asks the next hop. Once its transaction with recipients is lost, nothing that was promised
// to them can be kept, so no more is promised.
func (s *session) relayRcpt(ctx context.Context, r recipient, args string) {
	if s.tx.relay == nil {
		s.tx.relay = s.srv.hop.NewRelay(s.tx.client, s.tx.args)
	}
	answer, err := s.tx.relay.Rcpt(ctx, args)
	if err != nil {
		s.refuseRcpt(r.address.String(), err)
		return
	}
	answer = passed(answer)
	if !answer.Positive() {
		s.logAnswered(s.tx, r.address.String(), answer)
		s.reply(answer)
		return
	}
	s.tx.rcpts = append(s.tx.rcpts, r)
	if !r.address.IsZero() {
		if s.tx.relayed == nil {
			s.tx.relayed = map[string]struct{}{}
		}
		s.tx.relayed[r.address.Key()] = struct{}{}
	}
	s.reply(answer)
}

// printParams writes parameters as they were read; they hold neither blanks nor controls.
func printParams(params []wire.Param) string {
	var b strings.Builder
	for _, p := range params {
		b.WriteString(" " + p.Key)
		if p.Given {
			b.WriteString("=" + p.Value)
		}
	}
	return b.String()
}
