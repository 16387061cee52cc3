package letters

import (
	"strings"
	"unicode"

	"superlistd/templates"
)

// Action is what a person decides about something that we asked about.
type Action string

// The actions.
const (
	Approve Action = "approve"
	Reject  Action = "reject"
	Discard Action = "discard" // reject, and tell nobody
)

// Decision is what an answer asks for.
type Decision struct {
	Action Action
	Ban    bool   // as well
	Text   string // for whoever is rejected
}

// vocabulary returns the words that are an order, each alone on its line. Of the words for a rejection, those of
// explaining may have its text behind them on the line: "yes", "no" and their kin begin too many sentences that are none.
func vocabulary() (words map[string]Decision, explaining map[string]bool) {
	words, explaining = map[string]Decision{}, map[string]bool{}
	add := func(d Decision, all ...string) {
		for _, w := range all {
			words[w] = d
		}
	}
	approve, reject := Decision{Action: Approve}, Decision{Action: Reject}
	discard, ban := Decision{Action: Discard}, Decision{Action: Discard, Ban: true}
	add(approve, "approve", "approved", "accept", "accepted", "publish", "release", "yes", "ok", "okay",
		"approuver", "accepter", "accepte", "accepté", "publier", "oui",
		"freigeben", "freigegeben", "genehmigen", "genehmigt", "annehmen", "zulassen", "ja")
	explain := []string{"reject", "rejected", "refuse", "refused", "decline",
		"refuser", "refusé", "rejeter", "rejeté",
		"ablehnen", "abgelehnt", "zurückweisen", "zurueckweisen"}
	add(discard, "discard", "discarded", "delete", "drop", "jeter", "supprimer", "effacer", "verwerfen", "löschen", "loeschen")
	add(ban, "ban", "block", "bannir", "bloquer", "sperren", "bannen")
	for _, lang := range templates.Languages() { // what the texts teach is understood, whatever it is
		c := templates.CommandsOf(lang)
		add(approve, c.Approve)
		explain = append(explain, c.Reject)
		add(discard, c.Discard)
		add(ban, c.Ban)
	}
	for _, w := range explain {
		explaining[w] = true
	}
	add(reject, explain...)
	add(reject, "no", "non", "nein")
	return words, explaining
}

const (
	// maxMisses is how many lines of each stretch that is not quoted may be no order: what precedes it is a greeting, or the line
	// that says who is quoted.
	maxMisses = 4
	// maxReason is how much of a text the author gets, in octets.
	maxReason = 4000
)

// ReadDecision finds the decision in an answer (see Text): in a subject that is nothing but one word, or in one of the first lines that are not
// quoted. An order in a subject that contradicts the one in the body is none. The subject of a reply is not looked at, since it
// has words of the post.
func ReadDecision(subject, body string) (Decision, bool) {
	words, explaining := vocabulary()
	bySubject, inSubject := words[Bare(subject)]
	rest := Lines(body)
	misses := 0
	for len(rest) > 0 {
		line := rest[0]
		rest = rest[1:]
		if Ends(line) {
			break
		}
		switch {
		case strings.TrimSpace(line) == "":
			continue
		case Quoted(line):
			misses = 0
			continue
		}
		found, text, ok := orderIn(line, words, explaining)
		if !ok {
			if misses++; misses > maxMisses {
				break
			}
			continue
		}
		if inSubject && (found.Action != bySubject.Action || found.Ban != bySubject.Ban) {
			return Decision{}, false
		}
		if found.Action == Reject {
			found.Text = reason(text, rest)
		}
		return found, true
	}
	if inSubject && bySubject.Action == Reject {
		bySubject.Text = reason("", Lines(body))
	}
	return bySubject, inSubject
}

// orderIn reads one line.
func orderIn(line string, words map[string]Decision, explaining map[string]bool) (d Decision, text string, ok bool) {
	if d, ok := words[Bare(line)]; ok {
		return d, "", true
	}
	first, text := line, ""
	if i := strings.IndexFunc(strings.TrimSpace(line), func(r rune) bool { return unicode.IsSpace(r) || r == ':' || r == ',' }); i > 0 {
		first, text = strings.TrimSpace(line)[:i], strings.TrimSpace(line)[i:]
	}
	if strings.HasPrefix(text, "  ") {
		return Decision{}, "", false // our own table of what one may answer, which some mailer did not quote
	}
	if w := Bare(first); explaining[w] {
		return words[w], strings.TrimLeft(text, " \t:,"), true
	}
	return Decision{}, "", false
}

// reason is the text behind a rejection: the rest of its line, and what follows until something else begins.
func reason(first string, rest []string) string {
	text := []string{first}
	for i, line := range rest {
		if Ends(line) || Quoted(line) {
			text = text[:len(text)-attribution(rest[:i])]
			break
		}
		text = append(text, strings.TrimRight(line, " \t"))
	}
	return Shorten(strings.Trim(strings.Join(text, "\n"), "\n"))
}

// attribution is how many of the last lines say who is quoted next: "On Monday, Ann wrote:", in up to three lines.
func attribution(lines []string) int {
	last := len(lines) - 1
	for last >= 0 && strings.TrimSpace(lines[last]) == "" {
		last--
	}
	if last < 0 || !strings.HasSuffix(strings.TrimSpace(lines[last]), ":") {
		return 0
	}
	for i := last; i >= 0 && i > last-3; i-- {
		for _, opening := range []string{"On ", "Am ", "Le "} {
			if strings.HasPrefix(strings.TrimSpace(lines[i]), opening) {
				return len(lines) - i
			}
		}
	}
	return len(lines) - last
}

// Shorten cuts a text that goes on to somebody else to a bound.
func Shorten(s string) string {
	if len(s) <= maxReason {
		return s
	}
	return strings.ToValidUTF8(s[:maxReason], "") + " …"
}
