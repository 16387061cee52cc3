package boltstore

import (
	"bytes"
	"context"
	"fmt"
	"iter"
	"strings"

	bolt "go.etcd.io/bbolt"

	"superlistd/lists"
)

// Records keeps small values for lists in a bbolt file of its own that may be lost. What
// they mean is the business of its user.
type Records struct{ *dataFile }

const bucketRecords = "records" // key of the list → bucket: key → value

// OpenRecords returns the records at path. Only the folder must exist, else ErrStore: the
// first value makes the file. of is what the file is for; one that is for something else
// is refused.
func OpenRecords(path, of string, opts Options) (*Records, error) {
	file, err := openFile(path, layout{format: "superlistd " + of, schema: 1, buckets: []string{bucketRecords}}, opts)
	if err != nil {
		return nil, err
	}
	return &Records{file}, nil
}

// Close has nothing to do: no file is open between operations.
func (r *Records) Close() error { return nil }

// Table is what one list has, within a transaction. It may not be used after that.
type Table struct {
	all     *bolt.Bucket
	name    []byte
	own     *bolt.Bucket // nil: nothing is there
	changed bool
}

func tableOf(tx *bolt.Tx, list lists.Address) *Table {
	all, name := tx.Bucket([]byte(bucketRecords)), []byte(list.Key())
	return &Table{all: all, name: name, own: all.Bucket(name)}
}

// Get returns a copy of a value, nil when there is none.
func (t *Table) Get(key string) []byte {
	if t.own == nil {
		return nil
	}
	return bytes.Clone(t.own.Get([]byte(key)))
}

// Put sets a value; keys are neither empty nor longer than bolt.MaxKeySize.
func (t *Table) Put(key string, value []byte) (err error) {
	if t.own == nil {
		if t.own, err = t.all.CreateBucketIfNotExists(t.name); err != nil {
			return err
		}
	}
	if old := t.own.Get([]byte(key)); old != nil && bytes.Equal(old, value) {
		return nil
	}
	t.changed = true
	return t.own.Put([]byte(key), value)
}

// Delete removes a value, if it is there.
func (t *Table) Delete(key string) error {
	if t.own == nil || t.own.Get([]byte(key)) == nil {
		return nil
	}
	t.changed = true
	return t.own.Delete([]byte(key))
}

// All yields copies of the keys with a prefix and of their values, in the order of the
// keys. The table may be changed meanwhile.
func (t *Table) All(prefix string) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		if t.own == nil {
			return
		}
		k, v := t.own.Cursor().Seek([]byte(prefix))
		for k != nil && strings.HasPrefix(string(k), prefix) {
			after := bytes.Clone(k)
			if !yield(string(after), bytes.Clone(v)) {
				return
			}
			k, v = following(t.own.Cursor(), after)
		}
	}
}

// View runs look with what a list has; its error is returned.
func (r *Records) View(ctx context.Context, list lists.Address, look func(*Table) error) error {
	_, err := r.view(ctx, func(tx *bolt.Tx) error { return look(tableOf(tx, list)) })
	return err
}

// Update lets change edit what a list has, in one transaction. There is no commit when it
// changes nothing; its error ends the transaction and is returned.
func (r *Records) Update(ctx context.Context, list lists.Address, change func(*Table) error) error {
	return r.UpdateAll(ctx, []Edit{{list, change}})
}

// Edit is what Update does, for UpdateAll.
type Edit struct {
	List   lists.Address
	Change func(*Table) error
}

// UpdateAll makes edits in their order and in one transaction, which an error of any of them ends for all. There is no commit
// when they change nothing.
func (r *Records) UpdateAll(ctx context.Context, edits []Edit) error {
	_, err := r.update(ctx, true, func(tx *bolt.Tx) error {
		changed := false
		for _, e := range edits {
			t := tableOf(tx, e.List)
			if err := e.Change(t); err != nil {
				return fmt.Errorf("%s: %w", e.List, err)
			}
			changed = changed || t.changed
		}
		if !changed {
			return errUnchanged
		}
		return nil
	})
	return err
}

// Lists returns the lists that have something, by their keys.
func (r *Records) Lists(ctx context.Context) (all []lists.Address, err error) {
	_, err = r.view(ctx, func(tx *bolt.Tx) error {
		for k := range pairs(tx.Bucket([]byte(bucketRecords))) {
			at := bytes.LastIndexByte(k, '@')
			if at < 0 {
				return r.unusable(fmt.Errorf("damaged: %q is no list", k))
			}
			all = append(all, lists.Address{Local: string(k[:at]), Domain: string(k[at+1:])})
		}
		return nil
	})
	return all, err
}

// Drop removes what a list has.
func (r *Records) Drop(ctx context.Context, list lists.Address) error {
	_, err := r.update(ctx, false, func(tx *bolt.Tx) error {
		all, name := tx.Bucket([]byte(bucketRecords)), []byte(list.Key())
		if all.Bucket(name) == nil {
			return errUnchanged
		}
		return all.DeleteBucket(name)
	})
	return err
}
