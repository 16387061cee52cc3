package lists

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

// How long a History remembers, and how much of one post.
const (
	// RateMemory is how far back Recent counts.
	RateMemory = time.Hour
	// MaxRate is how many posts of a list count in an hour at least.
	MaxRate = 10_000
	// ThreadMemory is how far back InThread looks.
	ThreadMemory = 60 * 24 * time.Hour
	// MaxReferences is how many of a post's references count, and of the ids of InThread.
	MaxReferences = 32
	// MaxAnswered is how many of those count whom a post answers.
	MaxAnswered = 20
	// maxMessageID is what fits one line (RFC 5322 section 2.1.1), in octets.
	maxMessageID = 998
)

// History remembers who posted to a list, for its limits per hour and for answers of
// people who are no members. It is beside the Store and not part of it: it may be lost,
// and mail goes on. What it holds is bounded for each list, in number and in age; beyond
// the number the oldest is forgotten. A list of which nothing was noted has an empty
// history, and need not exist.
//
// Methods may be called from many goroutines. Errors are ErrStore and ErrSchema, wrapped,
// or the error of ctx; of Note also those of Posted.Check.
type History interface {
	// Note records a post that was accepted. A post with the Key of one that counts in
	// Recent is the same post in another attempt, and changes nothing.
	Note(ctx context.Context, list Address, p Posted) error
	// Recent counts the posts since then, of author and of all, without the one of key.
	// What is more than RateMemory older than the latest post may not be counted any more.
	// Nor is what lies twice RateMemory after since: a clock that was wrong once does not
	// close a list.
	Recent(ctx context.Context, list, author Address, key string, since time.Time) (byAuthor, byList int, err error)
	// InThread reports whether author is part of a thread that one of the messages ids
	// belongs to, by a post to it since then, or by a post since then that answers one of
	// his or names him in Posted.Answered. ids are the nearest first, see MessageIDs; those
	// over MaxReferences do not count. What is more than ThreadMemory older than the latest
	// post may be forgotten.
	InThread(ctx context.Context, list, author Address, ids []string, since time.Time) (bool, error)
	// Forget drops what was noted for a time before this, of all lists.
	Forget(ctx context.Context, before time.Time) error
	// Close releases what the history holds. No method may be called after it.
	Close() error
}

// Posted is one post for a History.
type Posted struct {
	// Key is the same for every attempt to hand in the post, and of no other post of the
	// list. "" is a post that cannot be told from others: each attempt counts.
	Key string
	// Author is for whom the post counts: of an alias, the member's own address.
	Author Address
	// MessageID is the post's own; "" when it has none.
	MessageID string
	// References are the messages that it answers, the nearest first, see MessageIDs. It
	// belongs to the thread of the first that is known.
	References []string
	// Answered are those who become part of the thread by this post, because it is
	// written to them: how the writer of a mail that never came to the list gets into its
	// thread. Only of members' posts, else strangers could bring in strangers.
	Answered []Address
	At       time.Time
}

// Check gives ErrAddress, wrapped, for an author or one who is answered that ParseAddress
// would not have made, and an error for a time that lies before 1970 or after 2200.
func (p Posted) Check() error {
	if err := p.Author.Check(); err != nil {
		return err
	}
	for _, a := range p.Answered {
		if err := a.Check(); err != nil {
			return err
		}
	}
	if y := p.At.UTC().Year(); y < 1970 || y > 2200 {
		return fmt.Errorf("no post was made in the year %d", y)
	}
	return nil
}

// Bounded returns the post as a History looks at it: message ids as NormalIDs has them,
// and no more people than count. Engines call it.
func (p Posted) Bounded() Posted {
	p.MessageID = normalID(p.MessageID)
	p.References = slices.DeleteFunc(NormalIDs(p.References), func(id string) bool { return id == p.MessageID })
	p.Answered = p.Answered[:min(len(p.Answered), MaxAnswered)]
	return p
}

// NormalIDs returns the first MaxReferences of ids, without angle brackets and blanks,
// each once; those that can be none are left out.
func NormalIDs(ids []string) []string {
	normal := make([]string, 0, min(len(ids), MaxReferences))
	for _, id := range ids {
		if len(normal) == MaxReferences {
			break
		}
		if id = normalID(id); id != "" && !slices.Contains(normal, id) {
			normal = append(normal, id)
		}
	}
	return normal
}

// normalID takes off angle brackets and blanks; "" is no message id.
func normalID(id string) string {
	if len(id) > maxMessageID {
		return ""
	}
	return strings.Trim(id, "<> \t\r\n")
}

// MessageIDs reads In-Reply-To and References, which are the fields' texts as they stand
// (RFC 5322 section 3.6.4), into the ids of the messages that are answered: those of
// In-Reply-To, then those of References from the last to the first, at most MaxReferences.
// Whatever else people's programs have written there is passed over.
func MessageIDs(inReplyTo, references string) []string {
	ids := bracketed(inReplyTo)
	chain := bracketed(references)
	slices.Reverse(chain)
	return NormalIDs(append(ids, chain...))
}

// bracketed are the last texts in angle brackets, without blanks or brackets within.
func bracketed(s string) (found []string) {
	// From the end, for the end is the nearest; and what lies before it costs nothing.
	for len(found) < MaxReferences {
		end := strings.LastIndexByte(s, '>')
		if end < 0 {
			break
		}
		s = s[:end]
		start := strings.LastIndexAny(s, "<> \t\r\n")
		if start >= 0 && s[start] == '<' && start+1 < len(s) {
			found = append(found, s[start+1:])
			s = s[:start]
		}
	}
	slices.Reverse(found)
	return found
}
