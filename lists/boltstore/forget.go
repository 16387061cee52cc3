package boltstore

import (
	"bytes"
	"context"
	"errors"
	"time"

	bolt "go.etcd.io/bbolt"
)

// Forget drops what is older, list by list, in several transactions when there is much.
func (h *History) Forget(ctx context.Context, before time.Time) error {
	w := forgetter{before: before, batch: h.limits.batch}
	for !w.done {
		exists, err := h.update(ctx, false, func(tx *bolt.Tx) error {
			err := w.some(tx.Bucket([]byte(bucketHistory)))
			if err != nil && err != errUnchanged {
				return h.badRecord("forget", err)
			}
			return err
		})
		if err != nil || !exists {
			return err
		}
	}
	return nil
}

type forgetter struct {
	before  time.Time
	batch   int
	after   []byte // the list that was looked at last
	seen    int    // entries
	changed bool
	done    bool
}

// some works on the lists after the last one, until it has seen enough.
func (w *forgetter) some(all *bolt.Bucket) error {
	w.seen, w.changed = 0, false
	for w.seen < w.batch {
		key, _ := following(all.Cursor(), w.after)
		if w.done = key == nil; w.done {
			break
		}
		w.after = bytes.Clone(key)
		b := all.Bucket(w.after)
		if b == nil {
			return errHistory
		}
		empty, err := w.list(b)
		if err == nil && empty {
			w.changed = true
			err = all.DeleteBucket(w.after)
		}
		if err != nil {
			return err
		}
	}
	if !w.changed {
		return errUnchanged
	}
	return nil
}

func (w *forgetter) list(b *bolt.Bucket) (empty bool, err error) {
	posts, threads := b.Bucket([]byte(bucketPosts)), b.Bucket([]byte(bucketThreads))
	if posts == nil || threads == nil {
		return false, errHistory
	}
	kept, err := w.entries(posts)
	if err != nil {
		return false, err
	}
	empty = kept == 0
	for _, key := range keysOf(threads) {
		g := threads.Bucket(key)
		if g == nil {
			return false, errHistory
		}
		switch kept, err := w.entries(g); {
		case err != nil:
			return false, err
		case kept == 0:
			w.changed = true
			err = threads.DeleteBucket(key)
			if err != nil {
				return false, err
			}
		default:
			empty = false
			if err := w.count(g, kept); err != nil {
				return false, err
			}
		}
	}
	return empty, nil
}

// entries deletes the old ones of a bucket and counts the others; all begin with their
// time. The start of a generation is none.
func (w *forgetter) entries(b *bolt.Bucket) (kept uint64, err error) {
	var old [][]byte
	for k, v := range pairs(b) {
		if w.seen++; string(k) == keyStart {
			continue
		}
		at, err := decodeTime(v[:min(len(v), timeSize)])
		if err != nil {
			return 0, err
		}
		if at.Before(w.before) {
			old = append(old, bytes.Clone(k))
		} else {
			kept++
		}
	}
	for _, k := range old {
		w.changed = true
		err = errors.Join(err, b.Delete(k))
	}
	return kept, err
}

// count corrects how many entries a generation has.
func (w *forgetter) count(g *bolt.Bucket, entries uint64) error {
	if g.Sequence() == entries {
		return nil
	}
	w.changed = true
	return g.SetSequence(entries)
}

// keysOf are copies: what they stand for may be deleted.
func keysOf(b *bolt.Bucket) (keys [][]byte) {
	for k := range pairs(b) {
		keys = append(keys, bytes.Clone(k))
	}
	return keys
}
