package enrol

import (
	"fmt"
	"strings"
	"time"

	"superlistd/lists"
)

// Mine tells an extension of the desk.
var Mine = mine

// Undone are the commands that are not carried out, each behind why.
func Undone(l lists.List, author lists.Address, subject, text string, now time.Time) (all []string) {
	r := reportOf(readCommands(l, author, subject, text, now))
	if r == nil {
		return nil
	}
	for _, g := range r.groups {
		all = append(all, g.What+": "+strings.Join(g.Names, ", "))
	}
	return all
}

// ReadCommands are the commands and then the orders in a mail as words, options as NAME=VALUE.
func ReadCommands(l lists.List, author lists.Address, subject, text string, now time.Time) (all []string, rest string) {
	found := readCommands(l, author, subject, text, now)
	for _, c := range found.commands {
		var options []string
		for i := 0; i < len(c.options); i += 2 {
			options = append(options, c.options[i]+"="+c.options[i+1])
		}
		switch c.verb {
		case verbChange:
			all = append(all, strings.Join(options, " "))
		case verbJoin:
			all = append(all, strings.Join(append([]string{"join"}, options...), " "))
		case verbConfirm:
			all = append(all, "confirm "+c.token)
		case verbSuspend:
			all = append(all, "suspend: "+c.wrong)
		default:
			all = append(all, map[verb]string{verbHelp: "help", verbInfo: "info", verbLeave: "leave", verbResume: "resume", verbWho: "who", verbHeld: "held"}[c.verb])
		}
	}
	for _, o := range found.orders {
		all = append(all, strings.TrimSpace(fmt.Sprintf("%s %s %s", o.What, o.Who, o.Name)))
	}
	return all, found.rest
}
