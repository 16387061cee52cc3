package proxy

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"superlistd/bouncing"
	"superlistd/delivery"
	"superlistd/delivery/spool"
	"superlistd/identity"
	"superlistd/lists"
	"superlistd/posting"
	"superlistd/token"
	"superlistd/web"
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

// One post of which each of 1000 members gets a signed copy of his own, to the last of them.
func BenchmarkPersonal1000Members(b *testing.B) {
	team := roster{address: "team@lists.example.org", settings: []string{"copies=personal"}, members: []string{"ann@example.net"}}
	for i := range 999 {
		team.members = append(team.members, fmt.Sprintf("member-%d@example.net", i))
	}
	for name, newKey := range map[string]func() ([]byte, error){
		"none": nil, "ed25519": identity.NewEd25519Key, "rsa2048": func() ([]byte, error) { return identity.NewRSAKey(2048) },
	} {
		b.Run("signed="+name, func(b *testing.B) {
			h := start(b, ownCopies(b, newKey, setup{hop: startSink(b).hop(), quiet: true, lists: []roster{team}}))
			c := h.client("smtp/tcp")
			content := benchContent(10 << 10)
			for b.Loop() {
				c.send("MAIL FROM:<ann@example.net>\r\nRCPT TO:<team@lists.example.org>\r\nDATA\r\n")
				c.expect("250")
				c.expect("250")
				c.expect("354")
				c.send(content + ".\r\n")
				c.expect("250")
				h.settle()
			}
			b.ReportMetric(float64(1000*b.N)/b.Elapsed().Seconds(), "copies/s")
		})
	}
}

// ownCopies is a house that makes personal copies as superlistd does, with a key of that kind.
func ownCopies(b *testing.B, newKey func() ([]byte, error), s setup) setup {
	b.Helper()
	keys, err := token.Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	var signer *identity.Signer
	if newKey != nil {
		text, err := newKey()
		if err != nil {
			b.Fatal(err)
		}
		key, err := identity.ParseKey("s1", text)
		if err != nil {
			b.Fatal(err)
		}
		if signer, err = identity.NewSigner("lists.example.org", nil, key); err != nil {
			b.Fatal(err)
		}
	}
	links := web.NewLinks("https://lists.example.org", keys)
	var opts *Options
	s.options = func(o *Options) {
		opts = o
		o.Bounces = bouncing.New(bouncing.Options{Keys: keys, Delimiter: "+"})
	}
	s.store = func(store lists.Store) lists.Store {
		opts.Desk = posting.New(posting.Options{
			Hostname: "mx.example.org", Members: store, Page: links.URL, Signer: func(string) *identity.Signer { return signer },
		})
		return store
	}
	s.armed = func(o *delivery.Options) {
		o.Spool, o.SpoolConnections, o.SpoolPerList, o.Lifetime = spool.Open(b.TempDir(), spool.Options{Slots: 5}), 5, 5, time.Hour
		o.Personal = map[string]delivery.Personal{PersonalKind: func(p delivery.Person, c *delivery.Copy) (err error) {
			member := addr(b, string(p.Member))
			c.ReversePath = bouncing.PersonalPath(p.ReversePath, "+", member).String()
			c.Fields, err = opts.Desk.AppendOwn(c.Fields, p.List, member, p.Head, p.Note)
			return err
		}}
	}
	return s
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
