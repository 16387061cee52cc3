package bounce

// smail, for long the mail system of T-Online.
//
//	|------------------------- Failed addresses follow: ---------------------|
//	 <ann@example.org> ... unknown user
func smail() form {
	return form{
		name:  "smail",
		marks: []string{"failed addresses follow", "adressen, an die nicht"},
		read: func(n *notice) []Recipient {
			return n.listing([]string{"failed addresses follow:"}, []string{"message text follows", "message log follows"}, sectioned)
		},
	}
}
