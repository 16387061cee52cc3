package bouncing

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"superlistd/delivery"
	"superlistd/letters"
	"superlistd/lists"
	"superlistd/lists/boltstore"
	"superlistd/templates"
)

const (
	// leastStorm keeps the share of a small list from being one dead address.
	leastStorm = 3
	// calm is how long after a storm nobody is tried, and the owners hear of no other one.
	calm = day
	// maxPosts of a list that came back are remembered; postMemory is for how long.
	maxPosts   = 200
	postMemory = 2 * week
)

// post is one that came back.
type post struct {
	ID    string    `json:"id,omitempty"` // Message-ID, without angle brackets
	At    time.Time `json:"at"`           // when it came back first
	Count int       `json:"count"`        // members
	Said  string    `json:"said,omitempty"`
	Storm bool      `json:"storm,omitempty"`
}

// storms are those of a list.
type storms struct {
	At   time.Time `json:"at"`             // the last one
	Post string    `json:"post,omitempty"` // its name, until the owners are told
	Told time.Time `json:"told,omitzero"`
}

// known is what is known of the post already.
func (p post) known(t *boltstore.Table, name string) post {
	var old post
	if raw := t.Get(prefixPost + name); raw != nil && json.Unmarshal(raw, &old) == nil {
		return old
	}
	return p
}

// weigh keeps a post. When it came back from too many, the points that it gave are taken away.
func (p post) weigh(t *boltstore.Table, l lists.List, name string, now time.Time) (storm bool, err error) {
	share := l.Settings.BounceStorm
	if storm = share > 0 && !p.Storm && p.Count >= leastStorm && p.Count*100 > share*l.Members; storm {
		p.Storm = true
		s := stormsOf(t)
		if s.At = now; s.Post == "" && now.Sub(s.Told).Abs() >= calm {
			s.Post = name
		}
		if err := errors.Join(put(t, keyStorms, s), acquit(t, name)); err != nil {
			return false, err
		}
	}
	if t.Get(prefixPost+name) == nil {
		if err := makeRoom(t); err != nil {
			return false, err
		}
	}
	return storm, put(t, prefixPost+name, p)
}

// acquit takes away what a post has counted from all. Whether the rest is enough for a case, Tick sees.
func acquit(t *boltstore.Table, name string) error {
	for key := range t.All(prefixRecord) {
		member := strings.TrimPrefix(key, prefixRecord)
		r := load(t, member)
		r.forgive(name)
		if err := save(t, member, r); err != nil {
			return err
		}
	}
	return nil
}

// makeRoom forgets the oldest post when there are too many.
func makeRoom(t *boltstore.Table) error {
	n, oldest, at := 0, "", time.Time{}
	for key, raw := range t.All(prefixPost) {
		var p post
		if json.Unmarshal(raw, &p) != nil {
			oldest = key
			break
		}
		if n++; oldest == "" || p.At.Before(at) {
			oldest, at = key, p.At
		}
	}
	if oldest == "" || n < maxPosts {
		return nil
	}
	return t.Delete(oldest)
}

func stormsOf(t *boltstore.Table) (s storms) {
	if json.Unmarshal(t.Get(keyStorms), &s) != nil {
		return storms{}
	}
	return s
}

// stormy tells that there was a storm of late.
func (s storms) stormy(now time.Time) bool { return !s.At.IsZero() && now.Sub(s.At).Abs() < calm }

// tellStorm tells the owners of a storm, once a day at most.
func (d *Desk) tellStorm(ctx context.Context, l lists.List, name string, p post, now time.Time) {
	err := d.send(ctx, letters.Letter{
		List: l, To: letters.Mailboxes(l.Settings.Owners), Name: templates.Storm, Language: l.Settings.Language,
		Key:   letters.Key("bouncing", "storm", l.Address.Key(), name),
		Facts: templates.Facts{Bounced: p.Count, Total: l.Members, MessageID: p.ID, Date: p.At, Error: p.Said},
	}, now)
	if err == nil || errors.Is(err, delivery.ErrAllRefused) {
		err = d.opts.Book.Update(ctx, l.Address, func(t *boltstore.Table) error {
			s := stormsOf(t)
			s.Post, s.Told = "", now
			return put(t, keyStorms, s)
		})
	}
	d.fault("owners not told of a storm of bounces", l.Address, lists.Address{}, err)
}
