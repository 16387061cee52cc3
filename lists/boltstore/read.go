package boltstore

import (
	"bytes"
	"context"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"

	"superlistd/lists"
)

// List returns one list.
func (s *Store) List(ctx context.Context, list lists.Address) (lists.List, error) {
	var l lists.List
	exists, err := s.view(ctx, func(tx *bolt.Tx) (err error) {
		l, err = s.loadList(tx, list)
		return err
	})
	if err == nil && !exists {
		err = noList(list)
	}
	return l, err
}

// Lists returns at most n lists after the key of after.
func (s *Store) Lists(ctx context.Context, after lists.Address, n int) ([]lists.List, error) {
	var found []lists.List
	_, err := s.view(ctx, func(tx *bolt.Tx) error {
		return each(tx.Bucket([]byte(bucketLists)).Cursor(), []byte(after.Key()), n, func(k, v []byte) error {
			l, err := decodeList(v)
			if err != nil {
				return s.badRecord(string(k), err)
			}
			found = append(found, l)
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// Members returns at most n members after the key of after.
func (s *Store) Members(ctx context.Context, list, after lists.Address, n int) ([]lists.Member, error) {
	var found []lists.Member
	err := s.viewRoster(ctx, list, func(b *bolt.Bucket) error {
		return each(b.Cursor(), []byte(after.Key()), n, func(k, v []byte) error {
			m, err := decodeMember(k, v)
			if err != nil {
				return s.badRecord(fmt.Sprintf("%s: %s", list, k), err)
			}
			found = append(found, m)
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// Contains tells which keys are those of members who get the posts of an issue one by one.
func (s *Store) Contains(ctx context.Context, list lists.Address, issue int, keys [][]byte, in []bool) error {
	today := dayOf(time.Now())
	who := lists.Selection{Issue: issue} // the present one is not looked up yet: most lists have nobody to whom it matters
	return s.viewRoster(ctx, list, func(b *bolt.Bucket) error {
		c := b.Cursor() // one for all: Bucket.Get would make one for each
		for i, key := range keys {
			k, v := c.Seek(key)
			in[i] = k != nil && bytes.Equal(k, key)
			if !in[i] || len(v) > 0 && v[0] < memberReceiving {
				continue
			}
			_, _, rest, err := splitMember(k, v)
			if err == nil && who.Issue < 0 && v[0] == memberDigest {
				l, err := s.loadList(b.Tx(), list)
				if err != nil {
					return err
				}
				who.Issue = l.Digests.Number
			}
			if err == nil {
				in[i], err = gets(rest, who, today)
			}
			if err != nil {
				return s.badRecord(fmt.Sprintf("%s: %s", list, k), err)
			}
		}
		return nil
	})
}

// maxPassed is how many members who are not wanted one slice may pass: a transaction stays
// short whatever the roster is.
const maxPassed = 10_000

// Recipients appends up to n members to r.
func (s *Store) Recipients(ctx context.Context, list lists.Address, r *lists.Recipients, n int) error {
	today, others := dayOf(time.Now()), r.Select.Delivery == lists.DeliveryMail
	return s.viewRoster(ctx, list, func(b *bolt.Bucket) error {
		c := b.Cursor()
		k, v := following(c, r.Cursor())
		for passed := 0; k != nil && n > 0 && passed < maxPassed; k, v = c.Next() {
			_, address, rest, err := splitMember(k, v)
			wanted := others
			if err == nil && v[0] >= memberReceiving {
				wanted, err = gets(rest, r.Select, today)
			}
			if err != nil {
				return s.badRecord(fmt.Sprintf("%s: %s", list, k), err)
			}
			if wanted {
				r.Append(address, k)
				n--
			} else {
				r.Pass(k)
				passed++
			}
		}
		if k == nil {
			r.SetDone()
		}
		return nil
	})
}

// viewRoster runs fn with the members of a list in a read transaction.
func (s *Store) viewRoster(ctx context.Context, list lists.Address, fn func(*bolt.Bucket) error) error {
	exists, err := s.view(ctx, func(tx *bolt.Tx) error {
		b := roster(tx, list)
		if b == nil {
			return noList(list)
		}
		return fn(b)
	})
	if err == nil && !exists {
		err = noList(list)
	}
	return err
}

// roster is the bucket of a list's members, nil without such a list.
func roster(tx *bolt.Tx, list lists.Address) *bolt.Bucket {
	if list.IsZero() {
		return nil
	}
	return tx.Bucket([]byte(bucketMembers)).Bucket([]byte(list.Key()))
}

func (s *Store) loadList(tx *bolt.Tx, list lists.Address) (lists.List, error) {
	value := tx.Bucket([]byte(bucketLists)).Get([]byte(list.Key()))
	if value == nil {
		return lists.List{}, noList(list)
	}
	l, err := decodeList(value)
	if err != nil {
		return lists.List{}, s.badRecord(list.String(), err)
	}
	return l, nil
}

// following moves the cursor to the first key after the given one; "" is before all.
func following(c *bolt.Cursor, after []byte) (k, v []byte) {
	if len(after) == 0 {
		return c.First()
	}
	k, v = c.Seek(after)
	if k != nil && bytes.Equal(k, after) {
		k, v = c.Next()
	}
	return k, v
}

// each calls fn for at most n pairs after a key.
func each(c *bolt.Cursor, after []byte, n int, fn func(k, v []byte) error) error {
	for k, v := following(c, after); k != nil && n > 0; k, v = c.Next() {
		if err := fn(k, v); err != nil {
			return err
		}
		n--
	}
	return nil
}
