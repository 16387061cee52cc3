package boltstore

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	bolt "go.etcd.io/bbolt"

	"superlistd/lists"
)

// Member returns one member by address or alias.
func (s *Store) Member(ctx context.Context, list, address lists.Address) (m lists.Member, ok bool, err error) {
	err = s.viewRoster(ctx, list, func(b *bolt.Bucket) error {
		key := []byte(address.Key())
		value := b.Get(key)
		if value == nil {
			if index := aliases(b.Tx(), list); index != nil {
				key = index.Get(key)
				value = b.Get(key)
			}
		}
		if value == nil {
			return nil
		}
		found, err := decodeMember(key, value)
		if err != nil {
			return s.badRecord(fmt.Sprintf("%s: %s", list, address), err)
		}
		m, ok = found, true
		return nil
	})
	return m, ok, err
}

// UpdateMember changes a member and the index of aliases.
func (s *Store) UpdateMember(ctx context.Context, list, member lists.Address, change func(*lists.Member) error) (lists.Member, error) {
	var m lists.Member
	exists, err := s.update(ctx, false, func(tx *bolt.Tx) error {
		l, err := s.loadList(tx, list)
		if err != nil {
			return err
		}
		b := roster(tx, list)
		if b == nil {
			return s.unusable(fmt.Errorf("%s has no roster", list))
		}
		key := []byte(member.Key())
		value := b.Get(key)
		if value == nil {
			return fmt.Errorf("%s: %s: %w", list, member, lists.ErrNoMember)
		}
		old, err := decodeMember(key, value)
		if err == nil {
			err = old.Check() // else what is wrong with it would be the caller's mistake below
		}
		if err != nil {
			return s.badRecord(fmt.Sprintf("%s: %s", list, member), err)
		}
		if m, err = lists.EditMember(old, l.Digests.Number, change); err != nil {
			return err
		}
		if err := s.reindex(b, list, key, old.Aliases, m.Aliases); err != nil {
			return err
		}
		if err := b.Put(key, appendMember(nil, m, key)); err != nil {
			return s.unusable(fmt.Errorf("%s: save %s: %w", list, member, err))
		}
		before := l.Digests
		if l.Digests.Replace(old, m); l.Digests != before {
			return s.saveList(tx, l)
		}
		return nil
	})
	if err == nil && !exists {
		err = noList(list)
	}
	if err != nil {
		return lists.Member{}, err
	}
	return m, nil
}

// reindex gives a member other aliases than he had. Those that he keeps are not asked
// about: somebody may have come with such an address since.
func (s *Store) reindex(b *bolt.Bucket, list lists.Address, key []byte, old, now []lists.Address) error {
	x := aliasIndex{list: list, members: b}
	var given []lists.Address
	for _, a := range now {
		if !slices.ContainsFunc(old, func(o lists.Address) bool { return o.Key() == a.Key() }) {
			given = append(given, a)
		}
	}
	var gone []lists.Address
	for _, a := range old {
		if !slices.ContainsFunc(now, func(n lists.Address) bool { return n.Key() == a.Key() }) {
			gone = append(gone, a)
		}
	}
	err := x.release(key, gone)
	if err == nil {
		err = x.claim(key, given)
	}
	if err != nil {
		return s.badChange(list, err)
	}
	return nil
}

// aliases is the bucket of a list's aliases, nil when it never had one.
func aliases(tx *bolt.Tx, list lists.Address) *bolt.Bucket {
	if all := tx.Bucket([]byte(bucketAliases)); all != nil {
		return all.Bucket([]byte(list.Key()))
	}
	return nil
}

// aliasIndex changes the index of a roster.
type aliasIndex struct {
	list    lists.Address
	members *bolt.Bucket
	found   *bolt.Bucket // nil: not looked for yet, or not there
}

func (x *aliasIndex) release(key []byte, gone []lists.Address) error {
	if len(gone) == 0 {
		return nil
	}
	if x.found == nil {
		x.found = aliases(x.members.Tx(), x.list)
	}
	if x.found == nil {
		return nil
	}
	for _, a := range gone {
		alias := []byte(a.Key())
		if !bytes.Equal(x.found.Get(alias), key) {
			continue
		}
		if err := x.found.Delete(alias); err != nil {
			return err
		}
	}
	return nil
}

// claim gives aliases to a member, or ErrAliasTaken.
func (x *aliasIndex) claim(key []byte, given []lists.Address) error {
	for _, a := range given {
		if err := x.make(); err != nil {
			return err
		}
		alias := []byte(a.Key())
		owner := x.found.Get(alias)
		if x.members.Get(alias) != nil || owner != nil && !bytes.Equal(owner, key) {
			return fmt.Errorf("%s: %w", a, lists.ErrAliasTaken)
		}
		if err := x.found.Put(alias, key); err != nil {
			return err
		}
	}
	return nil
}

func (x *aliasIndex) make() error {
	if x.found != nil {
		return nil
	}
	all, err := x.members.Tx().CreateBucketIfNotExists([]byte(bucketAliases))
	if err == nil {
		x.found, err = all.CreateBucketIfNotExists([]byte(x.list.Key()))
	}
	return err
}

// dropAliases removes the index of a list: with the list, and when a list is made, for
// an older program deletes lists without it.
func dropAliases(tx *bolt.Tx, list lists.Address) error {
	if aliases(tx, list) == nil {
		return nil
	}
	return tx.Bucket([]byte(bucketAliases)).DeleteBucket([]byte(list.Key()))
}
