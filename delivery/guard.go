package delivery

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
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
}

// NewGuard keeps notes in dir, which is made when the first one is written.
func NewGuard(dir string) *Guard { return &Guard{dir: dir, now: time.Now} }

// Claim is the right to deliver one post, and what is known of it. It must be released.
type Claim struct {
	guard *Guard
	key   Key
	lock  *os.File

	Done bool           // the whole post was delivered before
	Had  []spool.Served // the members who had it before, when it was not the whole
}

// Claim takes the post, or fails with ErrInProgress. The lock is one octet of a file, at an offset made from
// the key: nothing to clean up, and a process that dies lets go of it.
func (g *Guard) Claim(key Key) (*Claim, error) {
	if err := os.MkdirAll(g.dir, 0o750); err != nil {
		return nil, fmt.Errorf("retry guard: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(g.dir, "lock"), os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return nil, fmt.Errorf("retry guard: %w", err)
	}
	c := &Claim{guard: g, key: key, lock: lock}
	// Open file description locks belong to this descriptor alone, so they also hold between our own sessions.
	err = unix.FcntlFlock(lock.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{
		Type: unix.F_WRLCK, Start: int64(binary.BigEndian.Uint64(key[:8]) >> 2), Len: 1,
	})
	if errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES) {
		lock.Close()
		return nil, ErrInProgress
	}
	if err == nil {
		err = c.read()
	}
	if err != nil {
		lock.Close()
		return nil, fmt.Errorf("retry guard: %w", err)
	}
	return c, nil
}

// Release lets go of the post. What was noted stays.
func (c *Claim) Release() { c.lock.Close() }

// Note remembers that a transaction is in: these members have the post.
func (c *Claim) Note(served spool.Served) error { return c.append('P', served.Append(nil)) }

// Finish remembers that the whole post is in.
func (c *Claim) Finish() error { return c.append('D', nil) }

// append writes one line: checksum, key, kind, payload.
func (c *Claim) append(kind byte, payload []byte) error {
	path, err := c.guard.current(c.key)
	if err != nil {
		return fmt.Errorf("retry guard: %w", err)
	}
	line := spool.AppendLine(nil, append(append(hex.AppendEncode(nil, c.key[:]), ' ', kind), payload...))
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o640)
	if err != nil {
		return fmt.Errorf("retry guard: %w", err)
	}
	_, err = f.Write(line)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("retry guard: %w", err)
	}
	return nil
}

// file is the part of an epoch that holds a key, so that few notes have to be read for one.
func file(epoch string, key Key) string { return filepath.Join(epoch, hex.EncodeToString(key[:1])) }

// epochs returns the folders of notes, oldest first.
func (g *Guard) epochs() ([]string, error) {
	entries, err := os.ReadDir(g.dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() && len(e.Name()) == 10 {
			names = append(names, filepath.Join(g.dir, e.Name()))
		}
	}
	return names, nil
}

// current returns the file that a note of key goes to. A clock that jumps back does not go back to an older
// epoch, and one that jumps ahead drops no more than the epoch before the last.
func (g *Guard) current(key Key) (string, error) {
	epochs, err := g.epochs()
	if err != nil {
		return "", err
	}
	name := fmt.Sprintf("%010d", g.now().Truncate(guardEpoch).Unix())
	if len(epochs) > 0 && filepath.Base(epochs[len(epochs)-1]) >= name {
		return file(epochs[len(epochs)-1], key), nil
	}
	epoch := filepath.Join(g.dir, name)
	if err := os.Mkdir(epoch, 0o750); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	for len(epochs) > 1 {
		if err := os.RemoveAll(epochs[0]); err != nil {
			return "", err
		}
		epochs = epochs[1:]
	}
	return file(epoch, key), nil
}

// read collects the notes of the claim's key.
func (c *Claim) read() error {
	epochs, err := c.guard.epochs()
	if err != nil {
		return err
	}
	want := c.key.ID() + " "
	for _, epoch := range epochs {
		data, err := os.ReadFile(file(epoch, c.key))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		for line := range bytes.Lines(data) {
			c.take(want, line)
		}
	}
	return nil
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
	case strings.HasPrefix(rest, "P "):
		if note, err := spool.ParseServed(rest[1:]); err == nil {
			c.Had = append(c.Had, note)
		}
	}
}
