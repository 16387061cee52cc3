package daily

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync"
	"time"

	"superlistd/audit"
	"superlistd/delivery"
	"superlistd/delivery/spool"
	"superlistd/letters"
	"superlistd/lists"
	"superlistd/templates"
)

const (
	day = 24 * time.Hour
	// lookEvery is how often all lists are looked at.
	lookEvery = 10 * time.Minute
)

// Options are what a Desk works with. All but Log are needed.
type Options struct {
	// Data is the folder in which the Desk has its own, "daily".
	Data    string
	Store   lists.Store
	Audit   *audit.Log
	Letters *letters.Clerk
	// Waiting is how many posts to a list wait for a moderator.
	Waiting func(list lists.Address) (int, error)
	// Log hears of what was sent, and of what could not be.
	Log func(Event)
}

// Event is something for the log.
type Event struct {
	What string
	List lists.Address
	Err  error
}

// Desk writes the summaries. Any number of processes may have one on the same folder.
type Desk struct {
	opts Options
	dir  string

	mu     sync.Mutex
	looked time.Time
}

// New returns a Desk. Nothing is read or made before it is needed.
func New(o Options) *Desk {
	if o.Log == nil {
		o.Log = func(Event) {}
	}
	return &Desk{opts: o, dir: filepath.Join(o.Data, "daily")}
}

// Tick writes to the owners of each list who want it (lists.Settings.OwnersNotice), a day after they heard last, if there is
// something to tell. Each event is told once, however the clock is set. What cannot be sent is tried again, and tells of the time
// until then. Once a minute is often enough. Trouble with one list is logged; the error is that of the folder, of the lists, or
// of ctx.
func (d *Desk) Tick(ctx context.Context, now time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if now.Sub(d.looked).Abs() < lookEvery {
		return nil
	}
	lock, free, err := d.lock()
	if err != nil {
		return fmt.Errorf("daily summaries: %w", err)
	}
	defer lock.Close()
	if !free { // another process is about it
		return nil
	}
	d.looked = now
	marks := map[string]bool{lockFile: true}
	const page = 1000
	for after := (lists.Address{}); ; {
		some, err := d.opts.Store.Lists(ctx, after, page)
		if err != nil {
			return err
		}
		for _, l := range some {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			after, marks[markName(l.Address)] = l.Address, true
			if err := d.attend(ctx, l, now); err != nil {
				d.opts.Log(Event{What: "daily summary not sent", List: l.Address, Err: err})
			}
		}
		if len(some) < page {
			return d.tidy(marks)
		}
	}
}

const lockFile = "lock"

func (d *Desk) lock() (file spool.File, free bool, err error) {
	disk := spool.RealDisk{}
	if err := disk.MkdirAll(d.dir); err != nil {
		return nil, false, err
	}
	path := filepath.Join(d.dir, lockFile)
	file, err = disk.Create(path)
	if errors.Is(err, fs.ErrExist) {
		file, err = disk.Open(path)
	}
	if err != nil {
		return nil, false, err
	}
	if free, err = file.Lock(); err != nil {
		return nil, false, errors.Join(err, file.Close())
	}
	return file, free, nil
}

// attend looks after one list.
func (d *Desk) attend(ctx context.Context, l lists.List, now time.Time) error {
	if !l.Settings.OwnersNotice.Daily() || len(l.Settings.Owners) == 0 {
		return d.forget(l.Address) // when they want it again, they want to hear what is new then
	}
	m, err := d.load(l.Address)
	if errors.Is(err, fs.ErrNotExist) {
		return d.begin(l, now)
	}
	if err != nil {
		return err
	}
	if now.Sub(m.At).Abs() < day {
		return nil
	}
	if m.Pending == nil { // else a process was killed before it knew what became of a summary
		s, err := d.gather(l, m, now)
		if err != nil {
			return err
		}
		if len(s.Groups) == 0 {
			return d.save(l.Address, mark{At: now, From: s.To})
		}
		m.Pending = s
		if err := d.save(l.Address, m); err != nil {
			return err
		}
	}
	switch err := d.send(ctx, l, m); {
	case errors.Is(err, delivery.ErrAllRefused): // that is the end of it
		d.opts.Log(Event{What: "daily summary refused by the next hop", List: l.Address, Err: err})
	case err != nil:
		m.Pending = nil
		return errors.Join(err, d.save(l.Address, m))
	default:
		d.opts.Log(Event{What: "daily summary sent", List: l.Address})
	}
	return d.save(l.Address, mark{At: m.Pending.At, From: m.Pending.To})
}

// begin makes the mark of a list that has none: what is new is told from now on, of a new list from its beginning.
func (d *Desk) begin(l lists.List, now time.Time) error {
	m := mark{At: now}
	if now.Sub(l.Created).Abs() >= day {
		var err error
		if m.From, err = d.opts.Audit.End(l.Address); err != nil {
			return err
		}
	} else {
		m.Since = l.Created.UTC()
	}
	return d.save(l.Address, m)
}

// send hands the summary over. It is the same letter each time that it is tried after a kill, and the retry guard knows it then.
func (d *Desk) send(ctx context.Context, l lists.List, m mark) error {
	s := m.Pending
	return d.opts.Letters.Send(ctx, letters.Letter{
		List: l, To: letters.Mailboxes(l.Settings.Owners), Name: templates.Summary, Language: l.Settings.Language,
		Facts: templates.Facts{Since: cmp.Or(s.Since, m.At), At: s.At, Groups: s.Groups, Waiting: s.Waiting},
		Key:   letters.Key("daily", l.Address.Key(), stamp(m.At), stamp(s.At)),
	})
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
