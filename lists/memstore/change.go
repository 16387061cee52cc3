package memstore

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"superlistd/lists"
)

// Change adds and removes members.
func (s *Store) Change(ctx context.Context, list lists.Address, c lists.Change) (lists.Outcome, error) {
	if err := c.Check(); err != nil {
		return lists.Outcome{}, fmt.Errorf("%s: %w", list, err)
	}
	r, unlock, err := s.open(ctx, list)
	if err != nil {
		return lists.Outcome{}, err
	}
	defer unlock()
	out := r.change(c)
	s.commits++
	if total := len(c.Add) + len(c.Remove); c.Progress != nil {
		c.Progress(total, total)
	}
	return out, nil
}

func (r *roster) change(c lists.Change) lists.Outcome {
	var out lists.Outcome
	if c.Replace {
		wanted := map[string]bool{}
		for _, m := range c.Add {
			wanted[m.Address.Key()] = true
		}
		for _, key := range slices.Clone(r.keys()) {
			if !wanted[key] {
				out.Removed = append(out.Removed, r.members[key].Address)
				delete(r.members, key)
			}
		}
	}
	for _, a := range c.Remove {
		if _, ok := r.members[a.Key()]; !ok {
			out.Absent = append(out.Absent, a)
			continue
		}
		out.Removed = append(out.Removed, a)
		delete(r.members, a.Key())
	}
	for _, m := range c.Add {
		key := m.Address.Key()
		old, ok := r.members[key]
		switch {
		case !ok:
			m.Since = stored(m.Since)
			r.members[key] = m
			out.Added = append(out.Added, m.Address)
			continue
		case m.Name != "" && m.Name != old.Name:
			old.Name = m.Name
			r.members[key] = old
			out.Renamed = append(out.Renamed, m.Address)
		}
		out.Present = append(out.Present, m.Address)
	}
	r.count()
	return out
}

// count brings the list's counts and order up to date.
func (r *roster) count() {
	r.sorted = nil
	r.list.Members, r.list.UTF8Members = len(r.members), 0
	for m := range maps.Values(r.members) {
		if !m.Address.ASCII() {
			r.list.UTF8Members++
		}
	}
}
