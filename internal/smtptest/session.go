package smtptest

import (
	"bufio"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// session is one connection. Its methods return false when it is over.
type session struct {
	p       *Peer
	base    net.Conn
	c       net.Conn
	n       int
	br      *bufio.Reader
	bw      *bufio.Writer
	pending Fault // of a command, for its reply
	over    bool

	tls     bool
	greeted bool
	user    string
	client  map[string]string
	xclient map[string]string
	tx      *Message // nil: no transaction
	chunks  strings.Builder
	failed  bool // a chunk was refused
}

func newSession(p *Peer, c net.Conn, n int) *session {
	s := &session{p: p, base: c, n: n}
	s.attach(c)
	return s
}

func (s *session) attach(c net.Conn) {
	s.c, s.br, s.bw = c, bufio.NewReaderSize(c, 64<<10), bufio.NewWriterSize(c, 64<<10)
}

func (s *session) run() {
	if s.reply("CONNECT", s.p.script.banner)/100 != 2 {
		s.over = true // RFC 5321 allows more; no client of ours has to
	}
	for !s.over {
		line, ok := s.readLine()
		if !ok {
			break
		}
		s.handle(line)
	}
	_ = s.bw.Flush() // the client may be gone
}

// step counts, and breaks the step whose turn it is. Faults of replies are for
// the caller; "" is none.
func (s *session) step() Fault {
	if int(s.p.steps.Add(1)) != s.p.script.failAt {
		return ""
	}
	s.p.trip.Store(true)
	switch s.p.script.fault {
	case Stall:
		_ = s.bw.Flush()
		s.stall()
	case RST:
		_ = s.bw.Flush()
		if tc, ok := s.base.(*net.TCPConn); ok {
			_ = tc.SetLinger(0)
		}
		_ = s.base.Close()
		s.over = true
	}
	return s.p.script.fault
}

// stall waits for the client to hang up. The octets it still reads are lost.
func (s *session) stall() {
	s.over = true
	_, _ = io.Copy(io.Discard, s.base)
}

func (s *session) readLine() (string, bool) {
	if s.br.Buffered() == 0 && s.bw.Flush() != nil {
		return "", false
	}
	line, err := s.br.ReadString('\n')
	if err != nil {
		if line != "" {
			s.p.note(s.n, "C", strconv.Quote(line)+" and EOF")
		}
		return "", false
	}
	if !strings.HasSuffix(line, "\r\n") {
		s.p.violation("command line %q does not end with CRLF", line)
	}
	line = strings.TrimRight(line, "\r\n")
	s.p.note(s.n, "C", line)
	return line, s.arrived()
}

// arrived is the step of a command or of content read.
func (s *session) arrived() bool {
	switch f := s.step(); f {
	case "":
	case Drop, Stall, RST:
		s.over = true
	default:
		s.pending = f
	}
	return !s.over
}

// reply answers a verb, by default with text, and returns the code that the
// client has been told; 0 if none.
func (s *session) reply(verb, text string) int {
	if on, ok := s.p.script.on[verb]; ok {
		text = on
	}
	if s.p.script.delay > 0 {
		_ = s.bw.Flush()
		time.Sleep(s.p.script.delay)
	}
	f := s.pending
	s.pending = ""
	if f == "" {
		f = s.step()
	} else {
		s.p.steps.Add(1)
	}
	switch f {
	case "", Drop:
	case Stall, RST:
		return 0
	case Garbage:
		text = "\x00\xff\x16\x03garbage"
	case HalfReply:
		s.write(text[:(len(text)+1)/2])
		s.over = true
		return 0
	default:
		text = string(f)
	}
	s.write(strings.ReplaceAll(text, "\n", "\r\n") + "\r\n")
	code, err := strconv.Atoi(text[:min(3, len(text))])
	if f == Drop || code == 421 {
		s.over = true // run flushes, after what was answered is queued: nobody is told 250 before
	}
	if err != nil {
		return 0
	}
	return code
}

func (s *session) write(text string) {
	s.p.note(s.n, "S", strings.TrimRight(text, "\r\n"))
	_, _ = s.bw.WriteString(text) // an error comes back with Flush
}

// last checks that nothing was pipelined behind a verb that must be the last one
// of its group, as Postfix does.
func (s *session) last(verb string) bool {
	if s.br.Buffered() == 0 {
		return true
	}
	s.p.violation("pipelined behind %s", verb)
	s.reply("", "554 5.5.0 Error: SMTP protocol synchronization")
	s.over = true
	return false
}

func (s *session) handle(line string) {
	verb, args, _ := strings.Cut(line, " ")
	verb = strings.ToUpper(verb)
	switch verb {
	case "EHLO", "LHLO", "HELO", "DATA", "STARTTLS", "XCLIENT", "AUTH", "NOOP", "VRFY":
		if !s.last(verb) {
			return
		}
	}
	switch verb {
	case "EHLO", "LHLO":
		s.hello(verb)
	case "HELO":
		s.reply(verb, "250 peer.test")
	case "STARTTLS":
		s.startTLS()
	case "AUTH":
		s.auth(args)
	case "XFORWARD":
		s.forward(args)
	case "XCLIENT":
		s.override(args)
	case "MAIL":
		s.mail(args)
	case "RCPT":
		s.rcpt(args)
	case "DATA":
		s.data()
	case "BDAT":
		s.bdat(args)
	case "RSET":
		if s.reply(verb, "250 2.0.0 Ok")/100 == 2 {
			s.reset()
		}
	case "VRFY":
		s.reply(verb, "252 2.0.0 "+args)
	case "NOOP":
		s.reply(verb, "250 2.0.0 Ok")
	case "QUIT":
		s.reply(verb, "221 2.0.0 Bye")
		s.over = true
	default:
		s.p.violation("unknown command %q", line)
		s.reply(verb, "500 5.5.2 Error: command not recognized")
	}
}

func (s *session) reset() {
	s.tx, s.client, s.failed = nil, nil, false
	s.chunks.Reset()
}
