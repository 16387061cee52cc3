package bounce

import "strings"

// A report of RFC 3464 whose MIME got lost on its way: its fields stand in the text.
func inline() form {
	return form{
		name:  "rfc3464 in text",
		marks: []string{"final-recipient:", "original-recipient:"},
		read: func(n *notice) (all []Recipient) {
			for _, b := range n.blocks([]byte(strings.Join(n.lines, "\n"))) {
				if r, ok := n.recipient(b); ok && b.complete() {
					all = append(all, r)
				}
			}
			return all
		},
	}
}
