package bounce

// Novell GroupWise.
//
//	The message that you sent was undeliverable to the following:
//		ann@example.org (user not found)
func groupwise() form {
	return form{
		name:  "groupwise",
		marks: []string{"was undeliverable to the following", "undeliverable recipient(s)"},
		read: func(n *notice) []Recipient {
			return saying(n.listing([]string{"undeliverable to the following:", "undeliverable to the following recipient(s):", "undeliverable recipient(s):", "undeliverable to the following recipients:"}, []string{"transcript", "possibly truncated"}, plain), n.behindAny("transcript of session follows"))
		},
	}
}
