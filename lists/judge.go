package lists

import (
	"fmt"
	"slices"
	"strings"
)

// Judge decides about a post. It is pure, and the first decision counts:
//
//   - post = nobody: refused (ErrClosed)
//   - null reverse-path or automatic mail: refused (ErrAutomatic)
//   - the author, the member he is, or the reverse-path is banned: refused (ErrBanned)
//   - no author, or several: refused (ErrNoAuthor)
//   - emergency: held (ErrEmergency), whoever wrote it
//   - a loop: refused (PostFacts.Loop)
//   - max_size (ErrTooBig), posts_per_hour and list_posts_per_hour (ErrTooOften),
//     max_recipients (ErrTooManyNamed), explicit_destination (ErrNotNamed): refused
//   - header_rules: what the first that matches says (ErrHeaderRule); accept ends here
//   - catch_commands (ErrCommand), html (ErrContent): refused
//   - extensions, mime_types, attachments: refused or held (ErrContent)
//   - who the author is: see author
func (l List) Judge(p PostFacts) Verdict {
	for _, rule := range []func(PostFacts) (Verdict, bool){
		l.closed, l.automatic, l.banned, l.authorless, l.emergency, l.loop,
		l.tooBig, l.tooOften, l.destination, l.header, l.command, l.html,
	} {
		if v, decided := rule(p); decided {
			return v
		}
	}
	v, remove := l.content(p)
	if v.Action == Accept {
		v = l.author(p)
	}
	if v.Action == Accept || v.Action == Hold {
		v.Remove = remove
	}
	return v
}

// JudgeEarly decides at RCPT what is certain then, in the same order: post = nobody, a
// banned reverse-path, max_size. Nothing is held or discarded by it. A null reverse-path
// is not refused so early: others test with it whether an address exists.
func (l List) JudgeEarly(p EarlyFacts) Verdict {
	facts := PostFacts{ReversePath: p.ReversePath, Size: p.Size}
	for _, rule := range []func(PostFacts) (Verdict, bool){l.closed, l.banned, l.tooBig} {
		if v, decided := rule(facts); decided {
			return v
		}
	}
	return accept()
}

func (l List) closed(PostFacts) (Verdict, bool) {
	if l.Settings.Post != PostNobody {
		return Verdict{}, false
	}
	return l.decide(Refuse, ErrClosed, "%s takes no posts", l.Address), true
}

func (l List) automatic(p PostFacts) (Verdict, bool) {
	if !p.NullSender && !p.Automatic {
		return Verdict{}, false
	}
	return l.decide(Refuse, ErrAutomatic, "%s takes no automatic mail", l.Address), true
}

func (l List) banned(p PostFacts) (Verdict, bool) {
	who := append([]Address{p.ReversePath}, p.Authors...)
	if p.Member != nil {
		who = append(who, p.Member.Address)
	}
	for i, a := range who {
		if !slices.Contains(who[:i], a) && l.Settings.IsBanned(a) {
			return l.decide(Refuse, fmt.Errorf("%w: %s", ErrBanned, a), "you may not post to %s", l.Address), true
		}
	}
	return Verdict{}, false
}

func (l List) authorless(p PostFacts) (Verdict, bool) {
	if len(p.Authors) == 1 {
		return Verdict{}, false
	}
	return l.decide(Refuse, ErrNoAuthor, "a post needs one From address"), true
}

func (l List) emergency(PostFacts) (Verdict, bool) {
	if !l.Settings.Emergency {
		return Verdict{}, false
	}
	return l.decide(Hold, ErrEmergency, "every post to %s is held for now", l.Address), true
}

func (l List) loop(p PostFacts) (Verdict, bool) {
	if p.Loop == nil {
		return Verdict{}, false
	}
	return l.decide(Refuse, p.Loop, "mail loop: this message was here before, or passed too many hosts"), true
}

func (l List) tooBig(p PostFacts) (Verdict, bool) {
	most := l.Settings.MaxSize
	if most <= 0 || p.Size <= most {
		return Verdict{}, false
	}
	return l.decide(Refuse, fmt.Errorf("%w of %s", ErrTooBig, FormatSize(most)), "a post to %s may have at most %s", l.Address, FormatSize(most)), true
}

// tooOften refuses for good: a loop that is asked to try again later goes on for ever.
func (l List) tooOften(p PostFacts) (Verdict, bool) {
	s := l.Settings
	switch {
	case s.PostsPerHour > 0 && p.RecentByAuthor >= s.PostsPerHour:
		return l.decide(Refuse, fmt.Errorf("%w: %d by the author", ErrTooOften, s.PostsPerHour),
			"you may post to %s at most %d times in an hour", l.Address, s.PostsPerHour), true
	case s.ListPostsPerHour > 0 && p.RecentByList >= s.ListPostsPerHour:
		return l.decide(Refuse, fmt.Errorf("%w: %d of the list", ErrTooOften, s.ListPostsPerHour),
			"%s takes at most %d posts in an hour", l.Address, s.ListPostsPerHour), true
	}
	return Verdict{}, false
}

func (l List) destination(p PostFacts) (Verdict, bool) {
	most := l.Settings.MaxRecipients
	switch {
	case most > 0 && max(p.NamedCount, len(p.Named)) > most:
		return l.decide(Refuse, fmt.Errorf("%w: at most %d", ErrTooManyNamed, most),
			"to and Cc of a post to %s may name at most %d addresses", l.Address, most), true
	case l.Settings.ExplicitDestination && !containsAddress(p.Named, l.Address):
		return l.decide(Refuse, ErrNotNamed, "to or Cc of a post must name %s", l.Address), true
	}
	return Verdict{}, false
}

// maxMatched bounds what one header rule looks at, in octets of all values together.
const maxMatched = 4 << 10

func (l List) header(p PostFacts) (Verdict, bool) {
	if p.Fields == nil {
		return Verdict{}, false
	}
	for _, rule := range l.Settings.HeaderRules {
		if !rule.matches(p.Fields(rule.Field)) {
			continue
		}
		if rule.Action == Accept {
			return accept(), true
		}
		return l.decide(rule.Action, fmt.Errorf("%w: %s", ErrHeaderRule, rule), "%s does not take this %s", l.Address, rule.Field), true
	}
	return Verdict{}, false
}

func (r HeaderRule) matches(values []string) bool {
	left := maxMatched
	for _, v := range values {
		v = v[:min(len(v), left)]
		if r.Pattern.Match(v) {
			return true
		}
		if left -= len(v); left <= 0 {
			return false
		}
	}
	return false
}

func (l List) command(p PostFacts) (Verdict, bool) {
	if !l.Settings.CatchCommands || !p.Command {
		return Verdict{}, false
	}
	return l.decide(Refuse, ErrCommand, "this is a command, not a post: to leave the list, write to %s", l.Unsubscribe()), true
}

func (l List) html(p PostFacts) (Verdict, bool) {
	if l.Settings.HTML != HTMLRefuse || !p.HasHTML {
		return Verdict{}, false
	}
	return l.decide(Refuse, fmt.Errorf("%w: HTML", ErrContent), "%s takes no HTML: write plain text", l.Address), true
}

// content decides about the parts: refused when one of them is, else held, else
// accepted without those that are to be removed.
func (l List) content(p PostFacts) (v Verdict, remove []int) {
	if s := l.Settings; p.Unseen && s.LooksAtParts() {
		return l.decide(Refuse, fmt.Errorf("%w: too many parts, or too deep", ErrContent), "the post has too many parts to look at"), nil
	}
	held := -1
	for i, part := range p.Content {
		switch l.Settings.part(part) {
		case Refuse:
			return l.partVerdict(Refuse, part), nil
		case Hold:
			if held < 0 {
				held = i
			}
		case Remove:
			remove = append(remove, i)
		}
	}
	if held >= 0 {
		return l.partVerdict(Hold, p.Content[held]), remove
	}
	return accept(), remove
}

func (l List) partVerdict(action Action, part PartFact) Verdict {
	what := part.Type
	if part.Filename != "" {
		what = part.Filename + " (" + part.Type + ")"
	}
	const most = 80
	if what = printable(what); len(what) > most {
		what = what[:most] + "..."
	}
	return l.decide(action, fmt.Errorf("%w: %s", ErrContent, what), "%s does not take the part %s", l.Address, what)
}

// LooksAtParts tells whether a setting wants to know of the parts of a post.
func (s Settings) LooksAtParts() bool {
	return s.HTML != HTMLAccept || s.Attachments != Accept || len(s.MimeTypes) > 0 || len(s.Extensions) > 0
}

// part decides about one part. What MimeTypes and Extensions say of it counts, the
// stricter of the two; without a word of theirs, what Attachments says.
func (s Settings) part(p PartFact) Action {
	action, named := Accept, false
	kind := foldASCII(p.Type)
	for _, r := range s.MimeTypes {
		if whole, ok := strings.CutSuffix(r.Type, "*"); kind == r.Type || ok && strings.HasPrefix(kind, whole) {
			action, named = r.Action, true
			break
		}
	}
	// Windows opens "a.exe. " as "a.exe".
	name := strings.TrimRight(foldASCII(p.Filename), ". ")
	for _, r := range s.Extensions {
		if strings.HasSuffix(name, "."+r.Type) {
			action, named = stricter(action, r.Action), true
			break
		}
	}
	if !named && p.attached() {
		return s.Attachments
	}
	return action
}

func stricter(a, b Action) Action {
	for _, strict := range []Action{Refuse, Hold, Remove} {
		if a == strict || b == strict {
			return strict
		}
	}
	return Accept
}

// attached reports whether a part is an attachment: not the text that people read, not
// the pictures in it, not a signature.
func (p PartFact) attached() bool {
	kind := foldASCII(p.Type)
	inline := strings.EqualFold(p.Disposition, "inline")
	switch {
	case p.Sealed:
		return false
	case strings.EqualFold(p.Disposition, "attachment"):
		return !isSignature(kind)
	case strings.HasPrefix(kind, "text/"):
		return p.Filename != "" && !inline
	case strings.HasPrefix(kind, "multipart/"), isSignature(kind):
		return false
	case strings.HasPrefix(kind, "image/"):
		return !inline
	}
	return true // some mailers send every file inline
}

// isSignature: RFC 3156 section 5, RFC 8551 section 3.5.3, and what makes an encrypted
// post of RFC 3156 section 4.
func isSignature(kind string) bool {
	switch kind {
	case "application/pgp-signature", "application/pgp-encrypted", "application/pkcs7-signature", "application/x-pkcs7-signature":
		return true
	}
	return false
}
