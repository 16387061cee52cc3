package proxy

import (
	"runtime"
	"strings"
	"testing"
)

// A message of 64 MiB passes in memory that does not grow with it. This test is not parallel, since
// it counts what the whole process allocates.
func TestMemoryIsConstant(t *testing.T) {
	const size = 64 << 20
	sink := startSink(t)
	h := start(t, setup{hop: sink.hop(), options: func(o *Options) { o.MessageSize = 2 * size }})
	line := strings.Repeat("0123456789abcde", 5) + "\r\n"
	block := []byte(strings.Repeat(line, 1000))
	for _, rcpt := range []string{"x@other.test", "team@lists.example.org"} {
		for _, chunked := range []bool{false, true} {
			c := h.client("smtp/tcp")
			size := size
			if chunked {
				size /= 4 // the race detector makes it slow, and four times more than this would prove nothing new
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			c.say("MAIL FROM:<ann@example.net>", "250")
			c.say("RCPT TO:<"+rcpt+">", "250")
			c.content(block, size/len(block), chunked)
			runtime.ReadMemStats(&after)
			if n := after.TotalAlloc - before.TotalAlloc; n > uint64(size)/16 {
				t.Errorf("%s, chunked %v: %d octets allocated", rcpt, chunked, n)
			}
			c.say("QUIT", "221")
		}
	}
	if queued, breaches := sink.forget(); len(queued) != 4 || len(breaches) > 0 || sink.octets < 5*size/2*9/10 {
		t.Errorf("%d messages of %d octets; %q", len(queued), sink.octets, breaches)
	}
}

// content sends a header and n blocks.
func (c *client) content(block []byte, n int, chunked bool) {
	c.tb.Helper()
	send := func(chunk []byte, last string) {
		if chunked {
			c.send(bdat(len(chunk), last))
		}
		if _, err := c.conn.Write(chunk); err != nil {
			c.tb.Fatal(err)
		}
		if chunked {
			c.expect("250")
		}
	}
	if !chunked {
		c.say("DATA", "354")
	}
	send([]byte("From: ann@example.net\r\n\r\n"), "")
	for range n {
		send(block, "")
	}
	if chunked {
		send(nil, " LAST")
	} else {
		c.send(".\r\n")
		c.expect("250")
	}
}
