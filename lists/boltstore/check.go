package boltstore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"

	bolt "go.etcd.io/bbolt"

	"superlistd/lists"
)

// maxFaults is how many faults Check reports: one damaged page can cause thousands.
const maxFaults = 20

// Check looks at the whole file: bbolt's own check of all pages, every record, and that
// the counts and the index of aliases of every list are those of its members. A damaged file can end the process
// (bbolt checks pages in a goroutine of its own, whose faults nobody can catch): call it
// in a child process. A file that never was is an empty store; one that is lost is ErrStore.
func Check(path string) error {
	s, err := Open(path, Options{ReadOnly: true})
	if err != nil {
		return err
	}
	return s.check(checkRecords)
}

// check looks at all pages, and, if they are in order, at what is in them.
func (d *dataFile) check(records func(*bolt.Tx) []error) error {
	_, err := d.view(context.Background(), func(tx *bolt.Tx) error {
		var faults []error
		for err := range tx.Check() { // the channel must be read to its end
			if len(faults) < maxFaults {
				faults = append(faults, err)
			}
		}
		if len(faults) == 0 {
			faults = records(tx)
		}
		if len(faults) == 0 {
			return nil
		}
		return d.badRecord("check", errors.Join(faults...))
	})
	return err
}

// reporter adds faults, up to maxFaults.
func reporter(faults *[]error) func(format string, args ...any) {
	return func(format string, args ...any) {
		if len(*faults) < maxFaults {
			*faults = append(*faults, fmt.Errorf(format, args...))
		}
	}
}

func checkRecords(tx *bolt.Tx) (faults []error) {
	report := reporter(&faults)
	members := tx.Bucket([]byte(bucketMembers))
	c := tx.Bucket([]byte(bucketLists)).Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		l, err := decodeList(v)
		switch b := members.Bucket(k); {
		case err != nil:
			report("list %s: %w", k, err)
		case l.Address.Key() != string(k):
			report("list %s: stored under %s", l.Address, k)
		case b == nil:
			report("list %s: no roster", k)
		default:
			checkRoster(l, b, report)
			checkAliases(l, b, aliases(tx, l.Address), report)
		}
	}
	c = members.Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		if v != nil || tx.Bucket([]byte(bucketLists)).Get(k) == nil {
			report("roster %s: no such list", k)
		}
	}
	return faults
}

// checkRoster compares a roster with the counts of its list. A cursor sees keys in the
// order of the pages, so an order that is wrong would hide members from a search.
func checkRoster(l lists.List, b *bolt.Bucket, report func(string, ...any)) {
	var last []byte
	count, utf8, digests := 0, 0, l.Digests
	digests.Members = 0
	c := b.Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		m, err := decodeMember(k, v)
		switch {
		case err != nil:
			report("list %s: member %s: %w", l.Address, k, err)
		case m.Address.Key() != string(k):
			report("list %s: member %s: stored under %s", l.Address, m.Address, k)
		case bytes.Compare(k, last) <= 0:
			report("list %s: member %s: out of order", l.Address, k)
		}
		last = k
		count++
		if !m.Address.ASCII() {
			utf8++
		}
		digests.Replace(lists.Member{}, m)
	}
	if digests != l.Digests {
		report("list %s: %d members take digests, and wait until issue %d, but %d and %d are recorded",
			l.Address, digests.Members, digests.Switch, l.Digests.Members, l.Digests.Switch)
	}
	if count != l.Members || utf8 != l.UTF8Members {
		report("list %s: %d members (%d with UTF-8), but %d (%d) are recorded",
			l.Address, count, utf8, l.Members, l.UTF8Members)
	}
}

// checkAliases compares the index of aliases with the members, both ways.
func checkAliases(l lists.List, b, index *bolt.Bucket, report func(string, ...any)) {
	wanted := map[string]string{}
	for k, v := range pairs(b) {
		m, err := decodeMember(k, v)
		if err != nil {
			continue // reported with the roster
		}
		for _, a := range m.Aliases {
			wanted[a.Key()] = string(k)
		}
	}
	found := 0
	for k, v := range pairs(index) {
		found++
		if wanted[string(k)] != string(v) {
			report("list %s: alias %s is recorded for %s", l.Address, k, v)
		}
	}
	if found < len(wanted) {
		report("list %s: %d aliases, but %d are recorded", l.Address, len(wanted), found)
	}
}

// pairs are those of a bucket, none of nil.
func pairs(b *bolt.Bucket) iter.Seq2[[]byte, []byte] {
	return func(yield func(k, v []byte) bool) {
		if b == nil {
			return
		}
		c := b.Cursor()
		for k, v := c.First(); k != nil; k, v = c.Next() {
			if !yield(k, v) {
				return
			}
		}
	}
}
