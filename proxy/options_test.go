package proxy

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"testing"
)

// setOption sets what a line "option NAME VALUE" of a dialogue says.
func setOption(t *testing.T, o *Options, name, value string) {
	number, _ := strconv.Atoi(value) // 0 for what is no number; each case asks for the kind that it needs
	switch name {
	case "helo":
		o.HeloCheck, o.Resolver = HeloCheck(value), resolver{}
	case "xclient":
		o.XClient = []netip.Prefix{netip.MustParsePrefix(value)}
	case "clients":
		o.Clients = []netip.Prefix{netip.MustParsePrefix(value)}
	case "recipients":
		o.Recipients = number
	case "errors":
		o.Errors = number
	case "line":
		o.Line = number
	case "message_size":
		o.MessageSize = int64(number)
	default:
		t.Fatalf("unknown option %q", name)
	}
}

// resolver knows two kinds of hosts, and has bad days.
type resolver struct{}

func (resolver) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	switch host {
	case "known.example.net":
		return []netip.Addr{netip.MustParseAddr("192.0.2.1")}, nil
	case "slow.example.net":
		return nil, errors.New("no name server answers")
	case "panic.example.net":
		panic("the resolver is broken")
	}
	return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}
