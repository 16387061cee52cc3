package proxy

import (
	"crypto/tls"

	"superlistd/wire"
)

// xforward takes what the hop before us says of its client (XFORWARD_README). It is never refused for its
// content, since Postfix makes a 451 for the sender of any refusal; and it holds for one transaction.
func (s *session) xforward(args string) {
	if s.tx != nil {
		s.fault(text(503, "5.5.1", "XFORWARD inside a mail transaction"))
		return
	}
	if !s.told {
		// What the first command leaves out is unknown, not what we see ourselves.
		const u = wire.Unavailable
		s.forward = wire.ClientInfo{Name: u, Addr: u, Port: u, Proto: u, Helo: u, Ident: u, Source: u}
		s.told = true
	}
	s.forward.Forward(args)
	s.replyText(250, "2.0.0", "Ok")
}

// mayXClient tells whether the peer itself, not the client that it speaks for, may use XCLIENT.
func (s *session) mayXClient() bool {
	return s.peer.IsValid() && within(s.peer.Addr(), s.srv.opts.XClient)
}

// xclient replaces what we know of the client, and starts the session anew (XCLIENT_README).
func (s *session) xclient(args string) {
	switch {
	case !s.mayXClient():
		s.fault(text(550, "5.7.0", "XCLIENT is not for you"))
		return
	case s.tx != nil:
		s.fault(text(503, "5.5.1", "XCLIENT inside a mail transaction"))
		return
	case s.link.r.Buffered() > 0:
		s.hangUp(text(554, "5.5.0", "Nothing may be pipelined behind XCLIENT"), "pipelining behind XCLIENT")
		return
	}
	if err := s.own.Override(args); err != nil {
		s.log.Info().Err(err).Msg("XCLIENT refused")
		s.fault(text(501, "5.5.4", "Bad XCLIENT attribute"))
		return
	}
	s.reset()
	s.greeted, s.extended = "", false
	s.greet()
}

// starttls starts TLS (RFC 3207). All that the client said before is forgotten.
func (s *session) starttls(args string) {
	switch {
	case s.srv.opts.TLS == nil || s.secured:
		s.fault(text(502, "5.5.1", "STARTTLS is not offered"))
		return
	case args != "":
		s.fault(text(501, "5.5.4", "STARTTLS takes no argument"))
		return
	case s.tx != nil:
		s.fault(text(503, "5.5.1", "STARTTLS inside a mail transaction"))
		return
	case s.link.r.Buffered() > 0:
		s.hangUp(text(554, "5.5.0", "Nothing may be pipelined behind STARTTLS"), "pipelining behind STARTTLS")
		return
	}
	s.replyText(220, "2.0.0", "Ready")
	if err := s.link.w.Flush(); err != nil {
		s.lost(err)
		return
	}
	ctx, cancel := s.budget()
	defer cancel()
	conn := tls.Server(s.link.conn, s.srv.opts.TLS)
	if err := s.link.handshake(ctx, conn); err != nil {
		s.log.Info().Err(err).Msg("TLS failed")
		s.over = true
		return
	}
	s.reset()
	s.greeted, s.extended, s.secured = "", false, true
}
