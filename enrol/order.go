package enrol

import (
	"context"
	"errors"

	"superlistd/lists"
	"superlistd/templates"
)

// order is something that an owner wants done with somebody's membership.
type order struct {
	What string // orderAdd, orderRemove, or the delivery that is set
	Who  lists.Address
	Name string `json:",omitempty"`
	At   int    `json:",omitempty"` // its place in the mail
}

func (o order) same(p order) bool { return o.What == p.What && o.Who == p.Who && o.Name == p.Name }

// contradicts tells orders that cannot both be meant: who is removed is neither invited nor set to anything, and is set to one thing only.
func (o order) contradicts(p order) bool {
	return o.Who.Key() == p.Who.Key() && (o.What == orderRemove || p.What == orderRemove || (o.What == orderAdd) == (p.What == orderAdd))
}

const (
	orderAdd    = "add" // an invitation
	orderRemove = "remove"
)

// What may come of an order beside the answers to an invitation.
const (
	done      Answer = "done"
	fromNext  Answer = "next"   // done, and it holds from the next digest on
	notMember Answer = "absent" // nothing to do
)

// maxOrders of one mail are carried out: as many as a letter can list.
const maxOrders = 50

func (d *Desk) obey(ctx context.Context, l lists.List, by lists.Address, o order) (Answer, error) {
	if o.What == orderAdd {
		return d.invite(ctx, l, lists.Member{Address: o.Who, Name: o.Name}, "")
	}
	m, member, err := d.opts.Store.Member(ctx, l.Address, o.Who)
	if err != nil {
		return "", err
	}
	if !member {
		return notMember, nil
	}
	if o.What == orderRemove {
		return done, d.expel(ctx, l, m, by)
	}
	m, err = d.opts.Store.UpdateMember(ctx, l.Address, m.Address, func(m *lists.Member) error {
		return apply(m, []string{"delivery", o.What})
	})
	if errors.Is(err, lists.ErrNoMember) {
		return notMember, nil
	}
	if err != nil {
		return "", err
	}
	d.opts.Log(Event{What: "options changed", List: l.Address, Who: m.Address, By: by})
	if later(l, m) {
		return fromNext, nil
	}
	return done, nil
}

// expel removes a member. He is not written to, as when it is done on the server; the owners are.
func (d *Desk) expel(ctx context.Context, l lists.List, m lists.Member, by lists.Address) error {
	if _, err := d.opts.Store.Change(ctx, l.Address, lists.Change{Remove: []lists.Address{m.Address}}); err != nil {
		return err
	}
	d.opts.Log(Event{What: "removed", List: l.Address, Who: m.Address, By: by})
	d.Removed(ctx, l, m)
	return nil
}

// held tells an owner which posts wait. Whoever does not decide about them gets no links for it.
func (d *Desk) held(ctx context.Context, q inquiry) error {
	items, err := d.opts.Held(ctx, q.list)
	if err != nil {
		return err
	}
	if !q.list.Settings.IsModerator(q.mail.Author) {
		for i := range items {
			items[i].Answer = ""
		}
	}
	facts := d.facts(q.list, q.mail.Author)
	facts.Items = items
	return d.answer(ctx, q, templates.HeldPosts, facts)
}
