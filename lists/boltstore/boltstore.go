// Package boltstore keeps lists in one bbolt file, and the history of posts in another
// that may be lost. bbolt locks a file for as long as it is open, so every operation opens
// late and closes early: locks, works on a copy, lets go. That costs some 50 µs, and lets
// the daemon, spawned processes and listctl share the files. The package decides nothing
// about mail, and never lets a caller hold a transaction.
//
// Beside each file stands a lock file, the turnstile: a writer holds it while he waits
// for the readers to leave, and readers pass through it, so that a crowd of readers
// cannot keep a writer out for ever.
package boltstore

import (
	"fmt"
	"time"

	"superlistd/lists"
)

var _ lists.Store = (*Store)(nil)

// defaultTimeout is longer than any transaction of ours takes, and shorter than a
// Postfix client waits (smtpd_proxy_timeout is 100 s).
const defaultTimeout = 10 * time.Second

// Options of a Store. The zero value is ready for use.
type Options struct {
	// Timeout is how long an operation waits for the locks of others; 0 is 10 s.
	Timeout time.Duration
	// ReadOnly refuses every change.
	ReadOnly bool
}

// Store is a lists.Store in a bbolt file. Nothing is open between operations.
type Store struct {
	*dataFile
}

// Open returns the store at path. Only the folder must exist, else ErrStore: a file
// that never was is an empty store, and the first Create makes it. One that was and is missing gives ErrStore: a list that
// cannot be seen is not one that is no more.
func Open(path string, opts Options) (*Store, error) {
	file, err := openFile(path, listsLayout(), opts)
	if err != nil {
		return nil, err
	}
	return &Store{file}, nil
}

// Close has nothing to do: no file is open between operations.
func (s *Store) Close() error { return nil }

// noList is the answer for a list that is not there.
func noList(list lists.Address) error {
	return fmt.Errorf("%s: %w", list, lists.ErrNoList)
}
