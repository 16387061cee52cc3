package bounce

// Apache James.
//
//	Failed recipient(s):
//	ann@example.org
//
//	Error message:
//	550 5.1.1 User unknown
func james() form {
	return form{
		name:  "james",
		marks: []string{"failed recipient(s):", "rcpt to: ", "james mail server"},
		read: func(n *notice) []Recipient {
			all := n.listing([]string{"failed recipient(s):"}, []string{"error message"}, plain)
			if len(all) == 0 && n.has("message details:") {
				all = n.named("rcpt to:")
			}
			return saying(all, n.behindAny("error message below:", "error message:", "error:", "reason:"))
		},
	}
}
