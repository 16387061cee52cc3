package bounce

// Lotus Domino and Notes, in the languages of their templates.
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
	leads := []string{
		"was not delivered to:", "wurde nicht zugestellt an:", "konnte nicht zugestellt werden an:", "nicht zugestellt werden an:", "n'a pas été remis à :", "n'a pas été remis à:", "n'a pas été distribué à :", "n'a pas été distribué à:", "n'a pas pu être remis à :",
		"n'a pas pu être remis à:", "n'a pas pu être distribué à :", "n'a pas pu être distribué à:", "non è stato consegnato a:", "non è stato recapitato a:", "non è stato inviato a:", "non può essere consegnato a:", "no se entregó a:", "no se ha entregado a:", "no fue entregado a:", "no se ha podido entregar a:",
		"não foi entregue a:", "não foi entregue para:", "não pôde ser entregue a:", "is niet bezorgd bij:", "is niet afgeleverd bij:", "kon niet worden bezorgd bij:", "kan niet worden bezorgd bij:", "levererades inte till:", "har inte levererats till:", "kunde inte levereras till:",
		"blev ikke leveret til:", "kunne ikke leveres til:", "ble ikke levert til:", "kunne ikke leveres til:", "ei toimitettu vastaanottajalle:", "nie został dostarczony do:", "nie dostarczono do:", "nebyl doručen:", "nem kézbesíthető a következőnek:",
	}
	reasons := []string{
		"because:", "for the following reason", "weil:", "car :", "car:", "pour la raison", "parce que", "en raison de", "perché:", "a causa di:", "debido a:", "porque:", "devido a:", "omdat:", "vanwege:", "eftersom:", "på grund av:", "fordi:", "på grund af:", "koska:", "ponieważ:", "protože:",
	}
	reasons = append(reasons, "failure reasons")
	return form{
		name:  "domino",
		marks: append([]string{"failure reasons", "in domino directory"}, leads...),
		read: func(n *notice) []Recipient {
			if !n.has(reasons...) {
				return nil
			}
			all := n.listing(leads, reasons, plain)
			if len(all) == 0 {
				if line, _ := n.after(0, "failure reasons"); line >= 0 {
					all = n.entries(line+1, len(n.lines), plain)
				}
			}
			return saying(all, n.behindAny(reasons...))
		},
	}
}
