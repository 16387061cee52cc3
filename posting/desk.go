package posting

import (
	"context"
	"io"
	"time"

	"superlistd/identity"
	"superlistd/lists"
	"superlistd/message"
	"superlistd/templates"
)

// Options are what a Desk works with. Hostname and Members are needed, the rest may be missing.
type Options struct {
	// Hostname is our name in Received and Authentication-Results.
	Hostname string
	Members  lists.Store
	// Identity proves who the author is; without it nobody is proven or contradicted, but for Envelope.Trusted.
	Identity *identity.Checker
	// History knows earlier posts, for reply_ok, posts_per_hour and list_posts_per_hour; without it they are not looked at.
	History lists.History
	// Unsubscribe is the page where one leaves a list, for List-Unsubscribe; nil, or "": there is none.
	Unsubscribe func(list lists.Address) string
	// Page is where a member leaves a list by one click, for the List-Unsubscribe of personal copies; nil, or "": there is none.
	Page func(list, member lists.Address) string
	// Texts are for the notes where a part was removed.
	Texts *templates.Set
	// Report hears of a text of the site's own that cannot be used; nil: nobody does.
	Report func(error)
	// Signer returns who signs for a domain, nil for nobody.
	Signer func(domain string) *identity.Signer
	// Key makes the Message-IDs of anonymous lists.
	Key []byte
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Desk judges and dresses posts. It is safe for many goroutines; a Post is not.
type Desk struct{ opts Options }

// New returns a Desk.
func New(o Options) *Desk {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Unsubscribe == nil {
		o.Unsubscribe = func(lists.Address) string { return "" }
	}
	if o.Page == nil {
		o.Page = func(_, _ lists.Address) string { return "" }
	}
	if o.Report == nil {
		o.Report = func(error) {}
	}
	return &Desk{opts: o}
}

// Judgement is what was decided about a post to one list.
type Judgement struct {
	lists.Verdict
	// List is the list that decided; Author the member whose post it is, zero when he is none.
	List   lists.List
	Author lists.Member
	// Proof is how well the author is proven.
	Proof lists.Proof
	// Trouble is why the list's history could not be asked; the post was judged without it.
	Trouble error
}

// Judge decides about a post. The errors are those of the store and of reading the content; nothing is decided then.
func (d *Desk) Judge(ctx context.Context, p *Post, l lists.List) (Judgement, error) {
	d.identify(ctx, p)
	j := Judgement{List: l, Proof: p.found.Proof}
	facts, err := d.facts(ctx, p, &j)
	if err != nil {
		return Judgement{}, err
	}
	j.Verdict = l.Judge(facts)
	return j, nil
}

// identify asks who the author is, once a post: the answer is the same for every list.
func (d *Desk) identify(ctx context.Context, p *Post) {
	if p.checked {
		return
	}
	p.checked = true
	switch {
	case d.opts.Identity != nil:
		p.found = d.opts.Identity.Check(ctx, p.facts(), func() io.Reader { return p.Content.Reader(0) })
	case p.Trusted:
		p.found.Proof = lists.Proven
	}
}

// Proof is how well the author of a mail is proven, a post or not.
func (d *Desk) Proof(ctx context.Context, p *Post) lists.Proof {
	d.identify(ctx, p)
	return p.found.Proof
}

// Results is the value of our Authentication-Results, "" when nobody looked.
func (d *Desk) Results(p *Post) string {
	switch {
	case p.results != "":
		return p.results
	case d.opts.Identity == nil || !p.checked || p.Trusted || p.found.Author == "":
		return ""
	}
	return p.found.AuthenticationResults(d.opts.Hostname)
}

// maxCommand is the largest message that may be a lone command. Beyond, nobody looks into the body for one.
const maxCommand = 32 << 10

// facts gathers what the list asks for, and no more: a large body is read only where a setting wants to know of its parts.
func (d *Desk) facts(ctx context.Context, p *Post, j *Judgement) (lists.PostFacts, error) {
	l, s := j.List, j.List.Settings
	f := lists.PostFacts{
		NullSender: p.ReversePath == "", Authors: p.Authors, Proof: p.found.Proof,
		Size: p.Content.Size(), Named: p.To, NamedCount: p.Named,
		Automatic: message.Automatic(p.Head),
		Loop:      message.CheckLoop(p.Head, d.opts.Hostname, l.Address, l.ID()),
		Fields:    func(name string) []string { return message.Texts(p.Head, name) },
	}
	f.ReversePath, _ = lists.ParseAddress(p.ReversePath)
	if author := p.Author(); !author.IsZero() {
		m, found, err := d.opts.Members.Member(ctx, l.Address, author)
		if err != nil {
			return f, err
		}
		if found {
			j.Author, f.Member = m, &m
		}
	}
	if s.CatchCommands && f.Size <= maxCommand || s.LooksAtParts() {
		body, err := p.inspected()
		if err != nil {
			return f, err
		}
		f.Command, f.Content, f.HasHTML, f.Unseen = body.Command(), body.Parts(), body.HasHTML(), body.Limited()
	}
	j.Trouble = d.history(ctx, p, l, &f)
	return f, nil
}

// history asks what was posted before. A history that cannot be read stops no post: what it is for
// is comfort and a brake, not safety.
func (d *Desk) history(ctx context.Context, p *Post, l lists.List, f *lists.PostFacts) (err error) {
	s := l.Settings
	if d.opts.History == nil || p.Author().IsZero() {
		return nil
	}
	now, author := d.opts.Now(), counted(p, f.Member)
	if s.PostsPerHour > 0 || s.ListPostsPerHour > 0 {
		key, err := p.name(l)
		if err != nil {
			return err
		}
		if f.RecentByAuthor, f.RecentByList, err = d.opts.History.Recent(ctx, l.Address, author, key, now.Add(-lists.RateMemory)); err != nil {
			return err
		}
	}
	if s.ReplyOK && f.Member == nil {
		f.InThread, err = d.opts.History.InThread(ctx, l.Address, author, message.Thread(p.Head), now.Add(-lists.ThreadMemory))
	}
	return err
}

// counted is for whom a post counts: a member has one count, by whatever alias he writes.
func counted(p *Post, m *lists.Member) lists.Address {
	if m != nil {
		return m.Address
	}
	return p.Author()
}

// Posted notes that a post went out: in the history, where the list wants that known (a post that comes again is not noted
// twice), and of a newcomer, that he has posted.
func (d *Desk) Posted(ctx context.Context, p *Post, j Judgement) error {
	l, s := j.List, j.List.Settings
	if m := j.Author; !m.Address.IsZero() && m.Posts < s.Moderation.Newcomers {
		if err := lists.CountPost(ctx, d.opts.Members, l.Address, m.Address); err != nil {
			return err
		}
	}
	if d.opts.History == nil || p.Author().IsZero() || s.PostsPerHour == 0 && s.ListPostsPerHour == 0 && !s.ReplyOK {
		return nil
	}
	key, err := p.name(l)
	if err != nil {
		return err
	}
	posted := lists.Posted{Key: key, Author: p.Author(), MessageID: message.ID(p.Head), References: message.Thread(p.Head), At: d.opts.Now()}
	if m := j.Author; !m.Address.IsZero() {
		posted.Author, posted.Answered = m.Address, p.To
	}
	return d.opts.History.Note(ctx, l.Address, posted)
}
