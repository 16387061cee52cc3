package smtpclient

import (
	"bufio"
	"context"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"superlistd/wire"
)

// A next hop under Nagle's algorithm that writes its replies one by one keeps each back until we have acknowledged the
// one before. Nothing that we write does so meanwhile, and a kernel left alone takes 40 ms.
func TestRepliesDoNotWaitForADelayedAck(t *testing.T) {
	t.Parallel()
	hop := slowWriter(t)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	c, err := Dial(ctx, Options{Hop: hop})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var took []time.Duration
	for range 9 {
		tx := begin(t, c, Envelope{ReversePath: "a@example.org"})
		start := time.Now()
		accepted, err := tx.Rcpts(ctx, source(addresses(4)...), func(int, wire.Reply) {})
		if err != nil || accepted != 4 {
			t.Fatalf("Rcpts = %d, %v", accepted, err)
		}
		took = append(took, time.Since(start))
		write(t, tx, "Subject: x\r\n\r\n")
		commit(t, tx)
	}
	slices.Sort(took)
	if median := took[len(took)/2]; median > 30*time.Millisecond {
		t.Errorf("four recipients took %v (median of %v)", median, took)
	}
}

// slowWriter takes all mail, and writes each reply on its own, under Nagle's algorithm.
func slowWriter(t *testing.T) Hop {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { l.Close(); <-done })
	go func() {
		defer close(done)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		_ = conn.(*net.TCPConn).SetNoDelay(false) // that is, Nagle's algorithm on
		conn.SetDeadline(time.Now().Add(time.Minute))
		r, content := bufio.NewReader(conn), false
		for reply := "220 nagle\r\n"; ; {
			if _, err := conn.Write([]byte(reply)); err != nil {
				return
			}
			for reply = ""; reply == ""; {
				line, err := r.ReadString('\n')
				if err != nil {
					return
				}
				reply = answerOf(strings.TrimSpace(line), &content)
			}
		}
	}()
	return Hop{Network: "tcp", Address: l.Addr().String()}
}

// answerOf is the reply to one line; none to a line of content.
func answerOf(line string, content *bool) string {
	switch {
	case *content && line != ".":
		return ""
	case strings.HasPrefix(line, "EHLO"):
		return "250-nagle\r\n250 PIPELINING\r\n"
	case line == "DATA":
		*content = true
		return "354 go on\r\n"
	}
	*content = false
	return "250 2.0.0 Ok\r\n"
}
