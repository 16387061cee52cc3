package delivery

import "superlistd/lists"

// Copy is what one member's copy has of its own. The slices belong to the caller, who gives them empty again for the next member.
type Copy struct {
	ReversePath string // mailbox with its quotes; empty: that of the route
	Fields      []byte // header fields, each with its CRLF, put above the header of the copies
	Footer      []byte // lines put below the body, each with its CRLF
}

// Personal makes the copy of a member: from the list, the member's address as it is written on the wire, and the header
// of the copies, it fills what is the member's own. It is called from several goroutines, and again for the same member when
// a transaction has to be repeated; it must give the same then.
type Personal func(list lists.Address, member, head []byte, c *Copy) error
