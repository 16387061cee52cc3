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
	// Decided answers a moderator: done, or somebody was faster (Facts.Already), maybe he himself (Facts.Yours).
	Decided Name = "decided"
	// BadCommand answers a moderator whose answer was not understood.
	BadCommand Name = "badcommand"
	// Removed is what stands in the place of a part that was removed: one line, without a subject.
	Removed Name = "removed"
	// Attached names a file of a post in a digest of plain text: one line, without a subject.
	Attached Name = "attached"
	// Digest is what a digest begins with, before its table of contents.
	Digest Name = "digest"
	// Failed tells the owners that the delivery of a post was given up.
	Failed Name = "failed"
	// Probe tries the address of a member from whom mail has come back.
	Probe Name = "probe"
	// Disabled tells a member that he gets no posts any more, since mail to him comes back.
	Disabled Name = "disabled"
	// Dropped tells a member that he was removed because mail to him came back.
	Dropped Name = "dropped"
	// Storm tells the owners that one post came back from so many that it is no member's fault.
	Storm Name = "storm"
	// Complaint tells the owners that somebody calls a mail of the list abuse, and whether he was removed for it (Facts.Removed).
	Complaint Name = "complaint"
	// Summary tells the owners once a day what has happened on the list (Facts.Groups).
	Summary Name = "summary"
)

// The texts about coming and going.
const (
	// ConfirmSubscribe, ConfirmUnsubscribe and ConfirmChange ask whom a request is about (Facts.Member) whether he wants it.
	ConfirmSubscribe   Name = "confirm-subscribe"
	ConfirmUnsubscribe Name = "confirm-unsubscribe"
	ConfirmChange      Name = "confirm-change"
	// Welcome and Goodbye go to who has joined, and left.
	Welcome Name = "welcome"
	Goodbye Name = "goodbye"
	// Help says what can be done by mail, and what was not understood (Facts.Text); Info says what the list is.
	Help Name = "help"
	Info Name = "info"
	// Already, NotMember and Closed tell why a request has changed nothing.
	Already   Name = "already"
	NotMember Name = "not-member"
	Closed    Name = "closed"
	// Approve asks an owner whether somebody may join; Waiting tells him that he has to wait, and Declined that he may not.
	Approve  Name = "approve"
	Waiting  Name = "waiting"
	Declined Name = "declined"
	// Settled answers an owner who has decided, or was late (Facts.Already).
	Settled Name = "settled"
	// Joined and Left tell the owners who comes, and who goes or was removed (Facts.Removed) and why (Facts.Way).
	Joined Name = "joined"
	Left   Name = "left"
	// Changed tells a member how he gets the posts now.
	Changed Name = "changed"
	// Roster tells an owner who is a member (Facts.Text).
	Roster Name = "roster"
	// Invitation asks somebody whether he wants to be a member, with a text of the owners (Facts.Text).
	Invitation Name = "invitation"
	// ConfirmOrders asks somebody whether he wants the several things that his mail asks for, or an owner what he wants done with others
	// (Facts.Orders); Orders tells the owner what came of it.
	ConfirmOrders Name = "confirm-orders"
	Orders        Name = "orders"
	// HeldPosts tells an owner which posts wait (Facts.Items).
	HeldPosts Name = "held-posts"
	// Answers stands above the answers to several commands of one mail.
	Answers Name = "answers"
	// Undone tells somebody which commands of his mail are not carried out (Facts.Undone); other letters to him may begin with it.
	Undone Name = "undone"
)

// Names are all texts.
func Names() []Name {
	return append([]Name{Notice, Notices, Held, Rejected, Refused, Expired, Decided, BadCommand, Removed, Attached, Digest, Failed, Probe, Disabled, Dropped, Storm, Complaint, Summary},
		ConfirmSubscribe, ConfirmUnsubscribe, ConfirmChange, Welcome, Goodbye, Help, Info, Already, NotMember, Closed,
		Approve, Waiting, Declined, Settled, Joined, Left, Changed, Roster, Invitation, ConfirmOrders, Orders, HeldPosts, Answers, Undone)
}

// subject reports whether a text has one.
func (n Name) subject() bool { return n != Removed && n != Attached }

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
	all = append(all, "words")
	return fmt.Errorf("no such text (there are: %s)", strings.Join(all, ", "))
}
