package wire

import (
	"net/netip"
	"slices"
	"strings"
)

// attribute is one row of the XFORWARD and XCLIENT vocabulary.
type attribute struct {
	key   string
	field func(*ClientInfo) *string
	check func(string) (string, bool) // the value as kept, or false
	send  func(string) string         // the value as sent, before xtext; nil: as kept
	cut   bool                        // too long a value is cut, not withheld
}

// forwardAttributes in the order in which they are sent.
func forwardAttributes() [7]attribute {
	return [...]attribute{
		{key: "NAME", field: func(c *ClientInfo) *string { return &c.Name }, check: checkName},
		{key: "ADDR", field: func(c *ClientInfo) *string { return &c.Addr }, check: checkAddr, send: sendAddr},
		{key: "PORT", field: func(c *ClientInfo) *string { return &c.Port }, check: checkPort},
		{key: "PROTO", field: func(c *ClientInfo) *string { return &c.Proto }, check: checkProto},
		{key: "HELO", field: func(c *ClientInfo) *string { return &c.Helo }, check: checkText, cut: true},
		{key: "IDENT", field: func(c *ClientInfo) *string { return &c.Ident }, check: checkText},
		{key: "SOURCE", field: func(c *ClientInfo) *string { return &c.Source }, check: checkSource},
	}
}

// clientAttributes in the order in which they are sent: NAME and ADDR last,
// because Postfix judges by the new address whether more XCLIENT is allowed.
func clientAttributes() [9]attribute {
	return [...]attribute{
		{key: "PORT", field: func(c *ClientInfo) *string { return &c.Port }, check: checkPort},
		{key: "PROTO", field: func(c *ClientInfo) *string { return &c.Proto }, check: checkSMTP},
		{key: "HELO", field: func(c *ClientInfo) *string { return &c.Helo }, check: checkText, cut: true},
		{key: "LOGIN", field: func(c *ClientInfo) *string { return &c.Login }, check: checkText},
		{key: "DESTADDR", field: func(c *ClientInfo) *string { return &c.DestAddr }, check: checkAddr, send: sendAddr},
		{key: "DESTPORT", field: func(c *ClientInfo) *string { return &c.DestPort }, check: checkPort},
		{key: "REVERSE_NAME", field: func(c *ClientInfo) *string { return &c.ReverseName }, check: checkName},
		{key: "NAME", field: func(c *ClientInfo) *string { return &c.Name }, check: checkName},
		{key: "ADDR", field: func(c *ClientInfo) *string { return &c.Addr }, check: checkAddr, send: sendAddr},
	}
}

func findAttribute(table []attribute, key string) *attribute {
	for i := range table {
		if equalFold(key, table[i].key) {
			return &table[i]
		}
	}
	return nil
}

// decodeAttribute takes what is not xtext as it is, as Postfix does.
func decodeAttribute(raw string) string {
	if value, ok := DecodeXtext(raw); ok {
		return value
	}
	return raw
}

// keep returns a decoded value in the form that ClientInfo holds, or false.
func (a *attribute) keep(value string) (string, bool) {
	if equalFold(value, Unavailable) {
		return Unavailable, true
	}
	return a.check(value)
}

// value returns a fact in the form in which it is sent, before xtext. Whoever
// filled in the ClientInfo, it is checked again here.
func (a *attribute) value(c *ClientInfo) string {
	kept, ok := a.keep(*a.field(c))
	switch {
	case !ok || kept == Unavailable:
		return Unavailable
	case a.send != nil:
		return a.send(kept)
	}
	return kept
}

// appendCommands writes the attributes of table that are offered and that want
// lets through, as many on a line as 512 octets allow.
func appendCommands(dst []byte, verb string, c *ClientInfo, table []attribute, offered []string, want func(key, value string) bool) []byte {
	line, open := len(dst), false
	for i := range table {
		a := &table[i]
		value := a.value(c)
		if !slices.Contains(offered, a.key) || !want(a.key, value) {
			continue
		}
		if !open {
			dst, open = append(dst, verb...), true
		}
		at := len(dst)
		dst = append(append(append(dst, ' '), a.key...), '=')
		dst = a.appendValue(dst, value)
		if len(dst)+len("\r\n")-line > maxCommandLine {
			dst = slices.Insert(dst, at, []byte("\r\n"+verb)...)
			line = at + len("\r\n")
		}
	}
	if open {
		dst = append(dst, "\r\n"...)
	}
	return dst
}

// appendValue appends a value in xtext, but in what Postfix takes of it.
func (a *attribute) appendValue(dst []byte, value string) []byte {
	at := len(dst)
	if dst = AppendXtext(dst, value); len(dst)-at <= maxAttribute {
		return dst
	}
	if !a.cut {
		return append(dst[:at], Unavailable...)
	}
	return append(dst[:at], cutXtext(dst[at:])...)
}

// cutXtext cuts an encoded value to 255 octets, never inside "+XX".
func cutXtext(b []byte) []byte {
	end := maxAttribute
	for i := end - 2; i < end; i++ {
		if b[i] == '+' {
			end = i
		}
	}
	return b[:end]
}

// checkName takes what Postfix calls a valid host name: letters, digits, "_" and
// "-" in labels of at most 63 octets, 255 in all, and not digits only. A lookup
// that failed for now is as unknown as any other.
func checkName(s string) (string, bool) {
	if equalFold(s, tempUnavailable) {
		return Unavailable, true
	}
	if len(s) > maxAttribute {
		return "", false
	}
	numeric := true
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return "", false
		}
		for i := range len(label) {
			c := label[i]
			if !isAlnum(c) && c != '_' && c != '-' {
				return "", false
			}
			numeric = numeric && isDigit(c)
		}
	}
	return s, !numeric
}

// checkAddr takes an IP address, with or without "IPv6:", and no zone.
func checkAddr(s string) (string, bool) {
	text := s
	if hasIPv6Prefix(s) {
		text = s[len(ipv6Prefix):]
	}
	addr, err := netip.ParseAddr(text)
	if err != nil || addr.Zone() != "" || addr.Is4() && len(text) != len(s) {
		return "", false
	}
	return addr.String(), true
}

const ipv6Prefix = "IPV6:"

func hasIPv6Prefix(s string) bool {
	return len(s) >= len(ipv6Prefix) && equalFold(s[:len(ipv6Prefix)], ipv6Prefix)
}

func sendAddr(s string) string {
	if strings.Contains(s, ":") {
		return "IPv6:" + s
	}
	return s
}

func checkPort(s string) (string, bool) {
	if s == "" || len(s) > 5 {
		return "", false
	}
	for i := range len(s) {
		if !isDigit(s[i]) {
			return "", false
		}
	}
	return s, true
}

// checkText takes any text without controls and keeps 1024 octets of it.
func checkText(s string) (string, bool) {
	if s == "" || hasControl(s) {
		return "", false
	}
	return s[:min(len(s), maxKept)], true
}

func checkProto(s string) (string, bool) {
	if len(s) > maxProto {
		return "", false
	}
	return checkText(s)
}

func checkSMTP(s string) (string, bool) {
	s = upper(s)
	return s, s == "SMTP" || s == "ESMTP"
}

func checkSource(s string) (string, bool) {
	s = upper(s)
	return s, s == "LOCAL" || s == "REMOTE"
}
