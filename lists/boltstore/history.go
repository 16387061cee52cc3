package boltstore

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"

	"superlistd/lists"
)

var _ lists.History = (*History)(nil)

// History is a lists.History in a bbolt file of its own, so that busy lists do not keep
// administrators waiting. Message ids and authors are kept as hashes.
type History struct {
	*dataFile
	limits limits
}

// limits are of one list, but for the last.
type limits struct {
	posts       int    // of the last hour
	entries     uint64 // of one generation
	generations int
	batch       int // how many entries Forget looks at before it lets others write
}

// A post has some three entries. A file with one list at all its bounds has up to 32 MB.
func usualLimits() limits {
	return limits{posts: lists.MaxRate, entries: 20_000, generations: 8, batch: 50_000}
}

// historyLayout: bucket "history" (key of the list → bucket "posts" and bucket "threads").
//
// "posts": digest of the key, or a number where a post has none → time, digest of the author.
//
// "threads": number → bucket, a generation, see generations.
func historyLayout() layout {
	return layout{format: "superlistd history", schema: 1, buckets: []string{bucketHistory}}
}

const (
	bucketHistory = "history"
	bucketPosts   = "posts"
	bucketThreads = "threads"
)

// OpenHistory returns the history at path. Only the folder must exist, else ErrStore: the
// first Note makes the file. It keeps lists.MaxRate posts of the last hour of a list.
func OpenHistory(path string, opts Options) (*History, error) {
	file, err := openFile(path, historyLayout(), opts)
	if err != nil {
		return nil, err
	}
	return &History{file, usualLimits()}, nil
}

// Close has nothing to do: no file is open between operations.
func (h *History) Close() error { return nil }

// Note records a post, and forgets of its list what is too old or too much.
func (h *History) Note(ctx context.Context, list lists.Address, p lists.Posted) error {
	if err := p.Check(); err != nil {
		return fmt.Errorf("%s: %w", list, err)
	}
	p = p.Bounded()
	_, err := h.update(ctx, true, func(tx *bolt.Tx) error {
		b, err := makeBuckets(tx.Bucket([]byte(bucketHistory)), list)
		if err != nil {
			return h.unusable(err)
		}
		isNew, err := h.notePost(b.Bucket([]byte(bucketPosts)), p)
		if err == nil && !isNew {
			return errUnchanged
		}
		if err == nil {
			err = h.noteThread(b.Bucket([]byte(bucketThreads)), p)
		}
		if err != nil {
			return h.badRecord(list.String(), err)
		}
		return nil
	})
	return err
}

func makeBuckets(all *bolt.Bucket, list lists.Address) (*bolt.Bucket, error) {
	b, err := all.CreateBucketIfNotExists([]byte(list.Key()))
	for _, name := range []string{bucketPosts, bucketThreads} {
		if err == nil {
			_, err = b.CreateBucketIfNotExists([]byte(name))
		}
	}
	return b, err
}

// Recent counts posts.
func (h *History) Recent(ctx context.Context, list, author lists.Address, key string, since time.Time) (byAuthor, byList int, err error) {
	own, who := postKey(key), digestOf(author.Key())
	until := since.Add(2 * lists.RateMemory)
	err = h.viewList(ctx, list, bucketPosts, func(b *bolt.Bucket) error {
		c := b.Cursor()
		for k, v := c.First(); k != nil; k, v = c.Next() {
			p, err := decodePost(v)
			if err != nil {
				return err
			}
			if p.at.Before(since) || p.at.After(until) || bytes.Equal(k, own) {
				continue
			}
			byList++
			if p.author == who {
				byAuthor++
			}
		}
		return nil
	})
	if err != nil {
		return 0, 0, err
	}
	return byAuthor, byList, nil
}

// InThread looks for author among those of a thread.
func (h *History) InThread(ctx context.Context, list, author lists.Address, ids []string, since time.Time) (found bool, err error) {
	who := digestOf(author.Key())
	err = h.viewList(ctx, list, bucketThreads, func(b *bolt.Bucket) error {
		g := openGenerations(b)
		for _, id := range lists.NormalIDs(ids) {
			m, ok, err := g.message(digestOf(id), since)
			if err == nil && ok {
				found, err = g.present(m.thread, who, since)
			}
			if err != nil || found {
				return err
			}
		}
		return nil
	})
	return found && err == nil, err
}

// viewList runs fn with one bucket of a list, unless nothing was ever noted. What fn
// returns is about a record.
func (h *History) viewList(ctx context.Context, list lists.Address, name string, fn func(*bolt.Bucket) error) error {
	_, err := h.view(ctx, func(tx *bolt.Tx) error {
		b := tx.Bucket([]byte(bucketHistory)).Bucket([]byte(list.Key()))
		if b != nil {
			b = b.Bucket([]byte(name))
		}
		if b == nil {
			return nil
		}
		if err := fn(b); err != nil {
			return h.badRecord(list.String(), err)
		}
		return nil
	})
	return err
}

// notePost adds a post to those of the hour, unless it is one of them.
func (h *History) notePost(b *bolt.Bucket, p lists.Posted) (isNew bool, err error) {
	key := postKey(p.Key)
	var stale [][]byte
	var oldest []byte
	var oldestAt time.Time
	count := 0
	c := b.Cursor()
	for k, v := c.First(); k != nil; k, v = c.Next() {
		q, err := decodePost(v)
		if err != nil {
			return false, err
		}
		switch d := p.At.Sub(q.at); {
		case d > lists.RateMemory || d < -lists.RateMemory: // the latter when a clock was wrong
			stale = append(stale, bytes.Clone(k))
			continue
		case bytes.Equal(k, key):
			return false, nil
		}
		count++
		if oldest == nil || q.at.Before(oldestAt) {
			oldest, oldestAt = k, q.at
		}
	}
	if count >= h.limits.posts {
		stale = append(stale, bytes.Clone(oldest))
	}
	for _, k := range stale {
		if err := b.Delete(k); err != nil {
			return false, err
		}
	}
	if key == nil {
		n, err := b.NextSequence()
		if err != nil {
			return false, err
		}
		key = binary.BigEndian.AppendUint64(nil, n)
	}
	return true, b.Put(key, appendPost(nil, p))
}

// digest stands for a text that is compared and never shown.
type digest [16]byte

func digestOf(text string) (d digest) {
	sum := sha256.Sum256([]byte(text))
	copy(d[:], sum[:])
	return d
}

// postKey is nil for a post that cannot be told from others.
func postKey(key string) []byte {
	if key == "" {
		return nil
	}
	d := digestOf(key)
	return d[:]
}
