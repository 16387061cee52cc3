package bounce

// SurgeMail.
//
//	Sorry. Your message could not be delivered to:
//
//	ann@example.org (Name not found at the remote site)
func surgemail() form {
	return form{
		name:  "surgemail",
		marks: []string{"sorry. your message could not be delivered to", "sorry, your message could not be delivered to", "your message cannot be delivered to the following recipients"},
		read: func(n *notice) []Recipient {
			return n.listing([]string{"could not be delivered to:", "cannot be delivered to the following recipients:"}, []string{"reporting-mta"}, sectioned)
		},
	}
}
