package bounce

// Mobile networks: KDDI, Verizon.
//
//	Your mail sent on: Thu, 29 Apr 2010 11:04:47 +0900      Message could not be delivered to mobile.
//	    Could not be delivered to: <ann@example.org>        Error: No valid recipients for this MM
//	    As their mailbox is full.                           To: 5550100@mms.example.org
func mobile() form {
	return form{
		name:  "mobile",
		marks: []string{"your mail sent on:", "delivered to mobile", "your mail attempted to be delivered on", "undeliverable to mobile"},
		read: func(n *notice) []Recipient {
			all := n.named("could not be delivered to:", "rcpt to:")
			if len(all) == 0 && n.has("delivered to mobile") {
				all = n.named("to: ")
			}
			return saying(all, n.behindAny("as their", "error:"))
		},
	}
}
