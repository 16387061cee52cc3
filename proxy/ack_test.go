package proxy

import (
	"net"
	"slices"
	"testing"
	"time"
)

// A client under Nagle's algorithm that writes its content in pieces keeps the last one back until we have acknowledged the
// one before. We have no reply to give before that, and a kernel left alone takes 40 ms to acknowledge.
func TestContentDoesNotWaitForADelayedAck(t *testing.T) {
	t.Parallel()
	h := start(t, setup{})
	conn := h.dial("smtp/tcp")
	_ = conn.(*net.TCPConn).SetNoDelay(false) // that is, Nagle's algorithm on
	conn.SetDeadline(time.Now().Add(patience))
	expect := func(codes ...string) {
		t.Helper()
		buf := make([]byte, 4096)
		for _, code := range codes {
			n, err := conn.Read(buf)
			if err != nil || n < 3 || string(buf[:3]) != code {
				t.Fatalf("got %q, %v; want %s", buf[:n], err, code)
			}
		}
	}
	expect("220")
	say := func(s string) {
		t.Helper()
		if _, err := conn.Write([]byte(s)); err != nil {
			t.Fatal(err)
		}
	}
	say("EHLO client.example.com\r\n")
	expect("250")
	var took []time.Duration
	for range 9 {
		for _, line := range []string{"MAIL FROM:<a@example.com>\r\n", "RCPT TO:<b@example.net>\r\n"} {
			say(line)
			expect("250")
		}
		say("DATA\r\n")
		expect("354")
		begin := time.Now()
		for _, piece := range []string{"Subject: x\r\n\r\n", "one\r\n", "two\r\n", ".\r\n"} {
			say(piece)
		}
		expect("250")
		took = append(took, time.Since(begin))
	}
	slices.Sort(took)
	if median := took[len(took)/2]; median > 30*time.Millisecond {
		t.Errorf("end of data came after %v (median of %v)", median, took)
	}
}
