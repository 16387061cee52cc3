package lists

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"
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
	day   time.Time // whoever is suspended receives again on another one
	mu    sync.RWMutex
	lists map[string]*List // by key; nil: there is none

	all    []Address         // every list; nil: not asked yet
	nested map[string][]List // by the key of a list: which lists are among its members
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
	if today := midnight(time.Now()); d.cache == nil || d.cache.stamp != stamp || d.cache.day != today {
		d.cache = &generation{stamp: stamp, day: today, lists: map[string]*List{}}
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

// Nested returns the lists that are members of a list and receive its posts now. Their number is bounded by that of all lists, whose names are read once
// for each state of the store.
func (d *Directory) Nested(ctx context.Context, list Address) ([]List, error) {
	g, err := d.current(ctx)
	if err != nil {
		return nil, fmt.Errorf("lists in %s: %w", list, err)
	}
	g.mu.RLock()
	found, ok := g.nested[list.Key()]
	g.mu.RUnlock()
	if ok {
		return found, nil
	}
	all, err := d.names(ctx, g)
	if err == nil {
		found, err = d.among(ctx, list, all)
	}
	if err != nil {
		return nil, fmt.Errorf("lists in %s: %w", list, err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.nested == nil || len(g.nested) >= maxCached {
		g.nested = map[string][]List{}
	}
	g.nested[list.Key()] = found
	return found, nil
}

// names reads the addresses of all lists.
func (d *Directory) names(ctx context.Context, g *generation) ([]Address, error) {
	g.mu.RLock()
	all := g.all
	g.mu.RUnlock()
	if all != nil {
		return all, nil
	}
	all = []Address{}
	const page = 1000
	for after := (Address{}); ; {
		some, err := d.store.Lists(ctx, after, page)
		if err != nil {
			return nil, err
		}
		for _, l := range some {
			all = append(all, l.Address)
		}
		if len(some) < page {
			break
		}
		after = some[len(some)-1].Address
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.all = all
	return all, nil
}

// among returns those of all that are members of a list and receive.
func (d *Directory) among(ctx context.Context, list Address, all []Address) ([]List, error) {
	keys := make([][]byte, len(all))
	for i, a := range all {
		keys[i] = []byte(a.Key())
	}
	in := make([]bool, len(all))
	if err := d.store.Contains(ctx, list, PresentIssue, keys, in); err != nil {
		return nil, err
	}
	var found []List
	for i, a := range all {
		if !in[i] || a.Key() == list.Key() {
			continue
		}
		l, err := d.store.List(ctx, a)
		if errors.Is(err, ErrNoList) {
			continue // it was deleted while we looked
		}
		if err != nil {
			return nil, err
		}
		found = append(found, l)
	}
	return found, nil
}
