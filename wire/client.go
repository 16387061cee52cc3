package wire

import (
	"bytes"
	"fmt"
	"strings"
)

// Unavailable stands for a fact that somebody asked for and nobody knows.
const Unavailable = "[UNAVAILABLE]"

const (
	tempUnavailable = "[TEMPUNAVAIL]"
	maxAttribute    = 255  // octets of a value that Postfix takes, encoded
	maxKept         = 1024 // octets of a value that we keep, decoded
	maxProto        = 64
	maxCommandLine  = 512 // RFC 5321 section 4.5.3.1.4, CRLF included
)

// ClientInfo is what the hop before us says about its client, by XFORWARD or
// XCLIENT. Empty is not given; Unavailable is given and not known. Values are
// decoded and hold no controls. Addr and DestAddr are as net/netip prints them,
// without "IPv6:"; Source is LOCAL or REMOTE.
type ClientInfo struct {
	Name, Addr, Port, Proto, Helo, Ident, Source string

	Login, ReverseName, DestAddr, DestPort string // XCLIENT only
}

// Forward takes the attributes of one XFORWARD command. It never fails, because
// Postfix turns any refusal into a 451 for the sender: a bad value becomes
// Unavailable, an unknown attribute is ignored, and a value that is not xtext is
// taken raw. HELO and IDENT keep at most 1024 octets.
func (c *ClientInfo) Forward(args string) {
	table := forwardAttributes()
	for word := range words(args) {
		key, raw, _ := strings.Cut(word, "=")
		a := findAttribute(table[:], key)
		if a == nil {
			continue
		}
		value, ok := decodeAttribute(raw), raw != ""
		if ok {
			value, ok = a.keep(value)
		}
		if !ok {
			value = Unavailable
		}
		*a.field(c) = value
	}
}

// Override takes the attributes of one XCLIENT command: all of them, or none and
// an error that wraps ErrSyntax and names the attribute (501). As in Postfix, a
// name must be a valid host name, an IPv6 address has "IPv6:" before it, PROTO
// is SMTP or ESMTP, and no value has more than 255 octets.
func (c *ClientInfo) Override(args string) error {
	table := clientAttributes()
	next, given := *c, false
	for word := range words(args) {
		key, raw, _ := strings.Cut(word, "=")
		a := findAttribute(table[:], key)
		if a == nil {
			return fmt.Errorf("%w: %.40q is no XCLIENT attribute", ErrSyntax, key)
		}
		value := decodeAttribute(raw)
		if a.send != nil && strings.Contains(value, ":") && !hasIPv6Prefix(value) {
			return fmt.Errorf("%w: %s without the prefix \"IPv6:\"", ErrSyntax, a.key)
		}
		value, ok := a.keep(value)
		if !ok || raw == "" || len(raw) > maxAttribute {
			return fmt.Errorf("%w: bad %s value", ErrSyntax, a.key)
		}
		*a.field(&next), given = value, true
	}
	if !given {
		return fmt.Errorf("%w: no XCLIENT attribute", ErrSyntax)
	}
	*c = next
	return nil
}

// AppendXForward appends "XFORWARD ..." lines, each at most 512 octets with its
// CRLF, that tell all attributes in offered (the words after XFORWARD in the
// EHLO reply, upper case). What is not known, or what Postfix would not take, is
// sent as [UNAVAILABLE]; too long a HELO is cut. CountLines tells how many
// replies to expect.
func (c ClientInfo) AppendXForward(dst []byte, offered []string) []byte {
	table := forwardAttributes()
	all := func(key, value string) bool { return true }
	return appendCommands(dst, "XFORWARD", &c, table[:], offered, all)
}

// AppendXClient appends "XCLIENT ..." lines as AppendXForward does, NAME and
// ADDR last. Only attributes that are not empty are sent, but NAME goes with
// ADDR in any case: an address must not keep another client's name. Each line
// is answered by a new greeting, and EHLO must follow it.
func (c ClientInfo) AppendXClient(dst []byte, offered []string) []byte {
	table := clientAttributes()
	given := func(key, value string) bool {
		switch {
		case value != Unavailable:
			return true
		case key == "PROTO": // Postfix 3.7: 501 Bad PROTO syntax: [UNAVAILABLE]
			return false
		}
		return *findAttribute(table[:], key).field(&c) != "" || key == "NAME" && c.Addr != ""
	}
	return appendCommands(dst, "XCLIENT", &c, table[:], offered, given)
}

// CountLines counts the lines of commands, hence the replies that they cause.
func CountLines(commands []byte) int { return bytes.Count(commands, []byte("\n")) }
