package web

import (
	"context"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"testing"
)

// serve runs Serve until the test ends, or end is called, which gives what Serve returned.
func serve(t *testing.T, h http.Handler) (at string, end func() error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan error, 1)
	go func() { over <- Serve(ctx, l, h, log.New(io.Discard, "", 0)) }()
	ended := false
	end = func() error {
		ended = true
		cancel()
		return <-over
	}
	t.Cleanup(func() {
		if !ended {
			end()
		}
	})
	return l.Addr().String(), end
}

func TestServe(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	at, end := serve(t, h)
	r, err := http.Post("http://"+at+"/"+path(h.member(t, "ann@example.org")), formType, strings.NewReader(oneClick))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r.Body)
	if err != nil || r.StatusCode != http.StatusOK || !strings.Contains(string(text), "You have left") || h.members(t) != "bob@example.org" {
		t.Errorf("%v %s %v; members are %s", r.StatusCode, text, err, h.members(t))
	}
	r.Body.Close()
	if err := end(); err != nil {
		t.Error(err)
	}
	if _, err := net.Dial("tcp", at); err == nil {
		t.Error("somebody still answers")
	}
}

// A request under way is finished, and no other one begins.
func TestServeFinishesWhatItBegan(t *testing.T) {
	t.Parallel()
	begun, release := make(chan bool), make(chan bool)
	at, end := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begun <- true
		<-release
		io.WriteString(w, "done")
	}))
	got := make(chan string, 1)
	go func() {
		r, err := http.Get("http://" + at)
		if err != nil {
			got <- err.Error()
			return
		}
		defer r.Body.Close()
		text, _ := io.ReadAll(r.Body)
		got <- string(text)
	}()
	<-begun
	over := make(chan error, 1)
	go func() { over <- end() }()
	select {
	case err := <-over:
		t.Fatalf("it ended in mid-request: %v", err)
	case release <- true:
	}
	if s := <-got; s != "done" {
		t.Errorf("the client got %q", s)
	}
	if err := <-over; err != nil {
		t.Error(err)
	}
}

func TestServeTellsThatItsListenerIsGone(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if err := Serve(t.Context(), l, newHouse(t), log.New(io.Discard, "", 0)); err == nil {
		t.Error("no error")
	}
}

// A slot is taken by a connection until it is closed, and however often that is; whoever waits for one hears of the end.
func TestConnectionsAreBounded(t *testing.T) {
	t.Parallel()
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := &narrow{Listener: inner, slots: make(chan struct{}, 2), closed: make(chan struct{})}
	dial := func() net.Conn {
		c, err := net.Dial("tcp", inner.Addr().String())
		if err != nil {
			t.Error(err)
		}
		return c
	}
	var in []net.Conn
	for range 2 {
		defer dial().Close()
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		in = append(in, c)
	}
	defer dial().Close()
	third := make(chan error)
	accept := func() {
		c, err := l.Accept()
		if err == nil {
			in = append(in, c)
		}
		third <- err
	}
	first := in[0]
	go accept()
	select {
	case <-third:
		t.Fatal("a third came in")
	default:
	}
	first.Close()
	first.Close()
	if err := <-third; err != nil || len(l.slots) != 2 {
		t.Fatalf("%v, %d slots are taken", err, len(l.slots))
	}
	go accept()
	l.Close()
	if err := <-third; err == nil {
		t.Error("somebody came in after the end")
	}
	for _, c := range in {
		c.Close()
	}
	if len(l.slots) != 0 {
		t.Errorf("%d slots are taken by nobody", len(l.slots))
	}
}
