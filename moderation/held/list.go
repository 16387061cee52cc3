package held

import (
	"errors"
	"fmt"
	"path/filepath"

	"superlistd/lists"
)

// summary is what limits and lists want to know of each post.
type summary struct {
	list string // key of its address; "" of a damaged one
	size int64  // of the file, in octets
}

// List returns up to n posts that are not finished, in the order of their IDs, beginning after the ID after: those of a
// list, or of all lists when it is zero, damaged ones (Facts.Fault) among them.
func (s *Store) List(list lists.Address, after string, n int) ([]Facts, error) {
	ids, names, err := s.names()
	if err != nil {
		return nil, err
	}
	var all []Facts
	for _, id := range ids {
		if len(all) == n {
			break
		}
		if id <= after || !list.IsZero() && s.summary(id).list != list.Key() {
			continue
		}
		f, err := s.listed(id, names)
		switch {
		case errors.Is(err, ErrGone):
			continue
		case errors.Is(err, ErrDamaged):
			f = Facts{ID: id, Fault: err.Error()}
		case err != nil:
			return nil, err
		}
		all = append(all, f)
	}
	return all, nil
}

// listed reads a post. What stands beside it was seen in the folder: to ask for each would be four times the work.
func (s *Store) listed(id string, names map[string]bool) (Facts, error) {
	p, err := s.open(id)
	if err != nil {
		return Facts{}, wrap(id, err)
	}
	err = p.marks(func(name string) (bool, error) { return names[name], nil })
	return p.facts, wrap(id, errors.Join(err, p.Close()))
}

// names are the IDs of all posts, in order, and the names of all files. It forgets summaries of posts that are gone.
func (s *Store) names() (ids []string, names map[string]bool, err error) {
	entries, err := s.disk.ReadDir(s.dir)
	if err != nil {
		return nil, nil, fmt.Errorf("held posts: %w", err)
	}
	names = make(map[string]bool, len(entries))
	s.mu.Lock()
	defer s.mu.Unlock()
	there := map[string]summary{}
	for _, e := range entries {
		names[e.Name()] = true
		if id := e.Name(); Valid(id) {
			ids = append(ids, id)
			if known, ok := s.entries[id]; ok {
				there[id] = known
			}
		}
	}
	s.entries = there
	return ids, names, nil
}

// summary reads what is not known yet of a post. One that cannot be read counts, but for no list.
func (s *Store) summary(id string) summary {
	s.mu.Lock()
	known, ok := s.entries[id]
	s.mu.Unlock()
	if ok {
		return known
	}
	p, err := s.open(id)
	if err != nil {
		if info, err := s.disk.Stat(s.path(id)); err == nil {
			known.size = info.Size()
		}
		return known
	}
	known = summary{list: p.facts.List.Key(), size: p.at + p.facts.Size}
	_ = p.Close()
	s.mu.Lock()
	s.entries[id] = known
	s.mu.Unlock()
	return known
}

// Full gives ErrFull, with the reason, when no further post of a list can be held.
func (s *Store) Full(list lists.Address) error {
	err := s.full(Facts{List: list})
	if err != nil {
		return wrap("of "+list.String(), err)
	}
	return nil
}

// full tells why there is no room for a post.
func (s *Store) full(f Facts) error {
	o := s.opts
	if o.Free > 0 {
		free, err := s.disk.Free(filepath.Dir(s.dir)) // the folder is made with the first post
		if err != nil {
			return err
		}
		if free-f.Size < o.Free {
			return fmt.Errorf("%w: %d octets are free on its disk", ErrFull, free)
		}
	}
	if o.Entries == 0 && o.Size == 0 && o.ListEntries == 0 && o.ListSize == 0 {
		return nil
	}
	ids, _, err := s.names()
	if err != nil {
		return err
	}
	var size, listSize int64
	listEntries := 0
	for _, id := range ids {
		e := s.summary(id)
		size += e.size
		if e.list == f.List.Key() {
			listEntries++
			listSize += e.size
		}
	}
	for _, limit := range []struct {
		used, more, most int64
		what             string
	}{
		{int64(len(ids)), 1, int64(o.Entries), "posts of all lists"},
		{size, f.Size, o.Size, "octets of all lists"},
		{int64(listEntries), 1, int64(o.ListEntries), "posts of the list"},
		{listSize, f.Size, o.ListSize, "octets of the list"},
	} {
		if limit.most > 0 && limit.used+limit.more > limit.most {
			return fmt.Errorf("%w: %d %s", ErrFull, limit.used, limit.what)
		}
	}
	return nil
}
