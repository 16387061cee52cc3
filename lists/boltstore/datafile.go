package boltstore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	bolt "go.etcd.io/bbolt"

	"superlistd/lists"
)

// dataFile is one bbolt file with its turnstile. Nothing is open between operations.
type dataFile struct {
	path     string
	layout   layout
	timeout  time.Duration
	readOnly bool
	writer   chan struct{} // holds one token: the writer of this process
}

// openFile needs the folder only.
func openFile(path string, of layout, opts Options) (*dataFile, error) {
	d := &dataFile{path: path, layout: of, timeout: opts.Timeout, readOnly: opts.ReadOnly, writer: make(chan struct{}, 1)}
	if d.timeout <= 0 {
		d.timeout = defaultTimeout
	}
	if err := d.checkFolder(); err != nil {
		return nil, err
	}
	return d, nil
}

// errGone is for a file that is lost.
func (d *dataFile) errGone() error {
	return d.unusable(fmt.Errorf("the file is gone: put it back, or begin anew without %s", d.turnstile()))
}

// checkFolder tells a store without a file from one whose disk is not mounted.
func (d *dataFile) checkFolder() error {
	info, err := os.Stat(filepath.Dir(d.path))
	if err != nil {
		return d.unusable(err)
	}
	if !info.IsDir() {
		return d.unusable(fmt.Errorf("%s is not a folder", filepath.Dir(d.path)))
	}
	return nil
}

// unusable is ErrStore with the file and the cause.
func (d *dataFile) unusable(cause error) error {
	return fmt.Errorf("%s: %w: %w", d.path, lists.ErrStore, cause)
}

// view runs fn in a read transaction. exists is false, and fn did not run, when there
// is no file yet.
func (d *dataFile) view(ctx context.Context, fn func(*bolt.Tx) error) (exists bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	w := d.newWait(ctx)
	if err := d.passTurnstile(w); err != nil {
		return false, err
	}
	err = d.transact(w, false, fn)
	if err == errMissing && d.wasMade() {
		if err = d.transact(w, false, fn); err == errMissing { // it was not made just now
			err = d.errGone()
		}
	}
	if err == errMissing {
		return false, d.checkFolder()
	}
	return true, err
}

// update runs fn in a write transaction, which it commits unless fn returns an error;
// errUnchanged ends it without a commit and without an error. Without a file, create
// makes one; else exists is false and fn did not run.
func (d *dataFile) update(ctx context.Context, create bool, fn func(*bolt.Tx) error) (exists bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	if d.readOnly {
		return false, d.unusable(errReadOnly)
	}
	if _, err := os.Stat(d.path); os.IsNotExist(err) && !create && !d.wasMade() {
		return false, d.checkFolder()
	}
	w := d.newWait(ctx)
	leave, err := d.holdTurnstile(w)
	if err != nil {
		return false, err
	}
	defer leave()
	err = d.transact(w, true, fn)
	if err == errMissing {
		if d.wasMade() {
			return false, d.errGone()
		}
		if !create {
			return false, d.checkFolder()
		}
		if err := d.makeFile(); err != nil {
			return false, err
		}
		err = d.transact(w, true, fn)
	}
	d.markMade()
	if err == errUnchanged {
		err = nil
	}
	return true, err
}

// badRecord is ErrStore, or ErrSchema when the record is of a later version. Any other
// cause is kept as text only: what is wrong with a record on disk must not look like
// something wrong with the address that somebody has sent.
func (d *dataFile) badRecord(what string, err error) error {
	if errors.Is(err, lists.ErrSchema) {
		return fmt.Errorf("%s: %w", what, err)
	}
	return d.unusable(fmt.Errorf("%s: %v", what, err))
}
