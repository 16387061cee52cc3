package delivery

import (
	"errors"
	"maps"
	"slices"

	"superlistd/delivery/spool"
	"superlistd/wire"
)

// split says which routes go through at once, and which by the spool: personal copies, what is only gathered, what is meant for it, and
// what would need more transactions than may be armed. The smaller a route, the sooner it goes through.
func (d *Deliverer) split(routes []Route) (through, parked []*Route) {
	all := make([]*Route, len(routes))
	for i := range routes {
		all[i] = &routes[i]
	}
	if d.opts.Spool == nil {
		return all, nil
	}
	slices.SortStableFunc(all, func(a, b *Route) int { return a.Audience.size() - b.Audience.size() })
	batch, room := d.batch(), d.opts.MaxArmed
	for _, r := range all {
		need := (r.Audience.size() + batch - 1) / batch
		if !r.before() && (r.Personal != "" || r.Gather != "" || r.Spooled || need > room) {
			parked = append(parked, r)
			continue
		}
		through = append(through, r)
		if !r.before() {
			room -= need
		}
	}
	return through, parked
}

// shift moves the largest route that would go through to the spool: it turned out to need more than was thought.
func shift(through, parked []*Route) (t, p []*Route) {
	largest := 0
	for i, r := range through {
		if !r.before() && r.Audience.size() >= through[largest].Audience.size() {
			largest = i
		}
	}
	return slices.Delete(through, largest, largest+1), append(parked, through[largest])
}

// park writes a route, or what is left of it, to the disk; it has no name there yet.
func (d *Deliverer) park(client wire.ClientInfo, r *Route, had []spool.Served) (*spool.Entry, error) {
	p := spool.Plan{
		List: r.List, ReversePath: r.ReversePath, MessageID: r.MessageID, Client: client,
		EightBit: r.EightBit, UTF8: r.UTF8, AnyUTF8: r.AnyUTF8, XVERP: r.XVERP, Personal: r.Personal, Note: r.Note, Gather: r.Gather,
		Audience: spool.Audience{
			List: r.Audience.List, Members: r.Audience.Members, Select: r.Audience.Select, Not: r.Audience.Not, NotAt: r.Audience.NotAt,
			Except: slices.Sorted(maps.Keys(r.Audience.Except)), Fixed: r.Audience.Fixed,
		},
		Had: had, Owners: r.Owners, Language: r.Language,
	}
	if r.Key != (Key{}) {
		p.ID = r.Key.ID()
	}
	return d.opts.Spool.Prepare(p, r.Head, r.Body.Reader(r.BodyOffset), r.Body.Size()-r.BodyOffset)
}

// parking is what the spool is to get.
type parking struct {
	d       *Deliverer
	entries []*spool.Entry
	routes  []*Route
}

func (p *parking) add(client wire.ClientInfo, r *Route, had []spool.Served) error {
	e, err := p.d.park(client, r, had)
	if err != nil {
		return err
	}
	p.entries, p.routes = append(p.entries, e), append(p.routes, r)
	return nil
}

// discard forgets what is not published.
func (p *parking) discard() {
	for _, e := range p.entries {
		e.Discard()
	}
}

// publish makes promises of the entries, and hands them to whoever works on the spool. What could not be published
// is an error; the others stand.
func (p *parking) publish() (ids map[*Route]string, err error) {
	ids = map[*Route]string{}
	for i, e := range p.entries {
		if failed := e.Publish(); failed != nil {
			err = errors.Join(err, failed)
			continue
		}
		r := p.routes[i]
		ids[r] = e.Plan().ID
		if r.claim != nil {
			p.d.noted(r.claim.Finish())
		}
		p.d.spooler.add(e)
	}
	p.entries, p.routes = nil, nil
	return ids, err
}

// parkRests gives the spool what an expansion could not send, so that its sender can be told 250 after all.
func (d *Deliverer) parkRests(client wire.ClientInfo, rests []rest) (map[*Route]string, error) {
	p := parking{d: d}
	defer p.discard()
	var err error
	for _, r := range rests {
		if failed := p.add(client, r.route, r.had); failed != nil {
			err = errors.Join(err, failed)
		}
	}
	ids, failed := p.publish()
	return ids, errors.Join(err, failed)
}
