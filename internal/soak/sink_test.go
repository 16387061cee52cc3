package soak_test

import (
	"bufio"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// trouble is how likely the sink makes which, for each command (0: never).
type trouble struct {
	mail, rcpt, data, dot float64       // 451
	lists                 float64       // 451 to MAIL of a list
	drop                  float64       // hangs up instead of an answer; at the dot nothing is queued
	forget                float64       // queues, and hangs up instead of an answer
	slow                  time.Duration // before a dot is taken, at most
	later                 time.Duration // before any dot but the first is taken
}

// taken is a transaction that the sink has queued.
type taken struct {
	post  int
	rcpts []int32
	at    time.Time
	conn  int
	sure  bool // the client has read our 250: it went on with its connection
}

// sink is the next hop: it takes mail, and remembers who got it.
type sink struct {
	t       *testing.T
	address string
	people  map[string]int32 // everybody who may be named, by address
	seed    uint64
	trouble atomic.Pointer[trouble]
	wg      sync.WaitGroup

	mu       sync.Mutex
	listener net.Listener
	conns    map[net.Conn]struct{}
	seen     int
	queue    []*taken
	broken   []string // what no client may do
}

func newSink(t *testing.T, seed uint64, people map[string]int32) *sink {
	t.Helper()
	s := &sink{t: t, people: people, seed: seed, conns: map[net.Conn]struct{}{}}
	s.calm()
	for range 10 { // what was free a moment ago may be somebody else's by now
		if s.address = freeAddress(t); s.listen() == nil {
			break
		}
	}
	if s.listener == nil {
		t.Fatal("no free port")
	}
	t.Cleanup(func() { s.down(); s.wg.Wait() })
	return s
}

func (s *sink) calm()            { s.trouble.Store(&trouble{}) }
func (s *sink) vexed(t trouble)  { s.trouble.Store(&t) }
func (s *sink) fault(why string) { s.mu.Lock(); s.broken = append(s.broken, why); s.mu.Unlock() }

// up begins to answer.
func (s *sink) up() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener != nil {
		return
	}
	if err := s.listen(); err != nil {
		s.t.Fatal(err)
	}
}

// listen needs the lock, but for a sink that nobody knows yet.
func (s *sink) listen() error {
	l, err := net.Listen("tcp", s.address)
	if err != nil {
		return err
	}
	s.listener = l
	s.wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			s.serve(l, conn)
		}
	})
	return nil
}

func (s *sink) serve(l net.Listener, conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener != l {
		conn.Close()
		return
	}
	s.conns[conn] = struct{}{}
	s.seen++
	c := &sinkConn{
		s: s, conn: conn, id: s.seen, r: bufio.NewReaderSize(conn, 64<<10), w: bufio.NewWriterSize(conn, 16<<10),
		rng: random(s.seed, 1000+uint64(s.seen)),
	}
	s.wg.Go(func() {
		c.run()
		conn.Close()
		s.mu.Lock()
		delete(s.conns, conn)
		s.mu.Unlock()
	})
}

// down hangs up on everybody, and answers no more.
func (s *sink) down() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.listener == nil {
		return
	}
	s.listener.Close()
	s.listener = nil
	for c := range s.conns {
		c.Close()
	}
}

// transactions counts what was queued.
func (s *sink) transactions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.queue)
}

// unsure counts the transactions whose client may not know that they were queued.
func (s *sink) unsure() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, tx := range s.queue {
		if !tx.sure {
			n++
		}
	}
	return n
}

// wait waits until so many transactions were queued.
func (s *sink) wait(n int) {
	s.t.Helper()
	for end := time.Now().Add(patience); s.transactions() < n; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			s.t.Fatalf("%d transactions after %v", s.transactions(), patience)
		}
	}
}

// trusted says that our clients had time enough to read all answers.
func (s *sink) trusted() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, tx := range s.queue {
		tx.sure = true
	}
}
