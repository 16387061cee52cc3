package enrol

import (
	"context"
	"errors"
	"fmt"

	"superlistd/lists"
	"superlistd/message"
	"superlistd/templates"
)

// wish is what somebody wants for himself, where several things are confirmed at once.
type wish struct {
	Verb    string   // joining, leaving, changing or resuming
	Options []string `json:",omitempty"`
}

const resuming = "resume"

func wishOf(c command) wish {
	verb := map[verb]string{verbJoin: joining, verbLeave: leaving, verbChange: changing, verbResume: resuming}[c.verb]
	return wish{verb, c.options}
}

func (w wish) command() command {
	verb := map[string]verb{joining: verbJoin, leaving: verbLeave, changing: verbChange, resuming: verbResume}[w.Verb]
	return command{verb: verb, options: w.Options}
}

// wished tells the commands that are carried out for somebody unproven only when he confirms them.
func wished(l lists.List, c command) bool {
	switch c.verb {
	case verbJoin, verbChange, verbResume:
		return true
	case verbLeave:
		return l.Settings.Unsubscribe != lists.UnsubscribeOpen
	}
	return false
}

// together are the wishes in a mail of somebody unproven for which one confirmation is better than one for each; none where there is
// nothing else to be confirmed.
func (d *Desk) together(ctx context.Context, q inquiry, found read) (all []wish, err error) {
	joins := false
	for _, c := range found.commands {
		if wished(q.list, c) {
			joins = joins || c.verb == verbJoin
			all = append(all, wishOf(c))
		}
	}
	if q.proven() || len(all) == 0 || len(all)+len(found.orders) < 2 {
		return nil, nil
	}
	if joins && banned(q.list, q.mail.Author) {
		return nil, fmt.Errorf("%w: %s", lists.ErrBanned, q.mail.Author)
	}
	_, member, err := d.opts.Store.Member(ctx, q.list.Address, q.mail.Author)
	if err != nil || !member && !joins { // he is told so
		return nil, err
	}
	return all, nil
}

// fulfil does what somebody has confirmed as if it was proven that he asks for it now.
func (d *Desk) fulfil(ctx context.Context, l lists.List, r request, n int, w wish) error {
	q := inquiry{
		list: l, key: digest(r.id, r.Nonce, fmt.Sprint(n)), agreed: true,
		mail: Mail{Head: message.ParseHeader(nil), Author: r.Who, AuthorName: r.Name, Proof: lists.Proven},
	}
	err := d.run(ctx, q, w.command())
	if errors.Is(err, lists.ErrBanned) {
		d.log("banned since the request", l, r.Who, nil)
		return nil
	}
	return err
}

// listedWishes are wishes in a letter, a line for each thing that changes.
func listedWishes(who lists.Address, wishes []wish) (all []templates.Order) {
	for _, w := range wishes {
		if w.Verb != changing {
			all = append(all, templates.Order{Address: who.String(), What: w.Verb})
		}
		for i := 0; i+1 < len(w.Options); i += 2 {
			var m lists.Member
			o := templates.Order{Address: who.String(), What: w.Options[i+1]}
			switch w.Options[i] {
			case "delivery":
			case "suspend":
				if apply(&m, w.Options[i:i+2]) != nil {
					continue
				}
				o.What, o.From, o.Until = "suspend", m.Suspended.From, m.Suspended.Until
			default: // goes with the others
				continue
			}
			all = append(all, o)
		}
	}
	return all
}
