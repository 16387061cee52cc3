package wire

import (
	"bufio"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	maxReplyLine  = 2048 // what Postfix keeps of one (line_length_limit)
	maxReplyLines = 128
	maxReplyText  = 512 - len("250 \r\n") // RFC 5321 section 4.5.3.1.5
	unforeseen    = 451
)

// ErrReply says that what came is no SMTP reply; it is wrapped with the reason.
var ErrReply = errors.New("malformed reply")

// Reply is an SMTP reply (RFC 5321 section 4.2). Lines hold what follows "250-"
// or "250 ", enhanced codes included.
type Reply struct {
	Code  int
	Lines []string
}

// Enhanced returns the enhanced status code (RFC 3463, RFC 2034) that opens the
// first line, such as "5.1.1", or "".
func (r Reply) Enhanced() string {
	if len(r.Lines) == 0 {
		return ""
	}
	word, _, _ := strings.Cut(r.Lines[0], " ")
	class, rest, _ := strings.Cut(word, ".")
	subject, detail, _ := strings.Cut(rest, ".")
	if class != "2" && class != "4" && class != "5" || !statusNumber(subject) || !statusNumber(detail) {
		return ""
	}
	return word
}

func statusNumber(s string) bool {
	if len(s) < 1 || len(s) > 3 {
		return false
	}
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return true
}

// Positive is true for 2xx.
func (r Reply) Positive() bool { return r.Code/100 == 2 }

// Temporary is true for 4xx.
func (r Reply) Temporary() bool { return r.Code/100 == 4 }

// Permanent is true for 5xx.
func (r Reply) Permanent() bool { return r.Code/100 == 5 }

// Append appends all lines with their ends. A line is cut at 512 octets, and
// controls and broken UTF-8 become "?", so that no text can be read as another
// reply. A code that is none of SMTP (200 to 599) is written as 451.
func (r Reply) Append(dst []byte) []byte {
	code := r.Code
	if code < 200 || code > 599 {
		code = unforeseen
	}
	if len(r.Lines) == 0 {
		return appendReplyLine(dst, code, ' ', "")
	}
	last := len(r.Lines) - 1
	for _, text := range r.Lines[:last] {
		dst = appendReplyLine(dst, code, '-', text)
	}
	return appendReplyLine(dst, code, ' ', r.Lines[last])
}

func appendReplyLine(dst []byte, code int, sep byte, text string) []byte {
	dst = append(strconv.AppendInt(dst, int64(code), 10), sep)
	dst = appendPrintable(dst, text, maxReplyText)
	return append(dst, "\r\n"...)
}

// String is the whole reply on one printable line, for logs and errors.
func (r Reply) String() string {
	b := strconv.AppendInt(nil, int64(r.Code), 10)
	for i, text := range r.Lines {
		if i > 0 {
			b = append(b, " /"...)
		}
		b = appendPrintable(append(b, ' '), text, maxReplyLine)
	}
	return string(b)
}

// appendPrintable appends at most limit octets of text, with "?" for controls
// and for octets that are not UTF-8. It never cuts inside a character.
func appendPrintable[T string | []byte](dst []byte, text T, limit int) []byte {
	end := len(dst) + limit
	for i := 0; i < len(text); {
		c, size := text[i], 1
		if c >= utf8.RuneSelf {
			c, size = foreign(string(text[i:min(len(text), i+utf8.UTFMax)]))
		}
		if len(dst)+size > end {
			break
		}
		if size > 1 {
			dst = append(dst, text[i:i+size]...)
		} else if isControl(c) {
			dst = append(dst, '?')
		} else {
			dst = append(dst, c)
		}
		i += size
	}
	return dst
}

// foreign looks at the character that opens s: its size, or "?" for each octet
// of a C1 control or of broken UTF-8.
func foreign(s string) (c byte, size int) {
	r, size := utf8.DecodeRuneInString(s)
	if size == 1 || r < 0xa0 {
		return '?', 1
	}
	return 0, size
}

// ReadReplyLine reads one line of a reply without allocating: its code, whether
// more lines follow, and its text as it came, valid until the next read of r. A
// line is cut at 2048 octets. A line that is no reply gives ErrReply, with the
// line read; the end of input gives io.EOF between lines and
// io.ErrUnexpectedEOF inside one.
func ReadReplyLine(r *bufio.Reader) (code int, more bool, text []byte, err error) {
	line, err := r.ReadSlice('\n')
	if err == bufio.ErrBufferFull {
		line, err = readLong(r, line, maxReplyLine)
		if err == ErrLineTooLong {
			err = nil
		}
	}
	if err != nil {
		return 0, false, nil, midLine(err, len(line))
	}
	line = chomp(line)
	return splitReplyLine(line[:min(len(line), maxReplyLine)])
}

func splitReplyLine(line []byte) (code int, more bool, text []byte, err error) {
	if len(line) < 3 || line[0] < '2' || line[0] > '5' || !isDigit(line[1]) || !isDigit(line[2]) {
		return 0, false, nil, fmt.Errorf("%w: no code", ErrReply)
	}
	code = int(line[0]-'0')*100 + int(line[1]-'0')*10 + int(line[2]-'0')
	if len(line) == 3 {
		return code, false, nil, nil
	}
	switch line[3] {
	case ' ':
		return code, false, line[4:], nil
	case '-':
		return code, true, line[4:], nil
	}
	return 0, false, nil, fmt.Errorf("%w: code not followed by a space or \"-\"", ErrReply)
}

// ReadReply reads a whole reply of at most 128 lines, with "?" for whatever is
// not printable. A reply with several codes or with more lines gives ErrReply,
// and r is then out of step: the connection is of no more use. The end of input
// is io.EOF before the first line only.
func ReadReply(r *bufio.Reader) (Reply, error) {
	var reply Reply
	for {
		code, more, text, err := ReadReplyLine(r)
		switch {
		case err != nil:
			return Reply{}, midLine(err, len(reply.Lines))
		case len(reply.Lines) == 0:
			reply.Code = code
		case code != reply.Code:
			return Reply{}, fmt.Errorf("%w: code %d after %d", ErrReply, code, reply.Code)
		case len(reply.Lines) == maxReplyLines:
			return Reply{}, fmt.Errorf("%w: more than %d lines", ErrReply, maxReplyLines)
		}
		reply.Lines = append(reply.Lines, printable(text))
		if !more {
			return reply, nil
		}
	}
}

func printable(text []byte) string {
	for _, c := range text {
		if isControl(c) || c >= utf8.RuneSelf {
			return string(appendPrintable(make([]byte, 0, len(text)), text, len(text)))
		}
	}
	return string(text)
}
