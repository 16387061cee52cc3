package digest

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"time"

	"superlistd/delivery"
	"superlistd/delivery/spool"
	"superlistd/lists"
	"superlistd/message"
	"superlistd/templates"
)

// ErrBusy says that somebody else, of this process or another, moves the issues of the list on.
var ErrBusy = errors.New("the digests of the list are being worked on")

// Options are what a Desk works with. Data, Store, Texts, Hostname and Deliver are needed.
type Options struct {
	// Data is the data folder.
	Data  string
	Store lists.Store
	Texts *templates.Set
	// Hostname is our name in Received and Message-ID.
	Hostname string
	// Deliver hands mail to the next hop or to the spool: delivery.Deliverer has it. It must go by Route.Key.
	Deliver func(ctx context.Context, j delivery.Job) (delivery.Result, error)
	// Way sets the reverse-path of a route, by which its bounces come back, and whether its copies are personal; nil: it stays that of the
	// list, and they are not.
	Way func(ctx context.Context, r *delivery.Route, l lists.List, at time.Time)
	// Note is what the maker of personal copies must know of a mail; needed where Way makes them personal.
	Note func(head []byte, body message.Content) (string, error)
	// Sign returns fields that go on top of a mail of ours from a domain, with their line ends, or nothing. Head ends with the empty line.
	Sign func(domain string, head []byte, body message.Content) []byte
	// Unsubscribe is the page where one leaves a list; nil, or "": there is none.
	Unsubscribe func(list lists.Address) string
	// MaxSize is the largest mail that the next hop takes, in octets; nil, or 0: it is not known.
	MaxSize func(ctx context.Context) int64
	// Disk is where posts lie; nil: the real one.
	Disk spool.Disk
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Log hears what happened; nil: nobody does.
	Log func(Event)
}

// Event is something for the log.
type Event struct {
	List lists.Address
	// What happened.
	What string
	// Number is that of the issue; Volume and Issue are what it is called, 0 when it is about none.
	Number, Volume, Issue int
	// Posts is how many are in it, Members how many get it.
	Posts, Members int
	Err            error
}

// Desk keeps posts and sends digests. It may be used by many goroutines, and by many processes on one data folder.
type Desk struct {
	opts Options
	dir  string
	disk spool.Disk
	due  chan struct{}

	mu      sync.Mutex
	seen    map[string]map[string]summary // by the folder of an issue, then by ID: what a post is never changes
	ready   map[string]bool               // folders of lists whose names are on the disk
	waiting map[string]wait               // by the folder of a list: where the last attempt failed
	quiet   lists.Stamp                   // the store had nothing to do when it was this
}

// wait is how long nothing is tried again.
type wait struct {
	until time.Time
	long  time.Duration
}

// New returns a Desk. Nothing is read or made before it is needed.
func New(o Options) *Desk {
	if o.Disk == nil {
		o.Disk = spool.RealDisk{}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = func(Event) {}
	}
	if o.Unsubscribe == nil {
		o.Unsubscribe = func(lists.Address) string { return "" }
	}
	if o.MaxSize == nil {
		o.MaxSize = func(context.Context) int64 { return 0 }
	}
	return &Desk{
		opts: o, dir: filepath.Join(o.Data, "digests"), disk: o.Disk, due: make(chan struct{}, 1),
		seen: map[string]map[string]summary{}, ready: map[string]bool{}, waiting: map[string]wait{},
	}
}

// Due tells that Tick has something to do now: an issue has reached its size or its number of posts, or a post came late.
func (d *Desk) Due() <-chan struct{} { return d.due }

func (d *Desk) call() {
	select {
	case d.due <- struct{}{}:
	default: // it is told already
	}
}
