package delivery

import "superlistd/lists"

// Copy is what one member's copy has of its own. The slices belong to the caller, who gives them empty again for the next member.
type Copy struct {
	ReversePath string // mailbox with its quotes; empty: that of the route
	Fields      []byte // header fields, each with its CRLF, put above the header of the copies
	Footer      []byte // lines put below the body, each with its CRLF
}

// MakesPersonal tells whether there can be personal copies of that kind.
func (d *Deliverer) MakesPersonal(kind string) bool {
	return d.opts.Spool != nil && d.opts.Personal[kind] != nil
}

// Person is whom a personal copy is for, and what all copies have in common.
type Person struct {
	List        lists.Address
	Member      []byte        // the mailbox as it is written on the wire
	ReversePath lists.Address // of the route
	Head        []byte        // the header of the copies, with its empty line
	Note        string        // Route.Note
}

// Personal makes the copy of a member: it fills what is the member's own. It is called from several goroutines, and again for the
// same member when a transaction has to be repeated; but for signatures it must give the same then.
type Personal func(p Person, c *Copy) error
