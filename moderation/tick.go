package moderation

import (
	"context"
	"errors"
	"slices"
	"time"

	"superlistd/letters"
	"superlistd/lists"
	"superlistd/moderation/held"
	"superlistd/templates"
)

const (
	page = 2000 // posts; each costs a look at the whole folder
	// gatherFrom is how many notices that wait become one, also where a list does not gather them.
	gatherFrom = 5
	day        = 24 * time.Hour
)

// waiting are the posts of one list that are not done, the oldest first.
type waiting struct {
	list      lists.Address
	undecided []held.Facts
	expired   []held.Facts // decided by time
}

// Tick does what time brings, and what failed before: it carries out decisions, sends notices, discards posts that nobody
// decided about for as long as the list says, and tidies up. Once a minute is often enough. Trouble with one post is logged and
// stops no other; the error is that of the folder, or of ctx.
func (o *Office) Tick(ctx context.Context, now time.Time) error {
	all, there, err := o.survey(ctx)
	if err != nil {
		return err
	}
	for _, w := range all {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		o.attend(ctx, w, now)
	}
	o.forget(there)
	return o.opts.Held.Sweep(now)
}

// survey reads what there is, and carries out what is decided.
func (o *Office) survey(ctx context.Context) (all map[string]*waiting, there map[string]bool, err error) {
	all, there = map[string]*waiting{}, map[string]bool{}
	for after := ""; ; {
		posts, err := o.opts.Held.List(lists.Address{}, after, page)
		if err != nil {
			return nil, nil, err
		}
		for _, f := range posts {
			if ctx.Err() != nil {
				return nil, nil, ctx.Err()
			}
			there[f.ID] = true
			o.sort(ctx, all, f)
		}
		if len(posts) < page {
			break
		}
		after = posts[len(posts)-1].ID
	}
	for _, w := range all {
		slices.SortStableFunc(w.undecided, func(a, b held.Facts) int { return a.At.Compare(b.At) })
	}
	return all, there, nil
}

func (o *Office) sort(ctx context.Context, all map[string]*waiting, f held.Facts) {
	if f.Fault != "" {
		if o.again(f.ID, time.Time{}) {
			o.failed(f.ID)
			o.log("held post not read", f.List, f.ID, errors.New(f.Fault))
		}
		return
	}
	if f.Decided != nil && f.Decided.Action != held.Expire {
		if o.again(f.ID, f.Decided.At) {
			o.log("decision not carried out", f.List, f.ID, o.complete(ctx, f.ID))
		}
		return
	}
	w := all[f.List.Key()]
	if w == nil {
		w = &waiting{list: f.List}
		all[f.List.Key()] = w
	}
	if f.Noticed { // no notice needs these any more, and there may be many thousands
		f.Results, f.Envelope = "", held.Envelope{}
	}
	if f.Decided != nil {
		w.expired = append(w.expired, f)
	} else {
		w.undecided = append(w.undecided, f)
	}
}

// attend looks after the posts of one list.
func (o *Office) attend(ctx context.Context, w *waiting, now time.Time) {
	l, err := o.opts.Store.List(ctx, w.list)
	if errors.Is(err, lists.ErrNoList) {
		o.expire(w, len(w.undecided))
		o.finish(ctx, w.expired)
		return
	}
	if err != nil {
		o.log("held posts of the list not looked after", w.list, "", err)
		return
	}
	o.expire(w, overdue(l, w.undecided, now))
	o.tellExpired(ctx, l, w.expired)
	var silent []held.Facts
	for _, f := range w.undecided {
		if !o.again(f.ID, f.At) {
			continue
		}
		o.tellHeld(ctx, l, f)
		if !f.Noticed {
			silent = append(silent, f)
		}
	}
	o.notices(ctx, l, silent, now)
}

// overdue is how many of the oldest posts have waited too long. None have before the oldest did so a day ago: so the owners are
// told once a day at most, and moderators may be a little late.
func overdue(l lists.List, posts []held.Facts, now time.Time) int {
	wait := time.Duration(l.Settings.HoldDays) * day
	if wait == 0 || len(posts) == 0 || now.Sub(posts[0].At) < wait+day {
		return 0
	}
	n := slices.IndexFunc(posts, func(f held.Facts) bool { return now.Sub(f.At) < wait })
	if n < 0 {
		return len(posts)
	}
	return n
}

// expire decides about the n oldest posts.
func (o *Office) expire(w *waiting, n int) {
	for _, f := range w.undecided[:n] {
		decided, err := o.opts.Held.Decide(f.ID, held.Decision{Action: held.Expire})
		switch {
		case err == nil:
			o.opts.Log(Event{What: PostExpired, List: f.List, ID: f.ID})
			w.expired = append(w.expired, decided)
		case !errors.Is(err, held.ErrDecided) && !errors.Is(err, held.ErrGone): // then somebody was faster
			o.log("held post not expired", f.List, f.ID, err)
		}
	}
	w.undecided = w.undecided[n:]
}

// tellExpired tells the owners of posts that nobody decided about, and ends these.
func (o *Office) tellExpired(ctx context.Context, l lists.List, posts []held.Facts) {
	if len(posts) == 0 || !o.again(posts[0].ID, posts[0].Decided.At) {
		return
	}
	slices.SortFunc(posts, func(a, b held.Facts) int { return a.At.Compare(b.At) })
	m := letters.Letter{
		List: l, To: letters.Mailboxes(l.Settings.Owners), Name: templates.Expired, Language: l.Settings.Language,
		Facts: templates.Facts{Days: l.Settings.HoldDays},
	}
	words := []string{"expired"}
	for _, f := range posts {
		m.Facts.Items = append(m.Facts.Items, o.item(f))
		words = append(words, f.ID)
	}
	m.Key = keyOf(words...)
	if err := o.opts.Letters.Send(ctx, m); err != nil && o.opts.Now().Sub(posts[0].Decided.At) < giveUp {
		o.failed(posts[0].ID)
		o.log("owners not told of expired posts", l.Address, posts[0].ID, err)
		return
	}
	o.finish(ctx, posts)
}

func (o *Office) finish(ctx context.Context, posts []held.Facts) {
	for _, f := range posts {
		o.log("decision not carried out", f.List, f.ID, o.complete(ctx, f.ID))
	}
}

// notices tells the moderators of posts that they do not know of.
func (o *Office) notices(ctx context.Context, l lists.List, posts []held.Facts, now time.Time) {
	every := l.Settings.NoticeEvery
	if len(posts) == 0 || now.Sub(posts[0].At) < every {
		return
	}
	size := 1
	if every > 0 || len(posts) >= gatherFrom {
		size = maxGathered
	}
	for some := range slices.Chunk(posts, size) {
		o.notice(ctx, l, some)
	}
}
