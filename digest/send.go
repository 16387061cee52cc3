package digest

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"superlistd/delivery"
	"superlistd/lists"
	"superlistd/smtpclient"
	"superlistd/wire"
)

// batch is one mailing of an issue. What is in it stays the same however often it is tried.
type batch struct {
	Label
	// Late: it is not the first of its issue.
	Late bool `json:",omitempty"`
	// IDs are its posts, the oldest first.
	IDs []string
	// Began is its date.
	Began time.Time
	// Mark is what its boundaries are made of: random, so that no post can hold one.
	Mark string
	// MaxSize is the largest mail that it may be sent as, in octets; 0: there is no limit.
	MaxSize int64 `json:",omitempty"`
}

// final tells whether an error will be the same the next time, unless somebody does something about it.
func final(err error) bool {
	var refused *smtpclient.Error
	return errors.Is(err, delivery.ErrAllRefused) || errors.Is(err, smtpclient.ErrSize) || errors.Is(err, smtpclient.ErrUTF8) ||
		errors.As(err, &refused) && refused.Reply.Permanent()
}

// patience is how long a mailing is tried here that the next hop refuses for good: somebody may mend its settings. Then it is the spool's, where it
// ends as a post does: the owners are told, and it is kept. One that is put off is tried for ever.
const patience = 5 * 24 * time.Hour

// sendIssue sends what lies in the folder of a closed issue, and removes it.
func (d *Desk) sendIssue(ctx context.Context, s shelf, l *lists.List, x index, n int, now time.Time) (posts int, err error) {
	k, b, err := d.mailing(ctx, s, l, x, n, now)
	if err != nil || b == nil {
		return 0, err
	}
	event := Event{List: l.Address, What: "digest sent", Number: n, Volume: b.Volume, Issue: b.Issue, Posts: len(b.IDs)}
	event.Members, err = d.deliver(ctx, s, *l, n, k, b, false)
	switch {
	case errors.Is(err, smtpclient.ErrSize) && !errors.Is(err, delivery.ErrPartial) && d.opts.MaxSize(ctx) != b.MaxSize: // it goes out in other parts
		return 0, errors.Join(err, s.remove(s.path(fmt.Sprint(n, ".", k, batchFile))))
	case final(err) && now.Sub(b.Began) >= patience:
		event.What, event.Err = "digest refused, and left to the spool", err
		event.Members, err = d.deliver(ctx, s, *l, n, k, b, true)
	}
	if err != nil {
		return 0, err
	}
	d.opts.Log(event)
	posts = len(b.IDs)
	name := fmt.Sprintf("%d.%d", n, k)
	if err := d.disk.Rename(s.path(name+batchFile), s.path(name+sentFile)); err != nil {
		return posts, err
	}
	if err := d.disk.SyncDir(s.dir); err != nil {
		return posts, err
	}
	return posts, d.removePosts(s, n, b.IDs)
}

// mailing is the one that is not sent yet, or a new one of all that is there. Nil: there is nothing to send.
func (d *Desk) mailing(ctx context.Context, s shelf, l *lists.List, x index, n int, now time.Time) (k int, b *batch, err error) {
	if k, open := x.open[n]; open {
		b = &batch{}
		name := fmt.Sprintf("%d.%d%s", n, k, batchFile)
		switch err := s.read(name, b); {
		case err == nil:
			return k, b, nil
		case !errors.Is(err, errDamaged):
			return 0, nil, err
		}
		if err := s.remove(s.path(name)); err != nil {
			return 0, nil, err
		}
	}
	h, err := d.held(s, n)
	if err != nil {
		return 0, nil, err
	}
	k = 1
	for _, sent := range x.sent[n] {
		k = max(k, sent+1)
		var before batch
		if err := s.read(fmt.Sprintf("%d.%d%s", n, sent, sentFile), &before); err != nil && !errors.Is(err, errDamaged) {
			return 0, nil, err
		}
		var again []string
		h.ids = slices.DeleteFunc(h.ids, func(id string) bool {
			found := slices.Contains(before.IDs, id)
			if found {
				again = append(again, id)
			}
			return found
		})
		if err := s.removeFiles(n, again); err != nil {
			return 0, nil, err
		}
	}
	if len(h.ids) == 0 {
		return 0, nil, d.tidy(s, n, now)
	}
	label, err := d.label(ctx, s, l, n, now)
	if err != nil {
		return 0, nil, err
	}
	var mark [16]byte
	rand.Read(mark[:]) // never fails
	b = &batch{
		Label: label, Late: k > 1, IDs: h.ids, Began: now.UTC().Truncate(time.Second), Mark: hex.EncodeToString(mark[:]), MaxSize: d.opts.MaxSize(ctx),
	}
	return k, b, s.note(fmt.Sprintf("%d.%d%s", n, k, batchFile), b)
}

// removePosts removes posts of an issue that nobody needs any more, and its folder if nothing else is there.
func (d *Desk) removePosts(s shelf, n int, ids []string) error {
	if err := s.removeFiles(n, ids); err != nil {
		return err
	}
	d.mu.Lock()
	for _, id := range ids {
		delete(d.seen[s.issue(n)], id)
	}
	d.mu.Unlock()
	return d.tidy(s, n, d.opts.Now())
}

func (s shelf) removeFiles(n int, ids []string) error {
	for _, id := range ids {
		if err := s.remove(filepath.Join(s.issue(n), id)); err != nil {
			return err
		}
	}
	return nil
}

// tidy removes the folder of an issue that is empty.
func (d *Desk) tidy(s shelf, n int, now time.Time) error {
	dir := s.issue(n)
	entries, err := d.disk.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") {
			if err := s.sweepTemp(dir, e, now); err != nil {
				return err
			}
		}
	}
	if len(entries) > 0 { // a post that has just come, or what is half written
		return nil
	}
	if err := d.disk.SyncDir(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return s.remove(dir)
}

// format is one of the two forms of a digest.
type format struct {
	delivery lists.Delivery
	compile  func(*issue) ([]compiled, error)
}

func formats() []format {
	return []format{{lists.DeliveryDigest, (*issue).mime}, {lists.DeliveryPlain, (*issue).plain}}
}

// handOver is how long the next hop may take, and what stands in line before us.
const handOver = 10 * time.Minute

// deliver compiles a mailing and hands it over, if spooled to the spool. It returns how many members get it.
func (d *Desk) deliver(ctx context.Context, s shelf, l lists.List, n, k int, b *batch, spooled bool) (members int, err error) {
	i := &issue{d: d, s: s, l: l, n: n, b: b}
	defer i.close()
	job := delivery.Job{Client: wire.ClientInfo{Source: "LOCAL"}, Gone: func() bool { return false }}
	for _, f := range formats() {
		who := lists.Selection{Delivery: f.delivery, Issue: n}
		count, err := d.readers(ctx, l, who)
		if err != nil {
			return 0, err
		}
		if count == 0 {
			continue
		}
		members += count
		parts, err := f.compile(i)
		if err != nil {
			return 0, fmt.Errorf("compile %q: %w", f.delivery, err)
		}
		for at, part := range parts {
			key := mailKey(l, n, k, f.delivery, at, part.ids)
			route, err := d.route(ctx, i, part, key, delivery.Audience{List: l.Address, Members: count, Select: who})
			if err != nil {
				return 0, err
			}
			route.Spooled = spooled
			job.Routes = append(job.Routes, route)
		}
	}
	if len(job.Routes) == 0 {
		return 0, nil
	}
	ctx, cancel := context.WithTimeout(ctx, handOver)
	defer cancel()
	_, err = d.opts.Deliver(ctx, job)
	return members, err
}

// readers counts who gets an issue in one of its forms.
func (d *Desk) readers(ctx context.Context, l lists.List, who lists.Selection) (n int, err error) {
	const slice = 1000
	for r := (lists.Recipients{Select: who}); !r.Done(); r.Reset() {
		if err := d.opts.Store.Recipients(ctx, l.Address, &r, slice); err != nil {
			return 0, err
		}
		n += r.Len()
	}
	return n, nil
}

// mailKey names a mail for the retry guard: by what it is and by what is in it.
func mailKey(l lists.List, n, k int, form lists.Delivery, part int, ids []string) (key delivery.Key) {
	sum := sha256.Sum256(fmt.Appendf(nil, "digest %q %d %d %d %s %d %q", l.Address.Key(), l.Created.Unix(), n, k, form, part, ids))
	copy(key[:], sum[:])
	return key
}

// route makes the route of one mail.
func (d *Desk) route(ctx context.Context, i *issue, part compiled, key delivery.Key, to delivery.Audience) (delivery.Route, error) {
	l := i.l
	id := fmt.Sprintf("digest.%s@%s", key.ID(), d.opts.Hostname)
	r := delivery.Route{
		List: l.Address, ReversePath: l.Bounces(), Body: part.body, EightBit: part.eightBit, AnyUTF8: l.UTF8Members > 0,
		MessageID: "<" + id + ">", Key: key, Audience: to, Language: l.Settings.Language,
	}
	if d.opts.Way != nil {
		d.opts.Way(ctx, &r, l, i.b.Began)
	}
	if err := d.dress(&r, part, id); err != nil {
		return r, err
	}
	r.UTF8 = !lists.IsASCII(r.Head) || !l.Bounces().ASCII()
	for _, o := range l.Settings.Owners {
		r.Owners = append(r.Owners, o.String())
	}
	if len(r.Owners) == 0 {
		r.Owners = []string{"postmaster"} // RFC 2142 section 6
	}
	return r, nil
}

// dress makes the header of a mail with its signature; of personal copies each gets its own, as it is sent.
func (d *Desk) dress(r *delivery.Route, part compiled, id string) (err error) {
	personal := r.Personal != ""
	r.Head = part.head(id, personal)
	switch {
	case personal:
		r.Note, err = d.opts.Note(r.Head, part.body)
	case d.opts.Sign != nil:
		r.Head = append(d.opts.Sign(r.List.Domain, r.Head, part.body), r.Head...)
	}
	return err
}
