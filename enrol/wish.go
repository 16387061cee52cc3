package enrol

import (
	"context"
	"fmt"
	"slices"

	"superlistd/lists"
	"superlistd/templates"
)

// wish is what somebody wants for himself, where several things are confirmed at once.
type wish struct {
	Verb    string   // joining, leaving, changing or resuming
	Options []string `json:",omitempty"`
	At      int      `json:",omitempty"` // its place in the mail
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

func wishOf(c command) wish { return wish{wishVerbs()[c.verb], c.options, c.at} }

func (w wish) command() command {
	for v, word := range wishVerbs() {
		if word == w.Verb {
			c := command{verb: v, options: w.Options}
			if v == verbWho || v == verbHeld {
				c.unknown = w.Verb
			}
			return c
		}
	}
	return command{verb: verbHelp}
}

// merged makes one command of those that change how somebody gets posts, if nothing comes between them that it matters to.
func merged(commands []command) (all []command) {
	change := -1 // which takes more
	for _, c := range commands {
		if c.verb == verbResume {
			c.verb, c.options = verbChange, []string{resuming, ""}
		}
		switch c.verb {
		case verbJoin, verbLeave, verbConfirm, verbWho, verbHeld:
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

// together are the wishes in a mail for which one confirmation is better than one for each, and rest the other commands. They are those of somebody
// unproven, if there is anything else to be confirmed, or if they are for owners; and of an owner who is proven, if he wants to join
// beside his orders.
func (d *Desk) together(ctx context.Context, q inquiry, found read) (all []wish, rest []command, err error) {
	joins, owner := false, false
	for _, c := range found.commands {
		looks := c.verb == verbWho || c.verb == verbHeld
		if !wished(q, c) || looks && q.proven() {
			rest = append(rest, c)
			continue
		}
		owner, joins = owner || looks, joins || c.verb == verbJoin
		all = append(all, wishOf(c))
	}
	several := owner || len(all)+len(found.orders) > 1
	if len(all) == 0 || !several || q.proven() && !(joins && len(found.orders) > 0) {
		return nil, found.commands, nil
	}
	if joins && q.list.Settings.IsBanned(q.mail.Author) {
		return nil, nil, fmt.Errorf("%w: %s", lists.ErrBanned, q.mail.Author)
	}
	_, member, err := d.opts.Store.Member(ctx, q.list.Address, q.mail.Author)
	if err != nil || !member && !joins && !owner { // he is told so
		return nil, found.commands, err
	}
	return all, rest, nil
}

// listedWish is a wish in a letter, a line for each thing that changes.
func listedWish(who lists.Address, w wish) (all []templates.Order) {
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
	return all
}
