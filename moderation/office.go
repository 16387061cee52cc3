package moderation

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"superlistd/delivery"
	"superlistd/letters"
	"superlistd/lists"
	"superlistd/message"
	"superlistd/moderation/held"
	"superlistd/templates"
	"superlistd/token"
)

var (
	// ErrToken says that a keyed address is not one that we made, or that what it was made for is long gone.
	ErrToken = errors.New("the address is not valid, or not any more")
	// ErrPending says that a decision is noted, but not carried out yet. Tick goes on with it.
	ErrPending = errors.New("decided, and not carried out yet")
)

// Options are what an Office works with. All but Now and Log are needed.
type Options struct {
	Held  *held.Store
	Store lists.Store
	// Letters sends what is written to people.
	Letters *letters.Clerk
	Keys    *token.Keys
	// Delimiter stands before the extension of an address: "+".
	Delimiter string
	// Deliver hands a released post to the next hop or to the spool: delivery.Deliverer has it. It must go by Route.Key.
	Deliver func(ctx context.Context, j delivery.Job) (delivery.Result, error)
	// Routes dresses a post that is released for the members of its list, and of lists among them. The content is good until
	// the routes are delivered.
	Routes func(ctx context.Context, f held.Facts, content message.Content, l lists.List) ([]delivery.Route, error)
	// New hears of each post that is held, once it is on the disk; nil: nobody does.
	New func(held.Facts)
	Now func() time.Time
	Log func(Event)
}

// Event is something that an administrator may want to see in the log. The fields that do not apply are zero.
type Event struct {
	What string // "post held", "notice failed"…
	List lists.Address
	ID   string // of the held post
	By   string // who did it
	Err  error
}

// Of what happens, this is about a post itself.
const (
	PostDecided  = "held post decided: " // and the held.Action
	PostReleased = "held post released"
	PostExpired  = "held post expired"
)

// Office looks after held posts. Its methods may be called concurrently, and any number of processes may have one on the
// same folder.
type Office struct {
	opts Options

	mu    sync.Mutex
	tried map[string]time.Time // IDs of posts with something that failed, and when
}

// New returns an Office.
func New(o Options) *Office {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = func(Event) {}
	}
	return &Office{opts: o, tried: map[string]time.Time{}}
}

// Hold keeps a post, so that 250 may be said to its sender: on nil it is on the disk. A post that comes again (held.Facts.Key)
// keeps its ID. Then the moderators are asked, unless the list gathers notices, and an author who is proven is told; what of
// that fails, Tick does again. held.ErrFull.
func (o *Office) Hold(ctx context.Context, l lists.List, f held.Facts, content message.Content) (id string, err error) {
	f.List = l.Address
	id, existed, err := o.opts.Held.Put(f, content.Reader(0), content.Size())
	if err != nil {
		return "", fmt.Errorf("hold: %w", err)
	}
	if existed {
		return id, nil
	}
	if o.opts.New != nil {
		f.ID = id
		o.opts.New(f)
	}
	if f, err = o.opts.Held.Get(id); err != nil { // it is safe all the same
		o.log("held post not read", l.Address, id, err)
		return id, nil
	}
	o.tellHeld(ctx, l, f)
	if l.Settings.NoticeEvery == 0 {
		o.notice(ctx, l, []held.Facts{f})
	}
	return id, nil
}

// log tells of trouble with a post; nil is none.
func (o *Office) log(what string, list lists.Address, id string, err error) {
	if err != nil {
		o.opts.Log(Event{What: what, List: list, ID: id, Err: err})
	}
}

// Between two tries of the same thing there is half of its age, within these.
const (
	shortestWait = time.Minute
	longestWait  = time.Hour
)

// again tells whether it is time to try anew what failed with a post: soon while it is fresh, later and later then.
func (o *Office) again(id string, since time.Time) bool {
	now := o.opts.Now()
	o.mu.Lock()
	defer o.mu.Unlock()
	last, failed := o.tried[id]
	return !failed || now.Sub(last).Abs() >= min(max(now.Sub(since).Abs()/2, shortestWait), longestWait)
}

// failed remembers when something failed.
func (o *Office) failed(id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.tried[id] = o.opts.Now()
}

// forget drops what failed with posts that are not there any more.
func (o *Office) forget(there map[string]bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for id := range o.tried {
		if !there[id] {
			delete(o.tried, id)
		}
	}
}

// keyOf names a mail for the retry guard, by what it is about.
func keyOf(words ...string) delivery.Key { return letters.Key("moderation", words...) }

// Tell sends one of the texts to somebody, from the owners of a list: to an author about his post, say, whose Message-ID is
// facts.MessageID. The same words in what are the same mail, and not sent twice.
func (o *Office) Tell(ctx context.Context, l lists.List, to lists.Address, name templates.Name, facts templates.Facts, what ...string) error {
	return o.opts.Letters.Send(ctx, letters.Letter{
		List: l, To: []string{to.String()}, Name: name, Language: o.opts.Letters.Language(ctx, l, to), Facts: facts, Answers: facts.MessageID,
		Key: keyOf(append([]string{string(name), l.Address.Key(), to.Key()}, what...)...),
	})
}
