package bounce

// The DragonFly Mail Agent.
//
//	There was an error delivering your mail to <ann@example.org>.
//
//	mx.example.org [192.0.2.1] did not like our RCPT TO:
//	550 5.1.1 User unknown
func dragonfly() form {
	return form{
		name:  "dragonfly",
		marks: []string{"dragonfly mail agent", "error delivering your mail to"},
		read: func(n *notice) []Recipient {
			return saying(n.named("error delivering your mail to"), n.behindAny("did not like our", "error delivering your mail to"))
		},
	}
}
