package proxy

import (
	"fmt"
	"net"
	"strings"
	"testing"
)

// dripped hands out what comes octet by octet: every place where a read may end.
type dripped struct{ *net.TCPConn }

func (d dripped) Read(p []byte) (int, error) { return d.TCPConn.Read(p[:min(1, len(p))]) }

// Only CRLF.CRLF ends the data, also as the first line and after CR CR LF; everything else that some server takes
// for it is content, made harmless. Whatever follows the end must be in step.
func TestEndOfData(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, want string }{ // want: the content downstream
		{"first line", ".\r\n", ""},
		{"usual", "a\r\n.\r\n", "a\r\n"},
		{"after CR CR LF", "a\r\r\n.\r\n", "a \r\n"},
		{"LF . LF", "a\n.\nb\r\n.\r\n", "a\r\n.\r\nb\r\n"},
		{"CR . CR", "a\r.\rb\r\n.\r\n", "a . b\r\n"},
		{"CR . LF", "a\r.\nb\r\n.\r\n", "a .\r\nb\r\n"},
		{"LF . CR", "a\n.\rb\r\n.\r\n", "a\r\n. b\r\n"},
		{"LF . CRLF", "a\n.\r\nb\r\n.\r\n", "a\r\n.\r\nb\r\n"},
		{"CRLF . LF", "a\r\n.\nb\r\n.\r\n", "a\r\n\r\nb\r\n"},
		{"CR . CRLF", "a\r.\r\nb\r\n.\r\n", "a .\r\nb\r\n"},
		{"CRLF . CR", "a\r\n.\rb\r\n.\r\n", "a\r\n b\r\n"},
		{"NUL before the dot", "a\r\n\x00.\r\nb\r\n.\r\n", "a\r\n\x00.\r\nb\r\n"},
		{"NUL behind the dot", "a\r\n.\x00\r\nb\r\n.\r\n", "a\r\n\x00\r\nb\r\n"},
		{"CRLF . CR CRLF", "a\r\n.\r\r\nb\r\n.\r\n", "a\r\n \r\nb\r\n"},
		{"CR CRLF . CR CRLF", "a\r\r\n.\r\r\nb\r\n.\r\n", "a \r\n \r\nb\r\n"},
		{"dot and blank", "a\r\n. \r\nb\r\n.\r\n", "a\r\n \r\nb\r\n"},
		{"stuffed", "..\r\n...\r\n.x\r\n.\r\n", ".\r\n..\r\nx\r\n"},
		{"smuggled", "a\r\n.\r\r\nMAIL FROM:<evil@b.test>\r\nRCPT TO:<v@other.test>\r\nDATA\r\nboo\r\n.\r\n",
			"a\r\n \r\nMAIL FROM:<evil@b.test>\r\nRCPT TO:<v@other.test>\r\nDATA\r\nboo\r\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := start(t, setup{lists: []roster{{address: "team@lists.example.org", members: []string{"ann@example.net"}}}})
			for _, wrap := range []func(net.Conn) net.Conn{
				func(c net.Conn) net.Conn { return c },
				func(c net.Conn) net.Conn { return dripped{c.(*net.TCPConn)} },
			} {
				c := h.pair("tcp", SMTP, wrap)
				c.envelope("ann@example.net", "x@other.test")
				c.send(tt.in + "NOOP\r\n")
				c.expect("250 2.0.0 Ok: queued as")
				if got := c.expect("250"); got != "250 2.0.0 Ok\r\n" {
					t.Errorf("out of step: %q", got)
				}
				c.envelope("ann@example.net", "team@lists.example.org")
				c.send("From: ann@example.net\r\n\r\nx\r\n" + tt.in + "NOOP\r\n")
				c.expect("250 2.0.0 Ok: queued as")
				c.expect("250")
				c.say("QUIT", "221")
			}
			checkContents(t, h, tt.want)
		})
	}
}

func checkContents(t *testing.T, h *house, want string) {
	t.Helper()
	ms := h.peer.Messages()
	if len(ms) != 4 {
		t.Fatalf("%d messages, want 4\n%s", len(ms), h.peer.Transcript())
	}
	for i, m := range ms {
		if why := unclean(m.Raw); why != "" {
			t.Errorf("%s: %q", why, m.Raw)
		}
		switch body, found := strings.CutPrefix(m.Content, "Received:"); {
		case !found && m.Content != want:
			t.Errorf("message %d: content %q, want %q", i, m.Content, want)
		case found && !strings.HasSuffix(body, "\r\n\r\nx\r\n"+want):
			t.Errorf("message %d: content %q, want %q behind its header", i, m.Content, want)
		}
	}
	if v := h.peer.Violations(); len(v) > 0 {
		t.Errorf("violations: %q", v)
	}
}

// unclean says what in content as it went over the wire could be read in two ways.
func unclean(raw string) string {
	for line := range strings.SplitSeq(raw, "\r\n") {
		if strings.ContainsAny(line, "\r\n") {
			return "bare CR or LF"
		}
		if strings.HasPrefix(line, ".") && !strings.HasPrefix(line, "..") {
			return "a dot that is not stuffed"
		}
	}
	return ""
}

// Chunks have no end of data in them; what looks like one is content, and is stuffed when it goes on as DATA.
func TestEndOfDataInChunks(t *testing.T) {
	t.Parallel()
	h := start(t, setup{})
	const in = "a\r\n.\r\nb\n.\nc\r.\r\r\n.\r"
	const want = "a\r\n.\r\nb\r\n.\r\nc . \r\n. \r\n"
	for cut := range len(in) + 1 {
		c := h.client("lmtp/unix")
		c.say("MAIL FROM:<a@b.test>", "250")
		c.say("RCPT TO:<x@other.test>", "250")
		c.send(fmt.Sprintf("BDAT %d\r\n%sBDAT %d LAST\r\n%sQUIT\r\n", cut, in[:cut], len(in)-cut, in[cut:]))
		c.expect("250")
		c.expect("250 2.0.0 Ok: queued as")
		c.expect("221")
	}
	for i, m := range h.peer.Messages() {
		if m.Content != want || unclean(m.Raw) != "" {
			t.Errorf("cut at %d: %q", i, m.Raw)
		}
	}
	if n := len(h.peer.Messages()); n != len(in)+1 {
		t.Errorf("%d messages, want %d", n, len(in)+1)
	}
}
