package enrol

import (
	"slices"
	"strings"
	"time"

	"superlistd/letters"
	"superlistd/lists"
)

// verb is what a command wants.
type verb int

const (
	verbHelp verb = iota
	verbInfo
	verbJoin
	verbLeave
	verbChange
	verbResume
	verbWho
	verbHeld
	verbConfirm
	verbEnd
	verbSet     // becomes verbChange, or an order
	verbSuspend // becomes verbChange, if its days can be meant
	verbAdd     // an order
	verbRemove  // an order
)

// command is one that was read.
type command struct {
	verb    verb
	options []string // of verbChange and verbJoin: member options and values, in turn
	token   string   // of verbConfirm
	order   order    // of an owner
	unknown string   // what help quotes: what was not understood, or is not for everybody
	wrong   string   // of verbSuspend: what is wrong with its days, as texts have it
	at      int      // its place in the mail
}

func (c command) same(o command) bool {
	return c.verb == o.verb && c.token == o.token && c.order == o.order && c.unknown == o.unknown && slices.Equal(c.options, o.options)
}

const (
	// maxCommands of one mail are carried out.
	maxCommands = 5
	// maxMisses is how many lines before the first command may be none: a greeting.
	maxMisses = 4
)

// verbs are the words that begin a command, in all languages: whoever writes to a list need not know in which it writes.
func verbs() map[string]verb {
	words := map[string]verb{}
	for _, v := range []struct {
		verb  verb
		words string
	}{
		{verbHelp, "help aide hilfe"},
		{verbInfo, "info infos information informations informationen"},
		{verbJoin, "subscribe join abonner s'abonner inscrire m'abonner m'inscrire inscription abonnieren anmelden beitreten"},
		{verbLeave, "unsubscribe leave signoff désabonner desabonner désinscrire desinscrire désinscription quitter abmelden abbestellen austreten"},
		{verbSet, "set option régler regler réglage einstellen setze"},
		{verbSuspend, "suspend pause suspendre aussetzen pausieren"},
		{verbResume, "resume reprendre fortsetzen fortfahren"},
		{verbWho, "who which qui wer"},
		{verbHeld, "held queue retenus attente zurückgehalten zurueckgehalten wartend"},
		{verbAdd, "add invite ajouter inviter hinzufügen hinzufuegen einladen"},
		{verbRemove, "remove delete retirer supprimer entfernen löschen loeschen"},
		{verbConfirm, "confirm confirmer bestätigen bestaetigen"},
		{verbEnd, "end quit stop fin ende"},
	} {
		for _, w := range strings.Fields(v.words) {
			words[w] = v.verb
		}
	}
	return words
}

// reader reads the commands of one mail.
type reader struct {
	list   lists.List
	author lists.Address
	owner  bool // the author says he is one
	today  time.Time
	verbs  map[string]verb
}

// read is what was found in a mail.
type read struct {
	commands []command
	orders   []order
	undone   []undone
	places   int // of those, so far
	// rest is what was written where a command should be: all of it when there is none, and with orders the line where reading ended.
	rest string
}

// add takes a command, unless there is the same already; of too many it notes what they were.
func (r *read) add(c command, line string) {
	joins := r.joins()
	switch {
	case c.order != order{}:
		r.addOrder(c, line)
	case c.verb == verbChange && joins >= 0: // how he wants to be one
		const most = 8 // names and values
		if join := &r.commands[joins]; len(join.options) < most {
			join.options = append(join.options, c.options...)
		} else {
			r.drop(overCommands, c, line)
		}
	case r.has(c):
	case len(r.commands) == maxCommands:
		r.drop(overCommands, c, line)
	default:
		r.places++
		c.at = r.places
		r.commands = append(r.commands, c)
	}
}

// joins is the command by which somebody joins, if nothing that comes behind it changes that again, or -1.
func (r *read) joins() int {
	for i, c := range slices.Backward(r.commands) {
		if c.changes() {
			if c.verb == verbJoin {
				return i
			}
			return -1
		}
	}
	return -1
}

// addOrder takes one of an owner. Of those about the same address that cannot both be meant, the later one counts.
func (r *read) addOrder(c command, line string) {
	if r.has(c) {
		return
	}
	r.orders = slices.DeleteFunc(r.orders, func(o order) bool { return o.contradicts(c.order) })
	if len(r.orders) == maxOrders {
		r.drop(overOrders, c, line)
		return
	}
	r.places++
	c.order.At = r.places
	r.orders = append(r.orders, c.order)
}

// readCommands finds the commands in a mail: in its subject, if that is nothing but one, and in the first lines that are not
// quoted.
func readCommands(l lists.List, author lists.Address, subject, text string, now time.Time) (all read) {
	r := reader{list: l, author: author, owner: l.Settings.IsOwner(author), today: now.UTC().Truncate(24 * time.Hour), verbs: verbs()}
	if c, ok := r.read(subject); ok && c.verb != verbEnd {
		all.add(c, r.shown(c, subject))
	}
	found, over := false, false // over: what comes now is only looked at, to tell that it is not done
	var own []string
	for _, line := range letters.Lines(text) {
		if letters.Ends(line) {
			break
		}
		if strings.TrimSpace(line) == "" || letters.Quoted(line) {
			continue
		}
		c, ok := r.read(line)
		if ok && c.verb == verbEnd {
			break
		}
		switch {
		case over && ok && !all.has(c):
			all.drop(unread, c, r.shown(c, line))
		case over:
		case ok:
			found = true
			all.add(c, r.shown(c, line))
		case found:
			all.rest, over = line, true
		default:
			own = append(own, line)
			over = len(own) > maxMisses
		}
	}
	switch {
	case len(all.commands)+len(all.orders) == 0:
		all.rest = letters.Shorten(strings.TrimSpace(subject + "\n" + strings.Join(own, "\n")))
	case len(all.orders) == 0:
		all.rest = "" // a greeting at the end, and nothing that depends on it
	default:
		all.rest = letters.Shorten(strings.TrimSpace(all.rest))
	}
	return all
}

// read reads one line.
func (r reader) read(line string) (command, bool) {
	words := r.words(line)
	if len(words) == 0 {
		return command{}, false
	}
	v, known := r.verbs[words[0]]
	rest := words[1:]
	if !known {
		return command{}, false
	}
	switch v {
	case verbAdd, verbRemove:
		return r.order(v, line)
	case verbSet:
		if len(rest) == 2 && strings.Contains(rest[0], "@") {
			return r.order(v, line)
		}
		return r.set(rest)
	case verbJoin:
		return r.join(rest)
	case verbSuspend:
		return r.suspend(words)
	case verbConfirm:
		if len(rest) != 1 {
			return command{}, false
		}
		return command{verb: verbConfirm, token: rest[0]}, true
	case verbEnd:
		return command{verb: v}, len(rest) == 0
	}
	if slices.ContainsFunc(rest, func(w string) bool { return !r.filler(w) }) {
		return command{}, false
	}
	c := command{verb: v}
	if v == verbWho || v == verbHeld {
		c.unknown = strings.Join(words, " ")
	}
	return c, true
}

// words cuts a line, without what people and mailers put around it.
func (r reader) words(line string) []string {
	const most = 500 // octets: nobody's command is longer
	if line = strings.TrimSpace(line); len(line) > most {
		return nil
	}
	var words []string
	for _, w := range strings.Fields(strings.ReplaceAll(line, "’", "'")) {
		if w = letters.Bare(w); w == "" || len(words) == 0 && slices.Contains([]string{"please", "bitte", "me", "se", "svp"}, w) {
			continue
		}
		words = append(words, w)
	}
	return words
}

// filler tells a word that changes nothing: a courtesy, the list's name, the author's own address.
func (r reader) filler(w string) bool {
	switch w {
	case "me", "mich", "moi", "please", "bitte", "svp", "merci", "thanks", "danke", strings.ToLower(r.list.Address.Local):
		return true
	}
	a, err := lists.ParseAddress(w)
	return err == nil && (a.Key() == r.list.Address.Key() || a.Key() == r.author.Key())
}
