package proxy

import (
	"superlistd/wire"
)

// dispatch runs one command line.
func (s *session) dispatch(line string) {
	verb, args := wire.SplitCommand(line)
	s.verb = verb[:min(len(verb), maxVerb)]
	if s.tx != nil && s.tx.chunking && !duringChunks(verb) {
		s.fault(text(503, "5.5.1", "Send BDAT or RSET")) // RFC 3030 section 3
		return
	}
	switch verb {
	case "EHLO", "HELO", "LHLO":
		s.hello(verb, args)
	case "MAIL":
		s.mail(args)
	case "RCPT":
		s.rcpt(args)
	case "DATA":
		s.data(args)
	case "BDAT":
		s.bdat(args)
	case "RSET":
		s.reset()
		s.replyText(250, "2.0.0", "Ok")
	case "NOOP":
		s.replyText(250, "2.0.0", "Ok")
	case "VRFY":
		s.vrfy(args)
	case "EXPN":
		// RFC 5321 section 7.3: who is on a list is nobody's business.
		s.replyText(502, "5.5.1", "EXPN is not offered here")
	case "HELP":
		s.replyText(214, "2.0.0", "RFC 5321; lists are described by mail to LIST-help at their domain")
	case "QUIT":
		s.replyText(221, "2.0.0", "Bye")
		s.over = true
	case "STARTTLS":
		s.starttls(args)
	case "XFORWARD":
		s.xforward(args)
	case "XCLIENT":
		s.xclient(args)
	case "GET", "HEAD", "POST", "PUT", "OPTIONS", "CONNECT":
		// What follows is a request of another protocol, made by someone's browser: none of
		// its lines may be taken for a command.
		s.hangUp(text(554, "5.5.0", "This is not an HTTP server"), "HTTP request")
	default:
		s.fault(text(500, "5.5.2", "Unknown command"))
	}
}

// maxVerb is what the log shows of a verb, in octets.
const maxVerb = 20

// duringChunks tells which commands may follow a BDAT that was not the last.
func duringChunks(verb string) bool {
	switch verb {
	case "BDAT", "RSET", "NOOP", "QUIT", "HELP":
		return true
	}
	return false
}
