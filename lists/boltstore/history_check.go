package boltstore

import (
	"fmt"

	bolt "go.etcd.io/bbolt"
)

// CheckHistory looks at the whole file of a History, as Check does at that of a Store. A
// history that is damaged may be deleted: the next Note makes another.
func CheckHistory(path string) error {
	h, err := OpenHistory(path, Options{ReadOnly: true})
	if err != nil {
		return err
	}
	return h.check(checkHistory)
}

func checkHistory(tx *bolt.Tx) (faults []error) {
	report := reporter(&faults)
	for k, v := range pairs(tx.Bucket([]byte(bucketHistory))) {
		b := tx.Bucket([]byte(bucketHistory)).Bucket(k)
		if v != nil || b == nil || b.Bucket([]byte(bucketPosts)) == nil || b.Bucket([]byte(bucketThreads)) == nil {
			report("list %s: buckets are missing", k)
			continue
		}
		for key, value := range pairs(b.Bucket([]byte(bucketPosts))) {
			if _, err := decodePost(value); err != nil {
				report("list %s: post %x: %w", k, key, err)
			}
		}
		threads := b.Bucket([]byte(bucketThreads))
		for key := range pairs(threads) {
			if err := checkGeneration(threads.Bucket(key)); err != nil {
				report("list %s: threads %x: %w", k, key, err)
			}
		}
	}
	return faults
}

func checkGeneration(g *bolt.Bucket) error {
	if g == nil {
		return errHistory
	}
	started, count := false, uint64(0)
	for k, v := range pairs(g) {
		var err error
		switch {
		case string(k) == keyStart:
			started = true
			_, err = decodeTime(v)
			count-- // it is none of the entries
		case k[0] == prefixMessage && len(k) == len(messageKey(digest{})):
			_, err = decodeMessage(v)
		case k[0] == prefixPerson && len(k) == len(personKey(digest{}, digest{})):
			_, err = decodeTime(v)
		default:
			err = errHistory
		}
		if err != nil {
			return fmt.Errorf("%x: %w", k, err)
		}
		count++
	}
	if !started || count != g.Sequence() {
		return fmt.Errorf("%w: %d entries, but %d are recorded", errHistory, count, g.Sequence())
	}
	return nil
}
