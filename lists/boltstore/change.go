package boltstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	bolt "go.etcd.io/bbolt"

	"superlistd/lists"
)

// progressEvery is how many steps lie between two reports, and two looks at the context.
const progressEvery = 1000

// Change adds and removes members. bbolt is quick when keys come in order, so the steps
// are sorted before the file is opened, and the outcome is put back in the order given.
func (s *Store) Change(ctx context.Context, list lists.Address, c lists.Change) (lists.Outcome, error) {
	if err := c.Check(); err != nil {
		return lists.Outcome{}, fmt.Errorf("%s: %w", list, err)
	}
	w := newRosterChange(ctx, c)
	exists, err := s.update(ctx, false, func(tx *bolt.Tx) error {
		l, err := s.loadList(tx, list)
		if err != nil {
			return err
		}
		b := roster(tx, list)
		if b == nil {
			return s.unusable(fmt.Errorf("%s has no roster", list))
		}
		w.index, w.digests = aliasIndex{list: list, members: b}, l.Digests
		if err := w.apply(b); err != nil {
			return s.badChange(list, err)
		}
		if !w.changed {
			return errUnchanged
		}
		l.Members += w.members
		l.UTF8Members += w.utf8
		l.Digests = w.digests
		return s.saveList(tx, l)
	})
	if err == nil && !exists {
		err = noList(list)
	}
	if err != nil {
		return lists.Outcome{}, err
	}
	return w.outcome(), nil
}

func (s *Store) badChange(list lists.Address, err error) error {
	if isContext(err) || errors.Is(err, lists.ErrAliasTaken) {
		return fmt.Errorf("%s: %w", list, err)
	}
	return s.badRecord(list.String(), err)
}

// step is one address of a change.
type step struct {
	key []byte
	at  int // in Change.Add or Change.Remove
}

type fate uint8

const (
	asItWas fate = iota // Present, or Absent
	done                // Added, or Removed
	renamed
)

// rosterChange carries out one lists.Change.
type rosterChange struct {
	ctx         context.Context
	change      lists.Change
	add, remove []step // by key
	added       []fate // by index of Change.Add
	removed     []fate // by index of Change.Remove
	replaced    []lists.Address
	members     int // change of the counts
	utf8        int
	digests     lists.Digests // with those who came and went
	index       aliasIndex
	aliased     []step // of those who were added
	changed     bool
	steps       int
}

func newRosterChange(ctx context.Context, c lists.Change) *rosterChange {
	w := &rosterChange{ctx: ctx, change: c, added: make([]fate, len(c.Add)), removed: make([]fate, len(c.Remove))}
	w.add = sortSteps(len(c.Add), func(i int) lists.Address { return c.Add[i].Address })
	w.remove = sortSteps(len(c.Remove), func(i int) lists.Address { return c.Remove[i] })
	return w
}

func sortSteps(n int, address func(int) lists.Address) []step {
	steps := make([]step, n)
	var arena []byte // grows; steps keep pointing into what it was before
	for i := range steps {
		start := len(arena)
		arena = address(i).AppendKey(arena)
		steps[i] = step{key: arena[start:len(arena):len(arena)], at: i}
	}
	slices.SortFunc(steps, func(a, b step) int {
		if d := bytes.Compare(a.key, b.key); d != 0 {
			return d
		}
		return a.at - b.at // of two that are the same, the first given comes first
	})
	return steps
}

// apply works on the members' bucket. Its errors are bbolt's, of records, or of the context.
func (w *rosterChange) apply(b *bolt.Bucket) error {
	if first, _ := b.Cursor().First(); first == nil {
		b.FillPercent = 0.9 // in order and all new: pages can be filled
	}
	if w.change.Replace {
		if err := w.removeOthers(b); err != nil {
			return err
		}
	}
	for _, st := range w.remove {
		value := b.Get(st.key)
		if value != nil {
			if err := w.delete(b, st.key, value); err != nil {
				return err
			}
			w.removed[st.at] = done
		}
		if err := w.tick(); err != nil {
			return err
		}
	}
	for _, st := range w.add {
		if err := w.put(b, st); err != nil {
			return err
		}
		if err := w.tick(); err != nil {
			return err
		}
	}
	for _, st := range w.aliased {
		if err := w.index.claim(st.key, w.change.Add[st.at].Aliases); err != nil {
			return err
		}
	}
	return nil
}

// removeOthers deletes who is not to be added. Deleting moves a bbolt cursor, so they
// are collected first.
func (w *rosterChange) removeOthers(b *bolt.Bucket) error {
	var others [][2][]byte
	next := 0
	c := b.Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		for next < len(w.add) && bytes.Compare(w.add[next].key, k) < 0 {
			next++
		}
		if next < len(w.add) && bytes.Equal(w.add[next].key, k) {
			continue
		}
		m, err := decodeMember(k, v)
		if err != nil {
			return fmt.Errorf("%s: %w", k, err)
		}
		w.replaced = append(w.replaced, m.Address)
		others = append(others, [2][]byte{bytes.Clone(k), bytes.Clone(v)})
	}
	for _, o := range others {
		if err := w.delete(b, o[0], o[1]); err != nil {
			return err
		}
	}
	return w.ctx.Err()
}

func (w *rosterChange) delete(b *bolt.Bucket, key, value []byte) error {
	_, address, _, err := splitMember(key, value)
	if err == nil && value[0] != plainMember {
		var m lists.Member
		if m, err = decodeMember(key, value); err == nil {
			err = w.index.release(key, m.Aliases)
			w.digests.Replace(m, lists.Member{})
		}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	w.members--
	if !lists.IsASCII(address) {
		w.utf8--
	}
	w.changed = true
	return b.Delete(key)
}

func (w *rosterChange) put(b *bolt.Bucket, st step) error {
	m := w.change.Add[st.at]
	value := b.Get(st.key)
	if value != nil {
		old, err := decodeMember(st.key, value)
		if err != nil {
			return fmt.Errorf("%s: %w", st.key, err)
		}
		if m.Name == "" || m.Name == old.Name {
			return nil
		}
		old.Name = m.Name
		m = old
		w.added[st.at] = renamed
	} else {
		w.added[st.at] = done
		m = m.Joining()
		w.digests.Replace(lists.Member{}, m)
		if len(m.Aliases) > 0 {
			w.aliased = append(w.aliased, st)
		}
		w.members++
		if !m.Address.ASCII() {
			w.utf8++
		}
	}
	w.changed = true
	return b.Put(st.key, appendMember(nil, m, st.key)) // bbolt keeps both until the commit
}

func (w *rosterChange) tick() error {
	total := len(w.add) + len(w.remove)
	w.steps++
	if w.steps%progressEvery != 0 && w.steps != total {
		return nil
	}
	if w.change.Progress != nil {
		w.change.Progress(w.steps, total)
	}
	return w.ctx.Err()
}

func (w *rosterChange) outcome() lists.Outcome {
	var out lists.Outcome
	out.Removed = w.replaced
	for i, a := range w.change.Remove {
		if w.removed[i] == done {
			out.Removed = append(out.Removed, a)
		} else {
			out.Absent = append(out.Absent, a)
		}
	}
	for i, m := range w.change.Add {
		switch w.added[i] {
		case done:
			out.Added = append(out.Added, m.Address)
		case renamed:
			out.Renamed = append(out.Renamed, m.Address)
			out.Present = append(out.Present, m.Address)
		case asItWas:
			out.Present = append(out.Present, m.Address)
		}
	}
	return out
}

func isContext(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}
