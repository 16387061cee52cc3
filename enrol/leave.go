package enrol

import (
	"context"
	"errors"

	"superlistd/lists"
	"superlistd/templates"
)

// leave does what somebody's wish to be no member any more leads to.
func (d *Desk) leave(ctx context.Context, q inquiry) error {
	l := q.list
	m, member, err := d.opts.Store.Member(ctx, l.Address, q.mail.Author)
	if err != nil {
		return err
	}
	if !member {
		return d.hasLeft(ctx, q)
	}
	r := request{List: l.Address, Who: m.Address, Name: m.Name, Action: leaving, Mail: q.key}
	if !q.proven() && l.Settings.Unsubscribe != lists.UnsubscribeOpen {
		return d.ask(ctx, q, r, templates.ConfirmUnsubscribe)
	}
	tell, err := d.mayHear(ctx, q, m.Address, q.key)
	if err != nil {
		return err
	}
	return d.atOnce(ctx, q, r, tell)
}

// hasLeft answers who is no member: it may be that he has just left, and that this is the mail by which he did.
func (d *Desk) hasLeft(ctx context.Context, q inquiry) error {
	r, found, err := d.load(d.idOf(request{List: q.list.Address, Who: q.mail.Author, Action: leaving}))
	if err != nil {
		return err
	}
	tell := d.tellerOf(q)
	switch {
	case found && r.confirmed && !r.done:
		return d.goOn(ctx, q.list, r, tell)
	case found && r.confirmed && r.Mail == q.key && q.list.Settings.Goodbye: // see welcomeAgain
		return tell(ctx, d.toMember(ctx, q.list, templates.Goodbye, r, d.facts(q.list, r.Who)))
	case found && r.confirmed && r.Mail == q.key:
		return nil
	}
	return d.answer(ctx, q, templates.NotMember, d.facts(q.list, q.mail.Author))
}

// dismiss ends a membership.
func (d *Desk) dismiss(ctx context.Context, l lists.List, r request, tell teller) error {
	// His letter is in his language, which is gone with him.
	goodbye := d.toMember(ctx, l, templates.Goodbye, r, d.facts(l, r.Who))
	if _, err := d.opts.Store.Change(ctx, l.Address, lists.Change{Remove: []lists.Address{r.Who}}); err != nil {
		return err
	}
	d.log("left", l, r.Who, nil)
	if l.Settings.Goodbye {
		if err := tell(ctx, goodbye); err != nil {
			return err
		}
	}
	return d.notice(ctx, l, templates.Left, r, templates.Facts{})
}

// change does what somebody's wish to get posts in another way leads to.
func (d *Desk) change(ctx context.Context, q inquiry, c command) error {
	l := q.list
	m, member, err := d.opts.Store.Member(ctx, l.Address, q.mail.Author)
	if err != nil {
		return err
	}
	if !member {
		return d.answer(ctx, q, templates.NotMember, d.facts(l, q.mail.Author))
	}
	if c.verb == verbResume {
		c.options = []string{resuming, ""}
	}
	options, err := plainOptions(m, c.options)
	if err != nil {
		return err
	}
	r := request{List: l.Address, Who: m.Address, Action: changing, Options: options, Mail: q.key}
	if !q.proven() {
		return d.ask(ctx, q, r, templates.ConfirmChange)
	}
	old, found, err := d.load(d.idOf(r))
	if err != nil {
		return err
	}
	if found && old.done && old.Mail == q.key { // its sender lost our reply: see welcomeAgain
		return d.tellerOf(q)(ctx, d.toMember(ctx, l, templates.Changed, old, d.options(l, m)))
	}
	tell, err := d.mayHear(ctx, q, m.Address, q.counted(old, found))
	if err != nil {
		return err
	}
	return d.atOnce(ctx, q, r, tell)
}

// plainOptions are those of a change of a member, with what "resume" means where it stands.
func plainOptions(m lists.Member, options []string) (all []string, err error) {
	for i := 0; i+1 < len(options); i += 2 {
		some := options[i : i+2]
		if some[0] == resuming {
			some = resumed(m)
		}
		if err := apply(&m, some); err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

// resumed are the options of a member who wants the posts again: whoever asks for them has an address that works.
func resumed(m lists.Member) []string {
	options := []string{"suspend", "none", "disabled", "none"}
	if m.Delivery == lists.DeliveryNone {
		options = append(options, "delivery", lists.DeliveryMail.String())
	}
	return options
}

// apply sets the options of a change.
func apply(m *lists.Member, options []string) error {
	for i := 0; i+1 < len(options); i += 2 {
		option, err := lists.LookupMemberOption(options[i])
		if err == nil {
			err = option.Set(m, options[i+1])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// alter changes a member, and tells him how he gets posts now.
func (d *Desk) alter(ctx context.Context, l lists.List, r request, tell teller) error {
	m, err := d.opts.Store.UpdateMember(ctx, l.Address, r.Who, func(m *lists.Member) error { return apply(m, r.Options) })
	if errors.Is(err, lists.ErrNoMember) {
		d.log("has left since the request", l, r.Who, nil)
		return nil
	}
	if err != nil {
		return err
	}
	d.log("options changed", l, r.Who, nil)
	return tell(ctx, d.toMember(ctx, l, templates.Changed, r, d.options(l, m)))
}

// later tells whether a member gets posts another way only from the list's next digest on.
func later(l lists.List, m lists.Member) bool { return m.From > l.Digests.Number }

// options are the facts of how a member gets posts.
func (d *Desk) options(l lists.List, m lists.Member) templates.Facts {
	facts := d.facts(l, m.Address)
	facts.Delivery, facts.SuspendedFrom, facts.SuspendedUntil = m.Delivery.String(), m.Suspended.From, m.Suspended.Until
	facts.Later = later(l, m)
	return facts
}
