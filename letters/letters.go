package letters

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/mail"
	"strings"
	"time"
	"unicode/utf8"

	"superlistd/delivery"
	"superlistd/lists"
	"superlistd/message"
	"superlistd/templates"
	"superlistd/wire"
)

// Options are what a Clerk works with. All but Sign, Now and Report are needed.
type Options struct {
	Texts *templates.Set
	// Members are asked for the language of a reader; lists.Store has it.
	Members interface {
		Member(ctx context.Context, list, address lists.Address) (lists.Member, bool, error)
	}
	// Hostname is our name in Message-IDs.
	Hostname string
	// Deliver hands mail to the next hop or to the spool: delivery.Deliverer has it. It must go by Route.Key.
	Deliver func(ctx context.Context, j delivery.Job) (delivery.Result, error)
	// Sign returns fields that go on top of a mail of ours from a domain, with their line ends, or nothing. Head ends with the empty line.
	Sign func(domain string, head []byte, body message.Content) []byte
	Now  func() time.Time
	// Report hears of a text of the site or of a list that could not be used; one of ours was.
	Report func(list lists.Address, err error)
}

// Clerk sends letters. It may be used by many at once.
type Clerk struct{ opts Options }

// New returns a Clerk.
func New(o Options) *Clerk {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Report == nil {
		o.Report = func(lists.Address, error) {}
	}
	return &Clerk{o}
}

// Letter is a mail of ours. It comes from the list's owners.
type Letter struct {
	List     lists.List
	To       []string // mailboxes; see Mailboxes
	Name     templates.Name
	Language string
	Facts    templates.Facts
	// Parts are more texts, which stand below that of Name, each under its subject and a line.
	Parts []Part

	// ReversePath is where the letter comes back to if it cannot be delivered; zero: nowhere, since nobody answers to what
	// nobody wrote.
	ReversePath lists.Address
	// ReplyTo is where an answer goes; zero: to the owners.
	ReplyTo lists.Address
	// Answers is the Message-ID of the mail that it answers, with or without angle brackets; "" is none.
	Answers  string
	Attached []Attachment
	// Key is what the letter is about: one of the same key is not sent again for days (delivery.Guard). See Key.
	Key delivery.Key
}

// Part is one of several texts in a letter.
type Part struct {
	Name  templates.Name
	Facts templates.Facts
}

// Send composes a letter and hands it over. On nil it is the next hop's or the spool's. delivery.ErrAllRefused: the next
// hop does not want its readers; after other errors it may be sent again.
func (c *Clerk) Send(ctx context.Context, l Letter) error {
	route, err := c.compose(l)
	if err == nil {
		_, err = c.opts.Deliver(ctx, delivery.Job{
			Client: wire.ClientInfo{Source: "LOCAL"}, Routes: []delivery.Route{route}, Gone: Stays,
		})
	}
	if err != nil {
		return fmt.Errorf("%s to %s: %w", l.Name, strings.Join(l.To, ", "), err)
	}
	return nil
}

// Stays is a delivery.Job's Gone for mail whose sender cannot hang up.
func Stays() bool { return false }

// Key names a letter for the retry guard: by the room that sends it, and by what it is about.
func Key(room string, words ...string) (k delivery.Key) {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %q", room, words))
	copy(k[:], sum[:])
	return k
}

// Language is that of a member, or the list's.
func (c *Clerk) Language(ctx context.Context, l lists.List, who lists.Address) string {
	if m, found, err := c.opts.Members.Member(ctx, l.Address, who); err == nil && found && m.Language != "" {
		return m.Language
	}
	return l.Settings.Language
}

// compose makes the route of a letter.
func (c *Clerk) compose(l Letter) (delivery.Route, error) {
	text, err := c.text(l)
	if err != nil {
		return delivery.Route{}, err
	}
	id := fmt.Sprintf("%s.%s@%s", l.Name, l.Key.ID(), c.opts.Hostname)
	raw, err := message.Note{
		From: l.List.Owner().String(), To: c.visible(l), Subject: text.Subject, Text: text.Body, MessageID: id, Date: c.opts.Now(),
	}.Bytes()
	if err != nil {
		return delivery.Route{}, err
	}
	head := message.ParseHeader(raw)
	body := content{message.Octets(raw[head.Len():])}
	mark(&head, l)
	r := delivery.Route{
		List: l.List.Address, ReversePath: l.ReversePath, Body: body, MessageID: "<" + id + ">", Key: l.Key, Audience: delivery.Audience{Fixed: l.To},
	}
	if len(l.Attached) > 0 {
		r.Body = attach(&head, body, l.Attached)
		for _, a := range l.Attached {
			r.EightBit, r.UTF8 = r.EightBit || a.eightBit, r.UTF8 || a.utf8
		}
	}
	r.Head = head.Bytes()
	if c.opts.Sign != nil {
		r.Head = append(c.opts.Sign(l.List.Address.Domain, r.Head, r.Body), r.Head...)
	}
	r.UTF8 = r.UTF8 || !ascii(r.Head) || !l.ReversePath.ASCII()
	for _, to := range l.To {
		r.AnyUTF8 = r.AnyUTF8 || !ascii([]byte(to))
	}
	return r, nil
}

// text is what a letter says.
func (c *Clerk) text(l Letter) (templates.Text, error) {
	text, err := c.part(l, Part{l.Name, l.Facts})
	if err != nil {
		return text, err
	}
	if len(l.Facts.Undone) > 0 && l.Name != templates.Undone {
		undone, err := c.part(l, Part{templates.Undone, l.Facts})
		if err != nil {
			return text, err
		}
		text.Body = undone.Body + "\n" + text.Body
	}
	for i, p := range l.Parts {
		below, err := c.part(l, p)
		if err != nil {
			return text, err
		}
		heading := fmt.Sprintf("%d. %s", i+1, below.Subject)
		text.Body += fmt.Sprintf("\n%s\n%s\n\n%s", heading, strings.Repeat("-", min(utf8.RuneCountInString(heading), maxRule)), below.Body)
	}
	return text, nil
}

// maxRule is how long the line below a heading is at most.
const maxRule = 72

// part makes one text of a letter. That a file of the site cannot be used is no error: then it is ours.
func (c *Clerk) part(l Letter, p Part) (templates.Text, error) {
	text, err := c.opts.Texts.Text(p.Name, l.Language, l.List.Address, p.Facts)
	if text.Body == "" {
		return text, errors.Join(fmt.Errorf("there is no text %s", p.Name), err)
	}
	if err != nil {
		c.opts.Report(l.List.Address, err)
	}
	return text, nil
}

// mark puts what tells other programs about the letter into its header.
func mark(head *message.Header, l Letter) {
	// RFC 3834 section 5: no program shall answer this, and section 3.1.7 tells the two kinds apart.
	automatic := "auto-generated"
	if answers := word(l.Answers); answers != "" {
		automatic = "auto-replied"
		head.Append("In-Reply-To", "<"+answers+">")
		head.Append("References", "<"+answers+">")
	}
	head.Append("Auto-Submitted", automatic)
	head.Append("Precedence", "bulk")
	// MS-OXCMAIL section 2.1.3.2.20: Exchange goes by this alone. Of what may come back somebody wants to hear (NDR).
	suppress := "All"
	if !l.ReversePath.IsZero() {
		suppress = "DR, RN, NRN, OOF, AutoReply"
	}
	head.Append("X-Auto-Response-Suppress", suppress)
	if !l.ReplyTo.IsZero() {
		head.Append("Reply-To", l.ReplyTo.String())
	}
}

// maxVisible is how many readers a To field names.
const maxVisible = 20

// visible is the To field: those readers whom a header can name, or the owners' address.
func (c *Clerk) visible(l Letter) string {
	var all []string
	for _, to := range l.To {
		if !strings.Contains(to, "@") { // postmaster, who has a domain on the wire only when he wants (RFC 5321 section 4.1.1.3)
			to += "@" + c.opts.Hostname
		}
		if _, err := mail.ParseAddressList(to); err == nil {
			all = append(all, to)
		}
	}
	if len(all) == 0 || len(all) > maxVisible {
		return l.List.Owner().String()
	}
	return strings.Join(all, ", ")
}

// word is a Message-ID that can stand between angle brackets, or "".
func word(id string) string {
	id = strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(id), "<"), ">")
	const most = 250
	if len(id) > most || strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '<' || r == '>' }) {
		return ""
	}
	return id
}

func ascii(b []byte) bool {
	return !bytes.ContainsFunc(b, func(r rune) bool { return r >= 0x80 })
}

// Mailboxes are those of people, or the site's postmaster when there are none (RFC 2142 section 6).
func Mailboxes(people []lists.Address) []string {
	if len(people) == 0 {
		return []string{"postmaster"}
	}
	all := make([]string, len(people))
	for i, p := range people {
		all[i] = p.String()
	}
	return all
}
