package held

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"superlistd/lists"
	"superlistd/wire"
)

// Facts are what is known of a held post.
type Facts struct {
	// ID names it: 12 characters of a to z and 2 to 7. Store.Put makes it.
	ID string `json:"-"`
	// Key names the post for the retry guard, in hexadecimal digits: the same Key for the same list is the same entry.
	// "": every Put is another one.
	Key      string `json:",omitempty"`
	List     lists.Address
	Envelope Envelope

	// Author is the only address of From, AuthorName what it is called there, decoded.
	Author     lists.Address
	AuthorName string `json:",omitempty"`
	// Proof is lists.Proof.String of the author; Results are the Authentication-Results.
	Proof   string
	Results string `json:",omitempty"`
	// Subject is decoded.
	Subject   string `json:",omitempty"`
	MessageID string `json:",omitempty"`

	// Reason is a word for programs, Text says it to people.
	Reason string
	Text   string `json:",omitempty"`
	// Remove are the parts that are taken out when it is released: see lists.Verdict.
	Remove []int `json:",omitempty"`

	// At is when it was held; Put fills it in.
	At time.Time
	// Size of the content in octets; Put fills it in.
	Size int64

	// Noticed: the moderators were told. Told: the author was. Counted: it is among lists.Member.Posts.
	Noticed, Told, Counted bool `json:"-"`
	// Decided is what was decided; nil: nothing yet. Finished: it is done, and the content is gone.
	Decided  *Decision `json:"-"`
	Finished bool      `json:"-"`
	// Fault is why the entry cannot be read; all but ID is empty then.
	Fault string `json:"-"`
}

// Envelope is how the post came.
type Envelope struct {
	// ReversePath is a mailbox as in MAIL FROM, "" the null one.
	ReversePath string
	Client      wire.ClientInfo
	// EightBit: the client declared BODY=8BITMIME. UTF8: SMTPUTF8.
	EightBit bool `json:",omitempty"`
	UTF8     bool `json:",omitempty"`
}

// Action is what becomes of a held post.
type Action string

// The actions. Expire is Discard by time, which nobody has decided.
const (
	Approve Action = "approve"
	Reject  Action = "reject"
	Discard Action = "discard"
	Expire  Action = "expire"
)

// Decision is what was decided about a held post.
type Decision struct {
	Action Action
	// Ban: the author may not post any more.
	Ban bool `json:",omitempty"`
	// By is who decided: an address, or the name of an account; "" for Expire.
	By string `json:",omitempty"`
	// Text is for the author of a rejected post.
	Text string `json:",omitempty"`
	// At is when; Decide fills it in.
	At time.Time
}

// Bounds of texts, in octets. What is longer is cut: it is for people.
const (
	maxWord = 100
	maxLine = 1000
	maxText = 8000
	// maxRemove is message.MaxParts, and more than any post has.
	maxRemove = 1000
	// maxFront bounds what stands before the content, with every octet of the texts escaped.
	maxFront = 256 << 10
)

// clip makes of facts what a file can hold. Addresses are left as they are: see check.
func (f *Facts) clip() {
	f.Key, f.Proof, f.Reason = cut(f.Key, maxWord), cut(f.Proof, maxWord), cut(f.Reason, maxWord)
	f.AuthorName, f.Subject, f.MessageID = cut(f.AuthorName, maxLine), cut(f.Subject, maxLine), cut(f.MessageID, maxLine)
	f.Text, f.Results = cut(f.Text, maxLine), cut(f.Results, maxText)
	f.Envelope.ReversePath = cut(f.Envelope.ReversePath, maxLine)
}

func (d *Decision) clip() { d.By, d.Text = cut(d.By, maxLine), cut(d.Text, maxText) }

// cut keeps most octets, without half a character, and nothing that JSON would change in silence.
func cut(s string, most int) string {
	if len(s) > most {
		s = s[:most]
		for len(s) > 0 && !utf8.RuneStart(s[len(s)-1]) {
			s = s[:len(s)-1]
		}
		if r, size := utf8.DecodeLastRuneInString(s); r == utf8.RuneError && size == 1 {
			s = s[:len(s)-1]
		}
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// check refuses facts of which a file would hold something else.
func (f *Facts) check() error {
	if f.List.IsZero() {
		return fmt.Errorf("%w: a held post without a list", ErrFacts)
	}
	for _, s := range []string{f.List.Local, f.List.Domain, f.Author.Local, f.Author.Domain} {
		if !utf8.ValidString(s) || len(s) > maxLine {
			return fmt.Errorf("%w: the address %.100q", ErrFacts, s)
		}
	}
	if len(f.Remove) > maxRemove {
		return fmt.Errorf("%w: %d parts to remove", ErrFacts, len(f.Remove))
	}
	return nil
}

func (d Decision) check() error {
	switch d.Action {
	case Approve, Reject, Discard, Expire:
		return nil
	}
	return fmt.Errorf("%w: the decision %.100q", ErrFacts, d.Action)
}

// note is what the file of a decision holds: enough to tell a later one who decided about what.
type note struct {
	Facts    Facts
	Decision Decision
}

// short leaves out of facts what nobody needs after the decision is carried out.
func (f Facts) short() Facts {
	f.Envelope, f.Results, f.Text, f.Remove = Envelope{}, "", "", nil
	return f
}

// The first lines of the files; another version of a format has another one.
const (
	postMagic = "superlistd held post 1"
	noteMagic = "superlistd decision 1"
)

// encode is the first line and the line of v.
func encode(magic string, v any) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	front := appendLine([]byte(magic), text)
	if len(front) > maxFront {
		return nil, fmt.Errorf("%w: %d octets of them", ErrFacts, len(front))
	}
	return front, nil
}
