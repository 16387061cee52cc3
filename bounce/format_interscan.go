package bounce

// InterScan of Trend Micro, and gateways that speak of the dialogue in its way.
//
//	Sent >>> RCPT TO:<ann@example.org>
//	Received <<< 550 5.1.1 User unknown
//
//	Unable to deliver message to <ann@example.org>.
//
// One of the same kind:
//
//	SMTP Server <mx.example.org> rejected recipient <ann@example.org>
//	(Error following RCPT command). It responded as follows: [550 5.1.1 User unknown]
func interscan() form {
	return form{
		name:  "interscan",
		marks: []string{"unable to deliver message to <", "sent >>> rcpt to:", "rejected recipient <", "had trouble delivering your message"},
		read: func(n *notice) []Recipient {
			all := n.named("unable to deliver message to", "rejected recipient")
			if len(all) == 0 {
				all = n.named("sent >>> rcpt to:")
			}
			for i := range all {
				all[i].Diagnostic = ""
			}
			return saying(all, n.behindAny("received <<<", "responded as follows:"))
		},
	}
}
