package bounce

import (
	"strings"

	"superlistd/lists"
)

// sendmail from version 5 on, and its likes: AOL, McAfee, Activehunter, Biglobe.
//
//	----- The following addresses had permanent fatal errors -----
//	<ann@example.org>
//	    (reason: 550 5.1.1 User unknown)
//
//	----- Transcript of session follows -----
//	... while talking to mx.example.org.:
//	>>> RCPT To:<ann@example.org>
//	<<< 550 5.1.1 User unknown
//	550 5.1.1 <ann@example.org>... User unknown
func sendmail() form {
	return form{
		name:  "sendmail",
		marks: []string{"the following addresses had", "the following address had", "transcript of session follows", "addresses had permanent", "delivery problems"},
		read: func(n *notice) []Recipient {
			said := n.transcript()
			all := n.addressed()
			if len(all) == 0 {
				return said
			}
			for i := range all {
				for _, s := range said {
					if s.Address.Key() == all[i].Address.Key() || s.Address.Key() == all[i].Final.Key() {
						all[i].Diagnostic = strings.TrimSpace(all[i].Diagnostic + " " + s.Diagnostic)
					}
				}
			}
			return saying(all, strings.Join(n.lines[n.sections():min(len(n.lines), n.sections()+12)], " "))
		},
	}
}

// addressed reads the sections of addresses, but not that of those who have the message.
func (n *notice) addressed() (all []Recipient) {
	for i := 0; i < len(n.lines); i++ {
		t := strings.TrimLeft(n.low[i], " \t")
		if !strings.HasPrefix(t, "-") || !containsAny(t, []string{"following address", "recipients of this"}) || strings.Contains(t, "successful") {
			continue
		}
		end := i + 1
		for end < len(n.lines) && !strings.HasPrefix(strings.TrimLeft(n.low[end], " \t"), "---") {
			end++
		}
		all = append(all, n.entries(i+1, end, sectioned)...)
		i = end - 1
	}
	return all
}

// sections is where the text begins that says why: the transcript, or what follows the last section of addresses.
func (n *notice) sections() int {
	if at, _ := n.after(0, "transcript of session follows", "non-delivered information"); at >= 0 {
		return at + 1
	}
	at := 0
	for i, low := range n.low {
		if strings.HasPrefix(strings.TrimLeft(low, " \t"), "---") {
			at = i + 1
		}
	}
	return at
}

// sectioned takes a line that begins with an address, whatever follows.
func sectioned(line string) (lists.Address, string, bool) {
	if strings.HasPrefix(strings.TrimLeft(line, " \t"), "(") {
		return lists.Address{}, "", false
	}
	return leading(line)
}

// transcript reads who was refused in the dialogue, and with which words.
func (n *notice) transcript() (all []Recipient) {
	at, _ := n.after(0, "transcript of session", "transcript of the session")
	asked := Recipient{} // whom RCPT named
	for i := at + 1; at >= 0 && i < len(n.lines) && len(all) < MaxRecipients; i++ {
		line, low := strings.TrimSpace(n.lines[i]), strings.TrimSpace(n.low[i])
		a, start, end := findAddress(line)
		switch {
		case strings.HasPrefix(low, ">>> rcpt to:") && end > 0:
			asked = Recipient{Address: a}
		case end > 0 && start == 0 && end == len(line): // alone, as Microsoft's first servers had it
			all = append(all, Recipient{Address: a, Diagnostic: strings.Join(n.lines[i+1:min(len(n.lines), i+3)], " ")})
		case strings.HasPrefix(low, ">>>"):
			asked = Recipient{}
		case strings.HasPrefix(low, "<<<") && asked.Address != (lists.Address{}):
			if code := replyIn(line); code >= 400 {
				asked.Diagnostic += " " + strings.TrimLeft(line, "< ")
				all = append(all, asked)
				asked.Diagnostic = ""
			}
		case end > 0 && (strings.Contains(line, "... ") || replyIn(line) >= 400) && !strings.HasPrefix(low, "<<<") && !strings.Contains(low, "mail from"):
			all = append(all, Recipient{Address: a, Diagnostic: line})
		}
	}
	return all
}
