package bouncing

import (
	"context"
	"errors"
	"time"

	"superlistd/audit"
	"superlistd/delivery"
	"superlistd/lists"
	"superlistd/lists/boltstore"
	"superlistd/templates"
)

// file is a member with a case.
type file struct {
	list   lists.List
	member lists.Member
	record record
	was    inquiry // the case as it was read
}

func (f *file) key() string { return f.member.Address.Key() }

// step goes on with the case of a member. What is not due is left alone.
func (d *Desk) step(ctx context.Context, l lists.List, member string, stormy bool, now time.Time) error {
	f := &file{list: l}
	err := d.opts.Book.View(ctx, l.Address, func(t *boltstore.Table) error {
		f.record = load(t, member)
		return nil
	})
	if err != nil {
		return err
	}
	m, found, err := d.opts.Store.Member(ctx, l.Address, address(member))
	if err != nil {
		return err
	}
	c := f.record.Case
	if !found || m.Address.Key() != member || c == nil { // he has left
		return d.forget(ctx, l.Address, member)
	}
	f.member, f.was = m, *c
	ctx = audit.With(ctx, audit.Actor{Way: audit.ByBounces})
	if c.At.After(now.Add(day)) { // a clock was wrong
		c.At = now
		return d.keep(ctx, f)
	}
	switch c.State {
	case suspect:
		return d.suspected(ctx, f, stormy, now)
	case probed:
		return d.probed(ctx, f, now)
	}
	return d.stopped(ctx, f, now)
}

// suspected sends the probe when the points are still enough and no storm can have made them.
func (d *Desk) suspected(ctx context.Context, f *file, stormy bool, now time.Time) error {
	limit := f.list.Settings.BounceLimit
	switch {
	case limit == 0 || f.record.score(dayOf(now)) < 2*limit:
		f.record.Case = nil
		return d.keep(ctx, f)
	case stormy || now.Sub(f.was.At) < settle:
		return nil
	}
	f.record.Case = &inquiry{State: probed, At: now, Letter: d.probeName(f.list.Address, f.member.Address, 0, f.was.At)}
	if err := d.keep(ctx, f); err != nil {
		return err
	}
	d.opts.Log(Event{What: ProbeDue, List: f.list.Address, Member: f.member.Address, Why: f.record.Said})
	return d.sendProbe(ctx, f, now)
}

// probed waits for the probe to come back.
func (d *Desk) probed(ctx context.Context, f *file, now time.Time) error {
	switch {
	case f.was.Back:
		return d.stop(ctx, f, now)
	case !f.was.Sent:
		return d.sendProbe(ctx, f, now)
	case now.Sub(f.was.At) >= week:
		d.opts.Log(Event{What: ProbeArrived, List: f.list.Address, Member: f.member.Address})
		return d.forget(ctx, f.list.Address, f.key())
	}
	return nil
}

// stop ends delivery to a member, and tells him.
func (d *Desk) stop(ctx context.Context, f *file, now time.Time) error {
	m, err := d.opts.Store.UpdateMember(ctx, f.list.Address, f.member.Address, func(m *lists.Member) error {
		if m.Disabled.IsZero() {
			m.Disabled = lists.Disable(f.record.Said, now)
		}
		return nil
	})
	if err != nil {
		return err
	}
	d.opts.Log(Event{What: "delivery to member stopped", List: f.list.Address, Member: m.Address, Why: m.Disabled.Why})
	f.member = m
	return d.nextNotice(ctx, f, 1, now)
}

// stopped goes from notice to notice: one that does not come back in a week has arrived.
func (d *Desk) stopped(ctx context.Context, f *file, now time.Time) error {
	c := f.record.Case
	switch {
	case f.member.Disabled.IsZero(): // somebody has let him have posts again
		return d.forget(ctx, f.list.Address, f.key())
	case !c.Sent && !c.Back:
		return d.sendNotice(ctx, f, now)
	case now.Sub(c.At) < week:
		return nil
	case !c.Back:
		return d.heal(ctx, f)
	case c.Notices < notices:
		return d.nextNotice(ctx, f, c.Notices+1, now)
	case c.Due.IsZero() || c.Due.After(now):
		c.Due = now
		return d.keep(ctx, f)
	case now.Sub(c.Due) < grace:
		return nil
	}
	return d.remove(ctx, f, now)
}

// heal lets posts go to a member again.
func (d *Desk) heal(ctx context.Context, f *file) error {
	if err := enable(ctx, d.opts.Store, f.list.Address, f.member.Address); err != nil {
		return err
	}
	d.opts.Log(Event{What: "delivery to member begins again", List: f.list.Address, Member: f.member.Address})
	return d.forget(ctx, f.list.Address, f.key())
}

func enable(ctx context.Context, s lists.Store, list, member lists.Address) error {
	_, err := s.UpdateMember(ctx, list, member, func(m *lists.Member) error {
		m.Disabled = lists.Disabled{}
		return nil
	})
	return err
}

// remove takes a member off the list. He is told before, as well as that goes: it may be the last that he hears of it.
func (d *Desk) remove(ctx context.Context, f *file, now time.Time) error {
	m := f.member
	err := d.send(ctx, d.letter(f, templates.Dropped, templates.Facts{At: m.Disabled.Since}), now)
	if !errors.Is(err, delivery.ErrAllRefused) {
		d.fault("member not told that he is removed", f.list.Address, m.Address, err)
	}
	ctx = audit.With(ctx, audit.Actor{Way: audit.ByBounces, Why: f.record.Said})
	if _, err := d.opts.Store.Change(ctx, f.list.Address, lists.Change{Remove: []lists.Address{m.Address}}); err != nil {
		return err
	}
	d.opts.Log(Event{What: "member removed", List: f.list.Address, Member: m.Address, Why: f.record.Said})
	if d.opts.Left != nil {
		d.opts.Left(ctx, f.list, m)
	}
	return d.forget(ctx, f.list.Address, f.key())
}

// notice is the case of a member who is told for the n-th time that posts to him are stopped.
func (d *Desk) notice(list lists.Address, m lists.Member, n int, now time.Time) *inquiry {
	return &inquiry{State: stopped, At: now, Notices: n, Letter: d.probeName(list, m.Address, n, m.Disabled.Since)}
}

func (d *Desk) nextNotice(ctx context.Context, f *file, n int, now time.Time) error {
	f.record.Case = d.notice(f.list.Address, f.member, n, now)
	if err := d.keep(ctx, f); err != nil {
		return err
	}
	return d.sendNotice(ctx, f, now)
}

// keep notes the case, unless somebody else was faster. What has come back meanwhile is not lost.
func (d *Desk) keep(ctx context.Context, f *file) error {
	err := d.opts.Book.Update(ctx, f.list.Address, func(t *boltstore.Table) error {
		r := load(t, f.key())
		if r.Case == nil || r.Case.State != f.was.State || r.Case.Letter != f.was.Letter {
			return errOther
		}
		next := f.record.Case
		switch {
		case next == nil:
		case next.Letter == r.Case.Letter && r.Case.Back:
			next.Back = true
		case next.Back:
			r.Said = f.record.Said
		}
		if next != nil && next.State == stopped {
			r.Points, r.Seen = nil, nil
		}
		r.Case = next
		return save(t, f.key(), r)
	})
	if err == nil && f.record.Case != nil {
		f.was = *f.record.Case
	}
	return err
}

// errOther says that another process works on the same case.
var errOther = errors.New("somebody else has gone on with it")

// forget ends what there is of a member.
func (d *Desk) forget(ctx context.Context, list lists.Address, member string) error {
	return d.opts.Book.Update(ctx, list, func(t *boltstore.Table) error { return save(t, member, record{}) })
}
