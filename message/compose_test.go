package message

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"testing"
	"time"
)

// testNote is a note that is in order.
func testNote() Note {
	return Note{
		From: "Team <team-owner@lists.example.org>", To: "ann@example.net, Bob <bob@example.net>", Subject: "Grüße", Text: "Hallo\n\nGrüße\n",
		MessageID: "1.2@mx.example.org", Date: time.Date(2026, 11, 20, 9, 0, 0, 0, time.UTC),
	}
}

// readNote reads what Bytes wrote with other code than wrote it.
func readNote(t *testing.T, raw []byte) (mail.Header, string) {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	body := m.Body
	if m.Header.Get("Content-Transfer-Encoding") == "quoted-printable" {
		body = quotedprintable.NewReader(body)
	}
	text, err := io.ReadAll(body)
	if err != nil {
		t.Fatal(err)
	}
	return m.Header, string(text)
}

func TestNoteReadsBack(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, subject, text, wantSubject, wantText string
	}{
		{"UTF-8", "Grüße", "Hallo\nGrüße\n", "Grüße", "Hallo\r\nGrüße\r\n"},
		{"ASCII", "Hello", "Hello\n\n. \nFrom here\n", "Hello", "Hello\r\n\r\n. \r\nFrom here\r\n"},
		{"no line end", "x", "text", "x", "text\r\n"},
		{"CRLF and CR", "x", "a\r\nb\rc\n", "x", "a\r\nb\r\nc\r\n"},
		{"empty", "", "", "", ""},
		{"long line", "x", strings.Repeat("word ", 400) + "\n", "x", strings.Repeat("word ", 400) + "\r\n"},
		{"subject of two lines", "a\r\nBcc: x@example.org\x00", "x\n", "a Bcc: x@example.org", "x\r\n"},
		{"subject that is not UTF-8", "a\xffb", "x\n", "a?b", "x\r\n"},
		{"long subject", strings.Repeat("Grüße und ", 40), "x\n", strings.TrimSpace(strings.Repeat("Grüße und ", 40)), "x\r\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			n := testNote()
			n.Subject, n.Text = tt.subject, tt.text
			raw, err := n.Bytes()
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(bytes.ReplaceAll(raw, []byte("\r\n"), nil), []byte("\n")) {
				t.Error("a bare LF")
			}
			for line := range bytes.SplitSeq(raw, []byte("\r\n")) {
				if len(line) > 998 {
					t.Errorf("a line of %d octets", len(line))
				}
			}
			h, text := readNote(t, raw)
			subject, err := new(mime.WordDecoder).DecodeHeader(h.Get("Subject"))
			if err != nil || subject != tt.wantSubject {
				t.Errorf("subject %q, %v", subject, err)
			}
			if text != tt.wantText {
				t.Errorf("text %q, want %q", text, tt.wantText)
			}
			if h.Get("Bcc") != "" || h.Get("Message-Id") != "<1.2@mx.example.org>" || h.Get("Mime-Version") != "1.0" {
				t.Errorf("header %v", h)
			}
			if d, err := h.Date(); err != nil || !d.Equal(n.Date) {
				t.Errorf("date %v, %v", d, err)
			}
			if to, err := h.AddressList("To"); err != nil || len(to) != 2 || to[1].Address != "bob@example.net" {
				t.Errorf("To %v, %v", to, err)
			}
		})
	}
}

func TestNoteRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		edit func(*Note)
	}{
		{"no From", func(n *Note) { n.From = "" }},
		{"two From", func(n *Note) { n.From = "a@b.example, c@d.example" }},
		{"From with a line end", func(n *Note) { n.From = "a@b.example\r\nBcc: x@y.example" }},
		{"no To", func(n *Note) { n.To = "" }},
		{"To with a line end", func(n *Note) { n.To = "a@b.example\r\nBcc: x@y.example" }},
		{"no date", func(n *Note) { n.Date = time.Time{} }},
		{"Message-ID with a line end", func(n *Note) { n.MessageID = "a@b\r\nBcc: x" }},
		{"Message-ID in brackets", func(n *Note) { n.MessageID = "<a@b>" }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			n := testNote()
			tt.edit(&n)
			if raw, err := n.Bytes(); !errors.Is(err, ErrNote) || raw != nil {
				t.Errorf("got %q, %v", raw, err)
			}
		})
	}
}

func TestNoteWithoutMessageID(t *testing.T) {
	t.Parallel()
	n := testNote()
	n.MessageID = ""
	raw, err := n.Bytes()
	if err != nil || ParseHeader(raw).Has("Message-Id") {
		t.Errorf("got %q, %v", raw, err)
	}
}
