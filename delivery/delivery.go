// Package delivery hands mail to the next hop: one live transaction for mail
// that is only relayed, and for a post as many transactions as its recipients
// need. Every transaction is armed, that is, complete but for its final dot,
// before the first one is committed, so that what can fail fails while nothing
// is queued. It decides nothing about who may post, and knows no SMTP code of
// its own: what the next hop says, it hands up.
package delivery

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/sync/semaphore"

	"superlistd/delivery/spool"
	"superlistd/lists"
	"superlistd/smtpclient"
	"superlistd/templates"
)

var (
	// ErrTooLarge says that an expansion needs more transactions than may be
	// armed at once (Options.MaxArmed).
	ErrTooLarge = errors.New("expansion needs more transactions than may be armed at once")
	// ErrAllRefused says that the next hop refused every recipient of an expansion,
	// which tells more about its configuration than about the members.
	ErrAllRefused = errors.New("the next hop refused every recipient")
	// ErrDeferred says that the next hop refused a recipient for the time being.
	// Nothing was committed; the sender keeps the mail and comes again.
	ErrDeferred = errors.New("the next hop deferred a recipient")
	// ErrPartial says that a transaction failed after another had been committed.
	ErrPartial = errors.New("a part of the expansion was not taken")
	// ErrBusy says that no connection slot became free in time.
	ErrBusy = errors.New("all connections to the next hop are in use")
)

// Rosters is what an expansion needs of the store; lists.Store has it.
type Rosters interface {
	Recipients(ctx context.Context, list lists.Address, r *lists.Recipients, n int) error
	Contains(ctx context.Context, list lists.Address, issue int, keys [][]byte, in []bool) error
}

// Options bound what a Deliverer asks of the next hop.
type Options struct {
	// Batch is the most recipients of one transaction; a lower number that the next hop
	// announces (LIMITS, RFC 9422) or shows (452 4.5.3) is used instead.
	Batch int
	// MaxArmed is the most transactions that one post may hold open side by side.
	MaxArmed int
	// Connections bounds the connections in use; RelayShare of them are kept for mail that
	// is only relayed, so that expansions can never starve it, nor the reverse.
	Connections, RelayShare int
	// Refused, when set, hears of each recipient that the next hop refused for good, once everything is
	// armed or when all were refused.
	Refused func(list lists.Address, recipient string, reply string)
	// Failed, when set, hears of each post whose delivery was given up, with its name in the spool, its Message-ID and the last cause.
	Failed func(list lists.Address, entry, messageID string, cause error)
	// Guard, when set, recognises a post that comes again (Route.Key, Job.RelayKey).
	Guard *Guard

	// Spool, when set, takes what does not go through at once.
	Spool *spool.Spool
	// SpoolConnections bounds the connections for the spool, of all processes together, within the share of posts;
	// SpoolPerList those for one list. Zero: 1.
	SpoolConnections, SpoolPerList int
	// Lifetime is how long an entry of the spool is tried.
	Lifetime time.Duration
	// Timeout bounds one transaction for the spool; zero: 90 s.
	Timeout time.Duration
	// Hostname is our name in the Message-ID of notices to owners.
	Hostname string
	// Texts are for those notices; nil: the built-in ones.
	Texts *templates.Set
	// Sign returns fields that go on top of such a notice from a domain, with their line ends, or nothing; nil: they are not signed.
	Sign func(domain string, head, body []byte) []byte
	// Backoff tells how long an entry waits after its n-th failed attempt; nil: from 10 s, doubled up to half an hour.
	Backoff func(attempt int) time.Duration
	// Personal makes personal copies, by the name of their kind (Route.Personal).
	Personal map[string]Personal
	// Gather takes what is to be kept, by the name of its kind (Route.Gather). It needs the spool.
	Gather map[string]Gather
}

// Deliverer hands mail to one next hop. It is safe for use by many goroutines.
type Deliverer struct {
	pool    *smtpclient.Pool
	rosters Rosters
	opts    Options
	log     zerolog.Logger
	guard   *Guard
	stock   stock
	spooler *Spooler

	relaySlots, postSlots *semaphore.Weighted
	learned               atomic.Pointer[limit] // nil when nothing was learned
}

// New returns a Deliverer that takes its connections from pool. MaxArmed is cut to what
// the share of posts allows, since a post takes all its slots at once.
func New(pool *smtpclient.Pool, rosters Rosters, opts Options, log zerolog.Logger) (*Deliverer, error) {
	posts := opts.Connections - opts.RelayShare
	if opts.Batch < 1 || opts.MaxArmed < 1 || opts.RelayShare < 1 || posts < opts.MaxArmed {
		return nil, fmt.Errorf("delivery: batch %d, max_armed %d, connections %d, relay share %d do not fit together",
			opts.Batch, opts.MaxArmed, opts.Connections, opts.RelayShare)
	}
	if opts.Texts == nil {
		var err error
		if opts.Texts, err = templates.New(""); err != nil {
			return nil, err
		}
	}
	d := &Deliverer{
		pool: pool, rosters: rosters, opts: opts, log: log, guard: opts.Guard,
		relaySlots: semaphore.NewWeighted(int64(opts.RelayShare)),
		postSlots:  semaphore.NewWeighted(int64(posts)),
	}
	if opts.Spool != nil {
		d.spooler = newSpooler(d)
	}
	return d, nil
}

// Spooler is who delivers what is in the spool; nil without one.
func (d *Deliverer) Spooler() *Spooler { return d.spooler }

// Full tells why no post can be taken for a list now (spool.ErrFull), since the spool could not take what may be left
// of it.
func (d *Deliverer) Full() error {
	if d.opts.Spool == nil {
		return nil
	}
	return d.opts.Spool.Full()
}

// Capabilities tells what the next hop announced when it was last met.
func (d *Deliverer) Capabilities(ctx context.Context) (smtpclient.Capabilities, error) {
	return d.pool.Capabilities(ctx)
}

// limit is how many recipients the next hop took in one transaction.
type limit struct {
	n     int
	until time.Time
}

// learnedFor is how long a limit is believed. A 452 may have had another reason, and a hop may be
// configured anew; to find a true limit again costs one more plan.
const learnedFor = 5 * time.Minute

// batch is the number of recipients that one transaction takes, as far as it is known.
func (d *Deliverer) batch() int {
	if l := d.learned.Load(); l != nil && l.n < d.opts.Batch && time.Now().Before(l.until) {
		return l.n
	}
	return d.opts.Batch
}

// learn notes that the next hop takes no more than n recipients in a transaction
// (RFC 5321 section 4.5.3.1.10).
func (d *Deliverer) learn(n int) {
	next := &limit{n: max(n, 1), until: time.Now().Add(learnedFor)}
	for {
		old := d.learned.Load()
		if old != nil && old.n < n && time.Now().Before(old.until) || d.learned.CompareAndSwap(old, next) {
			return
		}
	}
}

// acquire takes n slots at once or none, in the order of asking (semaphore.Weighted is
// fair), so two posts never wait for each other's connections.
func acquire(ctx context.Context, slots *semaphore.Weighted, n int) error {
	if err := slots.Acquire(ctx, int64(n)); err != nil {
		return fmt.Errorf("%w: %w", ErrBusy, err)
	}
	return nil
}
