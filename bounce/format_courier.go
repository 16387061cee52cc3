package bounce

// Courier.
//
//	                           UNDELIVERABLE MAIL
//	Your message to the following recipients cannot be delivered:
//
//	<ann@example.org>:
//	    mx.example.org [192.0.2.1]:
//	>>> RCPT TO:<ann@example.org>
//	<<< 550 5.1.1 User unknown
func courier() form {
	return form{
		name:  "courier",
		marks: []string{"running the courier mail server", "courier mail server", "your message to the following recipients cannot be delivered"},
		read: func(n *notice) []Recipient {
			return n.listing([]string{"cannot be delivered:", "could not be delivered:", "has been delayed:", "have been delayed:", "delayed:"}, nil, bracketed)
		},
	}
}
