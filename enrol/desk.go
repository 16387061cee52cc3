package enrol

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"superlistd/delivery/spool"
	"superlistd/letters"
	"superlistd/lists"
	"superlistd/message"
	"superlistd/templates"
	"superlistd/token"
)

var (
	// ErrToken says that a keyed address is not one that we made, or that what it was made for is long gone.
	ErrToken = errors.New("the address is not valid, or not any more")
	// ErrTooMany says that a letter is not written because there were too many: to this address, for this list, or because of mail
	// from this network. Later there may be room.
	ErrTooMany = errors.New("too many requests for now")
)

// Options are what a Desk works with. All down to Delimiter are needed.
type Options struct {
	// Data is the folder in which the Desk has its own, "enrol".
	Data  string
	Store lists.Store
	// Letters sends what is written to people.
	Letters *letters.Clerk
	Keys    *token.Keys
	// Delimiter stands before the extension of an address: "+".
	Delimiter string
	Limits    Limits
	// Page is the link by which a member leaves a list, "" for none; nil: there is none.
	Page func(list, member lists.Address) string
	// Held are the posts that wait for a moderator, for an owner who asks; nil: there are none.
	Held func(ctx context.Context, l lists.List) ([]templates.Item, error)
	// Complained tells of an address that has complained about the list's mail: it becomes a member again only when somebody who
	// reads its mail confirms it. nil: none has.
	Complained func(ctx context.Context, list, address lists.Address) (bool, error)
	// Confirmed is told, before it happens, that an address becomes a member by its own will; nil: nobody is.
	Confirmed func(ctx context.Context, list, address lists.Address) error

	Disk spool.Disk // nil: the real one
	Now  func() time.Time
	Log  func(Event)
}

// Limits bound what strangers can make us write. Zero is the value in parentheses.
type Limits struct {
	// Address is how many letters one address gets in a day because somebody asked for them in its name, or invited it (10); a letter to which
	// it says yes leaves room for another one. Who has proven that he asks gets as many, whatever strangers do, and an owner about his
	// list ten times as many.
	Address int
	// Network is how many letters mail from one network, an IPv4 /24 or an IPv6 /48, causes in an hour (20), List how many for one list
	// (200), and All how many for all lists (1000): without those to people who have proven that it is they who asked.
	Network, List, All int
	// Open is how many requests may wait (20,000). Five times as many that are done are remembered.
	Open int
}

func (l Limits) filled() Limits {
	for _, f := range []struct {
		field *int
		value int
	}{{&l.Address, 10}, {&l.Network, 20}, {&l.List, 200}, {&l.All, 1000}, {&l.Open, 20_000}} {
		if *f.field == 0 {
			*f.field = f.value
		}
	}
	return l
}

// Mail is one that somebody sent to a service of a list.
type Mail struct {
	Head message.Header
	Body io.Reader // what follows the header
	// Author is who From names, zero if that is not one address; AuthorName is what it is called there, decoded.
	Author     lists.Address
	AuthorName string
	Proof      lists.Proof
	// Client is where it came from; invalid if that is not known.
	Client netip.Addr
	// Automatic: a program wrote it, as far as the envelope tells (null reverse-path). The header is looked at here.
	Automatic bool
}

// Event is something that an administrator may want to see in the log. The fields that do not apply are zero.
type Event struct {
	What string // "joined", "confirmation sent"…
	List lists.Address
	Who  lists.Address // member, or who wants to be one
	By   lists.Address // who did it, if not he
	Err  error
}

// Desk takes requests. Its methods may be called concurrently, and any number of processes may have one on the same folder.
type Desk struct {
	opts  Options
	files *folder

	mu     sync.Mutex
	forgot time.Time
}

// New returns a Desk. Nothing is read or made before it is needed.
func New(o Options) *Desk {
	o.Limits = o.Limits.filled()
	if o.Disk == nil {
		o.Disk = spool.RealDisk{}
	}
	if o.Page == nil {
		o.Page = func(lists.Address, lists.Address) string { return "" }
	}
	if o.Held == nil {
		o.Held = func(context.Context, lists.List) ([]templates.Item, error) { return nil, nil }
	}
	if o.Complained == nil {
		o.Complained = func(context.Context, lists.Address, lists.Address) (bool, error) { return false, nil }
	}
	if o.Confirmed == nil {
		o.Confirmed = func(context.Context, lists.Address, lists.Address) error { return nil }
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = func(Event) {}
	}
	return &Desk{opts: o, files: &folder{dir: filepath.Join(o.Data, "enrol"), disk: o.Disk}}
}

// Take takes a mail to LIST-subscribe, -unsubscribe, -request or -help. On nil, what it asks for is done, and what is to be
// written is the next hop's or the spool's. Mail that a program wrote does nothing. lists.ErrNoAuthor, lists.ErrForged and
// lists.ErrBanned (of who wants to join) are for good. With ErrTooMany and all other errors the same mail may come again: nothing
// is done or written twice.
func (d *Desk) Take(ctx context.Context, l lists.List, service lists.Service, m Mail) error {
	if automatic(m) {
		d.log("automatic request ignored", l, m.Author, nil)
		return nil
	}
	switch {
	case m.Author.IsZero():
		return lists.ErrNoAuthor
	case m.Proof == lists.Contradicted:
		return fmt.Errorf("%w: %s", lists.ErrForged, m.Author)
	case ownAddress(l, m.Author):
		d.log("request of the list itself ignored", l, m.Author, nil)
		return nil
	}
	q := inquiry{list: l, mail: m, key: mailKey(l, m)}
	switch service {
	case lists.ServiceSubscribe:
		return d.run(ctx, q, command{verb: verbJoin})
	case lists.ServiceUnsubscribe:
		return d.run(ctx, q, command{verb: verbLeave})
	case lists.ServiceRequest:
		return d.request(ctx, q)
	}
	return d.run(ctx, q, command{verb: verbHelp})
}

// inquiry is a mail that a person sent, with what is known about it.
type inquiry struct {
	list lists.List
	mail Mail
	key  string // the same for the same mail
	left string // what was not understood of a mail that is carried out
	// out takes what is told of one of several commands, and mailKey is the key of the mail then; nil: it is sent at once.
	out     *parts
	mailKey string
	// report is what is not carried out of it; nil: all is.
	report *report
	// agreed: he has confirmed it, and was proven by that.
	agreed bool
}

func (q inquiry) proven() bool { return q.mail.Proof == lists.Proven }

// byOwner tells a mail that says it is from an owner.
func (q inquiry) byOwner() bool { return q.list.Settings.IsOwner(q.mail.Author) }

// request reads the commands in a mail to LIST-request, and runs them.
func (d *Desk) request(ctx context.Context, q inquiry) error {
	text, err := letters.Text(q.mail.Head, q.mail.Body)
	if err != nil {
		return fmt.Errorf("request to %s: %w", q.list.Address, err)
	}
	read := readCommands(q.list, q.mail.Author, letters.Subject(q.mail.Head), text, d.opts.Now())
	read.commands, q.report = merged(read.commands), reportOf(read)
	if err := d.obeyAll(ctx, q, read); err != nil {
		return err
	}
	return d.tellUndone(ctx, q)
}

// obeyAll runs the commands that were read, or has them confirmed.
func (d *Desk) obeyAll(ctx context.Context, q inquiry, read read) error {
	if len(read.commands)+len(read.orders) == 0 {
		return d.atOnceAll(ctx, q, []command{{verb: verbHelp, unknown: read.rest}})
	}
	wishes, rest, err := d.together(ctx, q, read)
	if err != nil {
		return err
	}
	if err := d.atOnceAll(ctx, q, rest); err != nil {
		return err
	}
	if len(read.orders)+len(wishes) == 0 {
		return nil
	}
	r := request{List: q.list.Address, Who: q.mail.Author, Action: ordering, Wishes: wishes, Orders: read.orders}
	q.key, q.left = digest(q.key, d.idOf(r)), read.rest // a mail that comes again with other orders is another one
	r.Mail = q.key
	if slices.ContainsFunc(wishes, func(w wish) bool { return w.Verb == joining }) {
		r.Name = nameOf(q.mail.AuthorName, r.Who)
	}
	return d.ask(ctx, q, r, templates.ConfirmOrders)
}

// atOnceAll runs commands that need no confirmation together with others.
func (d *Desk) atOnceAll(ctx context.Context, q inquiry, commands []command) error {
	switch {
	case len(commands) == 0:
		return nil
	case len(commands) == 1 && q.report == nil:
		return d.run(ctx, q, commands[0])
	}
	return d.several(ctx, q, commands)
}

func (d *Desk) run(ctx context.Context, q inquiry, c command) error {
	switch c.verb {
	case verbJoin:
		return d.join(ctx, q, c.options)
	case verbLeave:
		return d.leave(ctx, q)
	case verbChange, verbResume:
		return d.change(ctx, q, c)
	case verbConfirm:
		return d.confirmByCommand(ctx, q, c.token)
	case verbInfo:
		return d.answer(ctx, q, templates.Info, d.facts(q.list, q.mail.Author))
	case verbWho:
		if q.byOwner() && q.proven() {
			return d.roster(ctx, q)
		}
	case verbHeld:
		if q.byOwner() && q.proven() {
			return d.held(ctx, q)
		}
	}
	facts := d.facts(q.list, q.mail.Author)
	facts.Text, facts.Wrong, facts.Owns = c.unknown, c.wrong, q.byOwner()
	return d.answer(ctx, q, templates.Help, facts)
}

// automatic tells mail that gets no answer (RFC 3834 section 2).
func automatic(m Mail) bool {
	if m.Automatic || letters.Unattended(m.Head) {
		return true
	}
	switch strings.ToLower(m.Author.Local) {
	case "mailer-daemon", "postmaster", "noreply", "no-reply", "donotreply", "do-not-reply":
		return true
	}
	return false
}

// ownAddress tells the addresses of the list itself.
func ownAddress(l lists.List, a lists.Address) bool {
	key := a.Key()
	own := []lists.Address{l.Address, l.Owner(), l.Request(), l.Subscribe(), l.Unsubscribe(), l.Help(), l.Bounces()}
	return slices.ContainsFunc(own, func(o lists.Address) bool { return o.Key() == key })
}

// mailKey names a mail, so that it is known when its sender comes again with it. One without a Message-ID is the same as others
// with its subject and date.
func mailKey(l lists.List, m Mail) string {
	id := message.ID(m.Head)
	if id == "" {
		id = strings.Join(append(m.Head.Values("Date"), letters.Subject(m.Head)), "\n")
	}
	return digest(l.Address.Key(), m.Author.Key(), id)
}

func digest(words ...string) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%q", words))
	return hex.EncodeToString(sum[:8])
}

func (d *Desk) log(what string, l lists.List, who lists.Address, err error) {
	d.opts.Log(Event{What: what, List: l.Address, Who: who, Err: err})
}
