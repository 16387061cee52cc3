package smtptest

import (
	"fmt"
	"io"
	"strconv"
	"strings"
)

// mailbox cuts the address out of "FROM:<a@b> SIZE=1".
func mailbox(args string) string {
	_, rest, _ := strings.Cut(args, ":")
	rest = strings.TrimLeft(rest, " ")
	if !strings.HasPrefix(rest, "<") {
		addr, _, _ := strings.Cut(rest, " ")
		return addr
	}
	quoted := false
	for i := 1; i < len(rest); i++ {
		switch c := rest[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case c == '>' && !quoted:
			return rest[1:i]
		}
	}
	return rest
}

func (s *session) mail(args string) {
	if s.tx != nil {
		s.reply("MAIL", "503 5.5.1 Error: nested MAIL command")
		return
	}
	text := ""
	if s.p.script.mailReply != nil {
		text = s.p.script.mailReply(mailbox(args))
	}
	if text == "" {
		text = "250 2.1.0 Ok"
	}
	if s.reply("MAIL", text)/100 != 2 {
		return
	}
	s.tx = &Message{Client: s.client, XClient: s.xclient, Mail: args, Sender: mailbox(args), Conn: s.n, TLS: s.tls, User: s.user}
}

func (s *session) rcpt(args string) {
	if s.tx == nil {
		s.reply("RCPT", "503 5.5.1 Error: need MAIL command")
		return
	}
	addr, text := mailbox(args), ""
	if s.p.script.rcptReply != nil {
		text = s.p.script.rcptReply(addr)
	}
	if text == "" && s.p.script.maxRcpts > 0 && len(s.tx.Rcpts) >= s.p.script.maxRcpts {
		text = "452 4.5.3 Error: too many recipients"
	}
	if text == "" {
		text = "250 2.1.5 Ok"
	}
	if s.reply("RCPT", text)/100 == 2 {
		s.tx.Rcpts = append(s.tx.Rcpts, addr)
		s.tx.RcptArgs = append(s.tx.RcptArgs, args)
	}
}

func (s *session) data() {
	switch {
	case s.tx == nil:
		s.reply("DATA", "503 5.5.1 Error: need RCPT command")
		return
	case len(s.tx.Rcpts) == 0:
		s.reply("DATA", "554 5.5.1 Error: no valid recipients")
		return
	}
	if s.reply("DATA", "354 End data with <CR><LF>.<CR><LF>")/100 != 3 || s.bw.Flush() != nil || s.over {
		return
	}
	raw, content, ok := s.readContent()
	s.p.note(s.n, "C", fmt.Sprintf("<content of %d octets, complete: %v>", len(content), ok))
	if !ok {
		s.over = true
		return
	}
	s.tx.Raw, s.tx.Content = raw, content
	if s.arrived() {
		s.finish()
	}
}

// readContent reads up to CRLF.CRLF, and takes nothing else for the end.
func (s *session) readContent() (raw, content string, ok bool) {
	var r, b strings.Builder
	start := true
	for {
		line, err := s.br.ReadSlice('\n')
		if start && string(line) == ".\r\n" {
			return r.String(), b.String(), true
		}
		r.Write(line)
		if start && len(line) > 0 && line[0] == '.' {
			b.Write(line[1:])
		} else {
			b.Write(line)
		}
		start = strings.HasSuffix(r.String()[max(0, r.Len()-2):], "\r\n")
		if err != nil && len(line) == 0 {
			return r.String(), b.String(), false
		}
	}
}

// finish answers the content, once or for each recipient, and queues the message
// for those who were told 2xx.
func (s *session) finish() {
	m := *s.tx
	rcpts, args := m.Rcpts, m.RcptArgs
	s.reset()
	if !s.p.script.lmtp {
		if s.reply(".", s.finalReply(rcpts[0]))/100 == 2 {
			s.p.queue(m)
		}
		return
	}
	m.Rcpts, m.RcptArgs = nil, nil
	for i, r := range rcpts {
		if s.over {
			break
		}
		if s.reply(".", s.finalReply(r))/100 == 2 {
			m.Rcpts, m.RcptArgs = append(m.Rcpts, r), append(m.RcptArgs, args[i])
		}
	}
	if len(m.Rcpts) > 0 {
		s.p.queue(m)
	}
}

func (s *session) finalReply(addr string) string {
	if s.p.script.final != nil {
		if text := s.p.script.final(addr); text != "" {
			return text
		}
	}
	return fmt.Sprintf("250 2.0.0 Ok: queued as PEER%d", s.p.Steps())
}

func (s *session) bdat(args string) {
	words := strings.Fields(args)
	if len(words) == 0 || len(words) > 2 {
		s.reply("BDAT", "501 5.5.4 Syntax: BDAT count [LAST]")
		return
	}
	n, err := strconv.ParseInt(words[0], 10, 64)
	last := len(words) == 2 && strings.EqualFold(words[1], "LAST")
	if err != nil || n < 0 || len(words) == 2 && !last {
		s.reply("BDAT", "501 5.5.4 Syntax: BDAT count [LAST]")
		return
	}
	if _, err := io.CopyN(&s.chunks, s.br, n); err != nil {
		s.over = true
		return
	}
	switch {
	case s.tx == nil || len(s.tx.Rcpts) == 0 || s.failed:
		s.failed = true
		s.reply("BDAT", "503 5.5.1 Error: need RCPT command")
	case !last:
		s.failed = s.reply("BDAT", fmt.Sprintf("250 2.0.0 Ok: %d bytes", n))/100 != 2
	default:
		s.tx.BDAT, s.tx.Raw, s.tx.Content = true, s.chunks.String(), s.chunks.String()
		s.finish()
	}
}
