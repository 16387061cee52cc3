package bounce

// Zoho.
//
//	[Status: Error, Address: <ann@example.org>, ResponseCode 421, , Host not reachable.]
//	ann@example.org Invalid Address, ERROR_CODE :550, ERROR_CODE :5.1.1 User unknown
func zoho() form {
	return form{
		name:  "zoho",
		marks: []string{"[status: error, address:", "error_code :", "error_code:"},
		read: func(n *notice) []Recipient {
			if all := n.named("[status: error, address:"); len(all) > 0 {
				return all
			}
			return n.entries(0, len(n.lines), sectioned)
		},
	}
}
