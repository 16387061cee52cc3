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
	before := roster{list: r.list, members: maps.Clone(r.members), aliases: maps.Clone(r.aliases)}
	out, err := r.change(c)
	if err != nil {
		r.list, r.members, r.aliases = before.list, before.members, before.aliases
		return lists.Outcome{}, fmt.Errorf("%s: %w", list, err)
	}
	r.count()
	s.commits++
	if total := len(c.Add) + len(c.Remove); c.Progress != nil {
		c.Progress(total, total)
	}
	return out, nil
}

func (r *roster) change(c lists.Change) (out lists.Outcome, err error) {
	if c.Replace {
		wanted := map[string]bool{}
		for _, m := range c.Add {
			wanted[m.Address.Key()] = true
		}
		for _, key := range slices.Clone(r.keys()) {
			if !wanted[key] {
				out.Removed = append(out.Removed, r.members[key].Address)
				r.remove(key)
			}
		}
	}
	for _, a := range c.Remove {
		if _, ok := r.members[a.Key()]; !ok {
			out.Absent = append(out.Absent, a)
			continue
		}
		out.Removed = append(out.Removed, a)
		r.remove(a.Key())
	}
	var aliased []lists.Member
	for _, m := range c.Add {
		key := m.Address.Key()
		old, ok := r.members[key]
		switch {
		case !ok:
			m = m.Joining()
			r.members[key] = m
			r.list.Digests.Replace(lists.Member{}, m)
			aliased = append(aliased, m)
			out.Added = append(out.Added, m.Address)
			continue
		case m.Name != "" && m.Name != old.Name:
			old.Name = m.Name
			r.members[key] = old
			out.Renamed = append(out.Renamed, m.Address)
		}
		out.Present = append(out.Present, m.Address)
	}
	for _, m := range aliased {
		if err := r.claim(m, m.Aliases); err != nil {
			return out, err
		}
	}
	return out, nil
}

// remove takes out a member with his aliases.
func (r *roster) remove(key string) {
	for _, a := range r.members[key].Aliases {
		delete(r.aliases, a.Key())
	}
	r.list.Digests.Replace(r.members[key], lists.Member{})
	delete(r.members, key)
}

// claim gives aliases to a member, if they are nobody else's.
func (r *roster) claim(m lists.Member, aliases []lists.Address) error {
	for _, a := range aliases {
		_, member := r.members[a.Key()]
		owner, alias := r.aliases[a.Key()]
		if member || alias && owner != m.Address.Key() {
			return fmt.Errorf("%s: %w", a, lists.ErrAliasTaken)
		}
		r.aliases[a.Key()] = m.Address.Key()
	}
	return nil
}

// UpdateMember changes a member.
func (s *Store) UpdateMember(ctx context.Context, list, member lists.Address, change func(*lists.Member) error) (lists.Member, error) {
	r, unlock, err := s.open(ctx, list)
	if err != nil {
		return lists.Member{}, err
	}
	defer unlock()
	key := member.Key()
	old, ok := r.members[key]
	if !ok {
		return lists.Member{}, fmt.Errorf("%s: %s: %w", list, member, lists.ErrNoMember)
	}
	m, err := lists.EditMember(old, r.list.Digests.Number, change)
	if err != nil {
		return lists.Member{}, err
	}
	aliases := maps.Clone(r.aliases)
	for _, a := range old.Aliases {
		delete(r.aliases, a.Key())
	}
	// What was his may stay, even if somebody has come with that address since.
	isNew := func(a lists.Address) bool { return aliases[a.Key()] != key }
	for _, a := range m.Aliases {
		if !isNew(a) {
			r.aliases[a.Key()] = key
		}
	}
	if err := r.claim(m, slices.DeleteFunc(slices.Clone(m.Aliases), func(a lists.Address) bool { return !isNew(a) })); err != nil {
		r.aliases = aliases
		return lists.Member{}, fmt.Errorf("%s: %w", list, err)
	}
	r.members[key] = m
	r.list.Digests.Replace(old, m)
	s.commits++
	return m.Clone(), nil
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
