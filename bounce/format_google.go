package bounce

import "strings"

// Google before it wrote RFC 3464 reports, its present words without them, and the SMTP service of Windows.
//
//	Delivery to the following recipient failed permanently:
//
//	     ann@example.org
//
//	Technical details of permanent failure:
//	… The error that the other server returned was: 550 5.1.1 User unknown
func google() form {
	return form{
		name: "google",
		marks: []string{
			"delivery to the following recipient failed", "delivery to the following recipients failed", "delivery to the following recipient has been delayed", "delivery to the following recipients has been delayed",
			"technical details of permanent failure", "technical details of temporary failure", "your message wasn't delivered to", "message blocked", "temporary problem delivering your message to",
			"delivery to the following recipients has failed", "delivery to the following recipient(s) failed", "delivery to the following recipients was aborted", "we're writing to let you know that the group you tried to contact",
		},
		read: func(n *notice) []Recipient {
			said := n.behindAny("other server returned was:", "response from the remote server was:", "the response was:", "error message from the server", "technical details of permanent failure:", "technical details of temporary failure:")
			all := n.listing([]string{"failed permanently:", "failed:", "has been delayed:", "recipients failed.", "recipients has failed.", "aborted after"}, []string{"technical details", "reporting-mta"}, plain)
			if len(all) == 0 {
				all = n.named("message wasn't delivered to", "problem delivering your message to", "your message to")
				for i := range all {
					all[i].Diagnostic = strings.TrimSpace(said + " " + all[i].Diagnostic)
				}
			}
			if len(all) == 0 {
				all = n.failedHeader()
			}
			return saying(all, said)
		},
	}
}
