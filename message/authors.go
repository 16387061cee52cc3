package message

import (
	"strings"

	"superlistd/lists"
)

// Authors returns the addresses of all From fields (RFC 5322 section 3.6.2), for decisions and never
// for writing. It is lenient about what real senders write, and returns nothing at all when
// anything in the fields can be read in two ways: a decision about the one would be shown to
// readers as the other's.
func Authors(h Header) []lists.Address {
	var all []lists.Address
	for _, f := range h.fields {
		if !f.is("From") {
			continue
		}
		for s := (mailboxes{rest: f.raw[f.value:]}); s.next(); {
			if s.fragment {
				continue
			}
			a, err := lists.ParseAddress(strings.TrimSuffix(s.spec, "."))
			if s.unclear || err != nil {
				return nil
			}
			all = append(all, a)
		}
	}
	return all
}

// Named is the number of addresses in To and Cc, readable or not.
func Named(h Header) int {
	n := 0
	for _, f := range h.fields {
		if !f.is("To") && !f.is("Cc") {
			continue
		}
		for s := (mailboxes{rest: f.raw[f.value:]}); s.next(); {
			if !s.fragment {
				n++
			}
		}
	}
	return n
}

// Recipients returns the addresses of To and Cc that can be read in one way only (RFC 5322 section 3.6.3).
func Recipients(h Header) []lists.Address {
	var all []lists.Address
	for _, f := range h.fields {
		if !f.is("To") && !f.is("Cc") {
			continue
		}
		for s := (mailboxes{rest: f.raw[f.value:]}); s.next(); {
			if s.fragment || s.unclear {
				continue
			}
			if a, err := lists.ParseAddress(strings.TrimSuffix(s.spec, ".")); err == nil {
				all = append(all, a)
			}
		}
	}
	return all
}
