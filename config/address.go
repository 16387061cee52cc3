package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
)

// Networks of an Endpoint.
const (
	TCP     = "tcp"
	Unix    = "unix"
	Systemd = "systemd" // a socket that systemd opened; Address is its FileDescriptorName
)

// Endpoint is a place to listen at or to connect to.
type Endpoint struct {
	Network string // TCP, Unix or Systemd
	Address string // "127.0.0.1:10025", "/run/superlistd/filter" or "listen"
}

// String returns the endpoint as the file writes it.
func (e Endpoint) String() string {
	if e.Network == TCP {
		return e.Address
	}
	return e.Network + ":" + e.Address
}

// Local reports whether only this host can reach the endpoint. A socket of systemd counts as local: its unit
// decides, and the key clients still bounds who is served.
func (e Endpoint) Local() bool {
	if e.Network != TCP {
		return true
	}
	host, _, err := net.SplitHostPort(e.Address)
	if err != nil {
		return false
	}
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// door returns the parser of listen and lmtp. A plain "systemd" means the socket that is named like the key.
func door(key string) func(string) (Endpoint, error) {
	return func(s string) (Endpoint, error) {
		if s == Systemd {
			return Endpoint{Systemd, key}, nil
		}
		if name, ok := strings.CutPrefix(s, Systemd+":"); ok && name != "" && printable(name) {
			return Endpoint{Systemd, name}, nil
		}
		e, err := endpoint(s, 0)
		if err != nil {
			return e, fmt.Errorf("%w (try \"127.0.0.1:10025\", \"unix:/path\" or \"systemd\")", err)
		}
		return e, nil
	}
}

// hop parses the relay, in the forms that smtpclient takes.
func hop(s string) (Endpoint, error) {
	e, err := endpoint(s, 1)
	if err == nil && strings.HasPrefix(e.Address, ":") {
		err = fmt.Errorf("%s names no host", quote(s))
	}
	if err != nil {
		return e, fmt.Errorf("%w (try \"127.0.0.1:10026\" or \"unix:/path\")", err)
	}
	return e, nil
}

// endpoint parses "host:port", "inet:host:port" and "unix:/path".
func endpoint(s string, leastPort int) (Endpoint, error) {
	if p, ok := strings.CutPrefix(s, "unix:"); ok {
		p, err := path(p)
		if err == nil && len(p) > 107 { // sun_path of unix(7)
			err = fmt.Errorf("%s is too long for a socket: 107 octets are the most", quote(s))
		}
		return Endpoint{Unix, p}, err
	}
	host, port, err := net.SplitHostPort(strings.TrimPrefix(s, "inet:"))
	if err != nil {
		return Endpoint{}, fmt.Errorf("%s is not host:port", quote(s))
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || int(n) < leastPort {
		return Endpoint{}, fmt.Errorf("%s has no port between 1 and 65535", quote(s))
	}
	if _, err := netip.ParseAddr(host); err != nil && host != "" {
		if host, err = domain(host); err != nil {
			return Endpoint{}, err
		}
	}
	return Endpoint{TCP, net.JoinHostPort(host, strconv.FormatUint(n, 10))}, nil
}

// domain returns the A-label form in lower case. It takes "_", as Postfix does, and a single label.
func domain(s string) (string, error) {
	profile := idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false))
	ascii, err := profile.ToASCII(strings.TrimSuffix(s, "."))
	if err != nil || len(ascii) > 253 {
		return "", fmt.Errorf("%s is not a domain", quote(s))
	}
	ascii = strings.ToLower(ascii)
	labels := strings.Split(ascii, ".")
	for _, label := range labels {
		if !isLabel(label) {
			return "", fmt.Errorf("%s is not a domain", quote(s))
		}
	}
	if last := labels[len(labels)-1]; strings.Trim(last, "0123456789") == "" {
		return "", fmt.Errorf("%s is an address, not a domain", quote(s))
	}
	return ascii, nil
}

func isLabel(s string) bool {
	if s == "" || len(s) > 63 || s[0] == '-' || s[len(s)-1] == '-' {
		return false
	}
	return strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}

// fullName is a domain that other hosts can use as our name: it has a dot and, RFC 952, no "_".
func fullName(s string) (string, error) {
	name, err := domain(s)
	if err != nil {
		return "", err
	}
	if !strings.Contains(name, ".") || strings.Contains(name, "_") {
		return "", fmt.Errorf("%s is not a full host name (try \"mx.example.org\")", quote(s))
	}
	return name, nil
}

// network parses "192.0.2.0/24" or a single address.
func network(s string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(s); err == nil && addr.Zone() == "" && !addr.Is4In6() {
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil || p.Addr().Is4In6() {
		return p, fmt.Errorf("%s is not a network (try \"192.0.2.0/24\")", quote(s))
	}
	if p != p.Masked() {
		return p, fmt.Errorf("%s has bits behind its mask (try %q)", quote(s), p.Masked())
	}
	return p, nil
}

// path takes absolute paths only: spawn(8) starts us in the queue directory.
func path(s string) (string, error) {
	if !filepath.IsAbs(s) || !printable(s) {
		return "", fmt.Errorf("%s is not a path that starts at /", quote(s))
	}
	return filepath.Clean(s), nil
}

// resolver takes the address of a DNS server, and no name: there is nobody yet who could look it up.
func resolver(s string) (string, error) {
	if s == ResolverSystem || s == ResolverOff {
		return s, nil
	}
	if addr, err := netip.ParseAddr(s); err == nil {
		return netip.AddrPortFrom(addr, 53).String(), nil
	}
	at, err := netip.ParseAddrPort(s)
	if err != nil || at.Port() == 0 {
		return "", fmt.Errorf("%s is none of \"system\", \"off\" or an address such as \"127.0.0.1:53\"", quote(s))
	}
	return at.String(), nil
}

// selector takes the labels that stand before "._domainkey" (RFC 6376 section 3.1); unlike those of a domain, the last may be
// a number. Half of the octets of a name are left for the domain.
func selector(s string) (string, error) {
	lower := strings.ToLower(s)
	for label := range strings.SplitSeq(lower, ".") {
		if !isLabel(label) || len(lower) > 120 {
			return "", fmt.Errorf("%s is not a selector (try \"lists2026\")", quote(s))
		}
	}
	return lower, nil
}

func logTo(s string) (string, error) {
	if s == ToStderr || s == ToSyslog {
		return s, nil
	}
	p, err := path(s)
	if err != nil {
		return "", fmt.Errorf("%s is none of \"stderr\", \"syslog\" or a path that starts at /", quote(s))
	}
	return p, nil
}

// delimiter leaves out "-": it stands before the service in the names of lists.
func delimiter(s string) (string, error) {
	if len(s) != 1 || !strings.Contains("+=_~#", s) {
		return "", fmt.Errorf("%s is not one of the characters + = _ ~ #", quote(s))
	}
	return s, nil
}

func mechanism(s string) (string, error) {
	upper := strings.ToUpper(s)
	if !slices.Contains([]string{"CRAM-MD5", "PLAIN", "LOGIN"}, upper) {
		return "", fmt.Errorf("%s is none of \"CRAM-MD5\", \"PLAIN\", \"LOGIN\"", quote(s))
	}
	return upper, nil
}

// secret never shows its value in a fault.
func secret(s string) (string, error) {
	if !printable(s) {
		return "", errors.New("holds control characters")
	}
	return s, nil
}

// optional lets an empty string stand for "not given".
func optional(parse func(string) (string, error)) func(string) (string, error) {
	return func(s string) (string, error) {
		if s == "" {
			return "", nil
		}
		return parse(s)
	}
}

func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}
