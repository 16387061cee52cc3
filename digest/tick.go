package digest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"superlistd/lists"
)

// page is how many lists, or members, are read at once.
const page = 500

// Tick sends what is due, of all lists, and tidies up. What fails stays as it is, and is tried again by a later Tick, in longer and longer
// steps; the error tells all that failed.
func (d *Desk) Tick(ctx context.Context, now time.Time) error {
	folders, err := d.disk.ReadDir(d.dir)
	if err != nil {
		return fmt.Errorf("digests: %w", err)
	}
	there := map[string]bool{}
	for _, f := range folders {
		there[f.Name()] = true
	}
	stamp, err := d.opts.Store.Stamp(ctx)
	if err != nil {
		return fmt.Errorf("digests: %w", err)
	}
	if len(there) == 0 && d.isQuiet(stamp) {
		return nil
	}
	var errs []error
	switches := false
	for after := (lists.Address{}); ; {
		some, err := d.opts.Store.Lists(ctx, after, page)
		if err != nil {
			return fmt.Errorf("digests: %w", err)
		}
		for _, l := range some {
			name := folderOf(l)
			switched := l.Digests.Switch > l.Digests.Number
			switches = switches || switched
			if there[name] || switched {
				errs = append(errs, d.tickList(ctx, l, now))
			}
			delete(there, name)
			after = l.Address
		}
		if len(some) < page {
			break
		}
	}
	if !switches {
		d.setQuiet(stamp)
	}
	for name := range there {
		errs = append(errs, d.sweepGone(ctx, name))
	}
	return errors.Join(errs...)
}

func (d *Desk) isQuiet(s lists.Stamp) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.quiet == s
}

func (d *Desk) setQuiet(s lists.Stamp) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.quiet = s
}

const (
	shortWait = time.Minute
	longWait  = 30 * time.Minute
)

// tickList looks after one list, unless it has failed a short time ago.
func (d *Desk) tickList(ctx context.Context, l lists.List, now time.Time) error {
	name := folderOf(l)
	d.mu.Lock()
	w, failed := d.waiting[name]
	d.mu.Unlock()
	if failed && now.Before(w.until) && w.until.Sub(now) <= w.long {
		return nil
	}
	_, err := d.move(ctx, l, now, false)
	if errors.Is(err, ErrBusy) || errors.Is(err, lists.ErrNoList) {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if delete(d.waiting, name); err != nil && ctx.Err() == nil {
		long := min(max(2*w.long, shortWait), longWait)
		d.waiting[name] = wait{now.Add(long), long}
	}
	return err
}

// Send closes the issue that is being gathered, if there is a post in it, and sends it and all else that waits. It returns how many posts
// were sent. ErrBusy, lists.ErrNoList.
func (d *Desk) Send(ctx context.Context, list lists.Address) (posts int, err error) {
	l, err := d.opts.Store.List(ctx, list)
	if err != nil {
		return 0, err
	}
	return d.move(ctx, l, d.opts.Now(), true)
}

// move closes what is to be closed, and sends what is closed.
func (d *Desk) move(ctx context.Context, l lists.List, now time.Time, force bool) (posts int, err error) {
	s := d.shelf(l)
	defer func() {
		if err != nil {
			err = fmt.Errorf("digest of %s: %w", l.Address, err)
		}
	}()
	lock, err := s.lock()
	if err != nil {
		return 0, err
	}
	defer lock.Close()
	// Somebody else may have moved them on meanwhile.
	if l, err = d.opts.Store.List(ctx, l.Address); err != nil {
		return 0, err
	}
	x, err := s.index()
	if err != nil {
		return 0, err
	}
	if err := d.close(ctx, s, &l, x, now, force); err != nil {
		return 0, err
	}
	var errs []error
	for _, n := range x.toSend(l.Digests.Number) {
		sent, err := d.sendIssue(ctx, s, &l, x, n, now)
		if posts += sent; err != nil {
			errs = append(errs, err)
			if !final(err) { // nor will it go better with the next
				break
			}
		}
	}
	return posts, errors.Join(append(errs, s.sweep(x, now))...)
}

// close closes the issue that is being gathered when it is due, or when nothing lies there and a member waits for the next.
func (d *Desk) close(ctx context.Context, s shelf, l *lists.List, x index, now time.Time, force bool) error {
	if last := len(x.issues) - 1; last >= 0 && x.issues[last] > l.Digests.Number {
		// The store is older than the posts: it was put back from a copy.
		if err := d.count(ctx, l, func(at *lists.Digests) { at.Number = max(at.Number, x.issues[last]) }); err != nil {
			return err
		}
	}
	if err := d.recount(ctx, s, l, x, now); err != nil {
		return err
	}
	n := l.Digests.Number
	h, err := d.held(s, n)
	if err == nil && len(h.ids) > 0 {
		if err = d.dropUnwanted(ctx, s, *l, &h); err != nil {
			return err
		}
	}
	switch {
	case err != nil:
		return err
	case len(h.ids) > 0 && force, len(h.ids) > 0 && full(l.Settings, h), old(l.Settings, h, now):
		_, err = d.label(ctx, s, l, n, now)
	case len(h.ids) == 0 && l.Digests.Switch > n:
		err = d.count(ctx, l, func(at *lists.Digests) { at.Number = max(at.Number, at.Switch) })
	}
	return err
}

// recount lets the store count the issues that have a label and that it may not know of: a crash came before it was told, or it was put back
// from a copy that is older than they are.
func (d *Desk) recount(ctx context.Context, s shelf, l *lists.List, x index, now time.Time) error {
	named := slices.DeleteFunc(slices.Clone(x.toSend(l.Digests.Number)), func(n int) bool { return !x.labels[n] })
	last := -1
	for n := range x.labels {
		last = max(last, n)
	}
	if last >= l.Digests.Number {
		named = append(named, last)
	}
	for _, n := range named {
		if _, err := d.label(ctx, s, l, n, now); err != nil {
			return err
		}
	}
	return nil
}

// dropUnwanted removes the posts of the issue that is being gathered when nobody takes it: those who take digests have left, or wait
// for the next issue, which they then need not wait for any longer. Whoever was there when one of the posts came is seen, since the
// members are read after the posts.
func (d *Desk) dropUnwanted(ctx context.Context, s shelf, l lists.List, h *held) error {
	if l.Digests.Members > 0 && l.Digests.Switch <= l.Digests.Number {
		return nil
	}
	if taken, err := d.taken(ctx, l); taken || err != nil {
		return err
	}
	ids := h.ids
	*h = held{}
	return d.removePosts(s, l.Digests.Number, ids)
}

// taken tells whether a member takes the issue that is being gathered; also one who gets nothing at present, but may again before it is due.
func (d *Desk) taken(ctx context.Context, l lists.List) (bool, error) {
	for after := (lists.Address{}); ; {
		some, err := d.opts.Store.Members(ctx, l.Address, after, page)
		if err != nil {
			return false, err
		}
		for _, m := range some {
			if got := m.DeliveryAt(l.Digests.Number); got == lists.DeliveryDigest || got == lists.DeliveryPlain {
				return true, nil
			}
			after = m.Address
		}
		if len(some) < page {
			return false, nil
		}
	}
}

// toSend are the issues below a number that have a folder.
func (x index) toSend(below int) []int {
	for i, n := range x.issues {
		if n >= below {
			return x.issues[:i]
		}
	}
	return x.issues
}
