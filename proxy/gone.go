package proxy

import (
	"crypto/tls"
	"syscall"

	"golang.org/x/sys/unix"
)

// gone tells whether the client has left, without reading from it. A client that pipelined its
// QUIT and hung up (Postfix's LMTP client does both in one packet) has not left: it has said all it
// had to say, and the octets of that are still there.
func (l *link) gone() bool {
	conn := l.conn
	secured := false
	if t, ok := conn.(*tls.Conn); ok {
		conn, secured = t.NetConn(), true
	}
	out, ok := conn.(syscall.Conn)
	if d, duplex := conn.(interface{ Output() syscall.Conn }); duplex {
		out, ok = d.Output(), true // a pair of pipes: only the one to the client tells
	}
	if !ok {
		return false
	}
	events := poll(out)
	switch {
	case events&(unix.POLLERR|unix.POLLHUP|unix.POLLNVAL) != 0:
		return true
	case events&unix.POLLRDHUP == 0:
		return false
	case secured:
		return true
	}
	return l.r.Buffered() == 0 && !waiting(out)
}

// poll returns what the kernel knows of a descriptor now.
func poll(c syscall.Conn) (events int16) {
	raw, err := c.SyscallConn()
	if err != nil {
		return unix.POLLNVAL
	}
	err = raw.Control(func(fd uintptr) {
		set := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLRDHUP}}
		if n, err := unix.Poll(set, 0); err == nil && n > 0 {
			events = set[0].Revents
		}
	})
	if err != nil {
		return unix.POLLNVAL
	}
	return events
}

// waiting tells whether octets of the client lie in the socket unread.
func waiting(c syscall.Conn) (yes bool) {
	raw, err := c.SyscallConn()
	if err != nil {
		return false
	}
	_ = raw.Control(func(fd uintptr) {
		var b [1]byte
		n, _, err := unix.Recvfrom(int(fd), b[:], unix.MSG_PEEK|unix.MSG_DONTWAIT)
		yes = err == nil && n > 0
	})
	return yes
}
