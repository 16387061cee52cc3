package web

import (
	"encoding/binary"
	"net/http/httptest"
	"net/netip"
	"testing"
	"time"
)

func TestLimit(t *testing.T) {
	t.Parallel()
	l := &limiter{}
	ann, bob, now := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2"), time.Unix(1e9, 0)
	spend := func(who netip.Addr) (n int) {
		for l.take(who, 1, now) == 0 {
			n++
		}
		return n
	}
	if got := spend(ann); got != burst {
		t.Errorf("%d at once, want %d", got, burst)
	}
	if got := spend(bob); got != burst {
		t.Errorf("another client has %d, want %d", got, burst)
	}
	if wait := l.take(ann, askSteps, now); wait != askSteps*stepTime {
		t.Errorf("to wait %v, want %v", wait, askSteps*stepTime)
	}
	now = now.Add(7 * stepTime)
	if got := spend(ann); got != 7 {
		t.Errorf("%d after 7 steps", got)
	}
	now = now.Add(time.Hour)
	if got := spend(ann); got != burst {
		t.Errorf("%d after an hour, want %d", got, burst)
	}
	now = now.Add(-1000 * time.Hour)
	if wait := l.take(ann, 1, now); wait != stepTime {
		t.Errorf("to wait %v after the clock was set back, want %v", wait, stepTime)
	}
}

// Law: however many clients come, the memory is bounded, who was there keeps his place, and together the others may do what one may.
func TestLimitIsBounded(t *testing.T) {
	t.Parallel()
	l := &limiter{}
	now, first := time.Unix(1e9, 0), netip.MustParseAddr("2001:db8:ffff::1")
	client := func(n uint32) netip.Addr {
		a := netip.MustParseAddr("2001:db8::1").As16()
		binary.BigEndian.PutUint32(a[4:], n) // another /64
		return netip.AddrFrom16(a)
	}
	l.take(first, burst-1, now)
	refused := 0
	for n := range uint32(3 * maxClients) {
		if l.take(client(n), 1, now) > 0 {
			refused++
		}
	}
	if len(l.until) > maxClients+1 || refused != 2*maxClients+1-burst {
		t.Errorf("%d clients are kept, want %d; %d were refused", len(l.until), maxClients, refused)
	}
	if l.take(first, 1, now) > 0 || l.take(first, 1, now) == 0 {
		t.Error("who was there first has not what is his")
	}
	now = now.Add(burst * stepTime)
	if l.take(client(4*maxClients), burst, now) > 0 || len(l.until) > 2 {
		t.Errorf("all is forgotten, and %d clients are kept", len(l.until))
	}
}

func TestNetwork(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"192.0.2.1": "192.0.2.1/32", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64", "fe80::1%eth0": "fe80::/64"} {
		if got := network(netip.MustParseAddr(in)).String(); got != want {
			t.Errorf("%s is %s, want %s", in, got, want)
		}
	}
	if got := network(netip.Addr{}); got != (netip.Prefix{}) {
		t.Errorf("nobody is %v", got)
	}
}

func TestClient(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, peer string
		forwarded  []string
		want       string
	}{
		{"a peer", "192.0.2.7:1", nil, "192.0.2.7"},
		{"nobody but a proxy is believed", "192.0.2.7:1", []string{"198.51.100.1"}, "192.0.2.7"},
		{"a proxy", "127.0.0.1:1", []string{"198.51.100.1"}, "198.51.100.1"},
		{"the last name is the proxy's, the others anybody's", "127.0.0.1:1", []string{"203.0.113.9, 198.51.100.1"}, "198.51.100.1"},
		{"several fields", "127.0.0.1:1", []string{"203.0.113.9", "198.51.100.1"}, "198.51.100.1"},
		{"two proxies", "127.0.0.1:1", []string{"203.0.113.9, 198.51.100.1,127.0.0.2"}, "198.51.100.1"},
		{"a proxy for itself", "127.0.0.1:1", []string{"127.0.0.2"}, "127.0.0.2"},
		{"a proxy that does not tell", "127.0.0.1:1", nil, "127.0.0.1"},
		{"what is no address ends it", "127.0.0.1:1", []string{"203.0.113.9, unknown"}, "127.0.0.1"},
		{"IPv6", "[2001:db8::1]:1", nil, "2001:db8::1"},
		{"IPv4 in IPv6", "[::ffff:192.0.2.7]:1", nil, "192.0.2.7"},
		{"a Unix socket", "@", []string{"::ffff:198.51.100.1"}, "198.51.100.1"},
		{"a Unix socket that does not tell", "", nil, "invalid IP"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t)
			r := httptest.NewRequest("GET", "/", nil)
			r.RemoteAddr = tt.peer
			for _, f := range tt.forwarded {
				r.Header.Add("X-Forwarded-For", f)
			}
			if got := h.client(r).String(); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}
