package bouncing

import (
	"context"
	"errors"
	"sync"
	"time"

	"superlistd/delivery"
	"superlistd/letters"
	"superlistd/lists"
	"superlistd/lists/boltstore"
	"superlistd/token"
)

// ErrForged says that nothing of ours can come back to an address, or not from such a sender.
var ErrForged = errors.New("nothing of ours comes back to this address")

// Book is where scores are kept; boltstore.Records is one.
type Book interface {
	View(ctx context.Context, list lists.Address, look func(*boltstore.Table) error) error
	Update(ctx context.Context, list lists.Address, change func(*boltstore.Table) error) error
	UpdateAll(ctx context.Context, edits []boltstore.Edit) error
	Lists(ctx context.Context) ([]lists.Address, error)
	Drop(ctx context.Context, list lists.Address) error
}

// Options are what a Desk works with. Store and Book are needed for Standings and Reset; for all else Letters, Keys and
// Delimiter are needed as well.
type Options struct {
	Store   lists.Store
	Book    Book
	Letters *letters.Clerk
	Keys    *token.Keys
	// Delimiter stands before the extension of an address: "+".
	Delimiter string
	// Link reads a member's own link to leave a list by, out of a complaint; false: we did not make it. nil: there are none.
	Link func(link string) (list, member lists.Address, ok bool)
	// Left hears of each member who was removed since his mail came back, once he is; nil: nobody does.
	Left func(ctx context.Context, l lists.List, m lists.Member)
	// Counted hears of each member from whom a post came back, once for each post, with what came back; nil: nobody does.
	Counted func(list, member lists.Address, said string)
	Now     func() time.Time
	Log     func(Event)
}

// Event is something that an administrator may want to see in the log. The fields that do not apply are zero.
type Event struct {
	What   string // one of those below, "member removed"…
	List   lists.Address
	Member lists.Address
	Post   string // how the post is known of which something came back; "": not told
	Why    string // what came back
	Err    error
}

// Of what happens, this is no change of a member, and still worth a line in his history.
const (
	ProbeDue     = "address is tried by a probe"
	ProbeArrived = "probe arrived, bounces forgotten"
	StormBegun   = "post bounced from too many members"
)

// Desk counts bounces. Its methods may be called concurrently, and any number of processes may have one on the same book.
type Desk struct {
	opts  Options
	queue *queue

	mu      sync.Mutex
	refused []refusal                  // by the next hop, and not counted yet
	tried   map[delivery.Key]time.Time // letters that could not be sent, and when
}

// New returns a Desk.
func New(o Options) *Desk {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = func(Event) {}
	}
	if o.Counted == nil {
		o.Counted = func(lists.Address, lists.Address, string) {}
	}
	if o.Link == nil {
		o.Link = func(string) (list, member lists.Address, ok bool) { return list, member, false }
	}
	return &Desk{opts: o, queue: newQueue(o.Book), tried: map[delivery.Key]time.Time{}}
}

// fault tells of trouble; nil is none, and so is what somebody else does, or we do later.
func (d *Desk) fault(what string, list, member lists.Address, err error) {
	if err != nil && !errors.Is(err, errLater) && !errors.Is(err, errOther) {
		d.opts.Log(Event{What: what, List: list, Member: member, Err: err})
	}
}

// minor logs trouble with the book, where a lost score does no harm, and lets all else through: no mail is put off
// because the book is damaged.
func (d *Desk) minor(list lists.Address, err error) error {
	if damaged(err) {
		d.fault("bounce not counted", list, lists.Address{}, err)
		return nil
	}
	return err
}

// damaged tells that the book cannot be used.
func damaged(err error) bool {
	return errors.Is(err, lists.ErrStore) || errors.Is(err, lists.ErrSchema)
}
