package bouncing

import (
	"context"
	"errors"
	"strings"
	"time"

	"superlistd/lists"
	"superlistd/lists/boltstore"
)

const (
	// settle is how long after the last point a member is left alone: a storm shows itself in that time.
	settle = time.Hour
	// notices are how many letters tell a member that posts to him are stopped, a week apart.
	notices = 3
	// grace is how long a removal must be seen to be due: a clock that jumps removes nobody by itself.
	grace = day
)

// Tick does what time brings: it tries the addresses of those who have too many points, stops posts to those whose probe
// came back, writes to them, removes them at last, and lets posts go to those again whose letter did not come back. Once a
// minute is often enough. Trouble with one list or member is logged and stops no other; the error is that of the book,
// of the list of lists, or of ctx.
func (d *Desk) Tick(ctx context.Context, now time.Time) error {
	if err := d.Flush(ctx); err != nil {
		return err
	}
	if err := d.adopt(ctx, now); err != nil {
		return err
	}
	all, err := d.opts.Book.Lists(ctx)
	if err != nil {
		return err
	}
	for _, list := range all {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if list != site() {
			d.attend(ctx, list, now)
		}
	}
	return nil
}

// agenda is what there is to do for a list.
type agenda struct {
	cases  []string // keys of members
	upset  []string // the same, of grievances
	storms storms
	post   post // that the owners must hear of
	tidied time.Time
}

// attend looks after one list.
func (d *Desk) attend(ctx context.Context, list lists.Address, now time.Time) {
	l, err := d.opts.Store.List(ctx, list)
	if errors.Is(err, lists.ErrNoList) {
		d.fault("bounces of a list that is gone not dropped", list, lists.Address{}, d.opts.Book.Drop(ctx, list))
		return
	}
	var a agenda
	if err == nil {
		err = d.opts.Book.View(ctx, list, a.read)
	}
	if err != nil {
		d.fault("bounces not looked after", list, lists.Address{}, err)
		return
	}
	if a.storms.Post != "" {
		d.tellStorm(ctx, l, a.storms.Post, a.post, now)
	}
	for _, member := range a.upset {
		d.fault("complaint not dealt with", list, address(member), d.settle(ctx, l, member, now))
	}
	for _, member := range a.cases {
		if ctx.Err() != nil {
			return
		}
		d.fault("bounces of a member not looked after", list, address(member), d.step(ctx, l, member, a.storms.stormy(now), now))
	}
	if now.Sub(a.tidied).Abs() >= day {
		d.fault("bounces not tidied up", list, lists.Address{}, d.tidy(ctx, list, now))
	}
}

func (a *agenda) read(t *boltstore.Table) error {
	for key := range t.All(prefixCase) {
		a.cases = append(a.cases, strings.TrimPrefix(key, prefixCase))
	}
	for key := range t.All(prefixGrievance) {
		a.upset = append(a.upset, strings.TrimPrefix(key, prefixGrievance))
	}
	a.storms = stormsOf(t)
	a.post = post{}.known(t, a.storms.Post)
	_ = a.tidied.UnmarshalText(t.Get(keyTidied)) // one that cannot be read is long ago
	return nil
}

// tidy forgets what counts no more.
func (d *Desk) tidy(ctx context.Context, list lists.Address, now time.Time) error {
	return d.opts.Book.Update(ctx, list, func(t *boltstore.Table) error {
		for key := range t.All(prefixRecord) {
			member := strings.TrimPrefix(key, prefixRecord)
			if r := load(t, member); r.Case == nil && r.score(dayOf(now)) == 0 {
				if err := save(t, member, record{}); err != nil {
					return err
				}
			}
		}
		for key := range t.All(prefixPost) {
			p := post{}.known(t, strings.TrimPrefix(key, prefixPost))
			if now.Sub(p.At).Abs() < postMemory {
				continue
			}
			if err := t.Delete(key); err != nil {
				return err
			}
		}
		return errors.Join(forgetComplaints(t, now), tidied(t, now))
	})
}

func tidied(t *boltstore.Table, now time.Time) error {
	raw, err := now.UTC().MarshalText()
	if err != nil {
		return err
	}
	return t.Put(keyTidied, raw)
}

// site is where the book has what is of no list: a name that no list can have.
func site() lists.Address { return lists.Address{Domain: "site"} }

// adopt makes a case, once a day, of each member who is disabled and has none: the book may have been lost.
func (d *Desk) adopt(ctx context.Context, now time.Time) error {
	var a agenda
	if err := d.opts.Book.View(ctx, site(), a.read); err != nil || now.Sub(a.tidied).Abs() < day {
		return err
	}
	const page = 1000
	for after := (lists.Address{}); ; {
		all, err := d.opts.Store.Lists(ctx, after, page)
		if err != nil {
			return err
		}
		for _, l := range all {
			if err := d.adoptAll(ctx, l, now); err != nil && !errors.Is(err, lists.ErrNoList) {
				return err
			}
		}
		if len(all) < page {
			break
		}
		after = all[len(all)-1].Address
	}
	return d.opts.Book.Update(ctx, site(), func(t *boltstore.Table) error { return tidied(t, now) })
}

func (d *Desk) adoptAll(ctx context.Context, l lists.List, now time.Time) error {
	const page = 1000
	for after := (lists.Address{}); ; {
		all, err := d.opts.Store.Members(ctx, l.Address, after, page)
		if err != nil || len(all) == 0 {
			return err
		}
		after = all[len(all)-1].Address
		for _, m := range all {
			if m.Disabled.IsZero() {
				continue
			}
			err := d.opts.Book.Update(ctx, l.Address, func(t *boltstore.Table) error {
				r := load(t, m.Address.Key())
				if r.Case != nil {
					return nil
				}
				r.Said, r.Case = m.Disabled.Why, d.notice(l.Address, m, 1, now)
				return save(t, m.Address.Key(), r)
			})
			if err != nil {
				return err
			}
		}
	}
}
