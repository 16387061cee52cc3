package digest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"time"

	"superlistd/lists"
)

// Label is what an issue is called.
type Label struct {
	// Volume counts the calendar years with a digest, Issue the digests of a volume; both from 1.
	Volume, Issue int
	// At is when the issue was closed.
	At time.Time
}

// next is the label of the issue that is closed at a time: the first of a year begins a volume (RFC 1153). A clock that went back
// begins none.
func next(d lists.Digests, at time.Time) Label {
	l := Label{Volume: d.Volume, Issue: d.Issue + 1, At: at.UTC().Truncate(time.Second)}
	if d.Volume == 0 || !d.Sent.IsZero() && l.At.Year() > d.Sent.UTC().Year() {
		l.Volume, l.Issue = d.Volume+1, 1
	}
	return l
}

// after tells whether the label is one that the store does not know of yet.
func (l Label) after(d lists.Digests) bool {
	return l.Volume > d.Volume || l.Volume == d.Volume && l.Issue > d.Issue
}

// label gives issue n its label: the one that it has, or the next. On nil the label is on the disk, and the store has counted it, so that
// no other issue gets it.
func (d *Desk) label(ctx context.Context, s shelf, l *lists.List, n int, now time.Time) (Label, error) {
	name := strconv.Itoa(n) + labelFile
	var label Label
	err := s.read(name, &label)
	if errors.Is(err, errDamaged) {
		err = errors.Join(s.remove(s.path(name)), fs.ErrNotExist)
	}
	if errors.Is(err, fs.ErrNotExist) {
		label = next(l.Digests, now)
		err = s.note(name, label)
	}
	if err != nil {
		return label, err
	}
	if !label.after(l.Digests) && l.Digests.Number > n {
		return label, nil
	}
	return label, d.count(ctx, l, func(at *lists.Digests) {
		if label.after(*at) {
			at.Volume, at.Issue, at.Sent = label.Volume, label.Issue, label.At
		}
		at.Number = max(at.Number, n+1)
	})
}

// count lets change move the issues of a list on.
func (d *Desk) count(ctx context.Context, l *lists.List, change func(*lists.Digests)) error {
	after, err := d.opts.Store.Digest(ctx, l.Address, func(at *lists.Digests) error {
		change(at)
		return nil
	})
	if err != nil {
		return err
	}
	*l = after
	return nil
}

// full tells whether posts are enough for a digest.
func full(s lists.Settings, h held) bool {
	return s.DigestSize > 0 && h.size >= s.DigestSize || s.DigestCount > 0 && len(h.ids) >= s.DigestCount
}

// old tells whether the oldest has waited long enough.
func old(s lists.Settings, h held, now time.Time) bool {
	return s.DigestHours > 0 && len(h.ids) > 0 && now.Sub(h.oldest) >= time.Duration(s.DigestHours)*time.Hour
}

// Waiting is what a list has not sent yet.
type Waiting struct {
	// Posts of the issue that is being gathered; Size is theirs in octets, Oldest zero when there are none.
	Posts  int
	Size   int64
	Oldest time.Time
	// Next is what that issue will be called if it is closed now.
	Next Label
	// Closed are the posts of issues that are closed and could not be sent yet.
	Closed int
}

// Waiting tells what waits for a list. lists.ErrNoList.
func (d *Desk) Waiting(ctx context.Context, list lists.Address) (Waiting, error) {
	l, err := d.opts.Store.List(ctx, list)
	if err != nil {
		return Waiting{}, err
	}
	s := d.shelf(l)
	x, err := s.index()
	if err != nil {
		return Waiting{}, fmt.Errorf("digest of %s: %w", list, err)
	}
	w := Waiting{Next: next(l.Digests, d.opts.Now())}
	for _, n := range x.issues {
		h, err := d.held(s, n)
		if err != nil {
			return Waiting{}, fmt.Errorf("digest of %s: %w", list, err)
		}
		if n == l.Digests.Number {
			w.Posts, w.Size, w.Oldest = len(h.ids), h.size, h.oldest
		} else {
			w.Closed += len(h.ids)
		}
	}
	return w, nil
}
