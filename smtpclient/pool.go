package smtpclient

import (
	"context"
	"sync"
	"time"
)

// capabilitiesFor is how long Pool.Capabilities trusts a handshake.
const capabilitiesFor = 5 * time.Minute

// Pool keeps idle sessions with one next hop. It does not bound how many are in
// use. It is safe for many goroutines.
type Pool struct {
	opts    Options
	maxIdle int
	idle    time.Duration

	mu      sync.Mutex
	conns   []idleConn // oldest first; the last one is used next
	caps    Capabilities
	capsAt  time.Time
	closed  bool
	timer   *time.Timer // armed while there are idle connections
	reapers sync.WaitGroup
}

type idleConn struct {
	c     *Conn
	since time.Time
}

// NewPool returns a pool that keeps at most maxIdle sessions, each for at most
// idle without use. A next hop under stress may be faster (Postfix: 10 s).
func NewPool(o Options, maxIdle int, idle time.Duration) *Pool {
	return &Pool{opts: o, maxIdle: maxIdle, idle: idle}
}

// Get returns the session used last, or a new one. Sessions whose peer has hung
// up or has written anything are dropped on the way. A reused session may still
// turn out to be dead with its first command: ErrLost then, and Fresh.
func (p *Pool) Get(ctx context.Context) (c *Conn, reused bool, err error) {
	for {
		ic, ok := p.pop()
		if !ok {
			c, err := p.Fresh(ctx)
			return c, false, err
		}
		if time.Since(ic.since) < p.idle && ic.c.quiet() {
			return ic.c, true, nil
		}
		ic.c.Quit()
	}
}

func (p *Pool) pop() (idleConn, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	last := len(p.conns) - 1
	if last < 0 {
		return idleConn{}, false
	}
	ic := p.conns[last]
	p.conns[last] = idleConn{}
	p.conns = p.conns[:last]
	return ic, true
}

// Fresh dials, whatever is idle.
func (p *Pool) Fresh(ctx context.Context) (*Conn, error) {
	c, err := Dial(ctx, p.opts)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	p.caps, p.capsAt = c.caps, time.Now()
	p.mu.Unlock()
	return c, nil
}

// Put gives a session back: kept if it is reusable and there is room, else left.
// An open transaction is aborted. Put takes nil and broken sessions, too.
func (p *Pool) Put(c *Conn) {
	if c == nil {
		return
	}
	if c.tx != nil {
		c.tx.Abort()
	}
	c.release() // nobody's context may wake an idle session
	if !c.Reusable() || !p.push(c) {
		c.Quit()
	}
}

func (p *Pool) push(c *Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || len(p.conns) >= p.maxIdle {
		return false
	}
	p.conns = append(p.conns, idleConn{c, time.Now()})
	p.arm()
	return true
}

// arm starts the timer for the oldest idle session, with the lock held.
func (p *Pool) arm() {
	if p.timer != nil || p.closed || len(p.conns) == 0 {
		return
	}
	p.reapers.Add(1)
	p.timer = time.AfterFunc(time.Until(p.conns[0].since.Add(p.idle)), p.reap)
}

// reap leaves the sessions whose time is over. Close waits for it.
func (p *Pool) reap() {
	defer p.reapers.Done()
	p.mu.Lock()
	p.timer = nil
	now, n := time.Now(), 0
	for n < len(p.conns) && now.Sub(p.conns[n].since) >= p.idle {
		n++
	}
	old := append([]idleConn(nil), p.conns[:n]...)
	kept := copy(p.conns, p.conns[n:])
	clear(p.conns[kept:])
	p.conns = p.conns[:kept]
	p.arm()
	p.mu.Unlock()
	for _, ic := range old {
		ic.c.Quit()
	}
}

// Capabilities are those of the last handshake if it is at most five minutes
// old, else those of a session that is taken out or made for the purpose.
func (p *Pool) Capabilities(ctx context.Context) (Capabilities, error) {
	p.mu.Lock()
	caps, known := p.caps, !p.capsAt.IsZero() && time.Since(p.capsAt) < capabilitiesFor
	p.mu.Unlock()
	if known {
		return caps, nil
	}
	c, _, err := p.Get(ctx)
	if err != nil {
		return Capabilities{}, err
	}
	caps = c.caps
	p.Put(c)
	return caps, nil
}

// Idle is the number of idle sessions.
func (p *Pool) Idle() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.conns)
}

// Close leaves the idle sessions. Those in use are left when they are put back.
func (p *Pool) Close() {
	p.mu.Lock()
	p.closed = true
	conns := p.conns
	p.conns = nil
	if p.timer != nil && p.timer.Stop() {
		p.reapers.Done()
	}
	p.timer = nil
	p.mu.Unlock()
	for _, ic := range conns {
		ic.c.Quit()
	}
	p.reapers.Wait()
}
