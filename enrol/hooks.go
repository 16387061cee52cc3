package enrol

import (
	"context"
	"net/netip"
	"time"

	"superlistd/audit"
	"superlistd/lists"
	"superlistd/message"
	"superlistd/templates"
)

// Left writes to a member who has left by another way than mail, and to the owners, as after a mail: what the list's goodbye and
// owners_notice say. He is gone already, so what fails is logged, and not done again.
func (d *Desk) Left(ctx context.Context, l lists.List, m lists.Member) {
	if l.Settings.Goodbye {
		r := gone(l, m)
		letter := d.toMember(ctx, l, templates.Goodbye, r, d.facts(l, m.Address))
		if m.Language != "" {
			letter.Language = m.Language
		}
		if err := d.send(ctx, letter); err != nil {
			d.log("goodbye not sent", l, m.Address, err)
		}
	}
	d.gone(ctx, l, m, templates.Facts{})
}

// Removed tells the owners of a member who did not leave by himself, if owners_notice says so, and why: that is the audit.Actor of ctx. He is gone
// already, so what fails is logged, and not done again.
func (d *Desk) Removed(ctx context.Context, l lists.List, m lists.Member) {
	why := templates.Facts{Removed: true}
	switch a := audit.ActorOf(ctx); a.Way {
	case audit.ByBounces, audit.ByComplaint:
		why.Way, why.Detail = string(a.Way), a.Why
	case audit.ByMail:
		why.Way, why.By = string(a.Way), a.By
	}
	d.gone(ctx, l, m, why)
}

func (d *Desk) gone(ctx context.Context, l lists.List, m lists.Member, why templates.Facts) {
	if err := d.notice(ctx, l, templates.Left, gone(l, m), why); err != nil {
		d.log("owners not told", l, m.Address, err)
	}
}

// gone stands for a request where there is none: the end of a membership, which has the same name however often it is told.
func gone(l lists.List, m lists.Member) request {
	return request{
		List: l.Address, Who: m.Address, Name: m.Name, Action: leaving,
		id: digest(l.Address.Key(), m.Address.Key()), Nonce: m.Since.UTC().Format(time.RFC3339),
	}
}

// Ask asks the owner of an address whether he wants to leave, if he is a member: somebody said so on a web page. Whether he is one
// does not show: an error comes to all or to none. ErrTooMany.
func (d *Desk) Ask(ctx context.Context, l lists.List, address lists.Address, client netip.Addr) error {
	hour := d.opts.Now().UTC().Format(countHour)
	q := inquiry{
		list: l, mail: Mail{Head: message.ParseHeader(nil), Author: address, Client: client},
		key: digest("ask", l.Address.Key(), address.Key(), hour),
	}
	if err := d.allow(ctx, q, address, q.key); err != nil {
		return err
	}
	m, member, err := d.opts.Store.Member(ctx, l.Address, address)
	if err != nil || !member {
		return err
	}
	r := request{List: l.Address, Who: m.Address, Name: m.Name, Action: leaving, Mail: q.key}
	if err := d.ask(ctx, q, r, templates.ConfirmUnsubscribe); err != nil {
		d.log("confirmation not sent", l, m.Address, err)
	}
	return nil
}
