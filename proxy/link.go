package proxy

import (
	"bufio"
	"context"
	"crypto/tls"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// bufferSize holds a command line of the usual limit, and content in pieces that are worth a write.
const bufferSize = 32 << 10

// link is the client's connection: reads flush pending replies first, so that the replies to
// pipelined commands leave in one write (RFC 2920 section 3.2), and every read and
// write has a deadline.
type link struct {
	ctx  context.Context // the server's: no read or write begins after its end
	conn net.Conn
	r    *bufio.Reader
	w    *bufio.Writer

	tcp  syscall.RawConn // nil when the client does not come over TCP
	read bool            // since the last write: the client may wait for our acknowledgement

	idle  time.Duration // longest silence
	write time.Duration // longest time for a write
	until time.Time     // the end of the present phase; zero: none
	pace  pace          // what content must keep up with; zero: nothing

	mu     sync.Mutex // orders woken, parked and the deadlines with wake and cut
	woken  bool       // the server is stopping
	parked bool       // waiting for a command outside of a transaction
}

// pace ends content that drips: the transaction's budget counts from start, and every
// rate octets buy one second more. So a slow line may take as long as it needs, and a client that
// sends an octet a second is gone when the budget is.
type pace struct {
	start  time.Time
	budget time.Duration
	got    int64
}

// paceRate is in octets per second; slower than the slowest line in use, faster than any drip.
const paceRate = 512

func (p *pace) end() time.Time {
	return p.start.Add(p.budget + time.Duration(p.got)*time.Second/paceRate)
}

var (
	readers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, bufferSize) }}
	writers = sync.Pool{New: func() any { return bufio.NewWriterSize(nil, 4<<10) }}
)

func newLink(ctx context.Context, conn net.Conn, idle, write time.Duration) *link {
	l := &link{ctx: ctx, conn: conn, idle: idle, write: write}
	l.r = readers.Get().(*bufio.Reader)
	l.w = writers.Get().(*bufio.Writer)
	l.r.Reset((*linkReader)(l))
	l.w.Reset((*linkWriter)(l))
	if tcp, ok := conn.(*net.TCPConn); ok {
		l.tcp, _ = tcp.SyscallConn() // nil only makes it slower
	}
	return l
}

// close flushes what is pending, ends the connection and gives the buffers back.
func (l *link) close() {
	l.w.Flush()
	l.conn.Close()
	l.r.Reset(nil)
	l.w.Reset(nil)
	readers.Put(l.r)
	writers.Put(l.w)
	l.r, l.w = nil, nil
}

// handshake puts TLS under the session. The caller has made sure that nothing was
// sent behind STARTTLS in clear text (RFC 3207 section 4.2).
func (l *link) handshake(ctx context.Context, conn *tls.Conn) error {
	if err := l.conn.SetDeadline(time.Time{}); err != nil { // the context has the deadline
		return err
	}
	if err := conn.HandshakeContext(ctx); err != nil {
		return err
	}
	l.mu.Lock()
	l.conn = conn
	l.mu.Unlock()
	return nil
}

// wake ends a wait for a command outside of a transaction, now and from now on.
func (l *link) wake() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.woken = true
	if l.parked {
		l.conn.SetReadDeadline(time.Unix(1, 0))
	}
}

// cut ends every read and write, now and from now on: ctx has ended. The lock keeps a deadline that was being set
// from coming after it.
func (l *link) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conn.SetDeadline(time.Unix(1, 0))
}

// park says whether the session waits outside of a transaction. It tells whether the server is stopping.
func (l *link) park(on bool) (woken bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.parked = on
	return l.woken
}

type (
	linkReader link
	linkWriter link
)

// Read flushes the replies and reads from the client within the phase's deadline.
func (r *linkReader) Read(p []byte) (int, error) {
	l := (*link)(r)
	if l.w.Buffered() > 0 {
		if err := l.w.Flush(); err != nil {
			return 0, err
		}
	}
	if err := l.deadline(); err != nil {
		return 0, err
	}
	if l.read && l.tcp != nil {
		_ = l.tcp.Control(acknowledge)
	}
	l.read = true
	n, err := l.conn.Read(p)
	l.pace.got += int64(n)
	return n, err
}

// deadline sets the next read's. A session that was woken while it is parked reads no more.
func (l *link) deadline() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.woken && l.parked || l.ctx.Err() != nil {
		return os.ErrDeadlineExceeded
	}
	end := time.Now().Add(l.idle)
	if !l.until.IsZero() && l.until.Before(end) {
		end = l.until
	}
	if !l.pace.start.IsZero() {
		if limit := l.pace.end(); limit.Before(end) {
			end = limit
		}
	}
	return l.conn.SetReadDeadline(end)
}

func (l *link) writeDeadline() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ctx.Err() != nil {
		return os.ErrDeadlineExceeded
	}
	return l.conn.SetWriteDeadline(time.Now().Add(l.write))
}

func (w *linkWriter) Write(p []byte) (int, error) {
	l := (*link)(w)
	if err := l.writeDeadline(); err != nil {
		return 0, err
	}
	l.read = false
	return l.conn.Write(p)
}

// acknowledge lets the kernel acknowledge at once what was read. A client under Nagle's algorithm keeps the
// rest of its content until then, no reply of ours carries the acknowledgement before that rest has
// come, and the kernel alone would take 40 ms. The option holds until our next write.
func acknowledge(fd uintptr) {
	_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_QUICKACK, 1) // without it, it is only slower
}
