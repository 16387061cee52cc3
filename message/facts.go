package message

import (
	"strings"

	"superlistd/lists"
)

// ID is the message's identifier (RFC 5322 section 3.6.4) without angle brackets; "" if it has none, or none that is one word.
func ID(h Header) string { return identifier(h) }

// Thread returns the identifiers of the messages that this one answers, without angle brackets, the nearest first: see
// lists.MessageIDs.
func Thread(h Header) []string {
	return lists.MessageIDs(strings.Join(h.Values("In-Reply-To"), " "), strings.Join(h.Values("References"), " "))
}

// Texts returns the values of all fields of that name as people read them: unfolded, encoded-words decoded, without
// controls. It serves decisions and notices.
func Texts(h Header, name string) []string {
	var all []string
	for _, f := range h.fields {
		if f.is(name) {
			r := readWords(f.raw[f.value:])
			all = append(all, shown(r.text))
		}
	}
	return all
}

// AuthorName is what the first author is called in From, decoded; "" without a name. It serves notices.
func AuthorName(h Header) string {
	all, _ := h.mailboxesOf("From", 1)
	if len(all) == 0 {
		return ""
	}
	return shown([]byte(all[0].name))
}
