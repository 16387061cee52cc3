package bounce

// CommuniGate Pro.
//
//	Failed to deliver to '<ann@example.org>'
//	SMTP module(domain example.org) reports:
//	 host mx.example.org says:
//	 550 5.1.1 User unknown
func communigate() form {
	phrases := []string{"failed to deliver to '", "message delivery to '", "message delivery delayed to '", "delivery delayed to '"}
	return form{
		name:  "communigate",
		marks: phrases,
		read: func(n *notice) []Recipient {
			all := n.named(phrases...)
			for i := range all {
				all[i].Diagnostic = ""
			}
			return saying(all, n.behindAny("reports:", "failed to deliver to '"))
		},
	}
}
