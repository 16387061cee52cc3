package templates

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"superlistd/lists"
)

// Name is one of the texts; its file is NAME.txt.
type Name string

// The texts. Each says who reads it.
const (
	// Notice asks a moderator about one held post.
	Notice Name = "notice"
	// Notices asks a moderator about held posts that were gathered (Facts.Items).
	Notices Name = "notices"
	// Held tells the author that his post waits.
	Held Name = "held"
	// Rejected tells the author that a moderator rejected his post, with the moderator's text.
	Rejected Name = "rejected"
	// Refused tells the author of a post to several lists which of them refused it (Facts.Items), and which took it.
	Refused Name = "refused"
	// Expired tells the owners of posts that nobody decided about (Facts.Items).
	Expired Name = "expired"
	// Decided answers a moderator: done, or somebody was faster (Facts.Already).
	Decided Name = "decided"
	// BadCommand answers a moderator whose answer was not understood.
	BadCommand Name = "badcommand"
	// Removed is what stands in the place of a part that was removed: one line, without a subject.
	Removed Name = "removed"
	// Failed tells the owners that the delivery of a post was given up.
	Failed Name = "failed"
)

// Names are all texts.
func Names() []Name {
	return []Name{Notice, Notices, Held, Rejected, Refused, Expired, Decided, BadCommand, Removed, Failed}
}

// subject reports whether a text has one.
func (n Name) subject() bool { return n != Removed }

// Languages are those that every text exists in; the first stands in for all others.
func Languages() []string { return lists.Languages() }

// Commands are the words that a moderator answers with, as the texts of a language teach them. In any language those of
// the first one may be used too: links have them.
type Commands struct{ Approve, Reject, Discard, Ban string }

// CommandsOf returns the words of a language, those of the first for one that is unknown.
func CommandsOf(lang string) Commands { return tongueOf(lang).commands }

// reasons are the words for why a post was held or refused: the texts have a sentence for each (words.txt).
func reasons() []struct {
	word string
	is   error
} {
	return []struct {
		word string
		is   error
	}{
		{"closed", lists.ErrClosed},
		{"automatic", lists.ErrAutomatic},
		{"banned", lists.ErrBanned},
		{"no-author", lists.ErrNoAuthor},
		{"emergency", lists.ErrEmergency},
		{"too-big", lists.ErrTooBig},
		{"too-often", lists.ErrTooOften},
		{"too-many-named", lists.ErrTooManyNamed},
		{"not-named", lists.ErrNotNamed},
		{"header-rule", lists.ErrHeaderRule},
		{"command", lists.ErrCommand},
		{"content", lists.ErrContent},
		{"forged", lists.ErrForged},
		{"unproven", lists.ErrUnproven},
		{"not-member", lists.ErrNotMember},
		{"not-poster", lists.ErrNotPoster},
		{"moderated", lists.ErrModerated},
	}
}

// other is the reason that has no word of its own.
const other = "other"

// Reason is the word of a lists.Verdict's reason, for Facts.Reason: "not-member". It is stable, so it may be kept in
// files; "other" is one that has no word.
func Reason(err error) string {
	for _, r := range reasons() {
		if errors.Is(err, r.is) {
			return r.word
		}
	}
	return other
}

// checkName gives an error that names the texts there are.
func checkName(n Name) error {
	if slices.Contains(Names(), n) {
		return nil
	}
	var all []string
	for _, n := range Names() {
		all = append(all, string(n))
	}
	return fmt.Errorf("no such text (there are: %s)", strings.Join(all, ", "))
}
