package lists

import (
	"strings"
	"time"
)

// List is a mailing list: its definition and how many members it has.
type List struct {
	// Address is where posts go. Its Key identifies the list.
	Address Address
	// Created is kept by stores in UTC, to the second.
	Created time.Time
	// Settings are what its owner decided.
	Settings Settings
	// Members is the number of members; UTF8Members of those the number whose
	// address needs SMTPUTF8. Stores keep both in the transaction that changes them.
	Members, UTF8Members int
	// Digests is how far the list is with them; Store.Digest changes it.
	Digests Digests
}

// Bounces is the reverse-path of posts (RFC 5321 section 3.9.2), without a key.
func (l List) Bounces() Address { return l.service(ServiceBounces) }

// Owner is where a person writes to the owners (RFC 2369 section 3.5).
func (l List) Owner() Address { return l.service(ServiceOwner) }

// Request is the address for requests of any kind (RFC 2142 section 6).
func (l List) Request() Address { return l.service(ServiceRequest) }

// Subscribe is where mail subscribes its author (RFC 2369 section 3.3).
func (l List) Subscribe() Address { return l.service(ServiceSubscribe) }

// Unsubscribe is where mail unsubscribes its author (RFC 2369 section 3.2).
func (l List) Unsubscribe() Address { return l.service(ServiceUnsubscribe) }

// Help is where mail asks for help (RFC 2369 section 3.1).
func (l List) Help() Address { return l.service(ServiceHelp) }

func (l List) service(s Service) Address {
	return Address{Local: l.Address.Local + "-" + string(s), Domain: l.Address.Domain}
}

// ID is the list's identifier for List-Id, without the angle brackets (RFC 2919
// section 2): "team.lists.example.org". It holds only a to z, 0 to 9, ".", "-", "_"
// and, for any other octet, "=" and two hexadecimal digits, so it is one dot-atom
// for every list, and no two lists of a domain share it.
func (l List) ID() string {
	var b strings.Builder
	dot := true
	for _, part := range []string{foldASCII(l.Address.Local), l.Address.Domain} {
		if b.Len() > 0 {
			b.WriteByte('.')
			dot = true
		}
		for i := 0; i < len(part); i++ {
			c := lower(part[i])
			last := i == len(part)-1
			switch {
			case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '_', c == '.' && !dot && !last:
				b.WriteByte(c)
			default:
				const hex = "0123456789abcdef"
				b.Write([]byte{'=', hex[c>>4], hex[c&15]})
			}
			dot = c == '.' && !dot && !last
		}
	}
	return b.String()
}
