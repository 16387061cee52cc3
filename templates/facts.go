package templates

import (
	"cmp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"superlistd/lists"
)

// Facts are what texts are made of; each text uses some of them. Whatever they hold, Text puts them on one line (Text:
// on lines), without controls, cut to a bound.
type Facts struct {
	// List is the list's address and Owner that of its owners; both are filled in when they are "".
	List, Owner string
	// ID is that of the held post, and Entry that of the post in the spool: what listctl takes; "" is none.
	ID, Entry string

	// Author is the address of From, AuthorName what it is called there, decoded.
	Author, AuthorName string
	// PostSubject is decoded.
	PostSubject string
	MessageID   string
	// Date is when we took the post.
	Date time.Time
	// Size of the post, or of the removed part, in octets; 0 is unknown.
	Size int64

	// Reason is a word that Reason returned, and Detail more about it (lists.Verdict.Text, say); "" is none.
	Reason, Detail string
	// Identity is how well Author is proven, as a word: lists.Proof.String. Results are the Authentication-Results.
	Identity, Results string
	// Days is how many days a held post waits; 0 is for ever.
	Days int
	// HeaderOnly: of the attached post there is only the header.
	HeaderOnly bool
	// Answer is the address that decides about the post when a command is sent to it; "" is none.
	Answer string

	// Decision is "approve", "reject", "discard", or "expire" when nobody decided in time; Ban: the author was banned as well; By is who decided, and At when.
	Decision string
	Ban      bool
	By       string
	At       time.Time
	// Already: the decision is not that of the reader, who came later.
	Already bool
	// Yours: it is, from an earlier answer.
	Yours bool
	// Untold: the author of a rejected post hears nothing, since it is not proven that he wrote it.
	Untold bool
	// Text is of several lines: what the moderator tells the author, or what was not understood.
	Text string

	// Items are posts (Notices, Expired, HeldPosts) or the lists that refused one (Refused).
	Items []Item
	// Orders are what an owner wants done with members, and what somebody wants for himself where it is several things.
	Orders []Order
	// Undone are the commands of a mail that are not carried out: What is the word behind "undone-" in words.txt. A letter that
	// has some begins with the text Undone.
	Undone []Group
	// Lists are those that took a post.
	Lists []string

	// Volume and Issue are what a digest is called; Part counts the mails that it is sent in, from 1 to Parts. Posts is how many are in
	// this one; Late: the rest of the issue was sent before.
	Volume, Issue, Part, Parts, Posts int
	Late                              bool

	// PartName is the file name of a removed part, decoded, "" without one; PartType its media type.
	PartName, PartType string

	// Delivered is how many of Total members have the post, and Bounced from how many it came back; Error is the last one.
	Delivered, Bounced, Total int
	Error                     string

	// Removed: the member is one no more.
	Removed bool
	// Way is why he was removed, as the word behind "removed-" in words.txt: "bounces", "complaint" or "mail"; "" is not said.
	Way string
	// Wrong is what is wrong with the days of a command, as the word behind "wrong-": "swapped", "past", "no-day" or "one-day"; "" is nothing.
	Wrong string

	// Groups are what happened from Since to At, and Waiting how many posts wait for a moderator.
	Groups  []Group
	Since   time.Time
	Waiting int

	// Page is a link by which the reader leaves the list; "" is none.
	Page string
	// Member is the reader's address on the list, or that of whom it is about. Subscribe is where he writes to join, Unsubscribe
	// to leave, and Request where commands go; they are filled in when they are "".
	Member, Subscribe, Unsubscribe, Request string

	// MemberName is what the member is called; "" without a name.
	MemberName string
	// Description is the list's, and Policy its setting subscribe.
	Description, Policy string
	// Token is what confirms a request beside Answer, written to Request.
	Token string
	// Delivery is "mail", "digest", "plain" or "nomail": how the member gets posts; on the days SuspendedFrom to SuspendedUntil he gets none.
	Delivery string
	// Later: that holds from the list's next digest on.
	Later                         bool
	SuspendedFrom, SuspendedUntil time.Time
	// Owns: the reader is an owner.
	Owns bool
	// Shown is how many of Total members are in Text.
	Shown int
}

// Item is one of several posts or lists. Its facts are those of Facts.
type Item struct {
	// Number counts from 1; it is filled in when it is 0.
	Number         int
	ID, List       string
	From, FromName string
	Subject        string
	Date           time.Time
	Size           int64
	Reason, Detail string
	Identity       string
	Answer         string
}

// Order is what an owner wants done with a member, or somebody for himself.
type Order struct {
	// Number counts from 1; it is filled in when it is 0.
	Number        int
	Address, Name string
	// What is "add", "remove", "join", "leave", "resume", "suspend" (from the day From to the day Until), or a delivery that is set.
	What        string
	From, Until time.Time
	// Answer says what came of it: "done", "next" (it holds from the next digest on), "absent", and what may come of an invitation; "" is
	// nothing yet.
	Answer string
}

// Group is one kind of what happened: What is the word behind "summary-" in words.txt.
type Group struct {
	What  string
	Count int
	// Names say of the first ones whom or what they are about.
	Names []string
	// More is how many are not in Names, if there are any; it is filled in.
	More int
}

// view is what a text sees: facts that are clean, and what was left out of them.
type view struct {
	Facts
	// Count is how many items there are, and More how many of them are not in Items.
	Count, More int
	// MoreLists is how many are not in Lists.
	MoreLists int
}

const (
	maxItems   = 50
	maxOrders  = 100  // more than one mail can ask for: what is confirmed must be seen
	maxRunes   = 200  // of a line
	maxAddress = 320  // of an address, which has no more octets: see lists.ParseAddress
	maxResults = 1000 // of what many methods together say
	maxText    = 8000
)

// viewOf bounds the facts and cleans them.
func viewOf(list lists.Address, f Facts) view {
	v := view{Facts: f, Count: len(f.Items)}
	l := lists.List{Address: list}
	v.List, v.Owner = cmp.Or(v.List, l.Address.String()), cmp.Or(v.Owner, l.Owner().String())
	v.Subscribe = cmp.Or(v.Subscribe, l.Subscribe().String())
	v.Unsubscribe, v.Request = cmp.Or(v.Unsubscribe, l.Unsubscribe().String()), cmp.Or(v.Request, l.Request().String())
	for _, s := range []*string{&v.List, &v.Owner, &v.Author, &v.By, &v.Member, &v.Subscribe, &v.Unsubscribe, &v.Request} {
		*s = oneLine(*s, maxAddress)
	}
	for _, s := range []*string{
		&v.ID, &v.Entry, &v.AuthorName, &v.PostSubject, &v.MessageID, &v.Reason, &v.Identity, &v.Decision, &v.PartName, &v.PartType, &v.MemberName, &v.Description, &v.Policy,
		&v.Token, &v.Delivery, &v.Way, &v.Wrong,
	} {
		*s = oneLine(*s, maxRunes)
	}
	for _, s := range []*string{&v.Detail, &v.Results, &v.Error, &v.Page} {
		*s = oneLine(*s, maxResults)
	}
	v.Answer, v.Text = linkable(v.Answer), lines(v.Text)
	v.Items = append([]Item(nil), f.Items[:min(len(f.Items), maxItems)]...)
	for i := range v.Items {
		v.Items[i].clean(i)
	}
	v.More = v.Count - len(v.Items)
	v.Orders = append([]Order(nil), f.Orders[:min(len(f.Orders), maxOrders)]...)
	for i := range v.Orders {
		v.Orders[i].clean(i)
	}
	v.Groups = append([]Group(nil), f.Groups[:min(len(f.Groups), maxItems)]...)
	for i := range v.Groups {
		v.Groups[i].clean()
	}
	v.Undone = append([]Group(nil), f.Undone[:min(len(f.Undone), maxItems)]...)
	for i := range v.Undone {
		v.Undone[i].clean()
	}
	v.Lists = append([]string(nil), f.Lists[:min(len(f.Lists), maxItems)]...)
	for i := range v.Lists {
		v.Lists[i] = oneLine(v.Lists[i], maxAddress)
	}
	v.MoreLists = len(f.Lists) - len(v.Lists)
	return v
}

func (it *Item) clean(i int) {
	if it.Number == 0 {
		it.Number = i + 1
	}
	it.Answer = linkable(it.Answer)
	for _, s := range []*string{&it.List, &it.From} {
		*s = oneLine(*s, maxAddress)
	}
	for _, s := range []*string{&it.ID, &it.FromName, &it.Subject, &it.Reason, &it.Detail, &it.Identity} {
		*s = oneLine(*s, maxRunes)
	}
}

func (o *Order) clean(i int) {
	if o.Number == 0 {
		o.Number = i + 1
	}
	o.Address = oneLine(o.Address, maxAddress)
	for _, s := range []*string{&o.Name, &o.What, &o.Answer} {
		*s = oneLine(*s, maxRunes)
	}
}

func (g *Group) clean() {
	g.What = oneLine(g.What, maxRunes)
	g.Names = append([]string(nil), g.Names[:min(len(g.Names), maxItems)]...)
	for i := range g.Names {
		g.Names[i] = oneLine(g.Names[i], maxAddress+maxRunes)
	}
	if g.More = 0; len(g.Names) > 0 {
		g.More = max(g.Count-len(g.Names), 0)
	}
}

// linkable is an address for links, which are many and long: "" is one that is none by its length.
func linkable(address string) string {
	if len(address) > maxAddress {
		return ""
	}
	return oneLine(address, maxAddress)
}

// oneLine makes one line of at most some characters: blanks are joined, what is not UTF-8 becomes U+FFFD.
func oneLine(s string, most int) string {
	words := strings.FieldsFunc(clean(cut(s, most)), func(r rune) bool { return r == ' ' })
	return cutRunes(strings.Join(words, " "), most)
}

// lines keeps the line ends of a text.
func lines(s string) string {
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(cut(s, maxText))
	all := strings.Split(s, "\n")
	for i := range all {
		all[i] = strings.TrimRight(clean(all[i]), " ")
	}
	return cutRunes(strings.Trim(strings.Join(all, "\n"), "\n"), maxText)
}

// cut keeps the work on a text linear in what can be shown of it: no character has more than four octets, and of those
// that are thrown away there may be some.
func cut(s string, most int) string {
	if len(s) > 8*most {
		return s[:8*most]
	}
	return s
}

// clean leaves out what would not be seen, or would turn the rest of the line around; line ends become blanks.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\u00a0', r == '\u202f': // French sets them before a colon
			return r
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Bidi_Control, r), r == '\uFEFF':
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}

// cutRunes ends what is too long with an ellipsis.
func cutRunes(s string, most int) string {
	if len(s) <= most || utf8.RuneCountInString(s) <= most {
		return s
	}
	n := 0
	for i := range s {
		if n++; n == most {
			return s[:i] + "…"
		}
	}
	return s
}
