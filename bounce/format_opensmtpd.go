package bounce

// OpenSMTPD.
//
//	An error has occurred while attempting to deliver a message for
//	the following list of recipients:
//
//	ann@example.org: 550 5.1.1 User unknown
func opensmtpd() form {
	return form{
		name:  "opensmtpd",
		marks: []string{"following list of recipients"},
		read: func(n *notice) []Recipient {
			return n.listing([]string{"following list of recipients:"}, nil, plain)
		},
	}
}
