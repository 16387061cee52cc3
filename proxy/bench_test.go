package proxy

import (
	"fmt"
	"strings"
	"testing"
)

func benchContent(size int) string {
	line := strings.Repeat("x", 70) + "\r\n"
	return "From: ann@example.net\r\nSubject: bench\r\n\r\n" + strings.Repeat(line, size/len(line))
}

// One session: connect, one message to the next hop, QUIT.
func BenchmarkRelaySession(b *testing.B) {
	for _, size := range []int{1 << 10, 10 << 10} {
		b.Run(fmt.Sprintf("%dKiB", size>>10), func(b *testing.B) {
			h := start(b, setup{hop: startSink(b).hop(), quiet: true})
			content := benchContent(size)
			b.SetBytes(int64(len(content)))
			b.ReportAllocs()
			for b.Loop() {
				c := h.client("smtp/tcp")
				c.envelope("ann@example.net", "x@other.test")
				c.send(content + ".\r\n")
				c.expect("250")
				c.say("QUIT", "221")
				_ = c.conn.Close()
			}
		})
	}
}

// One message in a session that is kept.
func BenchmarkRelayMessage(b *testing.B) {
	for _, size := range []int{1 << 10, 10 << 10} {
		b.Run(fmt.Sprintf("%dKiB", size>>10), func(b *testing.B) {
			h := start(b, setup{hop: startSink(b).hop(), quiet: true})
			benchMessages(b, h, "x@other.test", benchContent(size))
		})
	}
}

// One post that is expanded to 1000 members in one transaction.
func BenchmarkPost1000Members(b *testing.B) {
	team := roster{address: "team@lists.example.org", members: []string{"ann@example.net"}}
	for i := range 999 {
		team.members = append(team.members, fmt.Sprintf("member-%d@example.net", i))
	}
	h := start(b, setup{hop: startSink(b).hop(), quiet: true, lists: []roster{team}})
	benchMessages(b, h, "team@lists.example.org", benchContent(10<<10))
}

func benchMessages(b *testing.B, h *house, rcpt, content string) {
	c := h.client("smtp/tcp")
	b.SetBytes(int64(len(content)))
	b.ReportAllocs()
	for b.Loop() {
		c.send("MAIL FROM:<ann@example.net>\r\nRCPT TO:<" + rcpt + ">\r\nDATA\r\n")
		c.expect("250")
		c.expect("250")
		c.expect("354")
		c.send(content + ".\r\n")
		c.expect("250")
	}
}
