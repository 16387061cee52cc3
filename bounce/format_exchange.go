package bounce

import (
	"strings"

	"superlistd/lists"
)

// Exchange 5.5, 2000, 2003, 2007 and later, Office 365, in their languages, when their report has lost its machine-readable part.
//
//	did not reach the following recipient(s):            Delivery has failed to these recipients or groups:
//
//	ann@example.org on Thu, 29 Apr 2010 16:51:51         Ann (ann@example.org)<mailto:ann@example.org>
//	    The recipient name is not recognized             …
//	                                                     Diagnostic information for administrators:
//	                                                     Generating server: mx.example.org
//	                                                     ann@example.org
//	                                                     #550 5.1.1 RESOLVER.ADR.RecipNotFound; not found ##
func exchange() form {
	return form{
		name:  "exchange",
		marks: append(append([]string{"couldn't be delivered", "the message cannot be delivered to the following", "could not be delivered to the following"}, reached...), append(failedTo, administrators...)...),
		read: func(n *notice) []Recipient {
			if all := n.listing(reached, nil, dated); len(all) > 0 {
				return all
			}
			if all := n.administered(); len(all) > 0 {
				return all
			}
			if all := n.listing(failedTo, administrators, dated); len(all) > 0 {
				return all
			}
			return n.couldnt()
		},
	}
}

var (
	reached = []string{
		"did not reach the following recipient(s):", "following recipient(s) could not be reached:", "following recipient(s) cannot be reached:", "following recipients could not be reached:",
		"did not reach the following recipients:", "following recipient(s) were not reached", "folgende(n) empfänger konnte nicht erreicht werden", "folgende(n) empfänger wurde nicht erreicht", "folgende empfänger konnten nicht erreicht werden",
		"les destinataires suivants n'ont pas pu être joints", "le ou les destinataires suivants n'ont pas pu être atteints", "impossible de joindre le(s) destinataire(s) suivant(s)",
		"no se pudo encontrar a los siguientes destinatarios", "impossibile raggiungere i seguenti destinatari", "de volgende ontvanger(s) konden niet worden bereikt",
	}
	failedTo = []string{
		"delivery has failed to these recipients or groups:", "delivery has failed to these recipients or distribution lists:", "delivery has failed to the following recipients", "the following recipients or groups:",
		"fehler bei der nachrichtenzustellung an folgende empfänger oder verteilerlisten:", "fehler bei der nachrichtenzustellung an folgende empfänger oder gruppen:", "échec de la remise pour ces destinataires ou listes de distribution", "Échec de la remise pour ces destinataires ou groupes",
		"Échec de la remise pour ces destinataires ou listes de distribution", "échec de la remise pour ces destinataires ou groupes", "error de entrega a los siguientes destinatarios o grupos", "impossibile recapitare il messaggio ai destinatari o gruppi seguenti", "het bezorgen bij de volgende geadresseerden of groepen is mislukt",
		"your message to the following recipients",
	}
	administrators = []string{
		"diagnostic information for administrators", "diagnoseinformationen für administratoren", "informations de diagnostic pour les administrateurs", "información de diagnóstico para administradores", "información de diagnóstico para los administradores",
		"informazioni diagnostiche per gli amministratori", "informazioni di diagnostica per gli amministratori", "diagnostische gegevens voor beheerders", "informações de diagnóstico para administradores", "диагностические сведения для администраторов",
		"diagnostické informace pro správce", "informacje diagnostyczne dla administratorów", "diagnostisk information för administratörer", "管理者向けの診断情報", "供管理员使用的诊断信息",
	}
)

// dated takes an address that is alone, in brackets behind a name, or has a date behind it.
func dated(line string) (lists.Address, string, bool) {
	if strings.IndexByte(line, '@') < 0 || strings.HasPrefix(strings.TrimSpace(line), "<") && strings.Contains(line, " #") {
		return lists.Address{}, "", false
	}
	a, start, end := findAddress(line)
	if end == 0 {
		return a, "", false
	}
	name, rest := strings.TrimSpace(line[:start]), strings.TrimLeft(line[end:], " \t)>'\"")
	if strings.HasPrefix(strings.ToLower(rest), "<mailto:") || strings.HasPrefix(strings.ToLower(rest), "(mailto:") {
		if i := strings.IndexAny(rest, ">)"); i >= 0 {
			rest = rest[i+1:]
		}
	}
	low := fold(rest)
	switch {
	case name != "" && !strings.HasSuffix(name, "(") && !strings.HasSuffix(name, "'") && strings.Trim(name, "'\"*- \t") != "":
		return lists.Address{}, "", false
	case rest == "", hasPrefix(low, []string{"on ", "am ", "le ", "el ", "il ", "op ", "#", "(", "em "}):
		return a, strings.TrimPrefix(rest, "#"), true
	}
	return lists.Address{}, "", false
}

// administered reads the part for administrators: a line with an address and nothing else, and what the server said.
func (n *notice) administered() []Recipient {
	line, _ := n.after(0, administrators...)
	if line < 0 {
		return nil
	}
	return n.entries(line+1, len(n.lines), dated)
}

// couldnt reads "Your message to ann@example.org couldn't be delivered."
func (n *notice) couldnt() (all []Recipient) {
	for i, low := range n.low {
		if !containsAny(low, []string{"couldn't be delivered", "could not be delivered", "wasn't delivered"}) {
			continue
		}
		if a, start, end := findAddress(n.lines[i]); end > 0 && strings.HasSuffix(strings.TrimRight(low[:start], " '\"<"), "your message to") {
			said := strings.Join(n.lines[i:min(len(n.lines), i+10)], " ")
			if at, _ := n.after(0, "reported error:", "remote server returned", "error details", "status code:"); at >= 0 {
				said = strings.Join(n.lines[at:min(len(n.lines), at+3)], " ")
			}
			all = append(all, Recipient{Address: a, Diagnostic: said})
		}
	}
	return all
}
