package bounce

// Lotus Domino and Notes.
//
//	Your message
//
//	  Subject: Lunch
//
//	was not delivered to:
//
//	  ann@example.org
//
//	because:
//
//	  User ann (ann@example.org) not listed in Domino Directory
func domino() form {
	return form{
		name:  "domino",
		marks: []string{"was not delivered to:", "failure reasons", "in domino directory", "wurde nicht zugestellt an:", "n'a pas été remis à"},
		read: func(n *notice) []Recipient {
			leads := []string{"was not delivered to:", "wurde nicht zugestellt an:", "n'a pas été remis à :", "n'a pas été remis à:"}
			all := n.listing(leads, []string{"because:", "for the following reason", "weil:", "car :", "pour la raison"}, plain)
			if len(all) == 0 {
				if line, _ := n.after(0, "failure reasons"); line >= 0 {
					all = n.entries(line+1, len(n.lines), plain)
				}
			}
			return saying(all, n.behindAny("because:", "for the following reason:", "failure reasons", "weil:"))
		},
	}
}
