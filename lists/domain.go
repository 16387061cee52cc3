package lists

import (
	"fmt"
	"net/netip"
	"strings"
)

const (
	maxDomain = 255 // octets, RFC 5321 section 4.5.3.1.2
	maxLabel  = 63  // octets, RFC 1035 section 2.3.4
)

// parseDomain returns the domain as Address keeps it.
func parseDomain(s string) (string, error) {
	if strings.HasPrefix(s, "[") {
		return parseLiteral(s)
	}
	if !IsASCII(s) {
		var err error
		if s, err = toASCII(s); err != nil {
			return "", err
		}
	}
	s = strings.TrimSuffix(s, ".") // Postfix takes the root's dot, and drops it
	if s == "" {
		return "", fmt.Errorf("%w: no domain", ErrAddress)
	}
	if len(s) > maxDomain {
		return "", fmt.Errorf("%w: domain longer than %d octets", ErrAddress, maxDomain)
	}
	start := 0
	for i := 0; i <= len(s); i++ {
		if i < len(s) && s[i] != '.' {
			if !isHostByte(s[i]) {
				return "", fmt.Errorf("%w: %q in domain", ErrAddress, rune(s[i]))
			}
			continue
		}
		if i == start {
			return "", fmt.Errorf("%w: empty label in domain", ErrAddress)
		}
		if i-start > maxLabel {
			return "", fmt.Errorf("%w: label longer than %d octets", ErrAddress, maxLabel)
		}
		start = i + 1
	}
	return foldASCII(s), nil
}

// isHostByte takes "_" beside letters, digits and hyphen: not a host name by RFC
// 952, but there are such mail domains, and Postfix delivers to them.
func isHostByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '_'
}

// parseLiteral reads an address literal (RFC 5321 section 4.1.3) and returns its one
// canonical spelling. General literals have no registered tag, and are refused.
func parseLiteral(s string) (string, error) {
	inner, ok := strings.CutSuffix(s[1:], "]")
	if !ok {
		return "", fmt.Errorf("%w: literal is not closed", ErrAddress)
	}
	const tag = "IPv6:"
	six := len(inner) > len(tag) && strings.EqualFold(inner[:len(tag)], tag)
	if six {
		inner = inner[len(tag):]
	}
	ip, err := netip.ParseAddr(inner)
	if err != nil || ip.Is4() == six || ip.Zone() != "" {
		return "", fmt.Errorf("%w: not an address literal", ErrAddress)
	}
	if six {
		return "[" + tag + ip.String() + "]", nil
	}
	return "[" + ip.String() + "]", nil
}
