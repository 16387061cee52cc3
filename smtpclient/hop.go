package smtpclient

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
)

// Hop is the address of a next hop, as net.Dial takes it.
type Hop struct {
	Network string // "tcp" or "unix"
	Address string // "host:port", or the path of a socket
}

// ParseHop reads "host:port", "inet:host:port" or "unix:/path", the spellings of
// smtpd_proxy_filter. A port may be a service name; it may not be left out, and
// neither may the host.
func ParseHop(s string) (Hop, error) {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] == 0x7f {
			return Hop{}, fmt.Errorf("next hop %q: blank or control octet", s)
		}
	}
	if path, ok := strings.CutPrefix(s, "unix:"); ok {
		if path == "" {
			return Hop{}, fmt.Errorf("next hop %q: no path", s)
		}
		return Hop{Network: "unix", Address: path}, nil
	}
	address := strings.TrimPrefix(s, "inet:")
	if err := checkHostPort(address); err != nil {
		return Hop{}, fmt.Errorf("next hop %q: %w", s, err)
	}
	return Hop{Network: "tcp", Address: address}, nil
}

func checkHostPort(address string) error {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		var ae *net.AddrError
		if errors.As(err, &ae) {
			return errors.New(ae.Err) // the address is in our own message already
		}
		return err
	}
	if host == "" {
		return errors.New("no host")
	}
	if n, err := strconv.Atoi(port); err == nil {
		if n < 1 || n > 65535 {
			return errors.New("port is not within 1 to 65535")
		}
		return nil
	}
	if _, err := net.LookupPort("tcp", port); err != nil || port == "" {
		return errors.New("unknown port")
	}
	return nil
}

// String is the spelling that ParseHop reads.
func (h Hop) String() string {
	if h.Network == "unix" {
		return "unix:" + h.Address
	}
	return h.Address
}

// host is the name to expect in a certificate, or "".
func (h Hop) host() string {
	if h.Network == "unix" {
		return ""
	}
	host, _, err := net.SplitHostPort(h.Address)
	if err != nil {
		return ""
	}
	return host
}
