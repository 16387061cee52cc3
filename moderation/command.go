package moderation

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"superlistd/moderation/held"
	"superlistd/templates"
)

// order is what an answer asks for.
type order struct {
	action held.Action
	ban    bool
	text   string // for the author of a rejected post
}

// vocabulary returns the words that are an order, each alone on its line. Of the words for a rejection, those of
// explaining may have its text behind them on the line: "yes", "no" and their kin begin too many sentences that are none.
func vocabulary() (words map[string]order, explaining map[string]bool) {
	words, explaining = map[string]order{}, map[string]bool{}
	add := func(o order, all ...string) {
		for _, w := range all {
			words[w] = o
		}
	}
	approve, reject := order{action: held.Approve}, order{action: held.Reject}
	discard, ban := order{action: held.Discard}, order{action: held.Discard, ban: true}
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
	// maxLines of an answer are looked at, and of each stretch that is not quoted so many that are no order: what precedes it is
	// a greeting, or the line that says who is quoted.
	maxLines  = 1000
	maxMisses = 4
	// maxReason is how much of a text the author gets, in octets.
	maxReason = 4000
)

// readOrder finds the order in an answer: in a subject that is nothing but one word, or in one of the first lines that are not
// quoted. An order in a subject that contradicts the one in the body is none. The subject of a reply is not looked at, since it
// has words of the post.
func readOrder(subject, body string) (order, bool) {
	words, explaining := vocabulary()
	bySubject, inSubject := words[bare(subject)]
	rest := lines(body)
	misses := 0
	for len(rest) > 0 {
		line := rest[0]
		rest = rest[1:]
		if ends(line) {
			break
		}
		switch {
		case strings.TrimSpace(line) == "":
			continue
		case quoted(line):
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
		if inSubject && (found.action != bySubject.action || found.ban != bySubject.ban) {
			return order{}, false
		}
		if found.action == held.Reject {
			found.text = reason(text, rest)
		}
		return found, true
	}
	if inSubject && bySubject.action == held.Reject {
		bySubject.text = reason("", lines(body))
	}
	return bySubject, inSubject
}

// orderIn reads one line.
func orderIn(line string, words map[string]order, explaining map[string]bool) (o order, text string, ok bool) {
	if o, ok := words[bare(line)]; ok {
		return o, "", true
	}
	first, text := line, ""
	if i := strings.IndexFunc(strings.TrimSpace(line), func(r rune) bool { return unicode.IsSpace(r) || r == ':' || r == ',' }); i > 0 {
		first, text = strings.TrimSpace(line)[:i], strings.TrimSpace(line)[i:]
	}
	if strings.HasPrefix(text, "  ") {
		return order{}, "", false // our own table of what one may answer, which some mailer did not quote
	}
	if w := bare(first); explaining[w] {
		return words[w], strings.TrimLeft(text, " \t:,"), true
	}
	return order{}, "", false
}

// bare takes from a word, or a line, what people and mailers put around it, and its case.
func bare(s string) string {
	const most = 100
	s = strings.TrimFunc(s[:min(len(s), most)], func(r rune) bool {
		return unicode.IsSpace(r) || strings.ContainsRune("*_\"'`.!,;:[]()<>«»„“”‘’", r)
	})
	return strings.ToLower(s)
}

// reason is the text behind a rejection: the rest of its line, and what follows until something else begins.
func reason(first string, rest []string) string {
	text := []string{first}
	for i, line := range rest {
		if ends(line) || quoted(line) {
			text = text[:len(text)-attribution(rest[:i])]
			break
		}
		text = append(text, strings.TrimRight(line, " \t"))
	}
	return shorten(strings.Trim(strings.Join(text, "\n"), "\n"))
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

func shorten(s string) string {
	if len(s) <= maxReason {
		return s
	}
	s = s[:maxReason]
	for len(s) > 0 && !utf8.ValidString(s[len(s)-1:]) {
		s = s[:len(s)-1]
	}
	return s + " …"
}

// lines cuts a text, without its line ends, and no more than anybody writes.
func lines(text string) []string {
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u00a0", " ", "\u200b", "").Replace(text)
	all := strings.SplitN(text, "\n", maxLines+1)
	return all[:min(len(all), maxLines)]
}

func quoted(line string) bool {
	line = strings.TrimSpace(line)
	return strings.HasPrefix(line, ">") || strings.HasPrefix(line, "|")
}

// ends tells a line behind which nothing is the writer's own answer: a signature (RFC 3676 section 4.3), or what mailers put
// before a mail that they do not quote.
func ends(line string) bool {
	line = strings.TrimRight(line, "\t\r ")
	if line == "--" {
		return true
	}
	rule := strings.TrimSpace(line)
	return strings.HasPrefix(rule, "-----") || strings.HasPrefix(rule, "_____") || strings.HasPrefix(rule, "=====")
}
