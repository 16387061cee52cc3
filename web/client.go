package web

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// client is who asks: the peer, or, where that is a proxy of ours, whom the last proxy of ours names in X-Forwarded-For. What stands
// there before that name may be anybody's word. Zero: nobody knows.
func (s *Site) client(r *http.Request) netip.Addr {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	who := peer.Addr().Unmap()
	if err == nil && !s.isProxy(who) {
		return who
	}
	names := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, name := range slices.Backward(names) {
		next, err := netip.ParseAddr(strings.TrimSpace(name))
		if err != nil {
			break
		}
		who = next.Unmap()
		if !s.isProxy(who) {
			break
		}
	}
	return who
}

func (s *Site) isProxy(a netip.Addr) bool {
	return slices.ContainsFunc(s.opts.Proxies, func(p netip.Prefix) bool { return p.Contains(a) })
}
