package bouncing

import (
	"context"
	"strings"
	"time"

	"superlistd/lists"
	"superlistd/lists/boltstore"
)

// Standing is where a member stands.
type Standing struct {
	// Member as the roster has him or, if he has left, as the book knows him.
	Member lists.Address
	// Score is in points of now, of which Settings.BounceLimit are too many.
	Score float64
	// Last is the day of the last bounce that counted; zero: none does.
	Last time.Time
	// State is "", "suspect", "probed" or "stopped", since Since.
	State string
	Since time.Time
	// Notices is how many notices there were that posts are stopped.
	Notices int
	// Said is what came back last.
	Said string
}

// Standings are those of all members of a list who have points or a case, in the order of their keys.
func (d *Desk) Standings(ctx context.Context, list lists.Address) (all []Standing, err error) {
	today := dayOf(d.opts.Now())
	err = d.opts.Book.View(ctx, list, func(t *boltstore.Table) error {
		for key := range t.All(prefixRecord) {
			member := strings.TrimPrefix(key, prefixRecord)
			r := load(t, member)
			s := Standing{Member: address(member), Score: float64(r.score(today)) / 2, Said: r.Said}
			if left := r.left(today); len(left) > 0 {
				s.Last = time.Unix(left[len(left)-1].Day*int64(day/time.Second), 0).UTC()
			}
			if c := r.Case; c != nil {
				s.State, s.Since, s.Notices = string(c.State), c.At.UTC(), c.Notices
			}
			if s.Score > 0 || s.State != "" {
				all = append(all, s)
			}
		}
		return nil
	})
	for i := range all {
		m, found, err := d.opts.Store.Member(ctx, list, all[i].Member)
		if err != nil {
			return nil, err
		}
		if found && m.Address.Key() == all[i].Member.Key() {
			all[i].Member = m.Address
		}
	}
	return all, err
}

// Reset forgets what came back from a member, and lets posts go to him again. It tells whether there was anything.
func (d *Desk) Reset(ctx context.Context, list, member lists.Address) (changed bool, err error) {
	m, found, err := d.opts.Store.Member(ctx, list, member)
	if err != nil {
		return false, err
	}
	if found {
		member = m.Address
	}
	if found && !m.Disabled.IsZero() {
		changed = true
		if err := enable(ctx, d.opts.Store, list, member); err != nil {
			return false, err
		}
	}
	err = d.opts.Book.Update(ctx, list, func(t *boltstore.Table) error {
		changed = changed || t.Get(prefixRecord+member.Key()) != nil
		return save(t, member.Key(), record{})
	})
	return changed, err
}
