package main

import (
	"context"
	"errors"
	"flag"
	"net"
)

const rawCommand = "raw"

// rawBuffer is the size of the copies: what the fastest proxy that looks at content would use.
const rawBuffer = 64 << 10

// serveRaw is the yardstick: a proxy that opens one connection onward for each of its clients and
// copies octets, in user space, without a look at them.
func serveRaw(ctx context.Context, args []string) error {
	set := flag.NewFlagSet(rawCommand, flag.ExitOnError)
	listen := set.String("listen", "", "`address` to answer at")
	relay := set.String("relay", "", "`address` to pass on to")
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
		go passOn(conn, *relay)
	}
}

func passOn(client net.Conn, relay string) {
	defer client.Close()
	server, err := net.Dial("tcp", relay)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		copyOctets(server, client)
		server.(*net.TCPConn).CloseWrite()
	}()
	copyOctets(client, server)
}

// copyOctets is io.Copy without splice(2), which no proxy that reads what it passes on can use.
func copyOctets(to, from net.Conn) {
	buf := make([]byte, rawBuffer)
	for {
		n, err := from.Read(buf)
		if n > 0 {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
