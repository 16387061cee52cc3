package spool

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Entry is an entry that is held: nobody else works on it until Release, Finish, Fail or Discard. Its methods may be
// called concurrently.
type Entry struct {
	spool     *Spool
	plan      Plan
	head      []byte
	at        int64 // where the header begins
	path      string
	file      File
	published bool

	mu      sync.Mutex
	state   State
	pending []byte // lines of the journal that could not be written yet
	synced  time.Time
	closed  bool
}

// State is what the journal tells.
type State struct {
	Served   []Served  // by this entry; Plan.Had not included
	Accepted int       // copies that the next hop took
	Refused  int       // members whom it refused for good
	Attempts int       // that did not come to the end
	Error    string    // of the last one
	Since    time.Time // when the attempts began: 250, or the last Retry by hand
	Told     bool      // the owners know that it failed
}

// The kinds of lines in a journal.
const (
	noteServed = "P"
	noteTried  = "T"
	noteTold   = "O"
	noteAgain  = "R"
)

// syncEvery bounds what a power cut makes us forget.
const syncEvery = time.Second

// journal is where the journal begins.
func (e *Entry) journal() int64 { return e.at + e.plan.Head + e.plan.Body }

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
	e.state.Since = e.plan.Accepted
	return e.file.Sync()
}

// Publish gives the entry its name and brings that to the disk: from then on it is a promise. On an error it is
// taken back, and Discard does nothing more.
func (e *Entry) Publish() error {
	s := e.spool
	if err := s.disk.Rename(e.path, s.path(e.plan.ID)); err != nil {
		e.Discard()
		return fmt.Errorf("spool: %w", err)
	}
	e.path, e.published = s.path(e.plan.ID), true
	if err := s.disk.SyncDir(s.dir); err != nil {
		// Whoever comes again finds the entry by its name if it could not be removed.
		err = errors.Join(err, s.disk.Remove(e.path))
		e.close()
		return fmt.Errorf("spool: %w", err)
	}
	s.look()
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

func (e *Entry) isClosed() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.closed
}

func (e *Entry) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.closed {
		e.closed = true
		e.file.Close()
	}
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
	if e.plan, e.at, err = readPlan(e.file, info.Size()); err != nil {
		return err
	}
	e.head = make([]byte, e.plan.Head)
	if _, err := e.file.ReadAt(e.head, e.at); err != nil && e.plan.Head > 0 {
		return err
	}
	e.state.Since = e.plan.Accepted
	r := bufio.NewReader(io.NewSectionReader(e.file, e.journal(), info.Size()-e.journal()))
	for {
		line, err := r.ReadString('\n')
		if text, ok := ParseLine(strings.TrimSuffix(line, "\n")); ok {
			e.state.take(text)
		}
		if err == io.EOF {
			e.state.Served = compact(e.state.Served)
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// take reads one line of the journal; what it does not know it leaves.
func (s *State) take(text string) {
	kind, rest, _ := strings.Cut(text, " ")
	switch kind {
	case noteServed:
		numbers := strings.SplitN(rest, " ", 3)
		if len(numbers) < 3 {
			return
		}
		served, err := ParseServed(numbers[2])
		if err != nil {
			return
		}
		accepted, _ := strconv.Atoi(numbers[0])
		refused, _ := strconv.Atoi(numbers[1])
		s.Accepted += accepted
		s.Refused += refused
		s.Served = append(s.Served, served)
	case noteTried:
		s.Attempts++
		s.Error = rest
	case noteTold:
		s.Told = true
	case noteAgain:
		if at, err := strconv.ParseInt(rest, 10, 64); err == nil {
			s.Since, s.Attempts = time.Unix(at, 0), 0
		}
	}
}

// Plan returns the plan.
func (e *Entry) Plan() Plan { return e.plan }

// Head is the header of the copies with its blank line.
func (e *Entry) Head() []byte { return e.head }

// State returns what was noted so far.
func (e *Entry) State() State {
	e.mu.Lock()
	defer e.mu.Unlock()
	s := e.state
	s.Served = slices.Clone(s.Served)
	return s
}

// Size is the length of the body in octets.
func (e *Entry) Size() int64 { return e.plan.Body }

// Reader reads the body from an offset; any number of readers at once.
func (e *Entry) Reader(off int64) io.Reader {
	off = min(max(off, 0), e.plan.Body)
	return io.NewSectionReader(e.file, e.at+e.plan.Head+off, e.plan.Body-off)
}

// Note remembers that a transaction is in. After an error it is still remembered here, and written with the next
// line; as long as that fails no more should be sent.
func (e *Entry) Note(served Served, accepted, refused int) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.state.Served = append(e.state.Served, served)
	e.state.Accepted += accepted
	e.state.Refused += refused
	return e.append(served.Append(fmt.Appendf(nil, "%s %d %d", noteServed, accepted, refused)))
}

// Flush writes what could not be written before.
func (e *Entry) Flush() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.append(nil)
}

// Tried remembers an attempt that did not come to the end, and why.
func (e *Entry) Tried(cause string) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	cause = oneLine(cause)
	e.state.Attempts++
	e.state.Error = cause
	return e.append([]byte(noteTried + " " + cause))
}

// Told remembers that the owners know.
func (e *Entry) Told() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.state.Told = true
	return e.append([]byte(noteTold))
}

// again begins the attempts anew.
func (e *Entry) again() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.spool.now()
	e.state.Since, e.state.Attempts = now, 0
	return e.append(fmt.Appendf(nil, "%s %d", noteAgain, now.Unix()))
}

// append writes a line, with those that wait; the caller holds mu.
func (e *Entry) append(text []byte) error {
	if text != nil {
		e.pending = AppendLine(e.pending, text)
	}
	if e.closed {
		return os.ErrClosed
	}
	if len(e.pending) == 0 {
		return nil
	}
	if _, err := e.file.Write(e.pending); err != nil {
		return fmt.Errorf("journal of spool entry %s: %w", e.plan.ID, err)
	}
	e.pending = e.pending[:0]
	if now := e.spool.now(); now.Sub(e.synced).Abs() >= syncEvery {
		e.synced = now
		if err := e.file.Sync(); err != nil {
			return fmt.Errorf("journal of spool entry %s: %w", e.plan.ID, err)
		}
	}
	return nil
}

// Finish removes the entry: everybody was served.
func (e *Entry) Finish() error {
	defer e.close()
	if err := e.spool.disk.Remove(e.path); err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	e.spool.look()
	return nil
}

// Fail moves the entry to the failed ones, and brings that to the disk.
func (e *Entry) Fail() error {
	defer e.close()
	s := e.spool
	if err := s.disk.MkdirAll(s.failed); err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	if err := s.disk.Rename(e.path, filepath.Join(s.failed, e.plan.ID)); err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	s.look()
	if err := errors.Join(s.disk.SyncDir(s.failed), s.disk.SyncDir(s.dir)); err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	return nil
}

// Release lets go of the entry; it is due at that time.
func (e *Entry) Release(due time.Time) error {
	defer e.close()
	err := e.Flush()
	if err = errors.Join(err, e.spool.disk.SetTime(e.path, due)); err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	return nil
}

// oneLine keeps a cause from becoming two lines of the journal.
func oneLine(s string) string {
	if len(s) > 1000 {
		s = s[:1000]
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}
