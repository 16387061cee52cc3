package web

import (
	"net/netip"
	"sync"
	"time"
)

// What a client may do: burst steps at once, and one in every step time again. To ask for a mail to somebody costs more.
const (
	burst    = 100
	stepTime = time.Second
	askSteps = 20
	// maxClients bounds the memory: further clients share what one may do.
	maxClients = 10_000
)

// limiter counts what clients do (GCRA: a client is known by the time at which all that he did is forgotten).
type limiter struct {
	mu    sync.Mutex
	until map[netip.Prefix]time.Time
	swept time.Time
}

// take counts steps of a client. More than zero: they were not counted, since he has to wait that long.
func (l *limiter) take(client netip.Addr, steps int, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	const most = burst * stepTime
	who := l.place(network(client), now)
	until := l.until[who]
	switch {
	case until.Before(now):
		until = now
	case until.After(now.Add(most)):
		until = now.Add(most) // the clock was set back
	}
	until = until.Add(time.Duration(steps) * stepTime)
	if wait := until.Sub(now) - most; wait > 0 {
		return wait
	}
	l.until[who] = until
	return 0
}

// place is where a client is counted: in a place of his own as long as there are some.
func (l *limiter) place(who netip.Prefix, now time.Time) netip.Prefix {
	if l.until == nil {
		l.until = make(map[netip.Prefix]time.Time)
	}
	if _, known := l.until[who]; known || len(l.until) < maxClients {
		return who
	}
	if now.Sub(l.swept).Abs() >= stepTime { // all places are looked at: not for everybody
		l.swept = now
		for other, until := range l.until {
			if !until.After(now) {
				delete(l.until, other)
			}
		}
	}
	if len(l.until) < maxClients {
		return who
	}
	return netip.Prefix{}
}

// network is whom an address stands for: an IPv6 client has at least 2^64 of them.
func network(a netip.Addr) netip.Prefix {
	bits := a.BitLen()
	if a.Is6() {
		bits = 64
	}
	p, _ := a.WithZone("").Prefix(bits) // zero for the zero Addr
	return p
}
