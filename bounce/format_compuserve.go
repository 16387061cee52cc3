package bounce

// CompuServe.
//
//	Your message could not be delivered for the following reason:
//	Invalid receiver address: ann@compuserve.example
func compuserve() form {
	return form{
		name:  "compuserve",
		marks: []string{"receiver address:", "receiver not found", "could not deliver mail to receiver"},
		read: func(n *notice) []Recipient {
			return saying(n.named("invalid receiver address:", "receiver address:", "receiver not found:", "receiver not found"), n.behindAny("for the following reason:", "invalid receiver"))
		},
	}
}
