package spool

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

var (
	// ErrFull says that the spool takes nothing more until it is below its low marks, or that the disk is full.
	ErrFull = errors.New("the spool is full")
	// ErrHeld says that somebody works on the entry.
	ErrHeld = errors.New("the entry is being worked on")
	// ErrGone says that there is no such entry, or none any more.
	ErrGone = errors.New("no such spool entry")
)

// Options bound a Spool. A zero limit is none.
type Options struct {
	High, Low int64 // octets of all entries: above High nothing is taken until they are below Low
	Entries   int   // so many entries likewise, with nine tenths of it as the low mark
	Free      int64 // octets that stay free on the disk
	Slots     int   // connections of all processes together

	Disk Disk             // nil: the real one
	Now  func() time.Time // nil: time.Now
}

// Spool is a folder of entries. Its methods may be called concurrently, and any number of processes may have one
// on the same folder.
type Spool struct {
	dir, failed string
	opts        Options
	disk        Disk
	now         func() time.Time

	marks marks

	making   sync.Mutex
	unsynced map[string]bool // folders whose own name is not on the disk for sure
}

// Open returns the spool in the folder data. Nothing is read or made before it is needed.
func Open(data string, o Options) *Spool {
	s := &Spool{dir: filepath.Join(data, "spool"), failed: filepath.Join(data, "failed"), opts: o, disk: o.Disk, now: o.Now, unsynced: map[string]bool{}}
	if s.disk == nil {
		s.disk = RealDisk{}
	}
	if s.now == nil {
		s.now = time.Now
	}
	return s
}

func (s *Spool) path(id string) string { return filepath.Join(s.dir, id) }

// NewID returns a name for an entry that has no key.
func NewID() string {
	var b [16]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// valid tells whether a name is that of an entry.
func valid(id string) bool {
	return len(id) == 32 && strings.Trim(id, "0123456789abcdef") == ""
}

// Has tells whether an entry of that name waits or is worked on. When that cannot be known it is an error: whoever
// took that for a no would send the post twice.
func (s *Spool) Has(id string) (bool, error) {
	_, err := s.disk.Stat(s.path(id))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("spool: %w", err)
	}
	return true, nil
}

// reserve is the room that the journal of a plan will need at most, as far as can be told: a line for each transaction, or
// for each personal copy. With it no full disk can make us forget who has the post.
func (p *Plan) reserve() int64 {
	each := int64(1) // 1000 octets for a transaction of 1000
	if p.Personal != "" {
		each = 128
	}
	return 16<<10 + each*int64(max(p.Audience.Members, len(p.Audience.Fixed)))
}

// Prepare writes and syncs an entry that has no name yet: Publish or Discard ends that. It is held by the
// caller. Accepted, Head and Body of p are set here; p.ID when it is empty. A full disk is ErrFull.
func (s *Spool) Prepare(p Plan, head []byte, body io.Reader, size int64) (*Entry, error) {
	p.Head, p.Body, p.Accepted = int64(len(head)), size, s.now()
	if p.ID == "" {
		p.ID = NewID()
	}
	e, err := s.prepare(p, head, body)
	if err != nil {
		return nil, wrap("spool", err)
	}
	return e, nil
}

// wrap says whose error it is, and whether a full disk is behind it.
func wrap(what string, err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("%s: %w: %w", what, ErrFull, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}

func (s *Spool) prepare(p Plan, head []byte, body io.Reader) (*Entry, error) {
	if !valid(p.ID) {
		return nil, fmt.Errorf("%q is no name of an entry", p.ID)
	}
	front, err := p.encode()
	if err != nil {
		return nil, err
	}
	if err := s.mkdir(s.dir); err != nil {
		return nil, err
	}
	e := s.entry(s.path("." + p.ID + "." + NewID()[:8]))
	e.id, e.plan, e.head, e.at = p.ID, p, head, int64(len(front))
	e.state.Since = p.Accepted
	if e.file, err = s.disk.Create(e.path); err != nil {
		return nil, err
	}
	err = func() error {
		if ok, err := e.file.Lock(); err != nil || !ok {
			return fmt.Errorf("lock: %w", cmp.Or(err, ErrHeld))
		}
		if err := e.file.Reserve(e.end() + p.reserve()); err != nil {
			return err
		}
		return e.write(front, body)
	}()
	if err != nil {
		e.Discard()
		return nil, err
	}
	return e, nil
}

// entry is one without an open file.
func (s *Spool) entry(path string) *Entry {
	return &Entry{spool: s, path: path, journal: journal{id: filepath.Base(path), now: s.now}}
}

// mkdir makes a folder, and brings its name to the disk.
func (s *Spool) mkdir(dir string) error {
	s.making.Lock()
	defer s.making.Unlock()
	if _, err := s.disk.Stat(dir); err == nil && !s.unsynced[dir] {
		return nil
	}
	s.unsynced[dir] = true
	if err := s.disk.MkdirAll(dir); err != nil {
		return err
	}
	if err := s.disk.SyncDir(filepath.Dir(dir)); err != nil {
		return err
	}
	delete(s.unsynced, dir)
	return nil
}

// Due returns the entries whose time has come, the oldest time first, and when the next one's comes (zero: none waits). A
// time that lies further ahead than anybody waits is the work of a clock that jumped, and counts as come.
func (s *Spool) Due() (ids []string, next time.Time, err error) {
	now := s.now()
	infos, err := s.list(s.dir)
	if err != nil {
		return nil, next, err
	}
	for _, info := range infos {
		due := info.ModTime()
		if due.After(now) && due.Sub(now) < LongestWait {
			if next.IsZero() || due.Before(next) {
				next = due
			}
			continue
		}
		ids = append(ids, info.Name())
	}
	return ids, next, nil
}

// LongestWait is more than any entry is made to wait between two attempts.
const LongestWait = 2 * time.Hour

// list returns the entries of a folder by their time.
func (s *Spool) list(dir string) ([]fs.FileInfo, error) {
	entries, err := s.disk.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	var infos []fs.FileInfo
	for _, e := range entries {
		if !valid(e.Name()) {
			continue
		}
		info, err := e.Info()
		if err != nil {
			continue // it has ended meanwhile
		}
		infos = append(infos, info)
	}
	sortByTime(infos)
	return infos, nil
}
