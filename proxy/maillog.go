package proxy

import (
	"errors"
	"time"

	"github.com/rs/zerolog"

	"superlistd/delivery"
	"superlistd/lists"
	"superlistd/wire"
)

// event begins the log line of an outcome: who sent what, and how long it took.
func (s *session) event(tx *transaction, level zerolog.Level) *zerolog.Event {
	e := s.log.WithLevel(level).Str("client", clientName(tx.client)).Str("from", "<"+tx.from+">")
	if tx.intake != nil {
		e = e.Int64("size", tx.intake.got)
	}
	return e.Stringer("took", time.Since(tx.began).Round(10*time.Microsecond))
}

func clientName(c wire.ClientInfo) string {
	name := c.Name
	if name == "" || name == wire.Unavailable {
		name = "unknown"
	}
	if c.Addr != "" && c.Addr != wire.Unavailable {
		name += "[" + c.Addr + "]"
	}
	return name
}

// logRefused is the line for what we do not take. What is nobody's fault but ours is an error, the rest is
// daily life.
func (s *session) logRefused(tx *transaction, rcpt string, cause error) {
	r := replyTo(cause)
	level := zerolog.InfoLevel
	if r.Temporary() {
		level = zerolog.WarnLevel
	}
	if r.String() == wireReply(unforeseen).String() || errors.Is(cause, delivery.ErrAllRefused) {
		level = zerolog.ErrorLevel
	}
	e := s.event(tx, level)
	if rcpt != "" {
		e = e.Str("rcpt", rcpt)
	}
	e.Str("reply", r.String()).Err(cause).Msg("refused")
}

// logAnswered is the line for a recipient that the next hop refused.
func (s *session) logAnswered(tx *transaction, rcpt string, r wire.Reply) {
	s.event(tx, zerolog.InfoLevel).Str("rcpt", rcpt).Str("reply", r.String()).Msg("refused by the next hop")
}

// logCut is the line for a client that did not wait for our reply: nothing was sent on.
func (s *session) logCut(tx *transaction, cause error) {
	if tx == nil {
		s.log.Info().Err(cause).Msg("client lost")
		return
	}
	s.event(tx, zerolog.InfoLevel).Int("recipients", len(tx.rcpts)).Err(cause).Msg("aborted: client lost")
}

func (s *session) logRelayed(tx *transaction, r wire.Reply) {
	msg := "relayed"
	if !r.Positive() {
		msg = "refused by the next hop"
	}
	s.event(tx, zerolog.InfoLevel).Int("recipients", tx.relay.Accepted()).Str("reply", r.String()).Msg(msg)
}

// logPosted writes a line for each list.
func (s *session) logPosted(tx *transaction, outcomes []delivery.Outcome, r wire.Reply, err error) {
	for _, o := range outcomes {
		level, msg := zerolog.InfoLevel, "post relayed"
		if err != nil {
			level, msg = zerolog.ErrorLevel, "post not relayed to all"
		}
		switch {
		case o.Before:
			msg = "post came again: it was delivered before"
		case o.Entry != "":
			msg = "post spooled"
		}
		e := s.event(tx, level).Stringer("list", o.List).Int("members", o.Accepted).Int("transactions", o.Transactions)
		if o.Gather != "" {
			e = e.Str("for", o.Gather)
		}
		if o.Refused > 0 {
			e = e.Int("refused", o.Refused)
		}
		if o.Entry != "" {
			e = e.Str("entry", o.Entry).Int("audience", o.Audience)
		}
		if err != nil {
			e = e.Err(err)
		} else {
			e = e.Str("reply", r.String())
		}
		e.Msg(msg)
	}
}

// logBounce is the line for mail to LIST-bounces: it is taken and goes no further, so that no bounce
// ever makes another one.
func (s *session) logBounce(tx *transaction, t lists.Target) {
	e := s.event(tx, zerolog.InfoLevel).Stringer("list", t.List.Address)
	if t.Extension != "" {
		e = e.Str("extension", t.Extension)
	}
	e.Msg("bounce taken")
}
