package moderation

import (
	"context"
	"errors"
	"fmt"

	"superlistd/delivery"
	"superlistd/letters"
	"superlistd/lists"
	"superlistd/moderation/held"
	"superlistd/templates"
)

const (
	// maxAttached is how large the posts in one notice may be together, in octets: of the others the header goes along.
	maxAttached = 1 << 20
	// maxGathered is how many posts one notice tells of: as many as its text shows.
	maxGathered = 50
)

// notice asks the moderators of a list about posts, in one mail. It is tried again when it fails.
func (o *Office) notice(ctx context.Context, l lists.List, posts []held.Facts) {
	err := o.sendNotice(ctx, l, posts)
	o.log("notice failed", l.Address, posts[0].ID, err)
	for _, f := range posts {
		if err != nil {
			o.failed(f.ID)
			continue
		}
		if err := o.opts.Held.MarkNoticed(f.ID); err != nil && !errors.Is(err, held.ErrGone) {
			o.failed(f.ID)
			o.log("notice not marked", l.Address, f.ID, err) // it is sent again, unless the retry guard knows it
		}
	}
}

func (o *Office) sendNotice(ctx context.Context, l lists.List, posts []held.Facts) error {
	m := letters.Letter{
		List: l, To: letters.Mailboxes(l.Settings.ModeratedBy()), Name: templates.Notices, Language: l.Settings.Language,
		Facts: templates.Facts{Days: l.Settings.HoldDays},
	}
	room := int64(maxAttached)
	words := []string{"notice"}
	var last held.Facts
	for _, f := range posts {
		p, err := o.opts.Held.Open(f.ID)
		if errors.Is(err, held.ErrGone) {
			continue // somebody was faster
		}
		if err != nil {
			return err
		}
		defer p.Close() // when all of it is sent
		a, err := letters.Attach(p, p.Facts().Envelope.UTF8, room)
		if err != nil {
			return fmt.Errorf("held post %s: %w", f.ID, err)
		}
		if a.Whole() {
			room -= p.Size()
		}
		m.Attached = append(m.Attached, a)
		m.Facts.Items = append(m.Facts.Items, o.item(f))
		words = append(words, f.ID)
		last = f
	}
	switch len(m.Attached) {
	case 0:
		return nil
	case 1:
		m.ReplyTo = o.answerAddress(l.Address, last.ID)
		m.Name, m.Facts = templates.Notice, o.facts(l, last)
		m.Facts.HeaderOnly, m.Facts.Answer = !m.Attached[0].Whole(), m.ReplyTo.String()
	}
	m.Key = keyOf(words...)
	return o.opts.Letters.Send(ctx, m)
}

// facts are those of a held post, for texts.
func (o *Office) facts(l lists.List, f held.Facts) templates.Facts {
	return templates.Facts{
		ID: f.ID, Author: f.Author.String(), AuthorName: f.AuthorName, PostSubject: f.Subject, MessageID: f.MessageID,
		Date: f.At, Size: f.Size, Reason: f.Reason, Detail: f.Text, Identity: f.Proof, Results: f.Results, Days: l.Settings.HoldDays,
	}
}

func (o *Office) item(f held.Facts) templates.Item {
	return templates.Item{
		ID: f.ID, List: f.List.String(), From: f.Author.String(), FromName: f.AuthorName, Subject: f.Subject, Date: f.At,
		Size: f.Size, Reason: f.Reason, Detail: f.Text, Identity: f.Proof, Answer: o.answerAddress(f.List, f.ID).String(),
	}
}

// tellHeld tells an author that his post waits, when it is he for sure: a mail to anybody else would be one that nobody wanted.
func (o *Office) tellHeld(ctx context.Context, l lists.List, f held.Facts) {
	if f.Told || !proven(f) {
		return
	}
	err := o.tellAuthor(ctx, l, f, templates.Held, "")
	if err == nil {
		err = o.opts.Held.MarkTold(f.ID)
	}
	if err != nil {
		o.failed(f.ID)
	}
	o.log("author not told that the post is held", l.Address, f.ID, err)
}

func proven(f held.Facts) bool { return f.Proof == lists.Proven.String() && !f.Author.IsZero() }

// tellAuthor sends a text to the author of a held post. That the next hop refuses his address is the end of it.
func (o *Office) tellAuthor(ctx context.Context, l lists.List, f held.Facts, name templates.Name, text string) error {
	facts := o.facts(l, f)
	facts.Text = text
	err := o.Tell(ctx, l, f.Author, name, facts, f.ID)
	if errors.Is(err, delivery.ErrAllRefused) {
		o.log("author's address refused", l.Address, f.ID, err)
		return nil
	}
	return err
}
