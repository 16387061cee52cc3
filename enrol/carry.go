package enrol

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"superlistd/letters"
	"superlistd/lists"
	"superlistd/message"
	"superlistd/templates"
)

// task is one thing that a request asks for: a wish or, if order is set, an order.
type task struct {
	at, n int
	order bool
}

// tasks are all of them, as they were written one after the other.
func (r request) tasks() (all []task) {
	for n, w := range r.Wishes {
		all = append(all, task{at: w.At, n: n})
	}
	for n, o := range r.Orders {
		all = append(all, task{at: o.At, n: n, order: true})
	}
	slices.SortStableFunc(all, func(a, b task) int { return a.at - b.at })
	return all
}

// listed is what a letter says of a request before it is carried out.
func (r request) listed() (all []templates.Order) {
	for _, t := range r.tasks() {
		if t.order {
			all = append(all, listedOrder(r.Orders[t.n]))
		} else {
			all = append(all, listedWish(r.Who, r.Wishes[t.n])...)
		}
	}
	return all
}

func listedOrder(o order) templates.Order {
	return templates.Order{Address: o.Who.String(), Name: o.Name, What: o.What}
}

// carryOut does what somebody has confirmed: what he wants himself, as if it was proven that he asks for it now, and what an owner wants
// done with others. One letter tells what came of it. What is done stays so when it goes on after an error.
func (d *Desk) carryOut(ctx context.Context, l lists.List, r request) error {
	q := inquiry{
		list: l, key: digest(r.id, r.Nonce), agreed: true,
		mail: Mail{Head: message.ParseHeader(nil), Author: r.Who, AuthorName: r.Name, Proof: lists.Proven},
	}
	owns := l.Settings.IsOwner(r.Who)
	if len(r.Orders) > 0 && !owns {
		d.log("no owner any more", l, r.Who, nil)
	}
	to, _, err := d.addresseeOf(ctx, l, r.Who)
	if err != nil {
		return err
	}
	var all parts
	for _, t := range r.tasks() {
		var err error
		switch {
		case !t.order:
			err = d.fulfil(ctx, q, r, t.n, r.Wishes[t.n].command(), &all)
		case owns:
			err = d.obeyOnce(ctx, l, r, t.n, &all)
		}
		if err != nil {
			return err
		}
	}
	return d.tellAll(ctx, q, to, all)
}

// several carries out the commands of a mail at once, and tells in one letter what came of them.
func (d *Desk) several(ctx context.Context, q inquiry, commands []command) error {
	to, member, err := d.addresseeOf(ctx, q.list, q.mail.Author)
	if err != nil {
		return err
	}
	r, err := d.begin(ctx, q, commands, member)
	if err != nil {
		return err
	}
	if r.done { // its sender lost our reply
		q.report.tell() // it was
		return nil
	}
	one := q
	if len(commands) > 1 { // else a question may be all that is sent
		one.report = nil
	}
	var all parts
	for n, c := range commands {
		if err := d.fulfil(ctx, one, r, n, c, &all); err != nil {
			return err
		}
	}
	err = d.tellAll(ctx, q, to, all)
	if r.id == "" || err != nil && (q.report != nil || !errors.Is(err, ErrTooMany)) { // what is done he need not hear, but what is not
		return err
	}
	return d.finish(ctx, r)
}

// begin makes the request by which it is known what is done already of a mail that comes again, if it changes anything; else it has no id.
func (d *Desk) begin(ctx context.Context, q inquiry, commands []command, member bool) (request, error) {
	r := request{List: q.list.Address, Who: q.mail.Author, Action: obeying, Mail: q.key}
	old, found, err := d.load(d.idOf(r))
	switch {
	case err != nil:
		return r, err
	case found && old.same(r):
		return old, nil
	case !changes(q, commands, member):
		return r, nil
	}
	if slices.ContainsFunc(commands, func(c command) bool { return c.verb == verbJoin }) { // who joins hears of it, or does not
		if err := d.allow(ctx, q, q.mail.Author, q.key); err != nil {
			return r, err
		}
	}
	return d.open(ctx, r)
}

// changes tells whether commands may change something at once: those of a member, or of somebody proven who wants to be one.
func changes(q inquiry, commands []command, member bool) bool {
	return slices.ContainsFunc(commands, func(c command) bool {
		return c.changes() && (q.proven() || !wished(q, c)) && (member || c.verb == verbJoin)
	})
}

// fulfil carries out the n-th command of a request, and adds what is told of it. What it changes is changed once.
func (d *Desk) fulfil(ctx context.Context, q inquiry, r request, n int, c command, all *parts) error {
	q.mailKey, q.key, q.out = q.key, digest(q.key, fmt.Sprint(n)), &parts{}
	do := func() (parts, error) {
		err := d.run(ctx, q, c)
		if q.agreed && errors.Is(err, lists.ErrBanned) {
			d.log("banned since the request", q.list, r.Who, nil)
			err = nil
		}
		return *q.out, err
	}
	if !c.changes() || r.id == "" {
		some, err := do()
		all.add(some...)
		return err
	}
	some, err := step(d, r, fmt.Sprint("wish", n), do)
	all.add(some...)
	return err
}

// obeyOnce does the n-th order of a request, and adds what came of it to the table of all of them.
func (d *Desk) obeyOnce(ctx context.Context, l lists.List, r request, n int, all *parts) error {
	answer, err := step(d, r, fmt.Sprint("order", n), func() (Answer, error) { return d.obey(ctx, l, r.Who, r.Orders[n]) })
	if err != nil {
		return err
	}
	o := listedOrder(r.Orders[n])
	o.Answer = string(answer)
	i := slices.IndexFunc(*all, func(p letters.Part) bool { return p.Name == templates.Orders })
	if i < 0 {
		i = len(*all)
		all.add(letters.Part{Name: templates.Orders, Facts: d.facts(l, r.Who)})
	}
	(*all)[i].Facts.Orders = append((*all)[i].Facts.Orders, o)
	return nil
}

// step does a part of a request, once, and keeps what came of it.
func step[T any](d *Desk, r request, name string, do func() (T, error)) (came T, err error) {
	err = d.files.read(r.mark(name), &came)
	if !errors.Is(err, fs.ErrNotExist) {
		return came, err
	}
	var none T
	if came, err = do(); err != nil {
		return none, err
	}
	if _, err := d.files.write(r.mark(name), came); err != nil {
		return none, fmt.Errorf("request %s: %w", r.id, err)
	}
	return came, nil
}
