package proxy

import (
	"strings"

	"superlistd/lists"
	"superlistd/wire"
)

// vrfy answers for the addresses that are ours (RFC 5321 section 3.5); of what is relayed it
// knows nothing. Postfix never asks this of a filter: it is for clients that are not Postfix.
func (s *session) vrfy(args string) {
	mailbox, err := wire.ParseVrfyArg(args)
	if err != nil {
		s.fault(text(501, "5.5.4", "VRFY needs an address"))
		return
	}
	ctx, cancel := s.budget()
	defer cancel()
	if !strings.Contains(mailbox, "@") {
		s.replyText(252, "2.1.5", "Not verified here; mail will be tried")
		return
	}
	address, err := lists.ParseAddress(mailbox)
	if err != nil {
		s.reply(replyTo(err))
		return
	}
	target, err := s.srv.lists.Resolve(ctx, address)
	switch {
	case err != nil:
		s.log.Info().Err(err).Str("rcpt", mailbox).Msg("vrfy refused")
		s.reply(replyTo(err))
	case target.Kind == lists.Relay:
		s.replyText(252, "2.1.5", "Not verified here; mail will be tried")
	case target.Service == lists.ServiceConfirm && target.Kind == lists.ToService:
		s.reply(replyTo(errService))
	default:
		s.replyText(250, "2.1.5", "<"+address.String()+">")
	}
}
