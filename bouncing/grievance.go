package bouncing

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"superlistd/audit"
	"superlistd/delivery"
	"superlistd/letters"
	"superlistd/lists"
	"superlistd/lists/boltstore"
	"superlistd/templates"
)

// Keys in the table of a list, beside those of record.go: "x" and the key of an address → when there was a complaint; "g" and the
// same → grievance, until it is dealt with; "n" → tally.
const (
	prefixComplaint = "x"
	prefixGrievance = "g"
	keyTally        = "n"
)

// grievance is a complaint that is not dealt with.
type grievance struct {
	At     time.Time `json:"at"`
	Member string    `json:"member"`
	By     string    `json:"by,omitempty"`
	Type   string    `json:"type"`
	Remove bool      `json:"remove,omitempty"` // else the owners are told, and nothing more
}

// tally is what there was in a day of complaints that show no secret.
type tally struct {
	Day     int64 `json:"day"`
	Removed int   `json:"removed"`
	Doubted int   `json:"doubted"`
}

// enter notes a grievance, and decides what is done about it. One that was noted, and one too many, is not taken.
func (g grievance) enter(t *boltstore.Table, s subject, trusted bool, now time.Time) (taken bool, err error) {
	key := s.who.Key()
	if _, noted := complained(t, key); noted && !s.member {
		return false, nil
	}
	var y tally
	if json.Unmarshal(t.Get(keyTally), &y) != nil || y.Day != dayOf(now) {
		y = tally{Day: dayOf(now)}
	}
	switch g.Remove = trusted && (s.secret || y.Removed < mostTrusted); {
	case !g.Remove && y.Doubted >= mostDoubted:
		return false, nil
	case !g.Remove:
		y.Doubted++
	case !s.secret:
		y.Removed++
	}
	if g.Remove {
		at, err := now.UTC().MarshalText()
		if err = errors.Join(err, t.Put(prefixComplaint+key, at)); err != nil {
			return false, err
		}
	}
	var old grievance
	if raw := t.Get(prefixGrievance + key); raw != nil && json.Unmarshal(raw, &old) == nil {
		g.At, g.Remove = old.At, g.Remove || old.Remove
	}
	return true, errors.Join(put(t, prefixGrievance+key, g), put(t, keyTally, y))
}

// settle deals with a grievance that was noted. Who has joined again since then, by his own will, stays.
func (d *Desk) settle(ctx context.Context, l lists.List, member string, now time.Time) error {
	var g grievance
	noted, stays := false, false
	err := d.opts.Book.View(ctx, l.Address, func(t *boltstore.Table) error {
		raw := t.Get(prefixGrievance + member)
		noted = raw != nil && json.Unmarshal(raw, &g) == nil
		_, complained := complained(t, member)
		stays = !complained
		return nil
	})
	if err != nil {
		return err
	}
	if noted && !(g.Remove && stays) {
		if err := d.carryOut(ctx, l, g, now); err != nil {
			return err
		}
	}
	return d.opts.Book.Update(ctx, l.Address, func(t *boltstore.Table) error { return t.Delete(prefixGrievance + member) })
}

// carryOut removes a member, if that was decided, and tells the owners.
func (d *Desk) carryOut(ctx context.Context, l lists.List, g grievance, now time.Time) error {
	who, err := lists.ParseAddress(g.Member)
	if err != nil {
		return err
	}
	if g.Remove {
		gone := audit.With(ctx, audit.Actor{By: g.By, Way: audit.ByComplaint, Why: g.Type})
		out, err := d.opts.Store.Change(gone, l.Address, lists.Change{Remove: []lists.Address{who}})
		if err != nil {
			return err
		}
		if len(out.Removed) > 0 {
			d.opts.Log(Event{What: "member removed after a complaint", List: l.Address, Member: who, Why: g.Type})
		}
	}
	err = d.send(ctx, letters.Letter{
		List: l, To: letters.Mailboxes(l.Settings.Owners), Name: templates.Complaint, Language: l.Settings.Language,
		Key:   letters.Key("bouncing", "complaint", l.Address.Key(), who.Key(), strconv.FormatInt(dayOf(g.At), 10), strconv.FormatBool(g.Remove)),
		Facts: templates.Facts{Member: g.Member, By: g.By, Detail: g.Type, Removed: g.Remove, Date: g.At},
	}, now)
	if errors.Is(err, delivery.ErrAllRefused) {
		return nil
	}
	return err
}

// forgetComplaints forgets those that are old.
func forgetComplaints(t *boltstore.Table, now time.Time) error {
	for key := range t.All(prefixComplaint) {
		if at, noted := complained(t, strings.TrimPrefix(key, prefixComplaint)); noted && now.Sub(at).Abs() < complaintMemory {
			continue
		}
		if err := t.Delete(key); err != nil {
			return err
		}
	}
	return nil
}
