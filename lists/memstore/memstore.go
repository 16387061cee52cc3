// Package memstore keeps lists in memory. It is plain maps and one lock, so that it
// can be read at a glance: tests use it, and engines are compared with it. It knows
// no file, and forgets everything at the end of the process.
package memstore

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"superlistd/lists"
)

var _ lists.Store = (*Store)(nil)

// Store is a lists.Store in memory.
type Store struct {
	mu      sync.Mutex
	rosters map[string]*roster // by key of the list
	commits uint64
}

type roster struct {
	list    lists.List
	members map[string]lists.Member // by key
	aliases map[string]string       // key of an alias → key of its member
	sorted  []string                // keys in order; nil when not known
}

// New returns an empty store.
func New() *Store { return &Store{rosters: map[string]*roster{}} }

// List returns one list.
func (s *Store) List(ctx context.Context, list lists.Address) (lists.List, error) {
	r, unlock, err := s.open(ctx, list)
	if err != nil {
		return lists.List{}, err
	}
	defer unlock()
	return r.definition(), nil
}

// Lists returns at most n lists after the key of after.
func (s *Store) Lists(ctx context.Context, after lists.Address, n int) ([]lists.List, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var found []lists.List
	for _, key := range following(slices.Sorted(maps.Keys(s.rosters)), after.Key(), n) {
		found = append(found, s.rosters[key].definition())
	}
	return found, nil
}

// Create adds a list.
func (s *Store) Create(ctx context.Context, l lists.List, check func(exists func(lists.Address) bool) error) error {
	if err := l.Address.Check(); err != nil {
		return err
	}
	settings, err := l.Settings.Checked()
	if err != nil {
		return fmt.Errorf("%s: %w", l.Address, err)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	exists := func(a lists.Address) bool { return s.rosters[a.Key()] != nil }
	if exists(l.Address) {
		return fmt.Errorf("%s: %w", l.Address, lists.ErrListExists)
	}
	if check != nil {
		if err := check(exists); err != nil {
			return err
		}
	}
	l.Settings, l.Created, l.Members, l.UTF8Members, l.Digests = settings, stored(l.Created), 0, 0, lists.Digests{}
	s.rosters[l.Address.Key()] = &roster{list: l, members: map[string]lists.Member{}, aliases: map[string]string{}}
	s.commits++
	return nil
}

// Update changes the settings of a list.
func (s *Store) Update(ctx context.Context, list lists.Address, change func(*lists.Settings) error) (lists.List, error) {
	r, unlock, err := s.open(ctx, list)
	if err != nil {
		return lists.List{}, err
	}
	defer unlock()
	settings := r.list.Settings.Clone()
	if err := change(&settings); err != nil {
		return lists.List{}, err
	}
	if settings, err = settings.Checked(); err != nil {
		return lists.List{}, fmt.Errorf("%s: %w", list, err)
	}
	r.list.Settings = settings
	s.commits++
	return r.definition(), nil
}

// Digest changes how far a list is with its digests.
func (s *Store) Digest(ctx context.Context, list lists.Address, change func(*lists.Digests) error) (lists.List, error) {
	r, unlock, err := s.open(ctx, list)
	if err != nil {
		return lists.List{}, err
	}
	defer unlock()
	d, recount, err := lists.EditDigests(r.list.Digests, change)
	if err != nil {
		return lists.List{}, fmt.Errorf("%s: %w", list, err)
	}
	if recount {
		d.Recount(maps.Values(r.members))
	}
	if d != r.list.Digests {
		r.list.Digests = d
		s.commits++
	}
	return r.definition(), nil
}

// Delete removes a list and its members.
func (s *Store) Delete(ctx context.Context, list lists.Address) error {
	_, unlock, err := s.open(ctx, list)
	if err != nil {
		return err
	}
	defer unlock()
	delete(s.rosters, list.Key())
	s.commits++
	return nil
}

// Member returns one member by address or alias.
func (s *Store) Member(ctx context.Context, list, address lists.Address) (lists.Member, bool, error) {
	r, unlock, err := s.open(ctx, list)
	if err != nil {
		return lists.Member{}, false, err
	}
	defer unlock()
	m, ok := r.members[address.Key()]
	if !ok {
		m, ok = r.members[r.aliases[address.Key()]]
	}
	return m.Clone(), ok, nil
}

// Members returns at most n members after the key of after.
func (s *Store) Members(ctx context.Context, list, after lists.Address, n int) ([]lists.Member, error) {
	r, unlock, err := s.open(ctx, list)
	if err != nil {
		return nil, err
	}
	defer unlock()
	var found []lists.Member
	for _, key := range following(r.keys(), after.Key(), n) {
		found = append(found, r.members[key].Clone())
	}
	return found, nil
}

// Contains tells which keys are those of members who get the posts of an issue one by one.
func (s *Store) Contains(ctx context.Context, list lists.Address, issue int, keys [][]byte, in []bool) error {
	r, unlock, err := s.open(ctx, list)
	if err != nil {
		return err
	}
	defer unlock()
	if issue < 0 {
		issue = r.list.Digests.Number
	}
	now := time.Now()
	for i, key := range keys {
		m, ok := r.members[string(key)]
		in[i] = ok && m.Gets(lists.Selection{Issue: issue}, now)
	}
	return nil
}

// Recipients appends up to n members to rec.
func (s *Store) Recipients(ctx context.Context, list lists.Address, rec *lists.Recipients, n int) error {
	r, unlock, err := s.open(ctx, list)
	if err != nil {
		return err
	}
	defer unlock()
	now := time.Now()
	var address, key []byte
	keys := r.keys()
	for _, k := range following(keys, string(rec.Cursor()), len(keys)) {
		if n <= 0 {
			return nil
		}
		m := r.members[k]
		key = append(key[:0], k...)
		if !m.Gets(rec.Select, now) {
			rec.Pass(key)
			continue
		}
		address = m.Address.Append(address[:0])
		rec.Append(address, key)
		n--
	}
	rec.SetDone()
	return nil
}

// Stamp changes with every commit.
func (s *Store) Stamp(ctx context.Context) (lists.Stamp, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return lists.Stamp{Commits: [2]uint64{s.commits}}, ctx.Err()
}

// Close has nothing to do.
func (s *Store) Close() error { return nil }

// open locks the store and finds a list; without an error, unlock is the caller's.
func (s *Store) open(ctx context.Context, list lists.Address) (r *roster, unlock func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	s.mu.Lock()
	r = s.rosters[list.Key()]
	if r == nil {
		s.mu.Unlock()
		return nil, nil, fmt.Errorf("%s: %w", list, lists.ErrNoList)
	}
	return r, s.mu.Unlock, nil
}

// definition is a copy of the list with its counts.
func (r *roster) definition() lists.List {
	l := r.list
	l.Settings = l.Settings.Clone()
	return l
}

// keys returns the keys of all members in order.
func (r *roster) keys() []string {
	if r.sorted == nil {
		r.sorted = slices.Sorted(maps.Keys(r.members))
	}
	return r.sorted
}

// following returns at most n of the sorted keys that come after one of them, or
// after the place where it would be.
func following(keys []string, after string, n int) []string {
	i, found := slices.BinarySearch(keys, after)
	if found {
		i++
	}
	return keys[i:min(len(keys), i+max(n, 0))]
}

// stored is a time as stores keep it.
func stored(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }
