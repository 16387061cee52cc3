package delivery

import (
	"context"
	"errors"
	"fmt"
	"time"

	"superlistd/lists"
)

// Gathered is a post that is not sent but kept for later, such as for a digest.
type Gathered struct {
	List  lists.Address
	Issue int // the list's number when the post came (lists.List.Digests)
	// ID names the post to the list: the same when it comes again.
	ID string
	// MessageID is for people.
	MessageID string
	// At is when the post was accepted.
	At time.Time
	// EightBit and UTF8 are what whoever sends it on needs of the next hop.
	EightBit, UTF8 bool
	// Head is the header with its empty line, Body what follows; both are good until Gather returns.
	Head []byte
	Body Content
}

// Gather takes a post that was promised. When it returns nil the post is as safe with it as it was in the spool, which forgets it
// then. It may get a post again, from several processes too, and takes it once. After an error it is asked again later, but for
// lists.ErrNoList: then there is nobody left to keep the post for.
type Gather func(ctx context.Context, g Gathered) error

// errNoSpool says that there is nothing to keep a post in until it is gathered.
var errNoSpool = errors.New("a post to be gathered needs the spool")

// gather is send for what is only kept. No connection is needed.
func (j *job) gather(ctx context.Context) {
	take := j.d.opts.Gather[j.route.Gather]
	if take == nil {
		j.fail(fmt.Errorf("gathering of the unknown kind %q", j.route.Gather))
		return
	}
	err := take(ctx, Gathered{
		List: j.route.List, Issue: j.route.Audience.Select.Issue, ID: j.plan.ID, MessageID: j.plan.MessageID, At: j.plan.Accepted,
		EightBit: j.route.EightBit, UTF8: j.route.UTF8, Head: j.route.Head, Body: j.route.Body,
	})
	if err != nil {
		j.fail(err)
		return
	}
	j.put(func() { j.gathered = true })
}
