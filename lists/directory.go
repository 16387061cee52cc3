package lists

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
)

// maxCached bounds the memory that a stranger can make us spend on names that he
// tries: past it the cache begins anew.
const maxCached = 10_000

// Directory finds out what an address is to us. It keeps what it read from the
// store, and asks the store's Stamp at every call whether that still holds, so a
// change by another process counts at once. It is safe for many goroutines.
type Directory struct {
	store     Store
	domains   map[string]bool
	delimiter string

	mu    sync.Mutex
	cache *generation
}

// generation is what was read while the store had one Stamp.
type generation struct {
	stamp Stamp
	mu    sync.RWMutex
	lists map[string]*List // by key; nil: there is none
}

// NewDirectory makes a Directory for the list domains (any spelling of them) and
// the character that begins an address extension: one of + = # % & ! ~ _ $ * ?.
// "-" is refused, because it already stands before a service.
func NewDirectory(store Store, domains []string, delimiter string) (*Directory, error) {
	if len(delimiter) != 1 || !strings.Contains("+=#%&!~_$*?", delimiter) {
		return nil, fmt.Errorf("delimiter %q: want one of + = # %% & ! ~ _ $ * ?", delimiter)
	}
	if len(domains) == 0 {
		return nil, errors.New("no list domains")
	}
	d := &Directory{store: store, domains: make(map[string]bool, len(domains)), delimiter: delimiter}
	for _, name := range domains {
		domain, err := parseDomain(name)
		if err != nil {
			return nil, fmt.Errorf("list domain %q: %w", name, err)
		}
		d.domains[domain] = true
	}
	return d, nil
}

// Ours reports whether the address is in one of the list domains.
func (d *Directory) Ours(a Address) bool { return d.domains[a.Domain] }

// Resolve finds what an address is. One that is not ours is Relay, and the store is
// not asked. Else it is a list, a service of the longest list that exists, or
// postmaster (RFC 5321 section 4.5.1) when no list has that name; anything else is
// ErrNoList. Errors of the store come through.
func (d *Directory) Resolve(ctx context.Context, a Address) (Target, error) {
	if !d.Ours(a) {
		return Target{Kind: Relay}, nil
	}
	g, err := d.current(ctx)
	if err != nil {
		return Target{}, fmt.Errorf("resolve %s: %w", a, err)
	}
	l, err := d.lookup(ctx, g, a)
	if err != nil {
		return Target{}, fmt.Errorf("resolve %s: %w", a, err)
	}
	if l != nil {
		return Target{Kind: Post, List: l}, nil
	}
	for _, s := range splits(a.Local, d.delimiter) {
		l, err := d.lookup(ctx, g, Address{Local: s.list, Domain: a.Domain})
		if err != nil {
			return Target{}, fmt.Errorf("resolve %s: %w", a, err)
		}
		if l != nil {
			return Target{Kind: ToService, List: l, Service: s.service, Extension: s.extension}, nil
		}
	}
	if strings.EqualFold(a.Local, "postmaster") {
		return Target{Kind: Postmaster}, nil
	}
	return Target{}, fmt.Errorf("%s: %w", a, ErrNoList)
}

// current returns the cache for the store's state now.
func (d *Directory) current(ctx context.Context) (*generation, error) {
	// The stamp is taken before anything is read: what is read may be newer than it,
	// and is then dropped at the next call, but never older.
	stamp, err := d.store.Stamp(ctx)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cache == nil || d.cache.stamp != stamp {
		d.cache = &generation{stamp: stamp, lists: map[string]*List{}}
	}
	return d.cache, nil
}

// lookup returns the list with this address, or nil.
func (d *Directory) lookup(ctx context.Context, g *generation, a Address) (*List, error) {
	key := a.Key()
	g.mu.RLock()
	found, ok := g.lists[key]
	g.mu.RUnlock()
	if ok {
		return found, nil
	}
	l, err := d.store.List(ctx, a)
	if err == nil {
		found = &l
	} else if !errors.Is(err, ErrNoList) {
		return nil, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.lists) >= maxCached {
		clear(g.lists)
	}
	g.lists[key] = found
	return found, nil
}
