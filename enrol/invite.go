package enrol

import (
	"context"
	"errors"
	"fmt"
	"time"

	"superlistd/audit"
	"superlistd/delivery"
	"superlistd/letters"
	"superlistd/lists"
	"superlistd/templates"
)

// Answer is what came of an invitation, or of another order of an owner.
type Answer string

// What may come of an invitation.
const (
	Invited  Answer = "invited"
	Present  Answer = "present"  // he is a member already
	Waiting  Answer = "waiting"  // he was invited in the last seven days, and has not answered
	Declined Answer = "declined" // he was, and does not want it
	Banned   Answer = "banned"
	Limited  Answer = "limited" // he had too many letters today, or there were too many at all in this hour
	Refused  Answer = "refused" // the next hop takes no mail for him
	Own      Answer = "own"     // an address of the list itself
)

// Invitation tells what came of one.
type Invitation struct {
	Address lists.Address
	Answer  Answer
}

// MaxInvited is how many can be invited at once.
const MaxInvited = 1000

// Invite asks people whether they want to be members, by name and delivery as given, with a text of the owners, which may be "". Whoever answers within
// seven days is one, whatever the list's setting subscribe says. An error ends it; what came of those before is returned, and
// nobody of them gets a second letter when all are given again.
func (d *Desk) Invite(ctx context.Context, l lists.List, who []lists.Member, text string) (all []Invitation, err error) {
	if len(who) > MaxInvited {
		return nil, fmt.Errorf("%w: %d invitations; at most %d at a time", ErrTooMany, len(who), MaxInvited)
	}
	for _, m := range who {
		answer, err := d.invite(ctx, l, m, text)
		if err != nil {
			return all, fmt.Errorf("invitation of %s to %s: %w", m.Address, l.Address, err)
		}
		all = append(all, Invitation{m.Address, answer})
	}
	return all, nil
}

func (d *Desk) invite(ctx context.Context, l lists.List, m lists.Member, text string) (Answer, error) {
	switch {
	case ownAddress(l, m.Address):
		return Own, nil
	case l.Settings.IsBanned(m.Address):
		return Banned, nil
	}
	_, member, err := d.opts.Store.Member(ctx, l.Address, m.Address)
	if err != nil {
		return "", err
	}
	r := request{List: l.Address, Who: m.Address, Name: nameOf(m.Name, m.Address), Action: inviting}
	if m.Delivery != lists.DeliveryMail {
		r.Options = []string{"delivery", m.Delivery.String()}
	}
	old, found, err := d.load(d.idOf(r))
	switch {
	case err != nil:
		return "", err
	case member:
		return Present, nil
	case found && old.done && !old.confirmed:
		return Declined, nil
	case found && old.sent && !old.done:
		return Waiting, nil
	}
	if r, err = d.open(ctx, r); err != nil {
		return "", err
	}
	return d.sendInvitation(ctx, l, r, text)
}

// sendInvitation writes to whom an invitation is for. Only the bound of his address counts, and that of all letters.
func (d *Desk) sendInvitation(ctx context.Context, l lists.List, r request, text string) (Answer, error) {
	c := count{at: d.opts.Now().UTC(), network: nobody, who: d.hashed("who", r.Who.Key()), list: nobody, mail: digest(r.id, r.Nonce), most: d.opts.Limits.Address, spared: d.opts.Limits.Address}
	err := d.enter(ctx, c)
	if errors.Is(err, ErrTooMany) {
		return Limited, nil
	}
	if err != nil {
		return "", err
	}
	facts := d.aboutRequest(l, r)
	answer := d.keyed(r, confirmLetter)
	facts.Answer, facts.Token, facts.Days = answer.String(), d.extension(r, confirmLetter), int(confirmFor.Hours()/24)
	facts.Text = letters.Shorten(text)
	m := d.toMember(ctx, l, templates.Invitation, r, facts)
	m.ReplyTo = answer
	err = d.opts.Letters.Send(ctx, m)
	if errors.Is(err, delivery.ErrAllRefused) {
		d.log("letter refused by the next hop", l, r.Who, err)
		return Refused, d.files.remove(r.id)
	}
	if err == nil {
		err = d.set(r, markSent)
	}
	if err != nil {
		return "", err
	}
	d.log("invited", l, r.Who, nil)
	audit.Record(ctx, d.opts.Store, l.Address, audit.Invited, r.Who)
	return Invited, nil
}

// invitation finds the one of somebody who has not answered it yet.
func (d *Desk) invitation(l, who lists.Address) (r request, found bool, err error) {
	r, found, err = d.load(d.idOf(request{List: l, Who: who, Action: inviting}))
	return r, found && r.sent && !r.done, err
}

// Welcome writes to somebody who was made a member by another way than mail. A second call for the same membership writes nothing.
func (d *Desk) Welcome(ctx context.Context, l lists.List, m lists.Member) error {
	r := request{
		List: l.Address, Who: m.Address, id: digest(l.Address.Key(), m.Address.Key()), Nonce: m.Since.UTC().Format(time.RFC3339),
	}
	return d.send(ctx, d.welcome(ctx, l, m, r))
}
