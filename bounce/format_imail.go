package bounce

import "strings"

// IMail of Ipswitch, whose sender is SMTP32.
//
//	Unknown user: ann@example.org
//
//	Original message follows.
func imail() form {
	leads := []string{
		"unknown user:", "unknown host:", "user mailbox exceeds allowed size:", "undeliverable to ", "invalid final delivery userid:", "invalid user:", "mailbox full:", "user unknown:",
		"recipient unknown:", "unknown recipient:",
	}
	return form{
		name:  "imail",
		marks: append([]string{"delivery failed "}, leads...),
		read: func(n *notice) (all []Recipient) {
			for i, low := range n.low {
				t := strings.TrimSpace(low)
				if len(all) == MaxRecipients || !hasPrefix(t, leads) && !(strings.HasPrefix(t, "delivery failed ") && strings.Contains(t, " attempts:")) {
					continue
				}
				if a, _, end := findAddress(n.lines[i]); end > 0 {
					all = append(all, Recipient{Address: a, Diagnostic: n.lines[i]})
				}
			}
			return all
		},
	}
}
