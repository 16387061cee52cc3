package enrol

import (
	"context"
	"crypto/rand"
	"encoding/base32"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"superlistd/letters"
	"superlistd/lists"
)

// What a request is about. There is one request of each for an address and a list.
const (
	joining  = "join"
	leaving  = "leave"
	changing = "change"
	inviting = "invite"
	// ordering is what an owner wants done with others, one request for each that is different; or several things that somebody wants.
	ordering = "order"
	// obeying are several commands of one mail that are carried out at once, so that what is done is known when the mail comes again.
	obeying = "obey"
)

const (
	// confirmFor is how long a request waits for who it is about.
	confirmFor = 7 * 24 * time.Hour
	// approveFor is how long it waits for the owners then, from its beginning.
	approveFor = 30 * 24 * time.Hour
)

// request is what somebody asked for. Its file never changes; what becomes of it stands in files beside it (marks).
type request struct {
	List   lists.Address
	Who    lists.Address // whom it is about: of a member, the address of his that gets mail
	Name   string        `json:",omitempty"`
	Action string
	// Options are those of a change, or of who joins: name, value, name, value…
	Options []string `json:",omitempty"`
	Wishes  []wish   `json:",omitempty"`
	Orders  []order  `json:",omitempty"`
	Mail    string   // key of the mail that asked; "" for an invitation
	Counted string   `json:",omitempty"` // name under which the letter that asks for a confirmation was counted; "" is Mail
	Nonce   string
	At      time.Time

	id      string
	shelved bool // see shelve
	// sent: the confirmation was; confirmed: who it is about wants it; asked: the owners were; done: nothing is left to do.
	sent, confirmed, asked, done bool
	decided                      *decision
}

// decision is what an owner said.
type decision struct {
	Action letters.Action
	Ban    bool
	By     lists.Address
	Text   string
	At     time.Time
}

// The marks of a request: the ends of the names of files. A mark begins with the names of its request and of its nonce, so that
// none is taken for that of a later request.
const (
	markSent      = "sent"
	markConfirmed = "confirmed"
	markAsked     = "asked"
	markDecided   = "decided"
	markDone      = "done"
)

func (r request) mark(word string) string { return r.id + "." + r.Nonce + "." + word }

const (
	idLength    = 10 // characters: 50 bits, which nobody can aim at without our secret
	nonceLength = 4
)

// idOf is the name of a request: there is one of each kind for an address.
func (d *Desk) idOf(r request) string {
	words := []string{r.Action, r.List.Key(), r.Who.Key()}
	for _, o := range r.Orders {
		words = append(words, o.What, o.Who.Key(), o.Name)
	}
	for _, w := range r.Wishes {
		if w.Verb == roster || w.Verb == waiting { // does not take the place of what he wants changed
			words = append(words, w.Verb)
		}
	}
	return d.opts.Keys.Make("enrol request", words...)[:idLength]
}

func newNonce() string {
	var b [5]byte
	rand.Read(b[:]) // never fails
	return strings.ToLower(base32.StdEncoding.EncodeToString(b[:]))[:nonceLength]
}

// good tells whether the request may still be answered.
func (r request) good(now time.Time) bool {
	wait := confirmFor
	if r.confirmed {
		wait = approveFor
	}
	return now.Sub(r.At).Abs() < wait
}

// load reads a request; found is false when there is none, or none any more.
func (d *Desk) load(id string) (r request, found bool, err error) {
	err = d.files.read(id, &r)
	if errors.Is(err, fs.ErrNotExist) {
		return d.remembered(id)
	}
	if err != nil {
		return request{}, false, fmt.Errorf("request %s: %w", id, err)
	}
	r.id = id
	for _, m := range []struct {
		word string
		is   *bool
	}{{markSent, &r.sent}, {markConfirmed, &r.confirmed}, {markAsked, &r.asked}, {markDone, &r.done}} {
		if *m.is, err = d.files.exists(r.mark(m.word)); err != nil {
			return request{}, false, fmt.Errorf("request %s: %w", id, err)
		}
	}
	var said decision
	if err := d.files.read(r.mark(markDecided), &said); err == nil {
		r.decided = &said
	} else if !errors.Is(err, fs.ErrNotExist) {
		return request{}, false, fmt.Errorf("request %s: %w", id, err)
	}
	return r, r.good(d.opts.Now()), nil
}

// same tells whether two requests ask for the same.
func (r request) same(o request) bool {
	return r.Action == o.Action && (r.Action != obeying || r.Mail == o.Mail) && r.List.Key() == o.List.Key() && r.Who.Key() == o.Who.Key() && slices.Equal(r.Options, o.Options) && slices.Equal(r.Orders, o.Orders) &&
		slices.EqualFunc(r.Wishes, o.Wishes, func(w, v wish) bool { return w.Verb == v.Verb && slices.Equal(w.Options, v.Options) })
}

// open makes a request, unless there is the same one already that is not done, which it returns then. ErrTooMany.
func (d *Desk) open(ctx context.Context, r request) (request, error) {
	r.id = d.idOf(r)
	r.Nonce, r.At = newNonce(), d.opts.Now().UTC().Truncate(time.Second)
	err := d.files.locked(ctx, func() error {
		old, found, err := d.load(r.id)
		if err != nil {
			return err
		}
		if found && !old.done && old.same(r) {
			r = old
			return nil
		}
		if err := d.crowded(); err != nil {
			return err
		}
		if err := d.files.remove(r.id); err != nil {
			return err
		}
		_, err = d.files.write(r.id, r)
		return err
	})
	if err != nil {
		return request{}, fmt.Errorf("request of %s to %s: %w", r.Who, r.List, err)
	}
	return r, nil
}

// crowded gives ErrTooMany when no further request may wait.
func (d *Desk) crowded() error {
	entries, err := d.opts.Disk.ReadDir(d.files.dir)
	if err != nil {
		return err
	}
	n := 0
	for _, e := range entries {
		if isID(e.Name()) {
			n++
		}
	}
	if n >= d.opts.Limits.Open {
		return fmt.Errorf("%w: %d requests wait", ErrTooMany, n)
	}
	return nil
}

// set makes a mark.
func (d *Desk) set(r request, word string) error {
	if _, err := d.files.write(r.mark(word), struct{}{}); err != nil {
		return fmt.Errorf("request %s: %w", r.id, err)
	}
	return nil
}

// isID tells the names of requests among those of files.
func isID(name string) bool { return len(name) == idLength && isBase32(name) }

func isBase32(s string) bool { return strings.Trim(s, "abcdefghijklmnopqrstuvwxyz234567") == "" }

// Tick tidies up: requests that nobody confirmed or decided about in time, and what was counted more than a day ago. Once an hour
// is often enough.
func (d *Desk) Tick(ctx context.Context, now time.Time) error {
	if there, err := d.files.exists(lockFile); err != nil || !there {
		return err // nobody ever asked for anything
	}
	err := d.files.locked(ctx, func() error { return d.sweep(now) })
	if err == nil {
		err = d.forget(now)
	}
	if err != nil {
		return fmt.Errorf("requests: %w", err)
	}
	return nil
}

func (d *Desk) sweep(now time.Time) error {
	entries, err := d.opts.Disk.ReadDir(d.files.dir)
	if err != nil {
		return err
	}
	alive := map[string]bool{} // id and nonce
	for _, e := range entries {
		if !isID(e.Name()) {
			continue
		}
		r, found, err := d.load(e.Name())
		switch {
		case err != nil:
		case !found:
			err = d.files.remove(e.Name())
		case r.done: // whoever did it did not come to it
			err = d.shelve(r)
		default:
			alive[r.mark("")] = true
		}
		if err != nil {
			return err
		}
	}
	for _, e := range entries {
		if !d.needless(e, alive, now) {
			continue
		}
		if err := d.files.remove(e.Name()); err != nil {
			return err
		}
	}
	return nil
}

// needless tells files that nobody asks for any more: marks whose request is gone, old counts, what was half written when
// somebody died. Marks are made without the lock, so a fresh file may still be written.
func (d *Desk) needless(e fs.DirEntry, alive map[string]bool, now time.Time) bool {
	name := e.Name()
	if hour, ok := strings.CutPrefix(name, countPrefix); ok {
		t, err := time.Parse(countHour, hour)
		return err == nil && now.Sub(t).Abs() > countFor+time.Hour
	}
	if id, rest, ok := strings.Cut(name, "."); ok && isID(id) {
		nonce, _, _ := strings.Cut(rest, ".")
		return !alive[id+"."+nonce+"."]
	}
	if !strings.HasPrefix(name, ".") {
		return false
	}
	info, err := e.Info()
	return err == nil && now.Sub(info.ModTime()).Abs() >= time.Minute
}
