package proxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"superlistd/smtpclient"
	"superlistd/wire"
)

// HeloCheck says what is asked of a HELO or EHLO name. It is for clients that are not Postfix, which
// has checks of its own.
type HeloCheck string

// The checks; the empty one is HeloOff.
const (
	HeloOff        HeloCheck = "off"
	HeloSyntax     HeloCheck = "syntax"     // a domain or an address literal, RFC 5321 section 4.1.1.1
	HeloResolvable HeloCheck = "resolvable" // and a domain that has an address
)

// Resolver looks a host name up; *net.Resolver is one.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// resolveTimeout is how long a HELO name may take to resolve; a resolver that fails refuses nobody for good.
const resolveTimeout = 5 * time.Second

func (s *session) greet() {
	protocol := "ESMTP"
	if s.door == LMTP {
		protocol = "LMTP"
	}
	s.reply(wire.Reply{Code: 220, Lines: []string{s.srv.opts.Hostname + " " + protocol + " superlistd"}})
}

func (s *session) hello(verb, args string) {
	if (verb == "LHLO") != (s.door == LMTP) {
		s.fault(text(500, "5.5.1", "This door speaks "+strings.ToUpper(s.door.String())))
		return
	}
	name, _, _ := strings.Cut(args, " ")
	if name == "" {
		s.fault(text(501, "5.5.4", verb+" needs a name"))
		return
	}
	if r, ok := s.checkHelo(name); !ok {
		s.fault(r)
		return
	}
	s.reset() // RFC 5321 section 4.1.4: EHLO ends a transaction
	s.greeted, s.extended = name, verb != "HELO"
	if !s.extended {
		s.reply(wire.Reply{Code: 250, Lines: []string{s.srv.opts.Hostname}})
		return
	}
	s.reply(wire.Reply{Code: 250, Lines: append([]string{s.srv.opts.Hostname}, s.extensions()...)})
}

// extensions lists what we and the next hop can do. A next hop that cannot be asked now is taken to
// be able, as Postfix's is.
func (s *session) extensions() []string {
	ctx, cancel := context.WithTimeout(s.srv.ctx, min(s.srv.opts.Budget, 5*time.Second))
	defer cancel()
	hop, err := s.srv.hop.Capabilities(ctx)
	if err != nil {
		s.log.Warn().Err(err).Msg("next hop not asked what it can do")
		hop = smtpclient.Capabilities{EightBitMIME: true, SMTPUTF8: true, DSN: true}
	}
	lines := []string{"PIPELINING", s.sizeLine(hop.Size), "VRFY", "ENHANCEDSTATUSCODES", "CHUNKING"}
	for _, e := range []struct {
		on   bool
		line string
	}{
		{hop.EightBitMIME, "8BITMIME"},
		{hop.SMTPUTF8, "SMTPUTF8"},
		{hop.DSN, "DSN"},
		{true, fmt.Sprintf("LIMITS RCPTMAX=%d", s.srv.opts.Recipients)}, // RFC 9422
		{s.srv.opts.TLS != nil && !s.secured, "STARTTLS"},
		{s.mayXClient(), "XCLIENT NAME REVERSE_NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT"},
		// Postfix before 3.7.4 loses the last attribute of this line, so it is the one that it never sends to a filter.
		{true, "XFORWARD NAME ADDR PORT PROTO HELO SOURCE IDENT"},
	} {
		if e.on {
			lines = append(lines, e.line)
		}
	}
	return lines
}

// sizeLine announces the smaller of our limit and the next hop's (RFC 1870 section 3).
func (s *session) sizeLine(hop int64) string {
	size := s.srv.opts.MessageSize
	if hop > 0 && (size == 0 || hop < size) {
		size = hop
	}
	if size == 0 {
		return "SIZE"
	}
	return fmt.Sprintf("SIZE %d", size)
}

func (s *session) checkHelo(name string) (wire.Reply, bool) {
	check := s.srv.opts.HeloCheck
	if check != HeloSyntax && check != HeloResolvable {
		return wire.Reply{}, true
	}
	if strings.HasPrefix(name, "[") {
		literal := strings.TrimSuffix(strings.TrimPrefix(name, "["), "]")
		_, err := netip.ParseAddr(strings.TrimPrefix(literal, "IPv6:"))
		return text(501, "5.5.4", "Bad address literal"), err == nil && strings.HasSuffix(name, "]")
	}
	if !isHostname(name) {
		return text(501, "5.5.4", "Bad host name"), false
	}
	if check == HeloSyntax {
		return wire.Reply{}, true
	}
	ctx, cancel := context.WithTimeout(s.srv.ctx, resolveTimeout)
	defer cancel()
	addrs, err := s.srv.opts.Resolver.LookupNetIP(ctx, "ip", name)
	var dns *net.DNSError
	switch {
	case err == nil && len(addrs) > 0:
		return wire.Reply{}, true
	case errors.As(err, &dns) && dns.IsNotFound, err == nil:
		return text(550, "5.7.1", "Host name has no address"), false
	}
	s.log.Info().Err(err).Str("helo", name).Msg("host name not resolved")
	return text(450, "4.7.1", "Host name could not be resolved now"), false
}

// isHostname accepts a domain of letters, digits and hyphens (RFC 5321 section 4.1.2), and
// underscores, which hosts do use.
func isHostname(name string) bool {
	if len(name) > 255 || !strings.Contains(name, ".") {
		return false
	}
	return !slices.ContainsFunc(strings.Split(strings.TrimSuffix(name, "."), "."), func(label string) bool {
		return label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' ||
			strings.ContainsFunc(label, func(c rune) bool {
				return !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_')
			})
	})
}
