package proxy

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"
)

func bdat(n int, last string) string { return "BDAT " + strconv.Itoa(n) + last + "\r\n" }

// tape is a client whose whole session is written down. It reads out in pieces of at most step octets.
type tape struct {
	in   *bytes.Reader
	step int
	out  bytes.Buffer
}

func (c *tape) Read(p []byte) (int, error)  { return c.in.Read(p[:min(len(p), c.step)]) }
func (c *tape) Write(p []byte) (int, error) { return c.out.Write(p) }
func (c *tape) Close() error                { return nil }
func (c *tape) LocalAddr() net.Addr         { return c.RemoteAddr() }
func (c *tape) RemoteAddr() net.Addr        { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 25} }

func (c *tape) SetDeadline(time.Time) error      { return nil }
func (c *tape) SetReadDeadline(time.Time) error  { return nil }
func (c *tape) SetWriteDeadline(time.Time) error { return nil }

// replyLine is all that a client may ever see of us.
var replyLine = regexp.MustCompile(`^[245]\d\d[- ][^\x00-\x1f\x7f]*$|^354 End data with <CR><LF>.<CR><LF>$`)

// FuzzSession plays whole sessions of hostile octets. Laws: no panic; every reply is one of SMTP; whoever is told that
// his mail is queued finds it at the next hop; what the next hop has, somebody was told of; and no octet of the client
// breaks a line or an end of data at the next hop.
func FuzzSession(f *testing.F) {
	names, err := filepath.Glob("../testdata/dialog/*.txtar")
	if err != nil || len(names) == 0 {
		f.Fatalf("no dialogues: %v", err)
	}
	for _, name := range names {
		a, err := txtar.ParseFile(name)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range a.Files {
			if file.Name == "session" {
				f.Add(clientSide(string(file.Data)), strings.Contains(name, "lmtp"), uint16(1000))
			}
		}
	}
	for _, in := range hostile() {
		f.Add([]byte(in), strings.HasPrefix(in, "LHLO"), uint16(3))
	}
	sink := startSink(f)
	h := start(f, setup{hop: sink.hop(), quiet: true, lists: []roster{
		{address: "team@lists.example.org", members: []string{"ann@example.net", "bob@example.net"}},
		{address: "anyone@lists.example.org", settings: []string{"post=anyone"}, members: []string{"ann@example.net", "ü@example.net"}},
		{address: "empty@lists.example.org", settings: []string{"post=anyone"}},
	}, options: func(o *Options) { o.MessageSize = 64 << 10; o.XClient = o.Clients; o.Memory = 8 << 10 }})
	f.Fuzz(func(t *testing.T, in []byte, lmtp bool, step uint16) {
		c := &tape{in: bytes.NewReader(in), step: max(1, int(step))}
		door := SMTP
		if lmtp {
			door = LMTP
		}
		h.srv.ServeConn(c, door)
		queued, breaches := sink.forget()
		if len(breaches) > 0 {
			t.Errorf("the next hop got %q", breaches)
		}
		if err := honest(c.out.String(), queued); err != nil {
			t.Errorf("%v\n%s", err, c.out.String())
		}
	})
}

// hostile are sessions that no dialogue has.
func hostile() []string {
	const begin = "EHLO a\r\nMAIL FROM:<a@b.test>\r\nRCPT TO:<x@other.test>\r\nDATA\r\n"
	return []string{
		begin + "a\r\n.\r\r\nMAIL FROM:<evil@b.test>\r\nRCPT TO:<v@other.test>\r\nBDAT 5 LAST\r\nhello\r\n.\r\n",
		begin + "a\n.\r\nb\r\n.\nc\r.\rd\r\n.\x00\r\n.\r\nQUIT\r\n",
		"EHLO a\rMAIL FROM:<evil@b.test>\r\nXFORWARD NAME=a+0D+0AMAIL HELO=+00+0A\r\nMAIL FROM:<a@b.test>\tSIZE=1\r\nRCPT TO:<x@other.test>\r\nDATA\r\n.\r\n",
		"XCLIENT HELO=a+0D+0Ab LOGIN=+0A ADDR=IPv6:::1\r\nEHLO \x00\xff\r\nMAIL FROM:<\xc3\x28@b.test>\r\nRCPT TO:<\"a\\\"> b\"@other.test>\r\nDATA\r\n\r\n.\r\n",
		"LHLO a\r\nMAIL FROM:<>\r\nRCPT TO:<team-bounces+x@lists.example.org>\r\nRCPT TO:<anyone@lists.example.org>\r\nBDAT 2\r\n\r\r\nBDAT 0 LAST\r\n",
		"EHLO a\r\nMAIL FROM:<ann@example.net> SMTPUTF8 BODY=8BITMIME\r\nRCPT TO:<team@lists.example.org>\r\nRCPT TO:<empty@lists.example.org>\r\n" +
			"RCPT TO:<x@other.test>\r\nDATA\r\nFrom: ann@example.net\r\nX: \xff\x00\r\n\r\n..\r\n.\r\n",
		begin + "the client is lost in here",
	}
}

// queuedAs finds the ids in what a client was told.
var queuedAs = regexp.MustCompile(`queued as (SINK\d+)`)

// honest checks what a client was told against what the next hop has.
func honest(out string, queued map[string]bool) error {
	content := false
	told := false
	for line := range strings.SplitSeq(strings.TrimSuffix(out, "\r\n"), "\r\n") {
		if !replyLine.MatchString(line) || len(line) > 510 {
			return fmt.Errorf("%q is no reply", line)
		}
		id := queuedAs.FindStringSubmatch(line)
		taken := id != nil || strings.Contains(line, "taken as")
		if id != nil && (line[:4] != "250 " || !queued[id[1]]) {
			return fmt.Errorf("%q, but the next hop has %v", line, queued)
		}
		if content && line[0] == '2' && !taken {
			return fmt.Errorf("%q to the end of data", line)
		}
		told = told || taken
		content = strings.HasPrefix(line, "354")
	}
	if len(queued) > 0 && !told {
		return fmt.Errorf("the next hop has %v, and nobody was told", queued)
	}
	return nil
}

// clientSide is what the client of a dialogue in text sends.
func clientSide(session string) []byte {
	var b bytes.Buffer
	end := ""
	for line := range strings.SplitSeq(session, "\n") {
		who, what, _ := strings.Cut(line, ":")
		what = strings.TrimLeft(what, " \t")
		switch {
		case end != "" && line == end:
			end = ""
		case end != "":
			b.WriteString(line + "\r\n")
		case who == "C" && strings.HasPrefix(what, "<<"):
			end = what[2:]
		case who == "C" && !strings.HasPrefix(what, "<"):
			b.WriteString(what + "\r\n")
		case who == "C-raw":
			if raw, err := strconv.Unquote(`"` + strings.ReplaceAll(what, `"`, `\"`) + `"`); err == nil {
				b.WriteString(raw)
			}
		}
	}
	return b.Bytes()
}

// The laws of FuzzSession must be able to fail.
func TestHonest(t *testing.T) {
	t.Parallel()
	has := map[string]bool{"SINK1": true}
	for _, tt := range []struct {
		name, out string
		queued    map[string]bool
		ok        bool
	}{
		{"true", "354 End data with <CR><LF>.<CR><LF>\r\n250 2.0.0 Ok: queued as SINK1\r\n", has, true},
		{"a lie", "354 End data with <CR><LF>.<CR><LF>\r\n250 2.0.0 Ok: queued as SINK2\r\n", has, false},
		{"kept from the client", "354 End data with <CR><LF>.<CR><LF>\r\n451 4.3.0 no\r\n", has, false},
		{"no answer", "354 End data with <CR><LF>.<CR><LF>\r\n250 2.0.0 Ok\r\n", nil, false},
		{"control", "250 2.0.0 \x00\r\n", nil, false},
		{"no reply", "hello\r\n", nil, false},
		{"half a line end", "250 a\n250 b\r\n", nil, false},
	} {
		if err := honest(tt.out, tt.queued); (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

var _ io.ReadWriteCloser = (*tape)(nil)
