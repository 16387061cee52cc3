package proxy

import (
	"crypto/tls"
	"net"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// late is a server's end of a connection that, once it is armed, hands its next octets out only after the client has
// left: what a client that goes away while we are busy looks like, without any race.
type late struct {
	net.Conn
	armed atomic.Bool
	read  chan struct{} // closed when the octets have come
}

func (l *late) SyscallConn() (syscall.RawConn, error) { return l.Conn.(syscall.Conn).SyscallConn() }

func (l *late) Read(p []byte) (int, error) {
	n, err := l.Conn.Read(p)
	if l.armed.CompareAndSwap(true, false) {
		close(l.read)
		for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(time.Millisecond) {
			if poll(l.Conn.(syscall.Conn))&(unix.POLLRDHUP|unix.POLLHUP|unix.POLLERR) != 0 {
				break
			}
		}
	}
	return n, err
}

// leave is a way to go after the dot.
type leave struct {
	name string
	more string // sent behind the dot
	how  func(*testing.T, net.Conn)
	told string // what the client still hears
}

func leavings() []leave {
	return []leave{
		{"close", "", func(_ *testing.T, c net.Conn) { _ = c.Close() }, ""},
		{"reset", "", func(t *testing.T, c net.Conn) {
			if tcp, ok := c.(*net.TCPConn); ok {
				if err := tcp.SetLinger(0); err != nil {
					t.Error(err)
				}
			}
			_ = c.Close()
		}, ""},
		{"half-close", "", halfClose, ""},
		{"QUIT and half-close", "QUIT\r\n", halfClose, "250"},
		{"another message and half-close", "MAIL FROM:<a@b.test>\r\nQUIT\r\n", halfClose, "250"},
	}
}

func halfClose(t *testing.T, c net.Conn) {
	if err := c.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		t.Error(err)
	}
}

// A client that has left before the dot is committed keeps its mail, and will send it again: nothing may be queued.
// One that only has nothing more to say is served.
func TestClientGoneBeforeTheDot(t *testing.T) {
	t.Parallel()
	for _, network := range []string{"tcp", "unix"} {
		for _, rcpt := range []string{"x@other.test", "team@lists.example.org"} {
			for _, l := range leavings() {
				t.Run(network+"/"+rcpt+"/"+l.name, func(t *testing.T) {
					t.Parallel()
					goneBeforeDot(t, network, rcpt, l)
				})
			}
		}
	}
}

func goneBeforeDot(t *testing.T, network, rcpt string, l leave) {
	h := start(t, setup{})
	server := &late{read: make(chan struct{})}
	c := h.pair(network, SMTP, func(conn net.Conn) net.Conn { server.Conn = conn; return server })
	c.envelope("ann@example.net", rcpt)
	server.armed.Store(true)
	c.send("From: ann@example.net\r\n\r\n.\r\n" + l.more)
	<-server.read
	l.how(t, c.conn)
	want := 0
	if l.told != "" {
		want = 1
		c.expect(l.told)
		for c.reply() != "" { // up to the end
		}
	} else {
		eventually(t, "the session ends", func() bool { return strings.Contains(h.log.String(), "aborted: client lost") })
	}
	h.stop()
	if n := len(h.peer.Messages()); n != want {
		t.Errorf("%d messages, want %d\n%s\n%s", n, want, h.log, h.peer.Transcript())
	}
}

// Under TLS nobody can look into what is waiting, so hanging up in any way is going.
func TestClientGoneUnderTLS(t *testing.T) {
	t.Parallel()
	options, config := withTLS(t)
	for _, network := range []string{"tcp", "unix"} {
		h := start(t, setup{options: options})
		server := &late{read: make(chan struct{})}
		c := h.pair(network, SMTP, func(conn net.Conn) net.Conn { server.Conn = conn; return server })
		c.secure(config)
		c.greet("smtp")
		c.envelope("ann@example.net", "team@lists.example.org")
		server.armed.Store(true)
		c.send("From: ann@example.net\r\n\r\n.\r\n")
		<-server.read
		if err := c.conn.(*tls.Conn).Close(); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the session ends", func() bool { return strings.Contains(h.log.String(), "aborted: client lost") })
		h.stop()
		if n := len(h.peer.Messages()); n != 0 {
			t.Errorf("%s: %d messages\n%s", network, n, h.log)
		}
	}
}

// Every cut before the end of data leaves nothing, wherever it comes.
func TestClientGoneInContent(t *testing.T) {
	t.Parallel()
	const content = "From: ann@example.net\r\n\r\ntext\r\n.\r\n"
	h := start(t, setup{options: func(o *Options) { o.ClientSessions, o.Sessions = 1000, 1000 }})
	for cut := range len(content) {
		for _, rcpts := range [][]string{{"x@other.test"}, {"team@lists.example.org"}, {"team@lists.example.org", "x@other.test"}} {
			c := h.client("smtp/tcp")
			c.envelope("ann@example.net", rcpts...)
			c.send(content[:cut])
			halfClose(t, c.conn)
			c.expect("")
			_ = c.conn.Close()
		}
	}
	h.stop()
	if n := len(h.peer.Messages()); n != 0 {
		t.Errorf("%d messages", n)
	}
	if got, want := strings.Count(h.log.String(), "aborted: client lost"), 3*len(content); got != want {
		t.Errorf("%d log lines for %d cuts", got, want)
	}
}
