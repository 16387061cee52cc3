package run

import (
	"superlistd/bouncing"
	"superlistd/delivery"
	"superlistd/lists"
)

// personal makes what a member's own copy of a post has of its own: the way back, the way out, and the signatures over it.
func (b *bureau) personal(delimiter string) delivery.Personal {
	return func(p delivery.Person, c *delivery.Copy) error {
		member, err := lists.ParseAddress(string(p.Member))
		if err != nil {
			return err
		}
		c.ReversePath = bouncing.PersonalPath(p.ReversePath, delimiter, member).String()
		c.Fields, err = b.desk.AppendOwn(c.Fields, p.List, member, p.Head, p.Note)
		return err
	}
}
