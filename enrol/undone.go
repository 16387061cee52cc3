package enrol

import (
	"context"
	"slices"
	"strings"

	"superlistd/templates"
)

// undone is a command that is not carried out.
type undone struct {
	why     string
	command command
	line    string
}

// Why a command is not carried out, as the texts have it.
const (
	overCommands = "commands" // there were maxCommands before it
	overOrders   = "orders"   // there were maxOrders
	unread       = "unread"   // it stands behind a line that is none
)

// has tells what need not be done again. Of what changes a membership the last word counts, so there it is the last one that is compared.
func (r *read) has(c command) bool {
	if (c.order != order{}) {
		return slices.ContainsFunc(r.orders, c.order.same)
	}
	if !c.changes() {
		return slices.ContainsFunc(r.commands, c.same)
	}
	for _, o := range slices.Backward(r.commands) {
		if o.changes() {
			return c.same(o)
		}
	}
	return false
}

func (c command) changes() bool {
	return slices.Contains([]verb{verbJoin, verbLeave, verbChange, verbResume}, c.verb)
}

func (r *read) drop(why string, c command, line string) {
	if !slices.ContainsFunc(r.undone, func(u undone) bool { return c.same(u.command) }) {
		r.undone = append(r.undone, undone{why, c, line})
	}
}

// shown is what a letter says of a command. All but an owner's orders are of our words and the author's address only: a stranger gets
// nothing of his own into it.
func (r reader) shown(c command, line string) string {
	switch {
	case c.order != order{}:
		return strings.TrimSpace(line)
	case c.verb == verbConfirm:
		return r.words(line)[0]
	}
	return strings.Join(r.words(line), " ")
}

// report tells in a letter what is not carried out of a mail.
type report struct {
	groups []templates.Group
	told   bool
}

// reportOf is nil where there is nothing to tell.
func reportOf(found read) *report {
	var r report
	for _, why := range []string{overCommands, overOrders, unread} {
		g := templates.Group{What: why}
		for _, u := range found.undone {
			if u.why == why {
				g.Names = append(g.Names, u.line)
			}
		}
		if g.Count = len(g.Names); g.Count > 0 {
			r.groups = append(r.groups, g)
		}
	}
	if len(r.groups) == 0 {
		return nil
	}
	return &r
}

// tell is for the letter that tells it: the first one.
func (r *report) tell() []templates.Group {
	if r == nil || r.told {
		return nil
	}
	r.told = true
	return r.groups
}

// tellUndone writes what no other letter has told.
func (d *Desk) tellUndone(ctx context.Context, q inquiry) error {
	facts := d.facts(q.list, q.mail.Author)
	if facts.Undone = q.report.tell(); facts.Undone == nil {
		return nil
	}
	q.key = digest(q.key, "undone")
	return d.answer(ctx, q, templates.Undone, facts)
}
