package bounce

import "strings"

// closed reads what somebody's own program answers for him when he has left the address, if it says that the message
// did not arrive.
//
//	This is an automatic message.
//	The address ann@example.org is no longer valid. Your mail has NOT been delivered.
func (n *notice) closed() []Recipient {
	if !n.letter.nullPath() || !n.has("automatic", "automatisch", "automatique", "automático", "procmail") || !n.has(
		"has not been delivered", "was not delivered", "been discarded", "wurde nicht zugestellt", "n'a pas été remis", "n'a pas été distribué", "non è stato consegnato", "no ha sido entregado", "no se ha entregado", "is niet bezorgd",
	) {
		return nil
	}
	from := addressesIn(strings.Join(n.letter.header.Values("From"), " "), 2)
	for i, line := range n.lines {
		a, _, end := findAddress(line)
		if end == 0 {
			continue
		}
		said := strings.Join(n.lines[max(0, i-1):min(len(n.lines), i+3)], " ")
		if len(from) != 1 || a.Key() != from[0].Key() || !containsAny(nameless(fold(said)), goneWords) {
			return nil
		}
		return []Recipient{{Address: a, Diagnostic: said}}
	}
	return nil
}
