package bounce

// Postfix without its machine-readable part, in any language of its template.
//
//	This is the mail system at host mx.example.net.
//	<ann@example.org>: host mx.example.org[192.0.2.1] said: 550 5.1.1 User unknown
//	    (in reply to RCPT TO command)
func postfix() form {
	return form{
		name: "postfix",
		marks: []string{
			"this is the mail system at host", "this is the postfix", "postfix program", "sorry to have to inform you", "the mail system", "(in reply to ", "have been informed that the message returned",
		},
		read: func(n *notice) []Recipient { return n.entries(0, len(n.lines), bracketed) },
	}
}
