package enrol

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"superlistd/audit"
	"superlistd/letters"
	"superlistd/lists"
	"superlistd/templates"
)

// join does what somebody's wish to be a member leads to; options say how he wants to get the posts.
func (d *Desk) join(ctx context.Context, q inquiry, options []string) error {
	l, who := q.list, q.mail.Author
	if l.Settings.IsBanned(who) {
		return fmt.Errorf("%w: %s", lists.ErrBanned, who)
	}
	r, found, err := d.load(d.idOf(request{List: l.Address, Who: who, Action: joining}))
	switch {
	case err != nil:
		return err
	case found && r.done && r.Mail == q.key: // its sender lost our reply
		return d.welcomeAgain(ctx, q, r)
	case found && r.asked && !r.done:
		return d.stillWaiting(ctx, q, r)
	case found && r.confirmed && !r.done:
		return d.goOn(ctx, l, r, d.tellerOf(q))
	case l.Settings.Subscribe == lists.SubscribeClosed:
		return d.answer(ctx, q, templates.Closed, d.facts(l, who))
	}
	m, member, err := d.opts.Store.Member(ctx, l.Address, who)
	if err != nil {
		return err
	}
	if member && len(options) > 0 {
		return d.change(ctx, q, command{verb: verbChange, options: options})
	}
	if member {
		return d.answer(ctx, q, templates.Already, d.facts(l, m.Address))
	}
	complained, err := d.opts.Complained(ctx, l.Address, who)
	if err != nil {
		return err
	}
	r = request{List: l.Address, Who: who, Name: nameOf(q.mail.AuthorName, who), Action: joining, Options: options, Mail: q.key}
	if asks := l.Settings.Subscribe; !q.agreed && (!q.proven() || complained || asks != lists.SubscribeOpen && asks != lists.SubscribeApprove) {
		return d.ask(ctx, q, r, templates.ConfirmSubscribe)
	}
	if err := d.allow(ctx, q, who, cmp.Or(q.mailKey, q.key)); err != nil {
		return err
	}
	return d.atOnce(ctx, q, r, d.tellerOf(q))
}

// welcomeAgain is for a mail that comes again when what it asks for was done: that it was told as well is not sure.
func (d *Desk) welcomeAgain(ctx context.Context, q inquiry, r request) error {
	m, member, err := d.opts.Store.Member(ctx, q.list.Address, r.Who)
	if err != nil || !member || !q.list.Settings.Welcome {
		return err
	}
	return d.tellerOf(q)(ctx, d.welcome(ctx, q.list, m, r))
}

// stillWaiting tells somebody who asks again that the owners were asked.
func (d *Desk) stillWaiting(ctx context.Context, q inquiry, r request) error {
	switch {
	case !q.proven():
		return nil
	case r.Mail == q.key:
		return d.tellerOf(q)(ctx, d.toMember(ctx, q.list, templates.Waiting, r, d.facts(q.list, r.Who)))
	}
	return d.answer(ctx, q, templates.Waiting, d.facts(q.list, r.Who))
}

// nameOf is what somebody is called, if a member may be called so.
func nameOf(name string, who lists.Address) string {
	const most = 200
	if len(name) > most || (lists.Member{Address: who, Name: name}).Check() != nil {
		return ""
	}
	return name
}

// atOnce carries out what needs no confirmation.
func (d *Desk) atOnce(ctx context.Context, q inquiry, r request, tell teller) error {
	r, err := d.open(ctx, r)
	if err != nil {
		return err
	}
	return d.confirmed(ctx, q.list, r, tell)
}

// confirmed notes that whom a request is about wants it, and goes on with it.
func (d *Desk) confirmed(ctx context.Context, l lists.List, r request, tell teller) error {
	if r.done {
		return nil
	}
	if !r.confirmed {
		if err := d.set(r, markConfirmed); err != nil {
			return err
		}
		if r.confirmed = true; r.sent {
			d.settle(ctx, r)
		}
	}
	return d.goOn(ctx, l, r, tell)
}

// goOn does what comes next with a confirmed request, and tells it to whom it is about. Any of it may be done again.
func (d *Desk) goOn(ctx context.Context, l lists.List, r request, tell teller) error {
	if r.done {
		return nil
	}
	ctx = audit.With(ctx, r.actor())
	var err error
	finished := true
	switch r.Action {
	case joining, inviting:
		finished, err = d.admit(ctx, l, r, tell)
	case leaving:
		err = d.dismiss(ctx, l, r, tell)
	case changing:
		err = d.alter(ctx, l, r, tell)
	case ordering:
		err = d.carryOut(ctx, l, r)
	}
	if err != nil || !finished {
		return err
	}
	return d.finish(ctx, r)
}

// admit makes a member, or asks the owners, or does what these said. finished: nothing is left to do.
func (d *Desk) admit(ctx context.Context, l lists.List, r request, tell teller) (finished bool, err error) {
	asks := l.Settings.Subscribe
	invitation, invited, err := d.invitation(l.Address, r.Who)
	if err != nil {
		return false, err
	}
	switch {
	case l.Settings.IsBanned(r.Who):
		d.log("banned since the request", l, r.Who, nil)
		return true, nil
	case r.decided != nil && r.decided.Action != letters.Approve:
		return true, d.decline(ctx, l, r)
	case r.decided != nil, invited, r.Action == inviting:
	case asks == lists.SubscribeClosed:
		return true, tell(ctx, d.toMember(ctx, l, templates.Closed, r, d.facts(l, r.Who)))
	case asks == lists.SubscribeApprove, asks == lists.SubscribeConfirmApprove:
		return false, d.askOwners(ctx, l, r, tell)
	}
	if invited || r.Action == inviting {
		a := audit.ActorOf(ctx)
		a.Why = "invitation"
		ctx = audit.With(ctx, a)
	}
	if err := d.enlist(ctx, l, r, tell); err != nil {
		return false, err
	}
	if invited && invitation.id != r.id { // it was asked for, and got, in another way
		if err := errors.Join(d.set(invitation, markConfirmed), d.finish(ctx, invitation)); err != nil {
			return false, err
		}
	}
	return true, d.notice(ctx, l, templates.Joined, r, templates.Facts{})
}

// enlist makes a member, and welcomes him.
func (d *Desk) enlist(ctx context.Context, l lists.List, r request, tell teller) error {
	m := lists.Member{Address: r.Who, Name: r.Name, Since: d.opts.Now()}
	if err := apply(&m, r.Options); err != nil {
		return err
	}
	// First, since whoever has complained could be removed again otherwise.
	if err := d.opts.Confirmed(ctx, l.Address, r.Who); err != nil {
		return err
	}
	if _, err := d.opts.Store.Change(ctx, l.Address, lists.Change{Add: []lists.Member{m}}); err != nil {
		return err
	}
	d.log("joined", l, r.Who, nil)
	if !l.Settings.Welcome {
		return nil
	}
	return tell(ctx, d.welcome(ctx, l, m, r))
}

// welcome is the letter to a new member.
func (d *Desk) welcome(ctx context.Context, l lists.List, m lists.Member, r request) letters.Letter {
	facts := d.options(l, m)
	facts.Page = d.opts.Page(l.Address, m.Address)
	w := d.toMember(ctx, l, templates.Welcome, r, facts)
	w.ReplyTo = l.Owner() // people answer a welcome with thanks
	return w
}

// notice tells the owners that somebody came or left, and why, if they want to hear it, and have not heard of too many.
func (d *Desk) notice(ctx context.Context, l lists.List, name templates.Name, r request, why templates.Facts) error {
	if !l.Settings.OwnersNotice.AtOnce() {
		return nil
	}
	err := d.allowOwners(ctx, l, string(name), r)
	if errors.Is(err, ErrTooMany) {
		d.log("owners not told", l, r.Who, err)
		return nil
	}
	if err != nil {
		return err
	}
	facts := d.aboutRequest(l, r)
	facts.Removed, facts.Way, facts.Detail, facts.By = why.Removed, why.Way, why.Detail, why.By
	return d.send(ctx, d.toOwners(l, name, r, facts))
}

func (d *Desk) aboutRequest(l lists.List, r request) templates.Facts {
	facts := d.facts(l, r.Who)
	facts.MemberName, facts.Date = r.Name, r.At
	return facts
}

// askOwners asks whether somebody may be a member, and tells him that he has to wait.
func (d *Desk) askOwners(ctx context.Context, l lists.List, r request, tell teller) error {
	if r.asked {
		return nil
	}
	if err := d.allowOwners(ctx, l, string(templates.Approve), r); err != nil {
		return err
	}
	// In this order, since an owner may answer before the second one is sent.
	if err := tell(ctx, d.toMember(ctx, l, templates.Waiting, r, d.facts(l, r.Who))); err != nil {
		return err
	}
	if err := d.send(ctx, d.question(l, r)); err != nil {
		return err
	}
	return d.set(r, markAsked)
}

// question is the letter that owners answer.
func (d *Desk) question(l lists.List, r request) letters.Letter {
	facts := d.aboutRequest(l, r)
	answer := d.keyed(r, approveLetter)
	facts.Answer, facts.Days = answer.String(), int(approveFor.Hours()/24)
	q := d.toOwners(l, templates.Approve, r, facts)
	q.ReplyTo = answer
	return q
}

// decline tells somebody that the owners do not want him, unless they want that nobody is told, and bans him if they say so.
func (d *Desk) decline(ctx context.Context, l lists.List, r request) error {
	if r.decided.Ban {
		if err := d.ban(ctx, l, r.Who); err != nil {
			return err
		}
	}
	d.opts.Log(Event{What: "declined", List: l.Address, Who: r.Who, By: r.decided.By})
	if r.decided.Action != letters.Reject {
		return nil
	}
	facts := d.facts(l, r.Who)
	facts.Text = r.decided.Text
	return d.send(ctx, d.toMember(ctx, l, templates.Declined, r, facts))
}

// ban adds somebody to the bans. A list that can take no more of them is a thing for its owners.
func (d *Desk) ban(ctx context.Context, l lists.List, who lists.Address) error {
	if l.Settings.IsBanned(who) || l.Settings.IsOwner(who) || l.Settings.IsModerator(who) {
		return nil
	}
	_, err := d.opts.Store.Update(ctx, l.Address, func(s *lists.Settings) error {
		s.Bans = append(s.Bans, lists.PatternFor(who))
		return nil
	})
	if errors.Is(err, lists.ErrSetting) {
		d.log("not banned", l, who, err)
		return nil
	}
	return err
}
