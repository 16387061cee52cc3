package proxy

import (
	"context"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"

	"superlistd/delivery"
	"superlistd/message"
	"superlistd/wire"
)

// ready tells whether content may come now, and replies when it may not.
func (s *session) ready() bool {
	switch {
	case s.tx == nil:
		s.fault(text(503, "5.5.1", "Send MAIL first"))
	case len(s.tx.rcpts) == 0 && s.door == LMTP:
		s.fault(text(503, "5.5.1", "No valid recipients")) // RFC 2033 section 4.2
	case len(s.tx.rcpts) == 0:
		s.fault(text(554, "5.5.1", "No valid recipients"))
	default:
		return true
	}
	return false
}

// data takes the content up to the dot. Mail that is only relayed streams through; a post
// is stored first.
func (s *session) data(args string) {
	pending := s.link.r.Buffered() > 0
	ok := s.ready()
	if ok && args != "" {
		s.fault(text(501, "5.5.4", "DATA takes no argument"))
		ok = false
	}
	if ok {
		if err := s.open(); err != nil {
			s.logRefused(s.tx, "", err)
			s.reply(replyTo(err))
			s.reset()
			ok = false
		}
	}
	if !ok {
		if pending {
			// The content of a client that did not wait for 354 must not be run as commands.
			s.hangUp(text(421, "4.5.0", "Content was sent before it was asked for"), "pipelining behind DATA")
		}
		return
	}
	s.reply(wire.Reply{Code: 354, Lines: []string{"End data with <CR><LF>.<CR><LF>"}})
	s.paced()
	_, err := wire.NewDotReader(s.link.r).WriteTo(s.tx.intake)
	if err != nil {
		s.logCut(s.tx, err)
		s.part(err)
		return
	}
	s.finish()
}

// paced begins the phase in which content comes.
func (s *session) paced() {
	s.link.idle = s.srv.opts.DataTimeout
	if s.link.pace.start.IsZero() {
		s.link.pace = pace{start: time.Now(), budget: s.srv.opts.Budget}
	}
}

// open prepares where the content goes.
func (s *session) open() error {
	tx := s.tx
	if tx.relay != nil && tx.relay.Lost() {
		return errRelayLost
	}
	if tx.lists() {
		tx.spool = message.NewSpool(s.srv.opts.DataDir, s.srv.opts.Memory, s.srv.opts.MessageSize)
		tx.intake = &intake{to: tx.spool, limit: s.srv.opts.MessageSize}
		return nil
	}
	ctx, cancel := s.budget()
	defer cancel()
	// The content may outlast the budget as long as it keeps its pace.
	if err := tx.relay.Data(ctx, s.srv.ctx); err != nil {
		return err
	}
	tx.intake = &intake{to: tx.relay, limit: s.srv.opts.MessageSize}
	return nil
}

// bdat takes one chunk (RFC 3030). Its octets are read whatever the reply, for they
// must never be taken for commands.
func (s *session) bdat(args string) {
	size, last, ok := parseBdat(args)
	if !ok {
		// How much content follows is unknown, so nothing that follows can be trusted.
		s.hangUp(text(501, "5.5.4", "Bad BDAT arguments"), "bad BDAT arguments")
		return
	}
	in, valid := s.chunkIntake()
	s.paced()
	if err := s.chunk(in, size); err != nil {
		s.logCut(s.tx, err)
		s.part(err)
		return
	}
	switch {
	case !valid: // the fault was answered
	case last:
		if rest := s.tx.cleaner.Finish(nil); len(rest) > 0 {
			in.Write(rest)
		}
		s.finish()
	case in.err != nil:
		err := in.err
		s.logRefused(s.tx, "", err)
		s.reset()
		s.reply(replyTo(err))
	default:
		s.replyText(250, "2.0.0", "Ok: "+strconv.FormatInt(size, 10)+" octets")
	}
}

// chunkIntake returns where a chunk goes. With valid false the reply was given and the chunk is swallowed.
func (s *session) chunkIntake() (in *intake, valid bool) {
	if !s.ready() {
		return nowhere(errUnasked), false
	}
	if !s.tx.chunking {
		s.tx.chunking = true
		if err := s.open(); err != nil {
			s.tx.intake = nowhere(err)
		}
	}
	return s.tx.intake, true
}

func parseBdat(args string) (size int64, last, ok bool) {
	number, rest, _ := strings.Cut(args, " ")
	size, err := strconv.ParseInt(number, 10, 64)
	if err != nil || size < 0 || number[0] == '+' || number[0] == '-' {
		return 0, false, false
	}
	switch upper(strings.TrimSpace(rest)) {
	case "":
		return size, false, true
	case "LAST":
		return size, true, true
	}
	return 0, false, false
}

// chunk reads size octets, cleans their line ends, and hands them on.
func (s *session) chunk(in *intake, size int64) error {
	for size > 0 {
		if s.link.r.Buffered() == 0 {
			if _, err := s.link.r.Peek(1); err != nil {
				return unexpected(err)
			}
		}
		n := int(min(size, int64(s.link.r.Buffered())))
		piece, _ := s.link.r.Peek(n)
		if in.err == nil {
			s.tx.clean = s.tx.cleaner.Append(s.tx.clean[:0], piece)
			in.Write(s.tx.clean)
		}
		s.link.r.Discard(n)
		size -= int64(n)
	}
	return nil
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

// finish answers for content that has come whole, and ends the transaction.
func (s *session) finish() {
	tx := s.tx
	s.link.pace = pace{}
	ctx, cancel := s.budget()
	defer cancel()
	var out []wire.Reply
	switch {
	case tx.intake.err != nil:
		s.logRefused(tx, "", tx.intake.err)
		out = tx.all(replyTo(tx.intake.err))
	case tx.spool != nil:
		out = s.deliver(ctx)
	default:
		out = s.commitRelay(ctx)
	}
	s.reset()
	if out == nil {
		s.over = true // the client has gone: nobody hears a reply
		return
	}
	if s.door == SMTP {
		out = out[:1]
	}
	for _, r := range out {
		s.reply(r)
	}
}

// all gives every recipient the same reply.
func (tx *transaction) all(r wire.Reply) []wire.Reply {
	out := make([]wire.Reply, len(tx.rcpts))
	for i := range out {
		out[i] = r
	}
	return out
}

// commitRelay sends the dot of mail that is only relayed.
func (s *session) commitRelay(ctx context.Context) []wire.Reply {
	tx := s.tx
	if s.link.gone() {
		s.logCut(tx, delivery.ErrGone)
		return nil
	}
	answer, err := tx.relay.Commit(ctx)
	if err != nil {
		s.logRefused(tx, "", err)
		return tx.all(replyTo(err))
	}
	s.logRelayed(tx, answer)
	return tx.all(passed(answer))
}
