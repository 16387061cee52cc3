package boltstore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime/debug"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
)

var (
	errMissing   = errors.New("no file")
	errUnchanged = errors.New("nothing to change")
	errReadOnly  = errors.New("opened for reading only")
)

// transact opens the file, runs fn in one transaction and closes the file again. It
// returns errMissing bare, and what fn returned as it is; all else is ErrStore.
//
// A damaged file makes bbolt panic, or read beyond the mapping. Both are turned into
// an error, in this goroutine at least; that is what Check needs a child process for.
// Two things remain that nobody can catch: a commit that frees a page whose count of
// further pages is damaged runs for minutes, and bbolt's own goroutines may fault.
func (d *dataFile) transact(w *wait, writable bool, fn func(*bolt.Tx) error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	var file *os.File
	var db *bolt.DB
	defer func() {
		p := recover()
		switch {
		case p != nil && (db == nil || writable):
			// bbolt may still hold mutexes that its Close waits for, so the mapping is
			// lost, which a damaged file is worth. It keeps the open file alive, and with
			// it a lock that closing the descriptor would end: unlock first.
			if file != nil {
				_ = syscall.Flock(int(file.Fd()), syscall.LOCK_UN)
				_ = file.Close()
			}
		case db != nil:
			if cerr := db.Close(); cerr != nil && err == nil {
				err = d.unusable(cerr)
			}
		}
		if p != nil {
			err = d.unusable(fmt.Errorf("damaged: %v", p))
		}
	}()
	db, err = bolt.Open(d.path, 0, &bolt.Options{
		ReadOnly:     !writable,
		NoStatistics: true,
		FreelistType: bolt.FreelistMapType,
		Timeout:      time.Second, // never waited for: openLocked has the lock
		OpenFile: func(_ string, flag int, _ fs.FileMode) (*os.File, error) {
			f, err := d.openLocked(w, flag, writable)
			file = f
			return f, err
		},
	})
	switch {
	case file == nil && err != nil:
		return err // of openLocked, which knows what it means
	case err != nil:
		return d.unusable(err)
	}
	var told error
	work := func(tx *bolt.Tx) error {
		if told = d.checkSchema(tx); told == nil {
			told = fn(tx)
		}
		return told
	}
	if writable {
		err = db.Update(work)
	} else {
		err = db.View(work)
	}
	if err != nil && told == nil {
		return d.unusable(err) // the commit failed: disk full, for one
	}
	return err
}

// openLocked opens the data file and locks it, as bbolt would, but so that the wait
// ends with the context and wakes within milliseconds. bbolt then locks the same
// descriptor once more, which succeeds at once.
func (d *dataFile) openLocked(w *wait, flag int, exclusive bool) (*os.File, error) {
	for {
		f, err := os.OpenFile(d.path, flag&^os.O_CREATE, 0)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, errMissing
		}
		if err != nil {
			return nil, d.unusable(err)
		}
		replaced := false
		if err = d.lock(w, f, exclusive); err == nil {
			replaced, err = d.inspect(f)
		}
		if err == nil && !replaced {
			return f, nil
		}
		_ = f.Close()
		if err != nil {
			return nil, err
		}
		// Somebody put another file there while we waited for the lock of this one.
	}
}

// inspect refuses a file that bbolt should not map, and notices one that is no longer
// at the path.
func (d *dataFile) inspect(f *os.File) (replaced bool, err error) {
	info, err := f.Stat()
	if err != nil {
		return false, d.unusable(err)
	}
	if now, err := os.Stat(d.path); err != nil || !os.SameFile(info, now) {
		return true, nil
	}
	if err := checkMeta(f, info); err != nil {
		return false, d.unusable(err)
	}
	return false, nil
}
