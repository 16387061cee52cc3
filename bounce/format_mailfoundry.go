package bounce

// MailFoundry.
//
//	Unable to deliver message to: <ann@example.org>
//	Delivery failed for the following reason:
//	Server mx.example.org[192.0.2.1] failed with: 550 No such user here
func mailfoundry() form {
	return form{
		name:  "mailfoundry",
		marks: []string{"unable to deliver message to: <"},
		read: func(n *notice) []Recipient {
			return saying(n.named("unable to deliver message to:"), n.behindAny("for the following reason:"))
		},
	}
}
