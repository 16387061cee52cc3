package enrol

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"time"
)

// Requests that are done go into a folder of their own: they are remembered, so that a second answer and a mail that comes again do nothing, but
// wait for nobody, and do not count as open. When there are too many, the oldest are forgotten: what comes of it is that
// answers to them are refused, since their address is not known any more.
const shelf = "done"

// shelvedTimes is how many times as many requests are remembered as may be open.
const shelvedTimes = 5

// forgetEvery is how often the shelf is looked through.
const forgetEvery = time.Hour

// shelvedRequest is what is remembered of one.
type shelvedRequest struct {
	request
	Confirmed bool      `json:",omitempty"`
	Decided   *decision `json:",omitempty"`
}

func shelved(id string) string { return filepath.Join(shelf, id) }

// finish notes that nothing is left to do about a request.
func (d *Desk) finish(ctx context.Context, r request) error {
	if err := d.set(r, markDone); err != nil {
		return err
	}
	return d.files.locked(ctx, func() error {
		now, _, err := d.load(r.id)
		if err != nil || now.shelved || now.Nonce != r.Nonce { // another one has taken its place
			return err
		}
		return d.shelve(now)
	})
}

// shelve puts away a request that is done, under the lock. Its marks are left to sweep.
func (d *Desk) shelve(r request) error {
	there, err := d.files.exists(shelf)
	if err == nil && !there {
		if err = d.opts.Disk.MkdirAll(d.files.path(shelf)); err == nil {
			err = d.opts.Disk.SyncDir(d.files.dir)
		}
	}
	if err == nil {
		err = d.files.remove(shelved(r.id)) // an earlier one of its kind
	}
	if err == nil {
		s := shelvedRequest{r, r.confirmed, r.decided}
		s.Options, s.Wishes, s.Orders, s.Counted = nil, nil, nil, ""
		_, err = d.files.write(shelved(r.id), s)
	}
	if err == nil {
		err = d.files.remove(r.id)
	}
	if err != nil {
		return fmt.Errorf("request %s: %w", r.id, err)
	}
	return nil
}

// remembered reads a request that is done.
func (d *Desk) remembered(id string) (r request, found bool, err error) {
	var s shelvedRequest
	err = d.files.read(shelved(id), &s)
	if errors.Is(err, fs.ErrNotExist) {
		return request{}, false, nil
	}
	if err != nil {
		return request{}, false, fmt.Errorf("request %s: %w", id, err)
	}
	r = s.request
	r.id, r.shelved, r.done, r.confirmed, r.decided = id, true, true, s.Confirmed, s.Decided
	return r, r.good(d.opts.Now()), nil
}

// forget removes the requests on the shelf that are old, and the oldest when there are too many. A file that somebody puts there
// meanwhile may go as well, which is no harm.
func (d *Desk) forget(now time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if now.Sub(d.forgot).Abs() < forgetEvery {
		return nil
	}
	entries, err := d.opts.Disk.ReadDir(d.files.path(shelf))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	type kept struct {
		id string
		at time.Time
	}
	var all []kept
	for _, e := range entries {
		r, found, err := d.remembered(e.Name())
		if err != nil {
			return err
		}
		if found {
			all = append(all, kept{r.id, r.At})
		} else if err := d.files.remove(shelved(e.Name())); err != nil {
			return err
		}
	}
	slices.SortFunc(all, func(a, b kept) int { return b.at.Compare(a.at) })
	for i := shelvedTimes * d.opts.Limits.Open; i < len(all); i++ {
		if err := d.files.remove(shelved(all[i].id)); err != nil {
			return err
		}
	}
	d.forgot = now
	return nil
}
