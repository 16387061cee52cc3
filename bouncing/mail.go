package bouncing

import (
	"context"
	"errors"
	"strings"
	"time"

	"superlistd/bounce"
	"superlistd/delivery"
	"superlistd/letters"
	"superlistd/lists"
	"superlistd/lists/boltstore"
	"superlistd/templates"
)

func (d *Desk) sendProbe(ctx context.Context, f *file, now time.Time) error {
	return d.try(ctx, f, d.letter(f, templates.Probe, templates.Facts{}), now)
}

func (d *Desk) sendNotice(ctx context.Context, f *file, now time.Time) error {
	left := (notices - f.record.Case.Notices + 1) * forget
	return d.try(ctx, f, d.letter(f, templates.Disabled, templates.Facts{At: f.member.Disabled.Since, Days: left}), now)
}

// letter to the member of a case.
func (d *Desk) letter(f *file, name templates.Name, facts templates.Facts) letters.Letter {
	facts.Member, facts.Error = f.member.Address.String(), f.record.Said
	language := f.member.Language
	if language == "" {
		language = f.list.Settings.Language
	}
	return letters.Letter{
		List: f.list, To: []string{f.member.Address.String()}, Name: name, Language: language, Facts: facts,
		Key: letters.Key("bouncing", string(name), f.list.Address.Key(), f.key(), f.record.Case.Letter),
	}
}

// try sends a letter whose bounce counts, and notes that it is sent.
func (d *Desk) try(ctx context.Context, f *file, l letters.Letter, now time.Time) error {
	c := f.record.Case
	f.was = *c
	l.ReversePath = d.probePath(f.list.Address, c.Letter)
	err := d.send(ctx, l, now)
	if errors.Is(err, delivery.ErrAllRefused) {
		if kind, _ := bounce.Reply(err.Error()); kind == bounce.Hard {
			c.Back, f.record.Said = true, oneLine(err.Error())
		}
		err = nil
	}
	if err != nil {
		return err
	}
	c.Sent, c.At = true, now
	d.opts.Log(Event{What: string(l.Name) + " sent", List: f.list.Address, Member: f.member.Address, Why: f.record.Said})
	return d.keep(ctx, f)
}

// Letters that could not be sent.
const (
	retry    = 10 * time.Minute // until the next attempt
	maxTried = 10_000           // are remembered; beyond, all may be tried at once
)

// errLater says that it is too early for another attempt.
var errLater = errors.New("tried a moment ago")

// send hands a letter over. errLater, unless it is time for that.
func (d *Desk) send(ctx context.Context, l letters.Letter, now time.Time) error {
	d.mu.Lock()
	last, failed := d.tried[l.Key]
	d.mu.Unlock()
	if failed && now.Sub(last).Abs() < retry {
		return errLater
	}
	err := d.opts.Letters.Send(ctx, l)
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.tried) >= maxTried {
		clear(d.tried)
	}
	if delete(d.tried, l.Key); err != nil && !errors.Is(err, delivery.ErrAllRefused) {
		d.tried[l.Key] = now
	}
	return err
}

// probeBack notes that a letter came back which tried an address, if that says that nobody is there.
func (d *Desk) probeBack(ctx context.Context, l lists.List, name string, report bounce.Report) error {
	if !gone(report) {
		return nil
	}
	return d.opts.Book.Update(ctx, l.Address, func(t *boltstore.Table) error {
		for key := range t.All(prefixCase) {
			member := strings.TrimPrefix(key, prefixCase)
			r := load(t, member)
			if r.Case == nil || r.Case.Letter != name || stormsOf(t).stormy(d.opts.Now()) {
				continue
			}
			r.Case.Back, r.Said = true, oneLine(said(report))
			return save(t, member, r)
		}
		return nil
	})
}

// gone tells a report of an address that cannot be reached from one of a mailbox that is full, or of a filter's mood: those
// are of somebody. No connection for as long as a bounce takes counts (RFC 3463 section 3.5), for it is not the first time.
func gone(report bounce.Report) bool {
	switch report.Kind {
	case bounce.Hard:
		return true
	case bounce.Soft:
		for _, r := range report.Recipients {
			if r.Kind == bounce.Soft && (len(r.Status) < 3 || r.Status[1:3] != ".4") {
				return false
			}
		}
		return len(report.Recipients) > 0
	}
	return false
}
