package proxy_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"superlistd/internal/smtptest"
	"superlistd/proxy"
)

// faultScript is what a client says up to the end of data: what it may send at once, then what has
// to wait for the 354.
func faultScript(p faultPost) (before, after string) {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\r\nMAIL FROM:<ann@m.test> SIZE=100\r\n", p.hello())
	for _, rcpt := range p.rcpts {
		fmt.Fprintf(&b, "RCPT TO:<%s>\r\n", rcpt)
	}
	if p.bdat {
		half := len(p.content) / 2
		fmt.Fprintf(&b, "BDAT %d\r\n%sBDAT %d LAST\r\n%s", half, p.content[:half], len(p.content)-half, p.content[half:])
		return b.String(), ""
	}
	return b.String() + "DATA\r\n", strings.ReplaceAll(p.content, "\r\n.", "\r\n..") + ".\r\n"
}

// leaving is how a client goes away.
type leaving string

const (
	byFIN  leaving = "FIN"  // it closes its side
	byRST  leaving = "RST"  // it is reset
	byQuit leaving = "QUIT" // Postfix ends a message that it must not send: a line QUIT in the content, and FIN
)

// cutAt sends the first n octets of a script and leaves. Where it can, it waits for the end of the session.
func (h *faultHouse) cutAt(n int, door proxy.Door, before, after string, how leaving) error {
	conn, err := net.Dial("tcp", h.doors[door])
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		return err
	}
	r := bufio.NewReader(conn)
	if _, err := io.WriteString(conn, before[:min(n, len(before))]); err != nil {
		return err
	}
	if n > len(before) {
		for line := ""; !strings.HasPrefix(line, "354"); {
			if line, err = r.ReadString('\n'); err != nil {
				return fmt.Errorf("waiting for 354: %w", err)
			}
		}
		if _, err := io.WriteString(conn, after[:n-len(before)]); err != nil {
			return err
		}
	}
	tcp := conn.(*net.TCPConn)
	switch how {
	case byRST:
		return tcp.SetLinger(0)
	case byQuit:
		if _, err := io.WriteString(conn, "QUIT\r\n"); err != nil {
			return err
		}
		fallthrough
	case byFIN:
		if err := tcp.CloseWrite(); err != nil {
			return err
		}
	}
	said, err := io.ReadAll(r)
	if err == nil && strings.Contains(string(said), "queued as") {
		err = fmt.Errorf("the client was told %q", said)
	}
	return err
}

// Cut the client off behind every octet that it sends. The law: without the whole end of data nothing
// is committed.
func TestFaultAtEveryOctetOfTheClient(t *testing.T) {
	t.Parallel()
	for _, scene := range faultScenes {
		if scene.lines > 40 {
			continue // one kind of relay is enough: all content is short here
		}
		for _, door := range []proxy.Door{proxy.SMTP, proxy.LMTP} {
			for _, bdat := range []bool{false, true} {
				for _, how := range []leaving{byFIN, byRST, byQuit} {
					if how == byQuit && bdat {
						continue // the count of a chunk takes the line for content, as it must
					}
					t.Run(fmt.Sprintf("%s/%v/bdat=%v/%s", scene.name, door, bdat, how), func(t *testing.T) {
						t.Parallel()
						post := faultPost{door: door, bdat: bdat, rcpts: scene.rcpts, content: faultContent(2)}
						cutEverywhere(t, post, how)
					})
				}
			}
		}
	}
}

func cutEverywhere(t *testing.T, post faultPost, how leaving) {
	h := newFaultHouse(t, faultSetup{dataDir: t.TempDir()})
	before, after := faultScript(post)
	for n := range len(before) + len(after) {
		if err := h.cutAt(n, post.door, before, after, how); err != nil {
			t.Errorf("after %d octets: %v", n, err)
		}
	}
	if told, err := h.send(post); err != nil || !strings.HasPrefix(told[post.rcpts[0]], "250") {
		t.Errorf("a whole post after all that: %q, %v", told, err) // or nothing was tried above
	}
	queued := h.peer.Queued()
	h.close() // every session has ended now
	for _, rcpt := range post.rcpts {
		for _, m := range faultAudience(rcpt) {
			if got := h.peer.Queued()[m]; got != 1 || queued[m] != 1 {
				t.Errorf("%s has the post %d times, want only the whole one", m, got)
			}
		}
	}
	if err := h.whole(); err != nil {
		t.Error(err)
	}
}

// A client that leaves while its post is being armed gets nothing committed: it will come again.
func TestClientLeavesWhileThePostIsArmed(t *testing.T) {
	t.Parallel()
	for _, scene := range faultScenes {
		t.Run(scene.name, func(t *testing.T) {
			t.Parallel()
			h := newFaultHouse(t, faultSetup{dataDir: t.TempDir()}, smtptest.Delay(20*time.Millisecond))
			post := faultPost{door: proxy.SMTP, rcpts: scene.rcpts, content: faultContent(2)}
			before, after := faultScript(post)
			if scene.rcpts[0] == "out@far.test" && len(scene.rcpts) < 3 {
				after = after[:len(after)-1] // relayed mail is armed before its end
			}
			if err := h.cutAt(len(before)+len(after), proxy.SMTP, before, after, byFIN); err != nil {
				t.Error(err)
			}
			h.close()
			if got := h.peer.Queued(); len(got) > 0 {
				t.Errorf("queued %v\n%s", got, h.peer.Transcript())
			}
		})
	}
}
