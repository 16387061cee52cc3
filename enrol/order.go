package enrol

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"superlistd/lists"
	"superlistd/templates"
)

// order is something that an owner wants done with somebody's membership.
type order struct {
	What string // orderAdd, orderRemove, or the delivery that is set
	Who  lists.Address
	Name string `json:",omitempty"`
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

// listed are orders in a letter.
func listed(orders []order) []templates.Order {
	all := make([]templates.Order, len(orders))
	for i, o := range orders {
		all[i] = templates.Order{Address: o.Who.String(), Name: o.Name, What: o.What}
	}
	return all
}

// carryOut does what somebody has confirmed: what he wants himself, with an answer to each, and what an owner wants done with others,
// with one letter that tells what came of it. What is done stays so when it goes on after an error.
func (d *Desk) carryOut(ctx context.Context, l lists.List, r request) error {
	for i, w := range r.Wishes {
		if _, err := d.step(r, fmt.Sprint("wish", i), func() (Answer, error) { return done, d.fulfil(ctx, l, r, i, w) }); err != nil {
			return err
		}
	}
	switch {
	case len(r.Orders) == 0:
		return nil
	case !l.Settings.IsOwner(r.Who):
		d.log("no owner any more", l, r.Who, nil)
		return nil
	}
	facts := d.facts(l, r.Who)
	facts.Orders = listed(r.Orders)
	for i, o := range r.Orders {
		answer, err := d.step(r, fmt.Sprint("order", i), func() (Answer, error) { return d.obey(ctx, l, r.Who, o) })
		if err != nil {
			return err
		}
		facts.Orders[i].Answer = string(answer)
	}
	return d.send(ctx, d.toMember(ctx, l, templates.Orders, r, facts))
}

// step does a part of a request, once, and keeps what came of it.
func (d *Desk) step(r request, name string, do func() (Answer, error)) (answer Answer, err error) {
	err = d.files.read(r.mark(name), &answer)
	if !errors.Is(err, fs.ErrNotExist) {
		return answer, err
	}
	if answer, err = do(); err != nil {
		return "", err
	}
	if _, err := d.files.write(r.mark(name), answer); err != nil {
		return "", fmt.Errorf("request %s: %w", r.id, err)
	}
	return answer, nil
}

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
	if !moderates(q.list, q.mail.Author) {
		for i := range items {
			items[i].Answer = ""
		}
	}
	facts := d.facts(q.list, q.mail.Author)
	facts.Items = items
	return d.answer(ctx, q, templates.HeldPosts, facts)
}

func moderates(l lists.List, who lists.Address) bool {
	return slices.ContainsFunc(l.Settings.ModeratedBy(), func(a lists.Address) bool { return a.Key() == who.Key() })
}
