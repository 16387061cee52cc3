package bounce

// Netscape's and Software.com's servers, InterMail and Openwave, and what came of them.
//
//	This Message was undeliverable due to the following reason:
//	…
//	The following recipients did not receive your message:
//	     <ann@example.org>
//
//	Each of the following recipients was rejected by a remote mail server.
//	    Recipient: <ann@example.org>
//	    Reason:    5.1.1 User unknown
func netscape() form {
	return form{
		name: "netscape",
		marks: []string{
			"message was undeliverable due to the following reason", "following recipients did not receive", "following recipients was rejected", "following recipients were rejected", "following destination addresses were unknown",
			"following recipient did not receive", "user(s) account is disabled", "user(s) account is temporarily over quota",
		},
		read: func(n *notice) []Recipient {
			all := n.named("recipient: ")
			said := n.behindAny("reason: ", "<<< ")
			if len(all) == 0 {
				said = n.behindAny("due to the following reason:")
				all = n.listing([]string{
					"did not receive your message:", "did not receive this message:", "did not receive your message", "addresses were unknown (please check the addresses and re-mail the message):", "destination addresses were unknown",
					"account is disabled.", "over quota.",
				}, []string{"please reply to", "your message reads"}, plain)
			}
			return saying(all, said)
		},
	}
}
