package enrol

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"superlistd/lists"
	"superlistd/message"
	"superlistd/templates"
)

// wish is what somebody wants for himself, where several things are confirmed at once.
type wish struct {
	Verb    string   // joining, leaving, changing or resuming
	Options []string `json:",omitempty"`
}

const (
	resuming = "resume" // also in the place of an option: what it changes depends on what comes before it
	roster   = "who"    // what an owner wants to be sent
	waiting  = "held"
)

// wishVerbs are the words for what somebody may want, as requests keep them.
func wishVerbs() map[verb]string {
	return map[verb]string{verbJoin: joining, verbLeave: leaving, verbChange: changing, verbResume: resuming, verbWho: roster, verbHeld: waiting}
}

func wishOf(c command) wish { return wish{wishVerbs()[c.verb], c.options} }

func (w wish) command() command {
	for v, word := range wishVerbs() {
		if word == w.Verb {
			return command{verb: v, options: w.Options}
		}
	}
	return command{verb: verbHelp}
}

// merged makes one command of those that change how somebody gets posts, if he neither joins nor leaves in between: one answer is enough.
func merged(commands []command) (all []command) {
	change := -1 // which takes more
	for _, c := range commands {
		if c.verb == verbResume {
			c = command{verb: verbChange, options: []string{resuming, ""}}
		}
		switch c.verb {
		case verbJoin, verbLeave, verbConfirm:
			change = -1
		case verbChange:
			if change >= 0 {
				all[change].options = slices.Concat(all[change].options, c.options)
				continue
			}
			change = len(all)
		}
		all = append(all, c)
	}
	return all
}

// looks tells whether somebody wants to see what only owners see.
func looks(r request) bool {
	return slices.ContainsFunc(r.Wishes, func(w wish) bool { return w.Verb == roster || w.Verb == waiting })
}

// wished tells the commands that are carried out for somebody unproven only when he confirms them.
func wished(q inquiry, c command) bool {
	switch c.verb {
	case verbWho, verbHeld:
		return q.byOwner()
	case verbJoin, verbChange, verbResume:
		return true
	case verbLeave:
		return q.list.Settings.Unsubscribe != lists.UnsubscribeOpen
	}
	return false
}

// together are the wishes in a mail of somebody unproven for which one confirmation is better than one for each; none where there is
// nothing else to be confirmed, but for what is sent to owners.
func (d *Desk) together(ctx context.Context, q inquiry, found read) (all []wish, err error) {
	joins, owner := false, false
	for _, c := range found.commands {
		if wished(q, c) {
			owner = owner || c.verb == verbWho || c.verb == verbHeld
			joins = joins || c.verb == verbJoin
			all = append(all, wishOf(c))
		}
	}
	if q.proven() || len(all) == 0 || !owner && len(all)+len(found.orders) < 2 {
		return nil, nil
	}
	if joins && banned(q.list, q.mail.Author) {
		return nil, fmt.Errorf("%w: %s", lists.ErrBanned, q.mail.Author)
	}
	_, member, err := d.opts.Store.Member(ctx, q.list.Address, q.mail.Author)
	if err != nil || !member && !joins && !owner { // he is told so
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
			case resuming:
				o.What = resuming
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
