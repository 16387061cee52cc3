package digest

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"unicode/utf8"

	"superlistd/lists"
	"superlistd/message"
	"superlistd/templates"
)

// issue is a mailing that is being compiled. Of its posts no more than a few lines each are held in memory.
type issue struct {
	d *Desk
	s shelf
	l lists.List
	n int
	b *batch

	entries []*entry // in the order of the digest; nil: not read yet
	made    []*message.Spool
}

// compiled is one mail of an issue.
type compiled struct {
	ids      []string // of the posts in it
	head     func(messageID string, personal bool) []byte
	body     *message.Spool
	eightBit bool
}

func (i *issue) close() {
	for _, s := range i.made {
		s.Close() // nothing of it is needed any more
	}
}

// memory is how much of a mail is held in memory, in octets.
const memory = 1 << 20

func (i *issue) spool() *message.Spool {
	s := message.NewSpool(i.d.opts.Data, memory, 0)
	i.made = append(i.made, s)
	return s
}

// entry is what is known of one post.
type entry struct {
	id     string
	number int // in the digest, from 1
	topic  string
	author string

	words    [][16]byte // sums of the Message-IDs of the post and of those that it answers
	answers  bool       // it names such
	thread   *entry     // the first of its thread; itself
	size     int64
	text     int64 // octets of its text as it is written, at most
	eightBit bool  // there are octets beyond ASCII
	global   bool  // the header is of RFC 6532
}

// maxTitle is how long an author or a topic is in the table of contents, in characters.
const maxTitle = 100

// load reads all posts once.
func (i *issue) load() ([]*entry, error) {
	if i.entries != nil {
		return i.entries, nil
	}
	var all []*entry
	for _, id := range i.b.IDs {
		e, err := i.scan(id)
		switch {
		case errors.Is(err, fs.ErrNotExist), errors.Is(err, errDamaged):
			// Somebody has worked in the folder; the others are good.
			i.d.opts.Log(Event{List: i.l.Address, What: "post " + id + " is missing in a digest", Number: i.n, Err: err})
			continue
		case err != nil:
			return nil, err
		}
		all = append(all, e)
	}
	i.entries = threads(all)
	return i.entries, nil
}

// scan reads one post.
func (i *issue) scan(id string) (*entry, error) {
	p, err := i.s.open(i.n, id)
	if err != nil {
		return nil, err
	}
	defer p.close()
	e := &entry{id: id, size: p.Size()}
	h, err := message.ReadHeader(p)
	switch {
	case errors.Is(err, message.ErrHeader): // nothing of it can be told
	case err != nil:
		return nil, err
	default:
		i.describe(e, h, p.UTF8)
	}
	if !e.eightBit {
		if e.eightBit, err = message.BeyondASCII(p.Reader(0)); err != nil {
			return nil, err
		}
	}
	var c counter
	err = i.write(&c, p, h, i.mostText())
	e.text = c.most()
	return e, err
}

// describe reads what a header tells.
func (i *issue) describe(e *entry, h message.Header, utf8Mail bool) {
	e.topic = cut(message.Topic(h, i.l.Settings.SubjectPrefix))
	e.author = cut(message.AuthorName(h))
	if e.author == "" {
		if all := message.Authors(h); len(all) > 0 {
			e.author = cut(all[0].String())
		}
	}
	if id := message.ID(h); id != "" {
		e.words = append(e.words, sum(id))
	}
	for _, id := range message.Thread(h) {
		e.words, e.answers = append(e.words, sum(id)), true
	}
	head := h.Bytes()
	e.eightBit = !lists.IsASCII(head)
	e.global = e.eightBit && utf8Mail && utf8.Valid(head)
}

func sum(s string) (out [16]byte) {
	all := sha256.Sum256([]byte(s))
	copy(out[:], all[:])
	return out
}

func cut(s string) string {
	n := 0
	for at := range s {
		if n++; n > maxTitle {
			return s[:at] + "…"
		}
	}
	return s
}

// words are the subject of a mail and what it begins with.
func (i *issue) words(part, parts int, entries []*entry) (subject, intro string, err error) {
	text, err := i.d.opts.Texts.Text(templates.Digest, i.l.Settings.Language, i.l.Address, templates.Facts{
		Description: message.ListName(i.l), Volume: i.b.Volume, Issue: i.b.Issue, Late: i.b.Late,
		Part: part, Parts: parts, Posts: len(entries), Date: i.b.Began,
	})
	if text.Body == "" {
		return "", "", errors.Join(errors.New("there is no text for it"), err)
	}
	if err != nil {
		i.d.opts.Log(Event{List: i.l.Address, What: "text of our own used", Err: err})
	}
	if above := strings.TrimRight(i.l.Settings.Header, "\n"); above != "" {
		intro = above + "\n\n"
	}
	return text.Subject, intro + text.Body + i.contents(entries), nil
}

// head is what makes the header of a mail.
func (i *issue) head(subject, kind, encoding string) func(string, bool) []byte {
	return func(id string, personal bool) []byte {
		h := message.Issue{
			Subject: subject, MessageID: id, Date: i.b.Began, Type: kind, Encoding: encoding, Unsubscribe: i.d.opts.Unsubscribe(i.l.Address), Personal: personal,
		}
		name := i.d.opts.Hostname
		return h.Head(i.l, message.Trace{Hostname: name, Helo: name, Proto: "LOCAL", SID: fmt.Sprintf("digest-%d", i.n), For: i.l.Address, Time: i.b.Began})
	}
}

const (
	// aside is room for the header, the words of the list and the signatures, in octets.
	aside = 16 << 10
	// smallest is the least that a mail may be, whatever the next hop says.
	smallest = 128 << 10
)

// room is how large the posts of one mail may be together, in octets; 0: without a limit.
func (i *issue) room() int64 {
	if i.b.MaxSize <= 0 {
		return 0
	}
	words := int64(3 * (len(i.l.Settings.Header) + len(i.l.Settings.Footer)))
	return max(i.b.MaxSize-aside-words, smallest)
}

// mostText is how much of a post's text a mail takes, in octets; 0: all of it. What is encoded takes three octets for one, at worst.
func (i *issue) mostText() int64 { return i.room() / 8 }

// split deals posts out to mails that are not too large. need is what one takes, in octets.
func (i *issue) split(entries []*entry, need func(*entry) int64) (parts [][]*entry) {
	room := i.room()
	var size int64
	for n, e := range entries {
		// In quoted-printable an octet takes three, and topic and author have a line each.
		mine := need(e) + int64(3*(len(e.topic)+len(e.author))) + 256
		if n == 0 || room > 0 && size+mine > room {
			parts, size = append(parts, nil), 0
		}
		last := len(parts) - 1
		parts[last] = append(parts[last], e)
		size += mine
	}
	return parts
}

func idsOf(entries []*entry) []string {
	ids := make([]string, len(entries))
	for n, e := range entries {
		ids[n] = e.id
	}
	return ids
}
