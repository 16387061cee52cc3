package proxy

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/rs/zerolog"

	"superlistd/wire"
)

// session is one client connection. It belongs to one goroutine.
type session struct {
	srv  *Server
	link *link
	door Door // SMTP or LMTP
	log  zerolog.Logger
	id   string
	peer netip.AddrPort // zero for a unix socket or a pipe

	trusted bool // whoever comes by this door has proven that From is his

	own     wire.ClientInfo // what we know of the client ourselves, or were told by XCLIENT
	forward wire.ClientInfo // what XFORWARD said for the next transaction
	told    bool            // XFORWARD came

	greeted  string // the argument of HELO, EHLO or LHLO
	extended bool   // EHLO or LHLO
	secured  bool   // STARTTLS was done
	verb     string // of the command at hand
	errors   int
	over     bool
	tx       *transaction
}

func newSession(s *Server, l *link, door Door) *session {
	sess := &session{srv: s, link: l, door: door &^ Trusted, trusted: door&Trusted != 0, id: newID(), peer: peerOf(l.conn)}
	log := s.log.With().Str("sid", sess.id).Str("door", door.String())
	sess.own = wire.ClientInfo{Name: wire.Unavailable, Addr: wire.Unavailable, Port: wire.Unavailable, Ident: sess.id, Source: wire.Unavailable}
	if sess.peer.IsValid() {
		sess.own.Addr = sess.peer.Addr().Unmap().String()
		sess.own.Port = strconv.Itoa(int(sess.peer.Port()))
		log = log.Str("peer", sess.own.Addr)
	}
	sess.log = log.Logger()
	return sess
}

// newID names a session in the log, in Received fields and in XFORWARD IDENT. It is no
// secret: it only has to be different.
func newID() string {
	const digits = "0123456789bcdfghjkmnpqrstvwxyz"
	var b [10]byte
	for i, n := 0, rand.Uint64(); i < len(b); i, n = i+1, n/uint64(len(digits)) {
		b[i] = digits[n%uint64(len(digits))]
	}
	return string(b[:])
}

func peerOf(c net.Conn) netip.AddrPort {
	if tcp, ok := c.RemoteAddr().(*net.TCPAddr); ok {
		ap := tcp.AddrPort()
		return netip.AddrPortFrom(ap.Addr().Unmap().WithZone(""), ap.Port())
	}
	return netip.AddrPort{}
}

// run speaks with the client until one side ends the session.
func (s *session) run() {
	defer s.abort()
	s.greet()
	for !s.over {
		line, err := s.command()
		switch {
		case err == nil:
			s.dispatch(string(line))
		case errors.Is(err, wire.ErrLineTooLong):
			s.verb = ""
			s.fault(text(500, "5.5.2", "Line too long"))
		default:
			s.lost(err)
			return
		}
		s.checkErrors()
	}
}

// command waits for the next line. Outside of a transaction a stopping server ends the wait.
func (s *session) command() ([]byte, error) {
	parked := s.tx == nil
	if s.link.park(parked) && parked {
		return nil, os.ErrDeadlineExceeded
	}
	s.link.idle = s.srv.opts.CommandTimeout
	if s.tx == nil || !s.tx.chunking {
		s.link.pace = pace{} // between chunks the content's pace goes on
	}
	if s.link.r.Buffered() == 0 {
		if _, err := s.link.r.Peek(1); err != nil {
			return nil, err
		}
	}
	s.link.park(false)
	// A line that has begun must end within the budget, however slowly it drips.
	s.link.until = time.Now().Add(s.srv.opts.Budget)
	defer func() { s.link.until = time.Time{} }()
	return wire.ReadLine(s.link.r, s.srv.opts.Line)
}

// lost ends a session whose client said nothing more, or whose server is stopping.
func (s *session) lost(err error) {
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded) && s.srv.isStopping():
	case errors.Is(err, os.ErrDeadlineExceeded):
		s.log.Info().Str("helo", s.greeted).Msg("client timed out")
	case s.tx == nil && (errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET)):
		s.log.Debug().Msg("client hung up")
	default:
		s.log.Info().Err(err).Bool("transaction", s.tx != nil).Msg("client lost")
	}
	s.part(err)
}

// part ends the session with the reply to the silence that ended its input, if there is one.
func (s *session) part(err error) {
	switch {
	case !errors.Is(err, os.ErrDeadlineExceeded):
	case s.srv.isStopping():
		s.reply(replyTo(errStopping))
	default:
		s.reply(replyTo(errSlowInput))
	}
	s.over = true
}

// reply queues a reply; it leaves when the session waits for input, or ends.
func (s *session) reply(r wire.Reply) {
	s.link.w.Write(r.Append(s.link.w.AvailableBuffer()))
}

func (s *session) replyText(code int, enhanced, line string) { s.reply(text(code, enhanced, line)) }

// fault replies to a violation of the protocol and counts it. The limit of errors also bounds these log lines.
func (s *session) fault(r wire.Reply) {
	s.errors++
	s.log.Info().Str("command", s.verb).Str("reply", r.String()).Msg("command refused")
	s.reply(r)
}

// checkErrors ends a session that only makes errors.
func (s *session) checkErrors() {
	if s.over || s.errors < s.srv.opts.Errors {
		return
	}
	s.log.Warn().Int("errors", s.errors).Msg("session ended: too many errors")
	s.replyText(421, "4.7.0", "Too many errors")
	s.over = true
}

// hangUp replies and ends the session: for input that must not be read on as commands.
func (s *session) hangUp(r wire.Reply, why string) {
	s.log.Warn().Str("reason", why).Msg("session ended")
	s.reply(r)
	s.over = true
}

// abort ends the transaction, if there is one, without a trace at the next hop. It is forgotten first, so
// that one whose end fails is not ended again.
func (s *session) abort() {
	if tx := s.tx; tx != nil {
		s.tx = nil
		tx.abort()
	}
}

// reset ends a transaction and forgets what XFORWARD said for it.
func (s *session) reset() {
	s.abort()
	s.forward, s.told = wire.ClientInfo{}, false
}

// client is what the next hop is told by XFORWARD about the client of this transaction. Where nobody before us
// named a queue id, ours links the next hop's log lines to ours.
func (s *session) client() wire.ClientInfo {
	c := s.own
	if s.told {
		c = s.forward
	} else {
		c.Helo = s.greeted
		c.Proto = "SMTP"
		if s.extended {
			c.Proto = "ESMTP"
		}
	}
	if c.Ident == "" || c.Ident == wire.Unavailable {
		c.Ident = s.id
	}
	return c
}

// budget bounds what is done under one command.
func (s *session) budget() (context.Context, context.CancelFunc) {
	return context.WithTimeout(s.srv.ctx, s.srv.opts.Budget)
}
