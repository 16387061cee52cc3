package lists

import (
	"fmt"
	"strings"
)

// Verdict is what was decided about a post.
type Verdict struct {
	// Action is Accept, Hold, Refuse or Discard.
	Action Action
	// Reason is one of the errors above, wrapped with what is particular to this post;
	// nil for a post that is accepted.
	Reason error
	// Text is what the sender is told of Hold and Refuse, "" of the others: one line of
	// printable ASCII without a code, at most 200 octets, with the list's contact.
	Text string
	// Remove are the parts that are taken out before the post is sent, by their index in
	// PostFacts.Content; also of a post that is held. See Settings.HTML for HTML.
	Remove []int
}

// Held is the verdict when a post that was refused waits for a moderator instead.
func (v Verdict) Held() Verdict {
	v.Action, v.Text = Hold, clip(heldText+v.Text, maxText)
	return v
}

const heldText = "Held for the moderators: "

func clip(s string, most int) string {
	if len(s) > most {
		return s[:most-3] + "..."
	}
	return s
}

// maxText is in octets: with a code it fits the 512 of a reply line (RFC 5321 section
// 4.5.3.1.5), with room for what a gateway puts around it.
const maxText = 200

func accept() Verdict { return Verdict{Action: Accept} }

// decide makes a verdict of an action, its reason, and what is said of it, which begins
// with a small letter or with an address.
func (l List) decide(action Action, reason error, format string, args ...any) Verdict {
	v := Verdict{Action: action, Reason: reason}
	switch action {
	case Refuse:
		if c := format[0]; 'a' <= c && c <= 'z' {
			format = string(c-'a'+'A') + format[1:]
		}
		v.Text = l.told(fmt.Sprintf(format, args...))
	case Hold:
		v.Text = l.told(heldText + fmt.Sprintf(format, args...))
	}
	return v
}

// told adds where to ask, unless the list's name is so long that nothing else would be
// left, and cuts what is too long.
func (l List) told(what string) string {
	what = printable(what)
	contact := "; contact " + l.Owner().String()
	if len(contact) > maxText/2 || printable(contact) != contact {
		contact = ""
	}
	return clip(what, maxText-len(contact)) + contact
}

// printable replaces what may not stand in a reply (RFC 5321 section 4.2: printable
// ASCII) by "?".
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
}
