package moderation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"superlistd/audit"
	"superlistd/delivery"
	"superlistd/letters"
	"superlistd/lists"
	"superlistd/moderation/held"
	"superlistd/templates"
)

// giveUp is how long a decision is tried to be carried out (RFC 5321 section 4.5.4.1: at least four to five days).
const giveUp = 5 * 24 * time.Hour

// Decide notes a decision about a held post, and carries it out. The first one counts: the others get held.ErrDecided (a
// *held.DecidedError). ErrPending: it is noted, and Tick carries it out. held.ErrGone, held.ErrDamaged. Owners and moderators
// are not banned, whatever the decision says, nor is an author whose domain denies the post: From is easily forged.
func (o *Office) Decide(ctx context.Context, id string, d held.Decision) error {
	_, err := o.decide(ctx, id, d)
	return err
}

// decide is Decide that returns the post with what was decided, where that is known.
func (o *Office) decide(ctx context.Context, id string, d held.Decision) (held.Facts, error) {
	f, err := o.opts.Held.Get(id)
	if err != nil {
		return f, err
	}
	if d.Ban {
		l, err := o.opts.Store.List(ctx, f.List)
		switch {
		case errors.Is(err, lists.ErrNoList):
			d.Ban = false
		case err != nil:
			return f, err
		default:
			d.Ban = bannable(l, f.Author) && f.Proof != lists.Contradicted.String()
		}
	}
	if f, err = o.opts.Held.Decide(id, d); err != nil {
		return f, err
	}
	o.opts.Log(Event{What: PostDecided + string(d.Action), List: f.List, ID: id, By: d.By})
	if err := o.complete(ctx, id); err != nil {
		return f, fmt.Errorf("%w: %w", ErrPending, err)
	}
	return f, nil
}

func bannable(l lists.List, author lists.Address) bool {
	return !author.IsZero() && !l.Settings.IsOwner(author) && !l.Settings.IsModerator(author)
}

// complete carries out what was decided about a post. That it is done already is no error; held.ErrBusy is one.
func (o *Office) complete(ctx context.Context, id string) error {
	p, err := o.opts.Held.Claim(id)
	if errors.Is(err, held.ErrGone) {
		return nil
	}
	if err != nil {
		return err
	}
	defer p.Close()
	f := p.Facts()
	l, err := o.opts.Store.List(ctx, f.List)
	if errors.Is(err, lists.ErrNoList) {
		o.log("decided post without a list dropped", f.List, id, err)
		return p.Finish()
	}
	if err == nil {
		err = o.carryOut(ctx, l, p)
	}
	if err != nil && o.opts.Now().Sub(f.Decided.At) > giveUp {
		o.log("decision given up", f.List, id, err)
		err = o.tellFailed(ctx, l, f, err)
	}
	if err == nil {
		err = p.Finish()
	}
	if err != nil {
		o.failed(id)
	}
	return err
}

// carryOut does what was decided; all of it may be done again.
func (o *Office) carryOut(ctx context.Context, l lists.List, p *held.Post) error {
	f := p.Facts()
	if f.Decided.Ban {
		if err := o.ban(ctx, l, f); err != nil {
			return err
		}
	}
	switch f.Decided.Action {
	case held.Approve:
		return o.release(ctx, l, p)
	case held.Reject:
		if proven(f) {
			return o.tellAuthor(ctx, l, f, templates.Rejected, f.Decided.Text)
		}
	}
	return nil
}

// release sends a post to the members. The retry guard knows it by the key, so that whoever was killed here, and does it
// again, sends what is left of it.
func (o *Office) release(ctx context.Context, l lists.List, p *held.Post) error {
	f := p.Facts()
	routes, err := o.opts.Routes(ctx, f, p, l)
	if err != nil {
		return err
	}
	for i := range routes {
		words := []string{"release", f.ID, routes[i].List.Key()}
		if kind := routes[i].Gather; kind != "" {
			words = append(words, kind)
		}
		routes[i].Key = keyOf(words...)
	}
	job := delivery.Job{Client: f.Envelope.Client, Routes: routes, Gone: letters.Stays}
	if _, err := o.opts.Deliver(ctx, job); err != nil {
		return err
	}
	o.opts.Log(Event{What: PostReleased, List: l.Address, ID: f.ID, By: f.Decided.By})
	return o.count(ctx, l, f)
}

// count makes a newcomer less of one. Between the count and its mark a kill may make it count twice; the other way round it
// might not count at all.
func (o *Office) count(ctx context.Context, l lists.List, f held.Facts) error {
	if l.Settings.Moderation.Newcomers == 0 || f.Counted || f.Author.IsZero() {
		return nil
	}
	m, found, err := o.opts.Store.Member(ctx, l.Address, f.Author)
	if err != nil {
		return err
	}
	if found && m.Posts < l.Settings.Moderation.Newcomers {
		if err := lists.CountPost(ctx, o.opts.Store, l.Address, m.Address); err != nil {
			return err
		}
	}
	o.log("count not marked", l.Address, f.ID, o.opts.Held.MarkCounted(f.ID))
	return nil
}

// ban adds the author to the list's bans. A list that can take no more of them is a thing for its owners.
func (o *Office) ban(ctx context.Context, l lists.List, f held.Facts) error {
	if l.Settings.IsBanned(f.Author) {
		return nil
	}
	ctx = audit.With(ctx, audit.Actor{By: f.Decided.By, Way: audit.ByModeration})
	_, err := o.opts.Store.Update(ctx, l.Address, func(s *lists.Settings) error {
		if !s.IsBanned(f.Author) {
			s.Bans = append(s.Bans, lists.PatternFor(f.Author))
		}
		return nil
	})
	if errors.Is(err, lists.ErrSetting) || errors.Is(err, lists.ErrNoList) {
		o.log("author not banned", l.Address, f.ID, err)
		return nil
	}
	return err
}

// tellFailed tells the owners that a released post could not be sent. Others have nothing that they could do.
func (o *Office) tellFailed(ctx context.Context, l lists.List, f held.Facts, cause error) error {
	if f.Decided.Action != held.Approve || l.Address.IsZero() {
		return nil
	}
	facts := o.facts(l, f)
	facts.Total, facts.Error = l.Members, cause.Error()
	return o.opts.Letters.Send(ctx, letters.Letter{
		List: l, To: letters.Mailboxes(l.Settings.Owners), Name: templates.Failed, Language: l.Settings.Language, Facts: facts,
		Key: keyOf("failed", f.ID),
	})
}
