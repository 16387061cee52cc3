package held

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"superlistd/delivery/spool"
)

var (
	// ErrFull says that no further post can be held, of this list or of any, or that the disk is full. It is a
	// spool.ErrFull too: a sender who comes again later may have better luck.
	ErrFull = fmt.Errorf("too many held posts: %w", spool.ErrFull)
	// ErrGone says that there is no such held post, or none any more.
	ErrGone = errors.New("no such held post")
	// ErrDecided says that somebody has decided already: see DecidedError.
	ErrDecided = errors.New("already decided")
	// ErrUndecided says that nobody has decided yet.
	ErrUndecided = errors.New("not decided yet")
	// ErrBusy says that somebody is carrying out what was decided.
	ErrBusy = errors.New("the held post is being worked on")
	// ErrDamaged says that a file is not what its name says, or not whole.
	ErrDamaged = errors.New("damaged held post")
	// ErrFacts says that the caller gave facts that no file can hold.
	ErrFacts = errors.New("bad facts of a held post")
)

// DecidedError is ErrDecided with what was decided.
type DecidedError struct{ Decision Decision }

func (e *DecidedError) Error() string {
	return fmt.Sprintf("%v: %s by %s at %s", ErrDecided, e.Decision.Action, e.Decision.By, e.Decision.At.Format(time.RFC3339))
}

// Unwrap makes it an ErrDecided.
func (e *DecidedError) Unwrap() error { return ErrDecided }

// Options bound a Store. A zero limit is none. Processes that hold posts at the same moment may pass a limit by one each.
type Options struct {
	// Entries and Size, in octets, of all lists together; ListEntries and ListSize of one list.
	Entries     int
	Size        int64
	ListEntries int
	ListSize    int64
	// Free is how many octets stay free on the disk.
	Free int64

	Disk spool.Disk       // nil: the real one
	Now  func() time.Time // nil: time.Now
}

// Store is a folder of held posts. Its methods may be called concurrently, and any number of processes may have one on
// the same folder.
type Store struct {
	dir  string
	opts Options
	disk spool.Disk
	now  func() time.Time

	mu      sync.Mutex
	ready   bool               // the folder's own name is on the disk
	entries map[string]summary // of posts that were seen; what a post is never changes
}

// Open returns the held posts in the folder data. Nothing is read or made before it is needed.
func Open(data string, o Options) *Store {
	s := &Store{dir: filepath.Join(data, "held"), opts: o, disk: o.Disk, now: o.Now, entries: map[string]summary{}}
	if s.disk == nil {
		s.disk = spool.RealDisk{}
	}
	if s.now == nil {
		s.now = time.Now
	}
	return s
}

func (s *Store) path(name string) string { return filepath.Join(s.dir, name) }

// idLength is in characters of base32: 60 bits.
const idLength = 12

// Valid tells whether text has the form of an ID.
func Valid(id string) bool {
	return len(id) == idLength && strings.Trim(id, "abcdefghijklmnopqrstuvwxyz234567") == ""
}

// nameOf is the ID of the n-th try to name a post of this list and key.
func nameOf(list, key string, n int) string {
	sum := sha256.Sum256([]byte(strconv.Quote(list) + strconv.Quote(key) + strconv.Itoa(n)))
	return strings.ToLower(base32.StdEncoding.EncodeToString(sum[:]))[:idLength]
}

func random() string {
	var b [8]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// wrap says whose error it is, and whether a full disk is behind it.
func wrap(id string, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("held post %s: %w: %w", id, ErrFull, err)
	}
	return fmt.Errorf("held post %s: %w", id, err)
}

// folder makes the folder, and brings its name to the disk.
func (s *Store) folder() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ready {
		if _, err := s.disk.Stat(s.dir); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	if err := s.disk.MkdirAll(s.dir); err != nil {
		return err
	}
	if err := s.disk.SyncDir(filepath.Dir(s.dir)); err != nil {
		return err
	}
	s.ready = true
	return nil
}

// exists tells whether there is a file of that name.
func (s *Store) exists(name string) (bool, error) {
	_, err := s.disk.Stat(s.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
