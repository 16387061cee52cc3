package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"net"
	"syscall"
)

const quickCommand = "quick"

// serveQuick is a next hop that takes everything, as smtp-sink does, and acknowledges each segment at once. A client
// under Nagle's algorithm that writes a command or a message in pieces waits 40 ms for smtp-sink's acknowledgement, and
// not for this one's.
func serveQuick(ctx context.Context, args []string) error {
	set := flag.NewFlagSet(quickCommand, flag.ExitOnError)
	listen := set.String("listen", "", "`address` to answer at")
	set.Parse(args)
	l, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	defer context.AfterFunc(ctx, func() { l.Close() })()
	for {
		conn, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil // the connections that are left end with the process
		}
		if err != nil {
			return err
		}
		go takeAll(conn.(*net.TCPConn))
	}
}

// takeAll is one session; what goes wrong ends it, and the client tells. It reads and writes as a program in C does,
// past Go's poller, which a client that waits for each reply would feel.
func takeAll(conn *net.TCPConn) {
	file, err := conn.File()
	conn.Close()
	if err != nil {
		return
	}
	defer file.Close()
	s := socket{fd: int(file.Fd())} // from here on it blocks
	r := bufio.NewReaderSize(s, 64<<10)
	reply := "220 quick.example.net ESMTP\r\n"
	content := false
	for {
		if _, err := file.WriteString(reply); err != nil {
			return
		}
		line, err := r.ReadSlice('\n')
		for content && err == nil && !bytes.Equal(line, []byte(".\r\n")) {
			line, err = r.ReadSlice('\n')
		}
		if err != nil {
			return
		}
		reply, content = "250 2.0.0 Ok\r\n", false
		switch string(bytes.ToUpper(line[:min(4, len(line))])) {
		case "DATA":
			reply, content = "354 Go on\r\n", true
		case "QUIT":
			_, _ = file.WriteString("221 2.0.0 Bye\r\n") // the client does not wait for it
			return
		}
	}
}

// socket is read from without the poller.
type socket struct{ fd int }

func (s socket) Read(p []byte) (int, error) {
	n, err := syscall.Read(s.fd, p)
	switch {
	case err != nil:
		return 0, err
	case n == 0:
		return 0, io.EOF
	}
	return n, acknowledge(s.fd)
}
