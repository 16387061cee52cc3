// Package boltstore keeps lists in one bbolt file. bbolt locks a file for as long as
// it is open, so every operation opens late and closes early: locks, works on a copy,
// lets go. That costs some 50 µs, and lets the daemon, spawned processes and listctl
// share the file. The package decides nothing about mail, and never lets a caller
// hold a transaction.
//
// Beside the file stands a lock file, the turnstile: a writer holds it while he waits
// for the readers to leave, and readers pass through it, so that a crowd of readers
// cannot keep a writer out for ever.
package boltstore

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	bolt "go.etcd.io/bbolt"

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
	path     string
	timeout  time.Duration
	readOnly bool
	writer   chan struct{} // holds one token: the writer of this process
}

// Open returns the store at path. Only the folder must exist, else ErrStore: a file
// that is missing is an empty store, and the first Create makes it.
func Open(path string, opts Options) (*Store, error) {
	s := &Store{path: path, timeout: opts.Timeout, readOnly: opts.ReadOnly, writer: make(chan struct{}, 1)}
	if s.timeout <= 0 {
		s.timeout = defaultTimeout
	}
	if err := s.checkFolder(); err != nil {
		return nil, err
	}
	return s, nil
}

// Close has nothing to do: no file is open between operations.
func (s *Store) Close() error { return nil }

// checkFolder tells a store without a file from one whose disk is not mounted.
func (s *Store) checkFolder() error {
	info, err := os.Stat(filepath.Dir(s.path))
	if err != nil {
		return s.unusable(err)
	}
	if !info.IsDir() {
		return s.unusable(fmt.Errorf("%s is not a folder", filepath.Dir(s.path)))
	}
	return nil
}

// unusable is ErrStore with the file and the cause.
func (s *Store) unusable(cause error) error {
	return fmt.Errorf("%s: %w: %w", s.path, lists.ErrStore, cause)
}

// noList is the answer for a list that is not there.
func noList(list lists.Address) error {
	return fmt.Errorf("%s: %w", list, lists.ErrNoList)
}

// view runs fn in a read transaction. exists is false, and fn did not run, when there
// is no file yet.
func (s *Store) view(ctx context.Context, fn func(*bolt.Tx) error) (exists bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	w := s.newWait(ctx)
	if err := s.passTurnstile(w); err != nil {
		return false, err
	}
	err = s.transact(w, false, fn)
	if err == errMissing {
		return false, s.checkFolder()
	}
	return true, err
}

// update runs fn in a write transaction, which it commits unless fn returns an error;
// errUnchanged ends it without a commit and without an error. Without a file, create
// makes one; else exists is false and fn did not run.
func (s *Store) update(ctx context.Context, create bool, fn func(*bolt.Tx) error) (exists bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	if s.readOnly {
		return false, s.unusable(errReadOnly)
	}
	if _, err := os.Stat(s.path); os.IsNotExist(err) && !create {
		return false, s.checkFolder()
	}
	w := s.newWait(ctx)
	leave, err := s.holdTurnstile(w)
	if err != nil {
		return false, err
	}
	defer leave()
	err = s.transact(w, true, fn)
	if err == errMissing {
		if !create {
			return false, s.checkFolder()
		}
		if err := s.makeFile(); err != nil {
			return false, err
		}
		err = s.transact(w, true, fn)
	}
	if err == errUnchanged {
		err = nil
	}
	return true, err
}
