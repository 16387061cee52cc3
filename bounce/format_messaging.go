package bounce

import "strings"

// PMDF and its heirs of Innosoft, iPlanet, Sun and Oracle: Messaging Server.
//
//	Your message cannot be delivered to the following recipients:
//
//	  Recipient address: ann@example.org
//	  Reason: Remote SMTP server has rejected address
//	  Diagnostic code: smtp;550 5.1.1 User unknown
func messaging() form {
	return form{
		name:  "messaging server",
		marks: []string{"recipient address: ", "recipient address:"},
		read: func(n *notice) (all []Recipient) {
			for i, low := range n.low {
				t := strings.TrimSpace(low)
				switch {
				case len(all) == MaxRecipients:
					return all
				case strings.HasPrefix(t, "recipient address:"):
					if a, _, end := findAddress(n.lines[i]); end > 0 {
						all = append(all, Recipient{Address: a})
					}
				case len(all) == 0:
				case strings.HasPrefix(t, "original address:"):
					if a, _, end := findAddress(n.lines[i]); end > 0 && a.Key() != all[len(all)-1].Address.Key() {
						last := &all[len(all)-1]
						last.Final, last.Address = last.Address, a
					}
				case hasPrefix(t, []string{"reason:", "diagnostic code:", "error:", "delivery attempt"}):
					_, value, _ := strings.Cut(n.lines[i], ":")
					if last := &all[len(all)-1]; len(last.Diagnostic) < 2*maxDiagnostic {
						last.Diagnostic += " " + strings.TrimSpace(withoutType(value))
					}
				}
			}
			return all
		},
	}
}
