package bounce

// MailMarshal.
//
//	Could not be delivered because of
//
//	550 5.1.1 User unknown
//
//	The following recipients were affected:
//	    ann@example.org
func mailmarshal() form {
	return form{
		name:  "mailmarshal",
		marks: []string{"following recipients were affected"},
		read: func(n *notice) []Recipient {
			return saying(n.listing([]string{"recipients were affected:"}, []string{"additional information"}, plain), n.behindAny("could not be delivered because of", "not delivered because of", "because"))
		},
	}
}
