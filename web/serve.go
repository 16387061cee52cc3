package web

import (
	"context"
	"log"
	"net"
	"net/http"
	"sync"
	"time"
)

// Bounds of the server.
const (
	maxConnections = 200
	maxHeader      = 8 << 10 // octets
	headerTime     = 5 * time.Second
	readTime       = 10 * time.Second
	writeTime      = workTime + 10*time.Second
	idleTime       = 30 * time.Second
)

// Serve answers at l until ctx ends, and then lets requests under way finish. It closes l. faults hears of what no
// request can be told, such as a crash of its handler. Nil is an end that ctx asked for.
func Serve(ctx context.Context, l net.Listener, h http.Handler, faults *log.Logger) error {
	server := &http.Server{
		Handler: h, ErrorLog: faults, MaxHeaderBytes: maxHeader,
		ReadHeaderTimeout: headerTime, ReadTimeout: readTime, WriteTimeout: writeTime, IdleTimeout: idleTime,
	}
	ended := make(chan error, 1)
	go func() {
		ended <- server.Serve(&narrow{Listener: l, slots: make(chan struct{}, maxConnections), closed: make(chan struct{})})
	}()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTime)
	defer cancel()
	err := server.Shutdown(last)
	if err != nil {
		server.Close()
	}
	<-ended
	return err
}

// narrow lets a number of connections in at a time; further ones wait in the kernel.
type narrow struct {
	net.Listener
	slots  chan struct{}
	closed chan struct{}
	once   sync.Once
}

func (n *narrow) Accept() (net.Conn, error) {
	select {
	case n.slots <- struct{}{}:
	case <-n.closed:
		return nil, net.ErrClosed
	}
	c, err := n.Listener.Accept()
	if err != nil {
		<-n.slots
		return nil, err
	}
	return &slotted{Conn: c, free: sync.OnceFunc(func() { <-n.slots })}, nil
}

func (n *narrow) Close() error {
	n.once.Do(func() { close(n.closed) })
	return n.Listener.Close()
}

// slotted gives its slot back when it is closed, once.
type slotted struct {
	net.Conn
	free func()
}

func (c *slotted) Close() error {
	defer c.free()
	return c.Conn.Close()
}
