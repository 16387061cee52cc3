package bounce

import (
	"bufio"
	"bytes"
	"io"
	"strings"

	"superlistd/message"
)

// letter is what is kept of a mail.
type letter struct {
	header message.Header
	kind   string // media type of the whole
	parts  []part // texts and reports, in order

	// original is the header of the message that came back, the first one if there are several.
	original message.Header
	returned bool // the mail has a part that is that message, or its header

	receipt   bool // RFC 8098
	complaint bool // RFC 5965
}

// part is a leaf that was kept, decoded to UTF-8.
type part struct {
	kind string
	body []byte
}

// hasStatus tells whether there is a machine-readable report.
func (l *letter) hasStatus() bool {
	for _, p := range l.parts {
		if isStatus(p.kind) {
			return true
		}
	}
	return false
}

// feedbackKind is what a complaint is told from other mail by (RFC 5965 section 3).
const feedbackKind = "message/feedback-report"

// isStatus tells the media types of RFC 3464 and RFC 6533.
func isStatus(kind string) bool {
	return kind == "message/delivery-status" || kind == "message/global-delivery-status"
}

// state is what the line that comes next belongs to.
type state byte

const (
	inHeader   state = iota // of the mail or of a part
	inPreamble              // of a multipart: kept in case that no part follows
	inBody                  // of a part that is kept
	inOriginal              // the header of the message that came back
	inNothing               // what nobody needs
)

// scanner goes through a mail line by line.
type scanner struct {
	out   letter
	state state
	stack []frame // the multiparts that are open

	head []byte // the header that is being read
	body []byte // the body of the part that is kept
	kind string // of that part
	cte  string
	set  string // its charset

	whole  bool // the header of the mail itself is still to come
	parts  int  // how many more are read
	text   int  // octets of text that are still kept
	status int  // octets of reports that are still kept
}

type frame struct {
	boundary string
	digest   bool // RFC 2046 section 5.1.5
}

// scan reads a mail.
func scan(r io.Reader) (*letter, error) {
	s := &scanner{whole: true, parts: message.MaxParts, text: maxText, status: maxStatus}
	in := bufio.NewReaderSize(r, 16<<10)
	for fresh := true; ; {
		line, err := in.ReadSlice('\n')
		if len(line) > 0 {
			s.line(line, fresh)
		}
		switch fresh = err == nil; err {
		case nil, bufio.ErrBufferFull: // the rest of a long line is no line
		case io.EOF:
			s.finish()
			return &s.out, nil
		default:
			return nil, err
		}
	}
}

// line takes a line, or, fresh being false, the next stretch of one.
func (s *scanner) line(line []byte, fresh bool) {
	if fresh && len(s.stack) > 0 && len(line) > 2 && line[0] == '-' && line[1] == '-' && s.delimiter(line[2:]) {
		return
	}
	switch s.state {
	case inHeader:
		s.header(line, fresh)
	case inPreamble, inBody:
		s.keep(line)
	case inOriginal:
		switch {
		case fresh && isBlank(line), len(s.head)+len(line) > maxPartHead:
			s.endOriginal()
		default:
			s.head = append(s.head, line...)
		}
	case inNothing:
	}
}

// delimiter takes the line if it is one of an open multipart; line is what follows its two hyphens. An outer delimiter
// ends all that is in it (RFC 2046 section 5.1.2).
func (s *scanner) delimiter(line []byte) bool {
	for i := len(s.stack) - 1; i >= 0; i-- {
		rest, ok := bytes.CutPrefix(line, []byte(s.stack[i].boundary))
		if !ok {
			continue
		}
		rest, closing := bytes.CutPrefix(bytes.TrimRight(rest, " \t\r\n"), []byte("--"))
		if len(rest) > 0 {
			continue
		}
		if s.state == inPreamble {
			s.body = s.body[:0]
		} else {
			s.endPart()
		}
		s.state = inNothing
		s.stack = s.stack[:i+1]
		if closing {
			s.stack = s.stack[:i]
		} else if s.parts > 0 {
			s.parts--
			s.state = inHeader
		}
		s.head = s.head[:0]
		return true
	}
	return false
}

func (s *scanner) header(line []byte, fresh bool) {
	most := maxPartHead
	if s.whole {
		most = message.MaxHeader
	}
	blank := fresh && isBlank(line)
	if blank && s.whole && len(s.head) == 0 {
		return // what a file or a program put before the mail
	}
	if !blank && len(s.head)+len(line) <= most {
		s.head = append(s.head, line...)
		return
	}
	s.enter()
	if !blank {
		s.line(line, fresh)
	}
}

// enter decides, at the end of a header, what becomes of the body.
func (s *scanner) enter() {
	raw := bytes.Clone(s.head)
	s.head = s.head[:0]
	m := message.Parse(raw)
	kind := m.Type
	if !m.Header.Has("Content-Type") && len(s.stack) > 0 && s.stack[len(s.stack)-1].digest {
		kind = "message/rfc822"
	}
	if s.whole {
		s.whole = false
		s.out.header, s.out.kind = m.Header, kind
		switch strings.ToLower(m.Param("report-type")) {
		case "feedback-report":
			s.out.complaint = true
		case "disposition-notification":
			s.out.receipt = true
		}
	}
	s.begin(kind, m)
	for rest := raw[m.Header.Len():]; len(rest) > 0; { // lines that are no header end it
		n := bytes.IndexByte(rest, '\n') + 1
		if n == 0 {
			n = len(rest)
		}
		s.line(rest[:n], true)
		rest = rest[n:]
	}
}

// begin sets the state for the body of an entity.
func (s *scanner) begin(kind string, m *message.Message) {
	s.kind, s.cte, s.set = kind, "", strings.ToLower(m.Param("charset"))
	if vs := m.Header.Values("Content-Transfer-Encoding"); len(vs) > 0 {
		s.cte = strings.ToLower(vs[0])
	}
	s.body = s.body[:0]
	s.state = inNothing
	switch {
	case strings.HasPrefix(kind, "multipart/"):
		boundary := strings.TrimRight(m.Param("boundary"), " ")
		s.kind = "text/plain"
		if boundary == "" {
			s.state = inBody
		} else if len(s.stack) < message.MaxDepth {
			s.state = inPreamble
			s.stack = append(s.stack, frame{boundary, kind == "multipart/digest"})
		}
	case kind == "text/plain", kind == "text/html", kind == "text/enriched", isStatus(kind):
		s.state = inBody
	case kind == feedbackKind:
		s.out.complaint = true
		s.state = inBody
	case strings.HasSuffix(kind, "disposition-notification"):
		s.out.receipt = true
	case strings.HasPrefix(kind, "message/"), strings.HasSuffix(kind, "rfc822-headers"), kind == "text/rfc822":
		s.out.returned = true
		s.state = inOriginal
	}
}

// keep adds to the body of the part, as long as there is room.
func (s *scanner) keep(line []byte) {
	room := &s.text
	if isStatus(s.kind) || s.kind == feedbackKind {
		room = &s.status
	}
	n := min(len(line), *room)
	s.body = append(s.body, line[:n]...)
	*room -= n
}

func (s *scanner) endOriginal() {
	if s.out.original.Len() == 0 {
		s.out.original = message.ParseHeader(bytes.Clone(s.head))
	}
	s.head = s.head[:0]
	s.state = inNothing
}

// endPart ends what the state tells of.
func (s *scanner) endPart() {
	switch s.state {
	case inHeader:
		s.enter()
		if s.state == inBody || s.state == inOriginal {
			s.endPart()
		}
	case inOriginal:
		s.endOriginal()
	case inBody:
		s.out.parts = append(s.out.parts, part{s.kind, decode(s.body, s.cte, s.set)})
	case inPreamble, inNothing:
	}
	s.state = inNothing
}

// finish ends the mail. A multipart whose delimiters got lost is read as text.
func (s *scanner) finish() {
	lost := s.state == inPreamble
	s.endPart()
	if lost && len(s.out.parts) == 0 {
		s.out.parts = append(s.out.parts, part{"text/plain", decode(s.body, "", "")})
	}
}

func isBlank(line []byte) bool {
	return line[0] == '\n' || line[0] == '\r' && (len(line) == 1 || line[1] == '\n')
}
