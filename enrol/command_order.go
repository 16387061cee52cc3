package enrol

import (
	"slices"
	"strings"

	"superlistd/letters"
	"superlistd/lists"
)

// order reads a line of an owner, which names somebody else: "add ann@example.org Ann Lee", "add Ann Lee <ann@example.org>",
// "remove ann@example.org", "set ann@example.org digest". Of others it is no command.
func (r reader) order(v verb, line string) (command, bool) {
	const most = 1000 // octets: an address and a name
	if !r.owner || len(line) > most {
		return command{}, false
	}
	words := strings.Fields(line)
	begin := slices.IndexFunc(words, func(w string) bool { return r.verbs[letters.Bare(w)] == v })
	words = words[begin+1:]
	way := lists.DeliveryMail
	if v == verbSet {
		last := len(words) - 1
		if last < 1 {
			return command{}, false
		}
		var ok bool
		if way, ok = ways(letters.Bare(words[last])); !ok {
			return command{}, false
		}
		words = words[:last]
	}
	who, name, ok := readPerson(strings.Join(words, " "))
	if !ok || v != verbAdd && name != "" {
		return command{}, false
	}
	switch v {
	case verbAdd:
		return command{verb: v, order: order{What: orderAdd, Who: who, Name: name}}, true
	case verbRemove:
		return command{verb: v, order: order{What: orderRemove, Who: who}}, true
	}
	return command{verb: v, order: order{What: way.String(), Who: who}}, true
}

// readPerson reads an address, and a name before or behind it.
func readPerson(text string) (who lists.Address, name string, ok bool) {
	if at := strings.Index(text, "<mailto:"); at > 0 { // what Outlook makes of an address: ann@example.org<mailto:ann@example.org>
		if end := strings.IndexByte(text[at:], '>'); end > 0 {
			text = strings.TrimSpace(text[:at] + text[at+end+1:])
		}
	}
	address, name, _ := strings.Cut(text, " ")
	if at := strings.IndexByte(text, '<'); at > 0 {
		name, address = text[:at], text[at:]
	}
	const around = " \t<>()\"',;"
	address, name = strings.Trim(address, around+"."), strings.Trim(name, around)
	if strings.Contains(name, "@") { // rather two addresses
		return lists.Address{}, "", false
	}
	who, err := lists.ParseAddress(address)
	return who, nameOf(name, who), err == nil
}
