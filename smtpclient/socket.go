package smtpclient

import (
	"net"
	"syscall"
	"time"
)

// acknowledge lets the kernel acknowledge at once what was read. A peer under Nagle's algorithm keeps its next
// reply until then; nothing that we write would carry the acknowledgement while we wait for that
// reply, and the kernel alone would take 40 ms. The option holds until our next write.
func (c *Conn) acknowledge() {
	if _, tcp := c.base.(*net.TCPConn); tcp && c.raw != nil {
		_ = c.raw.Control(quickAck) // without it, it is only slower
	}
}

func quickAck(fd uintptr) {
	_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_QUICKACK, 1)
}

// quiet looks, without waiting, whether the next hop has written anything or has
// gone: an idle session has nothing to read.
func (c *Conn) quiet() bool {
	if c.broken || c.gone.Load() || c.br.Buffered() > 0 {
		return false
	}
	if c.raw == nil {
		return true
	}
	// A deadline left over from the last read would answer in the socket's place.
	if err := c.base.SetReadDeadline(time.Time{}); err != nil {
		return false
	}
	c.idle = false
	err := c.raw.Read(c.look)
	return err == nil && c.idle
}

func (c *Conn) peek(fd uintptr) bool {
	var b [1]byte
	_, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	c.idle = err == syscall.EAGAIN || err == syscall.EINTR
	return true
}
