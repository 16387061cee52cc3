package enrol

import (
	"context"
	"strings"
	"time"

	"superlistd/lists"
	"superlistd/templates"
)

// maxRoster is how many octets of members a letter has.
const maxRoster = 7000

// roster tells an owner who is a member.
func (d *Desk) roster(ctx context.Context, q inquiry) error {
	facts := d.facts(q.list, q.mail.Author)
	facts.Total = q.list.Members
	const page = 200
	for after := (lists.Address{}); len(facts.Text) < maxRoster; {
		some, err := d.opts.Store.Members(ctx, q.list.Address, after, page)
		if err != nil {
			return err
		}
		for _, m := range some {
			line := rosterLine(m, d.opts.Now()) + "\n"
			if len(facts.Text)+len(line) > maxRoster {
				return d.answer(ctx, q, templates.Roster, facts)
			}
			facts.Text += line
			facts.Shown++
			after = m.Address
		}
		if len(some) < page {
			facts.Total = facts.Shown // there may be others than when the mail came
			break
		}
	}
	return d.answer(ctx, q, templates.Roster, facts)
}

// rosterLine is a member as "listctl members" prints him: with his name, and how he gets posts where that is not each as it comes.
func rosterLine(m lists.Member, now time.Time) string {
	line := m.Address.String()
	if m.Name != "" {
		name := m.Name
		if strings.ContainsAny(name, "\"\\<>#,") {
			name = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `"`
		}
		line = name + " <" + line + ">"
	}
	switch {
	case !m.Disabled.IsZero():
		return line + "  # gets no posts: disabled since " + m.Disabled.String()
	case m.Delivery == lists.DeliveryNone:
		return line + "  # gets no posts: " + m.Delivery.String()
	case m.Suspended.Covers(now):
		return line + "  # gets no posts: suspended until " + m.Suspended.Until.Format(time.DateOnly)
	case m.Delivery != lists.DeliveryMail:
		return line + "  # gets digests: " + m.Delivery.String()
	}
	return line
}
