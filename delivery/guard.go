package delivery

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
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

	"golang.org/x/sys/unix"

	"superlistd/delivery/spool"
)

// ErrInProgress says that another session, of this process or another, is delivering the same post.
var ErrInProgress = errors.New("the same post is being delivered by another session")

// guardEpoch is how long one folder of notes is written to. Two are kept, so a note lives this long at least,
// which is longer than any sender tries (RFC 5321 section 4.5.4.1: four to five days).
const guardEpoch = 5 * 24 * time.Hour

// Key names a post to one list: its list, reverse-path, Message-ID and content, hashed. The zero Key is
// not guarded.
type Key [16]byte

// ID is the key as the name of a spool entry.
func (k Key) ID() string { return hex.EncodeToString(k[:]) }

// Guard remembers which posts are delivered, wholly or in part, so that a client that lost our reply and comes
// again sends nothing twice. All processes on one data folder share it. Notes are appended and not synced: they
// survive a kill, not a power cut, and cost microseconds.
type Guard struct {
	dir string
	now func() time.Time

	mu      sync.Mutex
	claimed map[Key]struct{} // by sessions of this process
	lock    *os.File         // whose octets are locked for other processes
	epochs  []string         // folders of notes, oldest first, as they were when
	changed int64            // the folder above had this time, in nanoseconds
}

// NewGuard keeps notes in dir, which is made when it is first asked.
func NewGuard(dir string) *Guard {
	return &Guard{dir: dir, now: time.Now, claimed: map[Key]struct{}{}}
}

// Claim is the right to deliver one post, and what is known of it. It must be released.
type Claim struct {
	guard *Guard
	key   Key
	notes int // descriptor of the file for notes of this key

	Done bool           // the whole post was delivered before
	Had  []spool.Served // the members who had it before, when it was not the whole

	issue int // that its list gathered at the last attempt; -1: not known
}

// claim takes the post, or fails with ErrInProgress. Between processes the lock is one octet of a file, at an offset made
// from the key: nothing to clean up, and a process that dies lets go of it. spooled, unless nil, tells whether the post is in the spool. It is
// asked before the notes are read, since an entry that ends leaves its note first.
func (g *Guard) claim(key Key, spooled func(id string) (bool, error)) (*Claim, error) {
	if err := g.take(key); err != nil {
		if errors.Is(err, ErrInProgress) {
			return nil, err
		}
		return nil, fmt.Errorf("retry guard: %w", err)
	}
	c := &Claim{guard: g, key: key, notes: -1, issue: -1}
	var err error
	if spooled != nil {
		// The note may be missing: a power cut took it, or whoever accepted the post died before it was written.
		c.Done, err = spooled(key.ID())
	}
	if err == nil {
		err = c.read()
	}
	if err != nil {
		c.Release()
		return nil, fmt.Errorf("retry guard: %w", err)
	}
	return c, nil
}

// Remember notes that the whole post of a spool entry is taken, unless that is noted. The entry itself says so as long as it
// is there; who made it may have died before the note was written, and its client may come again after the entry has ended.
func (g *Guard) Remember(id string) error {
	c := &Claim{guard: g, notes: -1}
	if n, err := hex.Decode(c.key[:], []byte(id)); err != nil || n != len(c.key) {
		return fmt.Errorf("retry guard: %q is no key", id)
	}
	defer c.close()
	if err := c.read(); err != nil {
		return fmt.Errorf("retry guard: %w", err)
	}
	if c.Done {
		return nil
	}
	return c.Finish()
}

// Release lets go of the post. What was noted stays.
func (c *Claim) Release() {
	c.close()
	c.guard.letGo(c.key)
}

func (c *Claim) close() {
	if c.notes >= 0 {
		unix.Close(c.notes)
		c.notes = -1
	}
}

// take claims a key, first among our own sessions, since those share the descriptor that holds the locks, then
// among all processes.
func (g *Guard) take(key Key) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, ours := g.claimed[key]; ours {
		return ErrInProgress
	}
	if err := g.openLock(); err != nil {
		return err
	}
	err := g.flock(key, unix.F_WRLCK)
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
		return ErrInProgress
	}
	if err == nil {
		g.claimed[key] = struct{}{}
	}
	return err
}

func (g *Guard) letGo(key Key) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if _, ours := g.claimed[key]; ours {
		delete(g.claimed, key)
		_ = g.flock(key, unix.F_UNLCK) // it ends with the process at the latest
	}
}

func (g *Guard) flock(key Key, how int16) error {
	return unix.FcntlFlock(g.lock.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{
		Type: how, Start: int64(binary.BigEndian.Uint64(key[:8]) >> 2), Len: 1,
	})
}

// openLock keeps the file of locks open; when somebody has removed it, a new one.
func (g *Guard) openLock() error {
	if g.lock != nil {
		var st unix.Stat_t
		if err := unix.Fstat(int(g.lock.Fd()), &st); err == nil && st.Nlink > 0 {
			return nil
		}
		g.lock.Close()
		g.lock = nil
	}
	if err := os.MkdirAll(g.dir, 0o750); err != nil {
		return err
	}
	var err error
	g.lock, err = os.OpenFile(filepath.Join(g.dir, "lock"), os.O_RDWR|os.O_CREATE, 0o640)
	return err
}

// Note remembers that a transaction is in: these members have the post.
func (c *Claim) Note(served spool.Served) error { return c.append('P', served.Append(nil)) }

// Finish remembers that the whole post is in.
func (c *Claim) Finish() error { return c.append('D', nil) }

// noteIssue remembers to which issue of its list the post belongs.
func (c *Claim) noteIssue(n int) error {
	return c.append('I', strconv.AppendInt([]byte{' '}, int64(n), 10))
}

// append writes one line: checksum, key, kind, payload.
func (c *Claim) append(kind byte, payload []byte) error {
	line := spool.AppendLine(nil, append(append(hex.AppendEncode(nil, c.key[:]), ' ', kind), payload...))
	n, err := unix.Write(c.notes, line)
	if err == nil && n < len(line) {
		err = io.ErrShortWrite
	}
	if err != nil {
		return fmt.Errorf("retry guard: %w", err)
	}
	return nil
}

// file is the part of an epoch that holds a key, so that few notes have to be read for one.
func file(epoch string, key Key) string { return filepath.Join(epoch, hex.EncodeToString(key[:1])) }

// folders returns the folders of notes, oldest first, with the current one at the end. A clock that jumps back does not go
// back to an older epoch, and one that jumps ahead drops no more than the epoch before the last.
func (g *Guard) folders() ([]string, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if err := g.list(); err != nil {
		return nil, err
	}
	name := fmt.Sprintf("%010d", g.now().Truncate(guardEpoch).Unix())
	if n := len(g.epochs); n > 0 && filepath.Base(g.epochs[n-1]) >= name {
		return g.epochs, nil
	}
	if err := os.Mkdir(filepath.Join(g.dir, name), 0o750); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	for old := g.epochs; len(old) > 1; old = old[1:] {
		if err := os.RemoveAll(old[0]); err != nil {
			return nil, err
		}
	}
	g.changed = 0
	return g.epochs, g.list()
}

// list reads the names of the folders, if any was made or removed since they were read.
func (g *Guard) list() error {
	var st unix.Stat_t
	if err := unix.Stat(g.dir, &st); err != nil {
		return err
	}
	if at := st.Mtim.Nano(); at != g.changed {
		entries, err := os.ReadDir(g.dir)
		if err != nil {
			return err
		}
		g.epochs = nil // a claim may still look at the old slice
		for _, e := range entries {
			if e.IsDir() && len(e.Name()) == 10 {
				g.epochs = append(g.epochs, filepath.Join(g.dir, e.Name()))
			}
		}
		g.changed = at
	}
	return nil
}

// read opens the file that notes of the claim's key go to, and collects those that there are.
func (c *Claim) read() error {
	epochs, err := c.guard.folders()
	if err != nil {
		return err
	}
	want := c.key.ID() + " "
	for i, epoch := range epochs {
		var data []byte
		if i < len(epochs)-1 {
			data, err = os.ReadFile(file(epoch, c.key))
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
		} else {
			data, err = c.open(file(epoch, c.key))
		}
		if err != nil {
			return err
		}
		if !bytes.Contains(data, []byte(want)) {
			continue
		}
		for line := range bytes.Lines(data) {
			c.take(want, line)
		}
	}
	return nil
}

// open opens the file for notes, and reads it. Not by package os, which would ask the poller about each file.
func (c *Claim) open(path string) (data []byte, err error) {
	if c.notes, err = unix.Open(path, unix.O_RDWR|unix.O_APPEND|unix.O_CREAT|unix.O_CLOEXEC, 0o640); err != nil {
		c.notes = -1
		return nil, &fs.PathError{Op: "open", Path: path, Err: err}
	}
	data = make([]byte, 0, 4<<10)
	for {
		n, err := unix.Pread(c.notes, data[len(data):cap(data)], int64(len(data)))
		if err != nil {
			return nil, &fs.PathError{Op: "read", Path: path, Err: err}
		}
		if n == 0 {
			return data, nil
		}
		data = slices.Grow(data[:len(data)+n], 1)
	}
}

// take reads one line; a damaged one says nothing.
func (c *Claim) take(want string, line []byte) {
	if !bytes.Contains(line, []byte(want)) {
		return
	}
	text, ok := spool.ParseLine(strings.TrimRight(string(line), "\n"))
	if !ok || !strings.HasPrefix(text, want) {
		return
	}
	switch rest := text[len(want):]; {
	case rest == "D":
		c.Done = true
	case strings.HasPrefix(rest, "I "):
		if n, err := strconv.Atoi(rest[2:]); err == nil {
			c.issue = n // the last one counts
		}
	case strings.HasPrefix(rest, "P "):
		if note, err := spool.ParseServed(rest[1:]); err == nil {
			c.Had = append(c.Had, note)
		}
	}
}
