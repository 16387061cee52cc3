package run

import (
	"errors"
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// pipe is a client on two descriptors. Pipes have deadlines only when the runtime polls them, for which they
// must not block; a plain file needs none.
type pipe struct {
	in, out *os.File
}

func newPipe(out *os.File) (net.Conn, error) {
	if out == nil {
		return nil, errors.New("descriptor 0 is no socket, and descriptor 1 is closed")
	}
	for _, fd := range []int{0, int(out.Fd())} {
		if err := unix.SetNonblock(fd, true); err != nil {
			return nil, err
		}
	}
	out, err := renew(out)
	if err != nil {
		return nil, err
	}
	in, err := unix.FcntlInt(0, unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, err
	}
	return &pipe{in: os.NewFile(uintptr(in), "client"), out: out}, nil
}

// renew makes a file that the runtime polls of one that it took for a blocking one.
func renew(f *os.File) (*os.File, error) {
	fd, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, err
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		return nil, err
	}
	f.Close()
	return os.NewFile(uintptr(fd), "reply"), nil
}

func (p *pipe) Read(b []byte) (int, error)  { return p.in.Read(b) }
func (p *pipe) Write(b []byte) (int, error) { return p.out.Write(b) }
func (p *pipe) Close() error                { return errors.Join(p.in.Close(), p.out.Close()) }

// Output is the descriptor that tells whether the client still listens.
func (p *pipe) Output() syscall.Conn { return p.out }

func (p *pipe) LocalAddr() net.Addr  { return &net.UnixAddr{Net: "unix"} }
func (p *pipe) RemoteAddr() net.Addr { return &net.UnixAddr{Net: "unix"} }

func (p *pipe) SetDeadline(t time.Time) error {
	return errors.Join(p.SetReadDeadline(t), p.SetWriteDeadline(t))
}

func (p *pipe) SetReadDeadline(t time.Time) error  { return polled(p.in.SetReadDeadline(t)) }
func (p *pipe) SetWriteDeadline(t time.Time) error { return polled(p.out.SetWriteDeadline(t)) }

// polled forgives a file that is no pipe: it never waits.
func polled(err error) error {
	if errors.Is(err, os.ErrNoDeadline) {
		return nil
	}
	return err
}
