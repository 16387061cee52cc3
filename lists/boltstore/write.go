package boltstore

import (
	"context"
	"errors"
	"fmt"

	bolt "go.etcd.io/bbolt"

	"superlistd/lists"
)

// Create adds a list, and makes the file when this is the first.
func (s *Store) Create(ctx context.Context, l lists.List, check func(exists func(lists.Address) bool) error) error {
	if err := l.Address.Check(); err != nil {
		return err
	}
	var err error
	if l.Settings, err = l.Settings.Checked(); err != nil {
		return fmt.Errorf("%s: %w", l.Address, err)
	}
	l.Members, l.UTF8Members, l.Digests = 0, 0, lists.Digests{}
	_, err = s.update(ctx, true, func(tx *bolt.Tx) error {
		defined := tx.Bucket([]byte(bucketLists))
		exists := func(a lists.Address) bool { return defined.Get([]byte(a.Key())) != nil }
		if exists(l.Address) {
			return fmt.Errorf("%s: %w", l.Address, lists.ErrListExists)
		}
		if check != nil {
			if err := check(exists); err != nil {
				return err
			}
		}
		if err := s.saveList(tx, l); err != nil {
			return err
		}
		_, err := tx.Bucket([]byte(bucketMembers)).CreateBucket([]byte(l.Address.Key()))
		if err = errors.Join(err, dropAliases(tx, l.Address)); err != nil {
			return s.unusable(err)
		}
		return nil
	})
	return err
}

// Update changes the settings of a list.
func (s *Store) Update(ctx context.Context, list lists.Address, change func(*lists.Settings) error) (lists.List, error) {
	var l lists.List
	exists, err := s.update(ctx, false, func(tx *bolt.Tx) (err error) {
		if l, err = s.loadList(tx, list); err != nil {
			return err
		}
		if err := change(&l.Settings); err != nil {
			return err
		}
		if l.Settings, err = l.Settings.Checked(); err != nil {
			return fmt.Errorf("%s: %w", list, err)
		}
		return s.saveList(tx, l)
	})
	if err == nil && !exists {
		err = noList(list)
	}
	if err != nil {
		return lists.List{}, err
	}
	return l, nil
}

// Digest changes how far a list is with its digests. Now and then all members are counted.
func (s *Store) Digest(ctx context.Context, list lists.Address, change func(*lists.Digests) error) (lists.List, error) {
	var l lists.List
	exists, err := s.update(ctx, false, func(tx *bolt.Tx) (err error) {
		if l, err = s.loadList(tx, list); err != nil {
			return err
		}
		d, recount, err := lists.EditDigests(l.Digests, change)
		if err != nil {
			return fmt.Errorf("%s: %w", list, err)
		}
		if recount {
			if err := s.recount(tx, l.Address, &d); err != nil {
				return err
			}
		}
		if d == l.Digests {
			return errUnchanged
		}
		l.Digests = d
		return s.saveList(tx, l)
	})
	if err == nil && !exists {
		err = noList(list)
	}
	if err != nil {
		return lists.List{}, err
	}
	return l, nil
}

// recount counts those who take digests. The others need no look at what they are.
func (s *Store) recount(tx *bolt.Tx, list lists.Address, d *lists.Digests) (err error) {
	d.Recount(func(yield func(lists.Member) bool) {
		for k, v := range pairs(roster(tx, list)) {
			if len(v) > 0 && v[0] != memberDigest {
				continue
			}
			m, bad := decodeMember(k, v)
			if bad != nil {
				err = s.badRecord(fmt.Sprintf("%s: %s", list, k), bad)
				return
			}
			if !yield(m) {
				return
			}
		}
	})
	return err
}

// Delete removes a list, its members and their aliases.
func (s *Store) Delete(ctx context.Context, list lists.Address) error {
	exists, err := s.update(ctx, false, func(tx *bolt.Tx) error {
		defined, key := tx.Bucket([]byte(bucketLists)), []byte(list.Key())
		if defined.Get(key) == nil {
			return noList(list)
		}
		err := errors.Join(defined.Delete(key), tx.Bucket([]byte(bucketMembers)).DeleteBucket(key), dropAliases(tx, list))
		if err != nil {
			return s.unusable(fmt.Errorf("delete %s: %w", list, err))
		}
		return nil
	})
	if err == nil && !exists {
		err = noList(list)
	}
	return err
}

func (s *Store) saveList(tx *bolt.Tx, l lists.List) error {
	value, err := encodeList(l)
	if err == nil {
		err = tx.Bucket([]byte(bucketLists)).Put([]byte(l.Address.Key()), value)
	}
	if err != nil {
		return s.unusable(fmt.Errorf("save %s: %w", l.Address, err))
	}
	return nil
}
