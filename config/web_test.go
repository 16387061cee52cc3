package config

import (
	"strings"
	"testing"
)

func TestWebURLs(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, want string }{
		{"host", "https://lists.example.org", "https://lists.example.org"},
		{"the slash at the end goes", "https://lists.example.org/", "https://lists.example.org"},
		{"path", "https://example.org/a/b.c_d~e-f//", "https://example.org/a/b.c_d~e-f"},
		{"case of the path stays, that of the host goes", "HTTPS://EXAMPLE.org/Lists", "https://example.org/Lists"},
		{"U-labels become A-labels", "https://bücher.example", "https://xn--bcher-kva.example"},
		{"port", "https://example.org:8443", "https://example.org:8443"},
		{"IPv6", "https://[2001:DB8::1]:8443/x", "https://[2001:db8::1]:8443/x"},
		{"IPv4", "https://192.0.2.1", "https://192.0.2.1"},
		{"not https", "http://example.org", ""},
		{"no host", "https:///x", ""},
		{"no scheme", "lists.example.org", ""},
		{"opaque", "https:lists.example.org", ""},
		{"a user", "https://me@example.org", ""},
		{"a query", "https://example.org/?x", ""},
		{"an empty query", "https://example.org/?", ""},
		{"a fragment", "https://example.org/#", ""},
		{"a blank", "https://example.org/a b", ""},
		{"escapes", "https://example.org/a%3Eb", ""},
		{"brackets", "https://example.org/<x>", ""},
		{"an escape that is none in what it stands for", "https://example.org/a%2Fb", ""},
		{"a step up", "https://example.org/a/../b", ""},
		{"a step nowhere", "https://example.org/./a", ""},
		{"two slashes", "https://example.org/a//b", ""},
		{"no port", "https://example.org:", "https://example.org"},
		{"port 0", "https://example.org:0", ""},
		{"a port that is none", "https://example.org:65536", ""},
		{"a zone", "https://[fe80::1%25eth0]/", ""},
		{"too long", "https://example.org/" + strings.Repeat("x", 100), ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got, err := webURL(tt.in); got != tt.want || (err == nil) != (tt.want != "") {
				t.Errorf("webURL(%q) = %q, %v, want %q", tt.in, got, err, tt.want)
			}
		})
	}
}
