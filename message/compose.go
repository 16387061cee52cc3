package message

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/emersion/go-message/mail"
)

// Note is a plain text message that we write ourselves. From and To are addresses as RFC 5322
// writes them ("Name <a@b>"; To may hold several), Subject and Text any UTF-8 text, lines of Text end with LF.
// MessageID is without angle brackets; empty: the field is left out.
type Note struct {
	From, To, Subject, Text, MessageID string
	Date                               time.Time
}

// Bytes returns the message with CRLF line ends. All errors are ErrNote.
func (n Note) Bytes() (raw []byte, err error) {
	defer func() { // the library panics on headers it does not like
		if r := recover(); r != nil {
			raw, err = nil, fmt.Errorf("%w: %v", ErrNote, r)
		}
	}()
	h, err := n.header()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	w, err := mail.CreateSingleInlineWriter(&b, h)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNote, err)
	}
	if _, err := io.WriteString(w, strings.ReplaceAll(lineEnds(n.Text), "\n", "\r\n")); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNote, err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNote, err)
	}
	if !bytes.HasSuffix(b.Bytes(), []byte("\r\n")) {
		b.WriteString("\r\n")
	}
	return b.Bytes(), nil
}

// header is the header of n; nothing in n can add a field to it.
func (n Note) header() (mail.Header, error) {
	var h mail.Header
	from, err := mail.ParseAddressList(n.From)
	if err != nil || len(from) != 1 {
		return h, fmt.Errorf("%w: From %q is not one address", ErrNote, n.From)
	}
	to, err := mail.ParseAddressList(n.To)
	if err != nil {
		return h, fmt.Errorf("%w: To %q: %w", ErrNote, n.To, err)
	}
	if n.Date.IsZero() {
		return h, fmt.Errorf("%w: no date", ErrNote)
	}
	if strings.ContainsFunc(n.MessageID, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '<' || r == '>' }) {
		return h, fmt.Errorf("%w: bad message id %q", ErrNote, n.MessageID)
	}
	h.SetDate(n.Date)
	h.SetAddressList("From", from)
	h.SetAddressList("To", to)
	if n.MessageID != "" {
		h.SetMessageID(n.MessageID)
	}
	h.SetSubject(noControls(squeeze(strings.ToValidUTF8(n.Subject, "?"))))
	h.SetContentType("text/plain", map[string]string{"charset": "utf-8"})
	h.Set("Content-Transfer-Encoding", transferEncoding(n.Text))
	return h, nil
}

// lineEnds makes every CRLF and bare CR an LF.
func lineEnds(s string) string {
	return strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(s)
}

// transferEncoding is 7bit where RFC 5322 section 2.1.1 and RFC 2045 section 2.7 let the text pass as it is.
func transferEncoding(text string) string {
	for line := range strings.SplitSeq(text, "\n") {
		if len(line) > 998 {
			return "quoted-printable"
		}
	}
	for i := range len(text) {
		if c := text[i]; c >= 0x7f || c == 0 {
			return "quoted-printable"
		}
	}
	return "7bit"
}
