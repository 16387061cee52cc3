package bounce

// qmail and what was made of it, in any language: the QSBMF format of D. J. Bernstein, Yahoo, James.
//
//	Hi. This is the qmail-send program at example.net.
//	<ann@example.org>:
//	192.0.2.1 does not like recipient.
//	Remote host said: 550 5.1.1 User unknown
func qmail() form {
	return form{
		name: "qmail",
		marks: []string{
			"hi. this is", "this is the qmail-send program", "qmail-send program", "wasn't able to deliver your message to the following", "unable to deliver your message to the following address",
			"unable to deliver message to the following address", "was unable to deliver your message", "sorry it didn't work out", "machine generated message from mail service", "message from mail delivery",
			"(#5.", "(#4.", "unable to deliver a message to the following", "following message could not be delivered to",
		},
		read: func(n *notice) []Recipient { return n.entries(0, len(n.lines), bracketed) },
	}
}
