package spool

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Entry is an entry that is held: nobody else works on it until Release, Finish, Fail or Discard. Its methods may be
// called concurrently.
type Entry struct {
	journal

	spool     *Spool
	plan      Plan
	head      []byte
	at        int64 // where the header begins
	path      string
	published bool
}

// end is where the journal begins.
func (e *Entry) end() int64 { return e.at + e.plan.Head + e.plan.Body }

// write fills a new file and brings it to the disk.
func (e *Entry) write(front []byte, body io.Reader) error {
	w := bufio.NewWriterSize(e.file, 64<<10)
	w.Write(front) // errors come back with Flush
	w.Write(e.head)
	n, err := io.Copy(w, body)
	if err == nil && n != e.plan.Body {
		err = fmt.Errorf("body of %d octets instead of %d", n, e.plan.Body)
	}
	if err = errors.Join(err, w.Flush()); err != nil {
		return err
	}
	return e.file.Sync()
}

// Publish gives the entry its name and brings that to the disk: from then on it is a promise. On an error it is
// taken back, and Discard does nothing more. Where an entry of that name is already, that is fs.ErrExist, and that one stays.
func (e *Entry) Publish() error {
	s := e.spool
	to := s.path(e.plan.ID)
	if err := s.disk.Rename(e.path, to); err != nil {
		e.Discard()
		return wrap("spool", err)
	}
	e.path, e.published = to, true
	if err := s.disk.SyncDir(s.dir); err != nil {
		// Whoever comes again finds the entry by its name if it could not be removed.
		err = errors.Join(err, s.disk.Remove(to))
		e.close()
		return wrap("spool", err)
	}
	s.count(1, e.end())
	return nil
}

// Discard removes an entry that was not published.
func (e *Entry) Discard() {
	if e.published || e.isClosed() {
		return
	}
	_ = e.spool.disk.Remove(e.path) // Sweep finds what stays
	e.close()
}

// take locks the file, and looks whether it is still the entry of that name.
func (e *Entry) take() error {
	ok, err := e.file.Lock()
	if err != nil {
		return err
	}
	if !ok {
		return ErrHeld
	}
	held, err := e.file.Stat()
	if err != nil {
		return err
	}
	named, err := e.spool.disk.Stat(e.path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(held, named) {
		return ErrGone
	}
	return err
}

// read reads plan, header and journal.
func (e *Entry) read() error {
	info, err := e.file.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return errForeign
	}
	if e.plan, e.at, err = readPlan(e.file, info.Size()); err != nil {
		return err
	}
	e.plan.ID = e.id // the name is what others know it by
	e.head = make([]byte, e.plan.Head)
	if _, err := e.file.ReadAt(e.head, e.at); err != nil && e.plan.Head > 0 {
		return err
	}
	e.state.Since = e.plan.Accepted
	return e.journal.read(e.end(), info.Size())
}

// Plan returns the plan.
func (e *Entry) Plan() Plan { return e.plan }

// Head is the header of the copies with its blank line.
func (e *Entry) Head() []byte { return e.head }

// Size is the length of the body in octets.
func (e *Entry) Size() int64 { return e.plan.Body }

// Reader reads the body from an offset; any number of readers at once.
func (e *Entry) Reader(off int64) io.Reader {
	off = min(max(off, 0), e.plan.Body)
	return io.NewSectionReader(e.file, e.at+e.plan.Head+off, e.plan.Body-off)
}

// Finish removes the entry: everybody was served. When it cannot be removed, its journal still tells that.
func (e *Entry) Finish() error {
	if e.isClosed() {
		return wrap("spool entry "+e.id, os.ErrClosed) // somebody else may hold it now
	}
	defer e.close()
	// A power cut may bring the name back; then nobody is to get it again.
	flushed := e.flush(true)
	if err := e.spool.disk.Remove(e.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return wrap("spool", errors.Join(err, flushed))
	}
	e.spool.count(-1, -e.end())
	return nil
}

// Fail moves the entry to the failed ones, and brings that to the disk. When one that failed earlier has its name, it gets
// another one there.
func (e *Entry) Fail() error {
	if e.isClosed() {
		return wrap("spool entry "+e.id, os.ErrClosed) // somebody else may hold it now
	}
	defer e.close()
	err := e.flush(true)
	if err = errors.Join(err, e.spool.condemn(e.path, e.id)); err != nil {
		return wrap("spool", err)
	}
	return nil
}

// condemn moves a file to the failed ones.
func (s *Spool) condemn(from, id string) error {
	if err := s.mkdir(s.failed); err != nil {
		return err
	}
	err := s.disk.Rename(from, filepath.Join(s.failed, id))
	if errors.Is(err, fs.ErrExist) {
		err = s.disk.Rename(from, filepath.Join(s.failed, NewID()))
	}
	if err != nil {
		return err
	}
	s.look()
	return errors.Join(s.disk.SyncDir(s.failed), s.disk.SyncDir(s.dir))
}

// Release lets go of the entry; it is due at that time.
func (e *Entry) Release(due time.Time) error {
	if e.isClosed() {
		return wrap("spool entry "+e.id, os.ErrClosed) // somebody else may hold it now
	}
	defer e.close()
	err := e.flush(true)
	if err = errors.Join(err, e.spool.disk.SetTime(e.path, due)); err != nil {
		return wrap("spool", err)
	}
	return nil
}
