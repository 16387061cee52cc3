package enrol

import (
	"strings"
	"time"

	"superlistd/lists"
)

// ReadCommands are the commands in a mail as words, options as NAME=VALUE.
func ReadCommands(l lists.List, author lists.Address, subject, text string, now time.Time) (all []string, rest string) {
	commands, rest := readCommands(l, author, subject, text, now)
	for _, c := range commands {
		switch c.verb {
		case verbChange:
			var options []string
			for i := 0; i < len(c.options); i += 2 {
				options = append(options, c.options[i]+"="+c.options[i+1])
			}
			all = append(all, strings.Join(options, " "))
		case verbConfirm:
			all = append(all, "confirm "+c.token)
		default:
			all = append(all, map[verb]string{verbHelp: "help", verbInfo: "info", verbJoin: "join", verbLeave: "leave", verbWho: "who"}[c.verb])
		}
	}
	return all, rest
}
