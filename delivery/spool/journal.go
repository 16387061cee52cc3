package spool

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// State is what the journal tells.
type State struct {
	Served   []Served  // by this entry, added up; Plan.Had not included. Not to be changed
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

// journal is what was noted of an entry, in memory and behind its body in the file.
type journal struct {
	id   string
	file File
	now  func() time.Time

	mu      sync.Mutex
	state   State // but for Served
	served  ledger
	pending []byte // lines that could not be written yet
	dirty   bool   // something is written and not synced
	synced  time.Time
	closed  bool
}

// read reads the lines from an offset to the end of the file. One that is damaged, or too long to be one, says nothing.
func (j *journal) read(from, size int64) error {
	r := bufio.NewReaderSize(io.NewSectionReader(j.file, from, size-from), 64<<10)
	var line []byte
	tooLong := false
	for {
		part, err := r.ReadSlice('\n')
		if tooLong = tooLong || len(line)+len(part) > maxPlan; !tooLong {
			line = append(line, part...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if text, ok := ParseLine(string(bytes.TrimSuffix(line, []byte("\n")))); ok && !tooLong {
			j.take(text)
		}
		line, tooLong = line[:0], false
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// take reads one line; what it does not know it leaves.
func (j *journal) take(text string) {
	kind, rest, _ := strings.Cut(text, " ")
	switch s := &j.state; kind {
	case noteServed:
		j.takeServed(rest)
	case noteTried:
		s.Attempts++
		s.Error = rest
	case noteTold:
		s.Told = true
	case noteAgain:
		const year10000 = 253402300800 // cannot be written as JSON
		if at, err := strconv.ParseUint(rest, 10, 63); err == nil && at < year10000 {
			s.Since, s.Attempts = time.Unix(int64(at), 0), 0
		}
	}
}

func (j *journal) takeServed(text string) {
	first, rest, _ := strings.Cut(text, " ")
	second, notes, given := strings.Cut(rest, " ")
	accepted, err := strconv.ParseUint(first, 10, 31)
	if err != nil {
		return
	}
	refused, err := strconv.ParseUint(second, 10, 31)
	if err != nil {
		return
	}
	if given {
		served, err := ParseServed(notes)
		if err != nil {
			return
		}
		j.served.add(served)
	}
	j.state.Accepted += int(accepted)
	j.state.Refused += int(refused)
}

// State returns what was noted so far.
func (j *journal) State() State {
	j.mu.Lock()
	defer j.mu.Unlock()
	s := j.state
	s.Served = j.served.served()
	return s
}

// Note remembers that a transaction is in. After an error it is still remembered here, and written with the next
// line; as long as that fails no more should be sent.
func (j *journal) Note(served Served, accepted, refused int) error {
	if len(served.Ranges) == 0 {
		served.But = nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.served.add(served)
	j.state.Accepted += accepted
	j.state.Refused += refused
	start := len(j.pending)
	line := append(beginLine(j.pending), noteServed+" "...)
	line = append(strconv.AppendInt(line, int64(accepted), 10), ' ')
	line = strconv.AppendInt(line, int64(refused), 10)
	j.pending = endLine(served.Append(line), start)
	return j.write(false)
}

// Flush writes what could not be written before.
func (j *journal) Flush() error { return j.flush(false) }

// flush writes what waits, and on demand brings everything to the disk.
func (j *journal) flush(toDisk bool) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.write(toDisk)
}

// Tried remembers an attempt that did not come to the end, and why.
func (j *journal) Tried(cause string) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.state.Attempts++
	j.state.Error = oneLine(cause)
	return j.append(noteTried + " " + j.state.Error)
}

// Told remembers that the owners know.
func (j *journal) Told() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.state.Told = true
	return j.append(noteTold)
}

// again begins the attempts anew.
func (j *journal) again() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	now := j.now()
	j.state.Since, j.state.Attempts = now, 0
	return j.append(noteAgain + " " + strconv.FormatInt(now.Unix(), 10))
}

// append writes a line, with those that wait; the caller holds mu.
func (j *journal) append(text string) error {
	j.pending = AppendLine(j.pending, []byte(text))
	return j.write(false)
}

// write writes the lines that wait, and syncs now and then. The caller holds mu.
func (j *journal) write(toDisk bool) error {
	if j.closed {
		return fmt.Errorf("journal of spool entry %s: %w", j.id, os.ErrClosed)
	}
	if len(j.pending) > 0 {
		n, err := j.file.Write(j.pending)
		j.dirty = j.dirty || n > 0
		j.written(n)
		if err != nil {
			return wrap("journal of spool entry "+j.id, err)
		}
	}
	now := j.now()
	if !j.dirty || !toDisk && now.Sub(j.synced).Abs() < syncEvery {
		return nil
	}
	if err := j.file.Sync(); err != nil {
		j.synced = time.Time{} // the next one tries again
		return wrap("journal of spool entry "+j.id, err)
	}
	j.dirty, j.synced = false, now
	return nil
}

// written drops the lines that are whole in the first n octets of those that wait. The others are written again: half of one
// says nothing, and one that were there twice would count twice.
func (j *journal) written(n int) {
	const most = 64 << 10 // more is not kept for the next line
	switch {
	case n < len(j.pending):
		end := bytes.LastIndex(j.pending[:n+1], []byte("\n\n")) // of a line, and the beginning of the next
		j.pending = append(j.pending[:0], j.pending[end+1:]...)
	case cap(j.pending) > most:
		j.pending = nil
	default:
		j.pending = j.pending[:0]
	}
}

func (j *journal) close() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.closed {
		j.closed = true
		j.file.Close()
	}
}

func (j *journal) isClosed() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.closed
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
