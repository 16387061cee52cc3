package enrol

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"superlistd/lists"
)

// What was written because strangers asked is counted in one file for each hour, a line for each letter: when, for which network, to
// whom, for which list, because of which mail, the last four hashed. The files are not synced: what a power cut takes
// is forgotten, and nothing worse.
const (
	countPrefix = "count."
	countHour   = "2006010215"
	countFor    = 24 * time.Hour
	// maxCounts is how many lines a file has at most.
	maxCounts = 10_000
	nobody    = "-" // in the place of a network or list for which a letter does not count
	wanted    = "=" // before a mail: the one to whom its letter went has said yes
)

// count is one line.
type count struct {
	at                       time.Time
	network, who, list, mail string

	// most is how many letters there may be to whom it is for in a day, and spared how many more, if he says yes to them. They are not written.
	most, spared int
}

// ownerTimes is how many times as many letters an owner may cause about his list, as long as it is proven that it is he.
const ownerTimes = 10

// provenTimes is how many times as many letters in a day as others in an hour a network may cause with proven mail, unless they are answered
// with yes. Whoever has a domain can prove mail of as many addresses as he likes; and behind the network of a university there are many.
const provenTimes = 100

// allow counts a letter to somebody under a name, mostly that of the mail that asks for it, or gives ErrTooMany. What was counted before
// under that name is not counted again. Who has proven, or confirmed, that he asks has a count of his own, so that strangers cannot use it up.
func (d *Desk) allow(ctx context.Context, q inquiry, who lists.Address, name string) error {
	if q.agreed {
		return nil // the question was counted
	}
	now := d.opts.Now().UTC()
	c := count{
		at: now, network: d.hashed("network", network(q.mail.Client)), who: d.hashed("who", who.Key()),
		list: d.hashed("list", q.list.Address.Key()), mail: name,
	}
	c.most, c.spared = d.opts.Limits.Address, d.opts.Limits.Address
	if q.byOwner() { // he may prove it by saying yes
		c.spared *= ownerTimes
	}
	if q.proven() {
		c.network, c.list, c.who = d.hashed("proven network", network(q.mail.Client)), nobody, d.hashed("proven who", who.Key())
	}
	if q.proven() && q.byOwner() {
		c.most, c.who = c.most*ownerTimes, d.hashed("proven owner", q.list.Address.Key()+" "+who.Key())
	}
	if err := d.enter(ctx, c); err != nil {
		return fmt.Errorf("request of %s to %s: %w", q.mail.Author, q.list.Address, err)
	}
	return nil
}

// counted is the name under which the letter about a request is counted. Who takes the place of an older request causes a letter more,
// though his mail may have come before: two mails could take each other's place again and again.
func (q inquiry) counted(old request, found bool) string {
	if !found || old.Mail == q.key {
		return q.key
	}
	return digest(q.key, old.Nonce)
}

// settle notes that whom a letter asked has said yes: as he wanted it, it leaves room for another one.
func (d *Desk) settle(ctx context.Context, r request) {
	c := count{at: d.opts.Now().UTC(), network: nobody, who: nobody, list: nobody, mail: wanted + cmp.Or(r.Counted, r.Mail, digest(r.id, r.Nonce))}
	if err := d.enter(ctx, c); err != nil && !errors.Is(err, ErrTooMany) {
		d.opts.Log(Event{What: "answer not counted", List: r.List, Who: r.Who, Err: err})
	}
}

// allowOwners counts a letter to the owners about a request.
func (d *Desk) allowOwners(ctx context.Context, l lists.List, what string, r request) error {
	c := count{
		at: d.opts.Now().UTC(), network: nobody, who: nobody, list: d.hashed("owners of list", l.Address.Key()), mail: digest(what, r.id, r.Nonce),
	}
	if err := d.enter(ctx, c); err != nil {
		return fmt.Errorf("letter to the owners of %s: %w", l.Address, err)
	}
	return nil
}

// enter adds a line, if there is room for its letter.
func (d *Desk) enter(ctx context.Context, c count) error {
	return d.files.locked(ctx, func() error {
		t, err := d.tally(c)
		if err != nil || t.before {
			return err
		}
		if over := t.over(d.opts.Limits, c); over != "" {
			return fmt.Errorf("%w: %s", ErrTooMany, over)
		}
		return d.note(c)
	})
}

// network is that of a client, "" for one that is not known or on this host.
func network(a netip.Addr) string {
	a = a.Unmap()
	bits := 24
	if a.Is6() {
		bits = 48
	}
	if !a.IsValid() || a.IsLoopback() {
		return ""
	}
	p, err := a.WithZone("").Prefix(bits)
	if err != nil {
		return ""
	}
	return p.String()
}

// hashed makes a word of a line: nobody who reads the files learns who asked for what.
func (d *Desk) hashed(what, text string) string {
	if text == "" {
		return nobody
	}
	return d.opts.Keys.Make("enrol count", what, text)
}

// tally is how many letters there were already.
type tally struct {
	before                       bool            // for the same mail
	who, network, list, all, now int             // now: lines in the file of this hour
	mails                        map[string]bool // of who
	proven                       map[string]bool // mails of the network that are proven, in a day
	wanted                       map[string]bool // those to which somebody has said yes
}

// unwanted is how many letters to an address count. Of the others not more than some are let off, since programs may say yes as well.
func (t tally) unwanted(spared int) int {
	return t.who - min(t.answered(t.mails), spared)
}

func (t tally) answered(mails map[string]bool) (n int) {
	for mail := range mails {
		if t.wanted[mail] {
			n++
		}
	}
	return n
}

func (t tally) over(l Limits, c count) string {
	switch {
	case c.who != nobody && t.unwanted(c.spared) >= c.most:
		return fmt.Sprintf("%d letters to the address in a day, and the limit is %d (answers_per_day is %d)", t.who, c.most, l.Address)
	case t.now >= maxCounts:
		return fmt.Sprintf("%d letters in an hour, as many as are counted", t.now)
	case len(t.proven)-t.answered(t.proven) >= provenTimes*l.Network:
		return fmt.Sprintf("%d letters because of proven mail from the network in a day, and the limit is %d", len(t.proven), provenTimes*l.Network)
	case c.list == nobody:
		return ""
	case t.network >= l.Network:
		return fmt.Sprintf("%d letters for the network in an hour, and the limit is %d", t.network, l.Network)
	case t.list >= l.List:
		return fmt.Sprintf("%d letters for the list in an hour, and the limit is %d", t.list, l.List)
	case t.all >= l.All:
		return fmt.Sprintf("%d letters for all lists in an hour, and the limit is %d", t.all, l.All)
	}
	return ""
}

// tally reads the files of a day. Times are compared both ways, so that a clock that was wrong shuts nobody out for longer.
func (d *Desk) tally(c count) (t tally, err error) {
	t.mails, t.proven, t.wanted = map[string]bool{}, map[string]bool{}, map[string]bool{}
	for hours := -int(countFor / time.Hour); hours <= 1; hours++ {
		name := countName(c.at.Add(time.Duration(hours) * time.Hour))
		all, err := d.counts(name)
		if err != nil {
			return t, err
		}
		if hours == 0 {
			t.now = len(all)
		}
		for _, o := range all {
			t.add(c, o)
		}
	}
	return t, nil
}

func (t *tally) add(c, o count) {
	age := c.at.Sub(o.at).Abs()
	if age >= countFor {
		return
	}
	t.before = t.before || o.mail == c.mail
	if o.who == c.who && c.who != nobody {
		t.who++
		t.mails[o.mail] = true
	}
	if mail, yes := strings.CutPrefix(o.mail, wanted); yes {
		t.wanted[mail] = true
	}
	if o.list == nobody && o.network == c.network && c.network != nobody {
		t.proven[o.mail] = true
	}
	if age >= time.Hour || o.list == nobody {
		return
	}
	t.all++
	if o.network == c.network && c.network != nobody {
		t.network++
	}
	if o.list == c.list {
		t.list++
	}
}

func countName(t time.Time) string { return countPrefix + t.Format(countHour) }

// counts reads a file; lines that are not whole are passed over.
func (d *Desk) counts(name string) (all []count, err error) {
	file, err := d.opts.Disk.Open(d.files.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	const longest = 100 // octets of a line
	raw, err := io.ReadAll(io.NewSectionReader(file, 0, 2*maxCounts*longest))
	if err != nil {
		return nil, err
	}
	for line := range bytes.Lines(raw) {
		words := strings.Fields(string(line))
		if len(words) != 5 || line[len(line)-1] != '\n' {
			continue
		}
		seconds, err := strconv.ParseInt(words[0], 10, 64)
		if err != nil {
			continue
		}
		all = append(all, count{at: time.Unix(seconds, 0), network: words[1], who: words[2], list: words[3], mail: words[4]})
	}
	return all, nil
}

// note appends a line. It begins with a line end, for the one before it may not be whole.
func (d *Desk) note(c count) error {
	path := d.files.path(countName(c.at))
	file, err := d.opts.Disk.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		file, err = d.opts.Disk.Create(path)
	}
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(file, "\n%d %s %s %s %s\n", c.at.Unix(), c.network, c.who, c.list, c.mail)
	return errors.Join(err, file.Close())
}
