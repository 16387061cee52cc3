package enrol

import (
	"strings"
	"time"

	"superlistd/lists"
)

// ways are the words for how somebody gets the posts.
func ways(word string) (lists.Delivery, bool) {
	switch word {
	case "mail", "on", "courriel", "oui", "an", "ja":
		return lists.DeliveryMail, true
	case "digest", "digests", "mime", "compilation", "condensé", "sammelmail", "sammelmails":
		return lists.DeliveryDigest, true
	case "plain", "plain-digest", "text", "texte":
		return lists.DeliveryPlain, true
	case "nomail", "off", "non", "aus", "nein":
		return lists.DeliveryNone, true
	}
	return "", false
}

func (r reader) set(words []string) (command, bool) {
	if len(words) != 1 {
		return command{}, false
	}
	way, ok := ways(words[0])
	options := []string{"delivery", way.String()}
	if way != lists.DeliveryNone { // whoever asks for posts has an address that works
		options = append(options, "disabled", "none")
	}
	return command{verb: verbChange, options: options}, ok
}

// join reads how somebody wants to get the posts of the list that he joins.
func (r reader) join(words []string) (command, bool) {
	c := command{verb: verbJoin}
	for _, w := range words {
		way, ok := ways(w)
		switch {
		case r.filler(w):
		case !ok || c.options != nil:
			return command{}, false
		case way != lists.DeliveryMail:
			c.options = []string{"delivery", way.String()}
		}
	}
	return c, true
}

// What may be wrong with days, as texts have it.
const (
	wrongSwapped = "swapped"
	wrongPast    = "past"
	wrongDay     = "no-day"
	wrongOne     = "one-day"
)

// suspend reads two days. When they cannot be meant, the command says why, and changes nothing.
func (r reader) suspend(words []string) (command, bool) {
	var days []time.Time
	wrong := ""
	for _, w := range words[1:] {
		for _, part := range strings.Split(w, "..") {
			switch part {
			case "", "from", "to", "until", "till", "du", "au", "le", "jusqu'au", "von", "vom", "bis", "zum", "-", "–":
				continue
			}
			day, ok := readDay(part)
			if !ok && !likeDay(part) || len(days) == 2 {
				return command{}, false
			}
			if !ok {
				wrong = wrongDay
			}
			days = append(days, day)
		}
	}
	unclear := command{verb: verbSuspend, wrong: wrong, unknown: strings.Join(words, " ")}
	if wrong == "" && (len(days) == 1 || len(words) == 1) {
		unclear.wrong = wrongOne
		return unclear, true
	}
	if len(days) != 2 {
		return command{}, false
	}
	s, err := lists.ParseSuspension(lists.Suspension{From: days[0], Until: days[1]}.String())
	switch {
	case wrong != "":
	case days[1].Before(days[0]):
		unclear.wrong = wrongSwapped
	case days[1].Before(r.today):
		unclear.wrong = wrongPast
	case err != nil:
		unclear.wrong = wrongDay
	default:
		return command{verb: verbChange, options: []string{"suspend", s.String()}}, true
	}
	return unclear, true
}

// likeDay tells what somebody means as a day, though there may be none such: 2026-02-30, 30.2.2026.
func likeDay(w string) bool {
	return strings.Trim(w, "0123456789") != "" && strings.Trim(w, "0123456789-.") == "" && strings.Count(w, "-")+strings.Count(w, ".") == 2
}

// readDay reads 2026-12-31, 31.12.2026, and 31/12/2026 where no month can be meant by the first.
func readDay(w string) (time.Time, bool) {
	for _, form := range []string{time.DateOnly, "2.1.2006"} {
		if t, err := time.Parse(form, w); err == nil {
			return t, true
		}
	}
	if t, err := time.Parse("2/1/2006", w); err == nil && t.Day() > 12 {
		return t, true
	}
	return time.Time{}, false
}
