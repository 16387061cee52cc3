package bounce

import "strings"

// MDaemon.
//
//	The attached message had PERMANENT fatal delivery errors!
//	…
//	Failed address: ann@example.org
//
//	--- Session Transcript ---
//	 Wed 2010-04-29 01:20:50: <-- 550 5.1.1 User unknown
func mdaemon() form {
	return form{
		name:  "mdaemon",
		marks: []string{"failed address:", "failed addresses:", "session transcript"},
		read: func(n *notice) []Recipient {
			all := n.named("failed address:", "failed addresses:", "failed recipient:")
			if len(all) == 0 {
				all = n.named("rcpt to:")
			}
			said := ""
			for i, low := range n.low {
				if strings.Contains(low, "<-- 5") || strings.Contains(low, "<-- 4") {
					said = n.lines[i][strings.Index(low, "<-- ")+4:]
				}
			}
			if said == "" {
				said = n.behindAny("reason:", "session transcript")
			}
			return saying(all, said)
		},
	}
}
