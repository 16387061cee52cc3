package proxy

import (
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"superlistd/delivery"
	"superlistd/internal/smtptest"
)

// guardedPost posts to rcpts and expects code at the end of data.
func guardedPost(code, content string, rcpts ...string) string {
	var b strings.Builder
	b.WriteString("S*: 220\nC: EHLO client.test\nS*: 250\nC: MAIL FROM:<ann@example.net>\nS*: 250\n")
	for _, r := range rcpts {
		b.WriteString("C: RCPT TO:<" + r + ">\nS*: 250\n")
	}
	b.WriteString("C: DATA\nS*: 354\nC: Received: from a by b; now\nC: From: ann@example.net\n" + content + "C: .\nS*: " + code + "\nC: QUIT\nS*: 221\n")
	return b.String()
}

const (
	identified = "C: Message-ID: <1@example.net>\nC:\nC: Hello\n"
	anonymous  = "C:\nC: Hello\n"
)

// withGuard gives houses one data folder, as processes have after a restart or side by side.
func withGuard(dir string, s setup) setup {
	s.armed = func(o *delivery.Options) {
		o.Guard = delivery.NewGuard(filepath.Join(dir, "guard"))
		o.Batch = 2
	}
	return s
}

func guardedRoster() []roster {
	return []roster{
		{address: "team@lists.example.org", members: []string{"ann@example.net", "bob@example.net", "cat@example.net", "dan@example.net", "eve@example.net"}},
		{address: "news@lists.example.org", settings: []string{"post=anyone"}, members: []string{"bob@example.net", "fay@example.net"}},
	}
}

func (h *house) wantQueued(want map[string]int) {
	h.tb.Helper()
	got := h.peer.Queued()
	for who, n := range want {
		if got[who] != n {
			h.tb.Errorf("%s has %d copies, want %d", who, got[who], n)
		}
	}
}

func TestPostThatComesAgainIsNotSentAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	all := map[string]int{"ann@example.net": 1, "bob@example.net": 1, "cat@example.net": 1, "dan@example.net": 1, "eve@example.net": 1,
		"fay@example.net": 1, "out@example.com": 1}
	rcpts := []string{"team@lists.example.org", "out@example.com", "news@lists.example.org"}
	h := start(t, withGuard(dir, setup{lists: guardedRoster()}))
	h.talk("smtp/tcp", guardedPost("250", identified, rcpts...))
	h.wantQueued(all)
	h.talk("smtp/tcp", guardedPost("250", identified, rcpts...)) // our reply was lost
	h.talk("lmtp/unix", strings.NewReplacer("EHLO", "LHLO", "S*: 250\nC: QUIT", "S*: 250\nS*: 250\nS*: 250\nC: QUIT").Replace(guardedPost("250", identified, rcpts...)))
	h.wantQueued(all)
	h.stop()
	if !strings.Contains(h.log.String(), "post came again: it was delivered before") {
		t.Errorf("the log does not say so:\n%s", h.log)
	}

	again := start(t, withGuard(dir, setup{lists: guardedRoster()})) // after a restart
	again.talk("smtp/tcp", guardedPost("250", identified, rcpts...))
	if got := again.peer.Messages(); len(got) != 0 {
		t.Errorf("after a restart %d transactions were sent again", len(got))
	}
	again.talk("smtp/tcp", guardedPost("250", "C: Message-ID: <2@example.net>\nC:\nC: Hello\n", rcpts...)) // another post
	again.wantQueued(all)
}

// Two posts that nothing tells apart but time are two posts.
func TestPostWithoutIdentityIsSentEachTime(t *testing.T) {
	t.Parallel()
	h := start(t, withGuard(t.TempDir(), setup{lists: guardedRoster()}))
	for range 2 {
		h.talk("smtp/tcp", guardedPost("250", anonymous, "news@lists.example.org"))
	}
	h.wantQueued(map[string]int{"bob@example.net": 2, "fay@example.net": 2})
}

// Of four transactions and a relayed part, the n-th final dot is refused. The retry completes the post.
func TestHalfDeliveryIsCompleted(t *testing.T) {
	t.Parallel()
	for n := int32(1); n <= 4; n++ {
		dir := t.TempDir()
		var dots atomic.Int32
		broken := smtptest.FinalReply(func(string) string {
			if dots.Add(1) == n {
				return "451 4.3.0 disk full"
			}
			return ""
		})
		h := start(t, withGuard(dir, setup{lists: guardedRoster(), peer: []smtptest.Option{broken}}))
		rcpts := []string{"team@lists.example.org", "out@example.com", "news@lists.example.org"}
		h.talk("smtp/tcp", guardedPost("451", identified, rcpts...))
		h.talk("smtp/tcp", guardedPost("250", identified, rcpts...))
		h.wantQueued(map[string]int{"ann@example.net": 1, "bob@example.net": 1, "cat@example.net": 1, "dan@example.net": 1,
			"eve@example.net": 1, "fay@example.net": 1, "out@example.com": 1})
		if t.Failed() {
			t.Fatalf("with dot %d refused:\n%s", n, h.log)
		}
	}
}

// Two sessions with the same post at the same time: one delivers, the other is told to come again.
func TestSamePostSideBySide(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	entered, leave := make(chan struct{}), make(chan struct{})
	var once atomic.Bool
	slow := smtptest.FinalReply(func(string) string {
		if once.CompareAndSwap(false, true) {
			close(entered)
			<-leave
		}
		return ""
	})
	h := start(t, withGuard(dir, setup{lists: guardedRoster(), peer: []smtptest.Option{slow}}))
	first := make(chan struct{})
	go func() {
		defer close(first)
		h.talk("smtp/tcp", guardedPost("250", identified, "news@lists.example.org"))
	}()
	<-entered
	h.talk("smtp/tcp", guardedPost("451", identified, "news@lists.example.org"))
	close(leave)
	<-first
	h.wantQueued(map[string]int{"bob@example.net": 1, "fay@example.net": 1})
}
