package message

import "strings"

// courtesy tells words that change nothing about a command.
func courtesy(word string) bool {
	switch word {
	case "", "please", "pls", "thanks", "thank", "you", "thx", "hello", "hi", "dear", "sir", "madam", "all", "kindly", "regards", "kind", "best",
		"merci", "svp", "stp", "bonjour", "bonsoir", "cordialement", "veuillez", "salutations",
		"bitte", "danke", "hallo", "mfg", "lg", "gruss", "grusse", "grussen", "liebe", "viele", "mit", "freundliche", "freundlichen", "vielen", "dank", "guten", "tag":
		return true
	}
	return false
}

// strongPhrase tells words that nobody writes to a list but to leave or join it, lower case and without accents.
func strongPhrase(s string) bool {
	switch s = withoutList(s); s {
	case "unsubscribe", "unsubscribe me", "unsub", "subscribe", "subscribe me", "signoff", "sign off", "opt out", "optout", "opt me out",
		"remove me", "take me off", "take me off list", "leave list", "leave the list", "leave this list", "i want to unsubscribe",
		"i would like to unsubscribe", "i wish to unsubscribe", "i want to leave", "i want to be removed", "remove my address", "remove my name",
		"remove my email", "remove my email address", "unsubscribe my address", "cancel subscription", "cancel my subscription", "stop sending me emails",
		"stop emailing me", "remove from list":
		return true
	case "desabonner", "desabonnement", "se desabonner", "me desabonner", "desabonnez moi", "de me desabonner", "desinscription", "desinscrire",
		"se desinscrire", "me desinscrire", "desinscrivez moi", "de me desinscrire", "retirez moi", "de me retirer", "me retirer", "s abonner",
		"je souhaite me desabonner", "je souhaite me desinscrire", "je veux me desabonner", "je veux me desinscrire", "quitter la liste",
		"je desire me desabonner", "je desire me desinscrire", "je voudrais me desabonner", "je voudrais me desinscrire", "resilier abonnement":
		return true
	case "abmelden", "abmeldung", "mich abmelden", "austragen", "mich austragen", "austragung", "abbestellen", "liste verlassen", "diese liste verlassen",
		"liste abbestellen", "newsletter abbestellen", "newsletter abmelden", "mich nehmen", "mich loschen", "mich streichen", "nehmen sie mich", "tragen sie mich aus", "melden sie mich ab", "ich mochte mich abmelden", "ich will mich abmelden", "ich mochte mich austragen":
		return true
	}
	return false
}

// withoutList takes out what may be said beside such words.
func withoutList(s string) string {
	s = " " + s + " "
	for _, from := range [...]string{
		" from this mailing list ", " from the mailing list ", " from your mailing list ", " from mailing list ", " from this list ",
		" from the list ", " from your list ", " from list ", " of this list ", " of the list ", " of this mailing list ",
		" of the mailing list ", " of your list ", " this list ", " the list ", " de cette liste ", " de la liste ", " de votre liste ",
		" a cette liste ", " a la liste ", " de cette liste de diffusion ", " de la liste de diffusion ", " aus dieser liste ",
		" von dieser liste ", " aus der liste ", " von der liste ", " aus dem verteiler ", " von dem verteiler ", " vom verteiler ",
		" aus der mailingliste ", " von der mailingliste ",
	} {
		if before, after, ok := strings.Cut(s, from); ok {
			return strings.TrimSpace(before + " " + after)
		}
	}
	return strings.TrimSpace(s)
}

// weakPhrase tells words that may be an answer, too.
func weakPhrase(s string) bool {
	switch s {
	case "help", "leave", "join", "quit", "stop", "remove", "cancel", "info", "subscription", "signon", "sign on",
		"aide", "abonnement", "inscription", "quitter", "stop svp", "resilier",
		"hilfe", "anmelden", "anmeldung", "verlassen", "austreten", "kundigen", "kundigung":
		return true
	}
	return false
}
