package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	slashes "path"
	"strings"
)

// maxWebURL leaves room for a link in a line of a header.
const maxWebURL = 100

// webListen parses where the web page answers. "" is nowhere.
func webListen(s string) (Endpoint, error) {
	if s == "" {
		return Endpoint{}, nil
	}
	e, err := endpoint(s, 0)
	if err != nil {
		return e, fmt.Errorf("%w (try \"127.0.0.1:8025\" or \"unix:/path\")", err)
	}
	return e, nil
}

// webURL takes what a link can begin with in a header and on a page, and gives it without a slash at the end. It is https, since
// RFC 8058 section 3.1 wants that, and since a link is a right that nobody on the way should read.
func webURL(s string) (string, error) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" || u.Opaque != "" || u.User != nil || u.RawQuery != "" || u.ForceQuery || strings.Contains(s, "#") {
		return "", notURL(s)
	}
	host, err := webHost(u)
	below := strings.TrimRight(u.Path, "/")
	// Browsers take the way that "//" and ".." mean, and u.RawPath is there when u.Path is not all that it says.
	if err != nil || len(host)+len(below) > maxWebURL || strings.ContainsFunc(below, notInPath) || u.RawPath != "" || below != "" && slashes.Clean(below) != below {
		return "", notURL(s)
	}
	return "https://" + host + below, nil
}

func notURL(s string) error {
	return fmt.Errorf("%s is not a plain https URL of at most %d characters (try \"https://lists.example.org\")", quote(s), maxWebURL)
}

// webHost is the host of a URL, and the port if it has one.
func webHost(u *url.URL) (string, error) {
	host := u.Hostname()
	if a, err := netip.ParseAddr(host); err != nil {
		if host, err = domain(host); err != nil {
			return "", err
		}
	} else if a.Zone() != "" {
		return "", notURL(u.String())
	} else if host = a.String(); a.Is6() {
		host = "[" + host + "]"
	}
	if u.Port() == "" {
		return host, nil
	}
	e, err := endpoint(net.JoinHostPort(u.Hostname(), u.Port()), 1)
	_, port, _ := net.SplitHostPort(e.Address)
	return host + ":" + port, err
}

// notInPath tells what may not stand in a path as it is (RFC 3986 section 2.3), but the slash.
func notInPath(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-._~/", r)
}
