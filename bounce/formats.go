package bounce

import (
	"slices"
	"strings"

	"superlistd/lists"
)

// form is a format that is no RFC 3464. A further one is a file format_NAME.go that makes one, a line in forms, and
// samples in testdata/bounce.
type form struct {
	name  string
	marks []string // in lower case; one of them is in every report of this format
	read  func(n *notice) []Recipient
}

// forms are all of them, those with the clearest marks first.
func forms() []form {
	return []form{
		inline(), exim(), postfix(), qmail(), sendmail(), courier(), google(), exchange(), domino(), groupwise(), messaging(), mdaemon(), imail(),
		communigate(), opensmtpd(), dragonfly(), smail(), mailmarshal(), mailfoundry(), interscan(), netscape(), compuserve(), surgemail(),
		james(), mobile(), zoho(),
	}
}

// readText finds the format of a report for people and its recipients.
func (n *notice) readText() (name string, all []Recipient) {
	if n.asks() {
		return "", nil
	}
	if all := n.settle(n.closed()); len(all) > 0 {
		return "closed", all
	}
	if !n.proven() {
		return "", nil
	}
	for _, f := range forms() {
		if !n.has(f.marks...) {
			continue
		}
		if all := n.settle(f.read(n)); len(all) > 0 {
			return f.name, all
		}
	}
	if all := n.settle(n.failedHeader()); len(all) > 0 {
		return "x-failed-recipients", all
	}
	n.free = true
	return "text", n.settle(n.heuristics())
}

// returned tells whether the message that came back is in the mail, as a part or in the text.
func (n *notice) returned() bool { return n.cut || n.letter.returned }

// failedHeader reads X-Failed-Recipients, which Exim and Google write.
func (n *notice) failedHeader() (all []Recipient) {
	for _, v := range n.letter.header.Values("X-Failed-Recipients") {
		for _, a := range addressesIn(v, MaxRecipients-len(all)) {
			all = append(all, Recipient{Address: a})
		}
	}
	return all
}

// settle gives recipients of a text their status, kind and cause, each address once.
func (n *notice) settle(found []Recipient) (all []Recipient) {
	delayed := n.delayed()
	found = n.others(found)
	seen := make(map[string]bool, len(found))
	for _, r := range found {
		key := r.Address.Key()
		if seen[key] || len(all) == MaxRecipients {
			continue
		}
		seen[key] = true
		r.Diagnostic = oneLine(r.Diagnostic)
		if r.cause != "" { // a report inside the text has said it
			all = append(all, r)
			continue
		}
		said := n.namesSender(r.Diagnostic, r.Address)
		r.Status = bestStatus(r.Status, said)
		if !tells(said) {
			said += " " + n.about(r.Address)
			r.Status = bestStatus(r.Status, said)
		}
		switch r.Kind, r.cause = judge(r.Status, said); {
		case delayed:
			r.Kind, r.cause = None, Delayed
		case n.free && r.Kind == Soft && r.Diagnostic != "" && !tells(said) && !coded(n.flat): // a reason, in words that nobody knows
			r.Kind, r.cause = None, Refused
		}
		if r.cause != Delivered {
			all = append(all, r)
		}
	}
	return all
}

// others leaves out who got this mail, or wrote it, when somebody else is named: a text that speaks of him speaks of the sender.
func (n *notice) others(found []Recipient) []Recipient {
	kept := slices.DeleteFunc(slices.Clone(found), func(r Recipient) bool { return n.own[r.Address.Key()] })
	if len(kept) == 0 {
		return found
	}
	return kept
}

// delayed tells a text that speaks of a message which is still tried.
func (n *notice) delayed() bool {
	return n.has(delayWords...) && !n.has(finalWords...)
}

var delayWords = []string{
	"warning message only", "warning only", "not need to resend", "not yet been delivered", "not been delivered yet", "been delayed", "will keep trying", "will continue to try", "will be retried", "continue to attempt",
	"still undelivered", "attempts will continue", "still trying", "will retry", "will try again", "temporary problem delivering", "message is delayed", "delay in deliver", "delayed for", "remains in the queue",
	"attempts to deliver the message will continue", "you will be notified if", "you'll be notified if", "continue trying", "wird weiterhin versucht", "tentatives",
	"non-fatal", "retry queue", "will be attempted again", "will be tried again", "will be continued", "no action is required", "no action required", "need to re-send", "no need to resend", "temporary failure report",
	"müssen nichts unternehmen", "nicht erneut senden", "nicht erneut zu senden", "pas besoin de renvoyer", "niet opnieuw te", "non occorre inviare", "no hace falta", "não é necessário reenviar", "повторная отправка не", "再送信の必要", "再送の必要", "无需重新发送", "無需重新傳送",
	"verzögert", "verzögerung", "weitere zustellversuche", "inutile de renvoyer", "a été retardé", "est retardé", "seguirá intentando", "retrasad", "no es necesario reenviar", "ritardat", "ulteriori tentativi", "non è necessario rinviare",
	"continuará tentando", "atrasad", "vertraagd", "blijven proberen", "opóźnion", "zpožděn", "fördröj", "forsinket", "viivästy", "отложен", "задержан", "попытки доставки продолж", "遅延", "遅れて", "再送を続け", "延迟", "延遲", "继续尝试", "지연", "gecik",
}

var finalWords = []string{
	"permanent error", "permanent fatal", "given up", "failed permanently", "will be deleted from", "been removed from", "no further delivery", "will not continue trying", "gave up", "giving up",
	"final failure", "no more attempts", "endgültig", "définiti", "definitiv", "永久",
}

// pick tells whether a line begins an entry: the address it is about, and what it says besides.
type pick func(line string) (a lists.Address, rest string, ok bool)

// plain takes a line that begins with an address and goes on, if at all, with punctuation.
func plain(line string) (lists.Address, string, bool) {
	a, rest, ok := leading(line)
	rest = strings.TrimLeft(rest, " \t")
	if !ok || rest != "" && strings.IndexByte(":;,(-.[<", rest[0]) < 0 {
		return lists.Address{}, "", false
	}
	return a, strings.TrimLeft(rest, ":;,-. "), true
}

// bracketed takes a line "<ann@example.org>:" at its very beginning.
func bracketed(line string) (lists.Address, string, bool) {
	if !strings.HasPrefix(line, "<") {
		return lists.Address{}, "", false
	}
	a, rest, ok := leading(line)
	before, after, colon := strings.Cut(rest, ":")
	if !ok || !colon || len(strings.TrimSpace(before)) > 0 && !strings.HasPrefix(before, " (") {
		return lists.Address{}, "", false
	}
	return a, strings.TrimSpace(before + " " + after), true
}

// entries reads lines from from to to: each entry begins with an address and ends at an empty line or at the next one.
// Deeper lines than the first entry are no entries.
func (n *notice) entries(from, to int, p pick) (all []Recipient) {
	depth, open := -1, false
	for _, line := range n.lines[max(from, 0):max(from, min(to, len(n.lines)))] {
		if len(all) > MaxRecipients {
			break
		}
		if a, ok := generated(line); ok {
			if open && len(all) > 0 && all[len(all)-1].Address != a {
				last := &all[len(all)-1]
				last.Final, last.Address = last.Address, a
			} else if !open {
				all = append(all, Recipient{Address: a})
				open = true
			}
			continue
		}
		in := len(line) - len(strings.TrimLeft(line, " \t"))
		if in <= depth && hasPrefix(line[in:], []string{`"|`, "|", "/", `"/`, ":include:", "pipe to ", "save to "}) {
			open = false // an entry for a program or a file
			continue
		}
		if a, rest, ok := p(line); ok && (depth < 0 || in <= depth) {
			depth, open = in, true
			all = append(all, expanded(a, rest))
			continue
		}
		switch text := strings.TrimSpace(line); {
		case !open:
		case text == "":
			open = all[len(all)-1].Diagnostic == ""
		default:
			last := &all[len(all)-1]
			if len(last.Diagnostic) < 2*maxDiagnostic {
				last.Diagnostic += " " + text
			}
		}
	}
	return all
}

// expanded makes a recipient of an address and what follows it: "(expanded from <list@example.org>): unknown".
func expanded(a lists.Address, rest string) Recipient {
	if again, _, end := findAddress(rest); end > 0 && end == len(rest) && again.Key() == a.Key() { // "ann@example.org <ann@example.org>"
		rest = ""
	}
	r := Recipient{Address: a, Diagnostic: rest}
	inner, ok := strings.CutPrefix(strings.TrimLeft(rest, "( "), "expanded from")
	if !ok {
		return r
	}
	from, _, end := findAddress(inner)
	if end == 0 || from.Key() == a.Key() {
		return r
	}
	return Recipient{Address: from, Final: a, Diagnostic: strings.TrimLeft(inner[end:], "): ")}
}

// generated reads "(ultimately generated from ann@example.org)".
func generated(line string) (lists.Address, bool) {
	low := fold(line)
	for _, p := range []string{"generated from ", "generated by ", "(expanded from: "} {
		if i := strings.Index(low, p); i >= 0 && len(strings.TrimLeft(low[:i], " \t(-")) < 12 {
			if a, start, end := findAddress(line[i+len(p):]); end > 0 && start == 0 {
				return a, true
			}
		}
	}
	return lists.Address{}, false
}

// maxPlaces is how often a phrase is looked for, so that a text of nothing but phrases takes linear time.
const maxPlaces = 100

// listing reads the entries behind each of the leads, up to one of the ends.
func (n *notice) listing(leads, ends []string, p pick) (all []Recipient) {
	line, end := n.after(0, leads...)
	for range maxPlaces {
		if line < 0 || len(all) >= MaxRecipients {
			break
		}
		if a, _, stop := findAddress(n.behind(line, end)); stop > 0 {
			all = append(all, Recipient{Address: a})
		}
		to := n.until(line+1, ends...)
		all = append(all, n.entries(line+1, to, p)...)
		line, end = n.after(to, leads...)
	}
	return all
}

// named reads the address that follows each of the phrases, in the line of the phrase or at the start of the next.
func (n *notice) named(phrases ...string) (all []Recipient) {
	line, end := n.after(0, phrases...)
	for range maxPlaces {
		if line < 0 {
			break
		}
		rest := n.behind(line, end)
		if strings.TrimSpace(rest) == "" && line+1 < len(n.lines) {
			rest = n.lines[line+1]
		}
		if a, start, stop := findAddress(rest); stop > 0 && strings.Trim(rest[:start], " \t'\"<:(") == "" {
			all = append(all, Recipient{Address: a, Diagnostic: strings.TrimLeft(rest[stop:], "'\">:). ")})
		}
		line, end = n.after(line+1, phrases...)
	}
	return all
}

// behindAny is the paragraph that follows the first of the phrases that is there, for a diagnostic.
func (n *notice) behindAny(phrases ...string) string {
	for _, p := range phrases {
		line, end := n.after(0, p)
		if line < 0 {
			continue
		}
		text := n.behind(line, end)
		for i := line + 1; i < len(n.lines) && len(text) < maxDiagnostic; i++ {
			if n.lines[i] == "" && strings.Trim(text, " :.-") != "" {
				break
			}
			text += " " + strings.TrimSpace(n.lines[i])
		}
		return strings.TrimLeft(text, ":.- ")
	}
	return ""
}

// saying gives the recipients without a diagnostic that one.
func saying(all []Recipient, diagnostic string) []Recipient {
	for i := range all {
		if strings.TrimSpace(all[i].Diagnostic) == "" {
			all[i].Diagnostic = diagnostic
		}
	}
	return all
}
