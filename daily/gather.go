package daily

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"superlistd/audit"
	"superlistd/lists"
	"superlistd/templates"
)

// maxNames is how many of a group are named.
const maxNames = 20

// kinds are what a summary tells of, in its order.
func kinds() []audit.What {
	return []audit.What{
		audit.Joined, audit.Left, audit.Removed, audit.Complaint, audit.Held, audit.Expired, audit.Bounced, audit.Disabled, audit.Storm, audit.Failed,
	}
}

// gather reads what is new.
func (d *Desk) gather(l lists.List, m mark, now time.Time) (*summary, error) {
	groups := map[audit.What]*templates.Group{}
	since := cmp.Or(m.Since, m.At)
	seen := map[string]bool{}
	to, err := d.opts.Audit.After(l.Address, m.From, func(e audit.Event) error {
		if e.What == audit.Deleted { // what was before is of an earlier list of this name, which may have had other owners
			clear(groups)
			clear(seen)
			since = cmp.Or(l.Created.UTC(), since)
			return nil
		}
		what := kindOf(e)
		if slices.Contains(kinds(), what) && e.At.Before(since) { // it was noted before the list was looked at, or by another clock
			since = e.At.UTC()
		}
		if what == audit.Bounced { // one member, however many posts
			if seen[e.Member] {
				return nil
			}
			seen[e.Member] = true
		}
		g := groups[what]
		if g == nil {
			g = &templates.Group{What: string(what)}
			groups[what] = g
		}
		g.Count++
		if name := nameOf(e); name != "" && len(g.Names) < maxNames {
			g.Names = append(g.Names, name)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	s := &summary{Since: since, At: now, To: to}
	for _, what := range kinds() {
		if g := groups[what]; g != nil {
			s.Groups = append(s.Groups, *g)
		}
	}
	if len(s.Groups) > 0 {
		s.Waiting, err = d.opts.Waiting(l.Address)
	}
	return s, err
}

// kindOf is the group that an event counts in.
func kindOf(e audit.Event) audit.What {
	if e.What == audit.Removed && e.Way == audit.ByComplaint {
		return audit.Complaint
	}
	return e.What
}

// nameOf is an event of a group in a line.
func nameOf(e audit.Event) string {
	var words []string
	add := func(w string) {
		if w != "" {
			words = append(words, w)
		}
	}
	switch e.What {
	case audit.Held:
		add(e.Member)
		add(e.New)
	case audit.Expired:
		add(e.ID)
	case audit.Failed, audit.Storm:
		add(e.ID)
		add(e.Why)
	case audit.Bounced, audit.Disabled:
		add(e.Member)
		add(e.Why)
	default:
		return e.Member
	}
	return strings.Join(words, ": ")
}

// summary is what is told.
type summary struct {
	// Since is no later than any event that is told; zero in marks of earlier versions.
	Since   time.Time         `json:"since,omitzero"`
	At      time.Time         `json:"at"`
	To      audit.Position    `json:"to"` // the end of it
	Groups  []templates.Group `json:"groups"`
	Waiting int               `json:"waiting"`
}
