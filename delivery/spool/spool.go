package spool

import (
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

	mu      sync.Mutex
	checked time.Time // when the marks were looked at; zero: look again
	full    error
}

// Open returns the spool in the folder data. Nothing is read or made before it is needed.
func Open(data string, o Options) *Spool {
	s := &Spool{dir: filepath.Join(data, "spool"), failed: filepath.Join(data, "failed"), opts: o, disk: o.Disk, now: o.Now}
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

// Has tells whether an entry of that name waits or is worked on.
func (s *Spool) Has(id string) bool {
	_, err := s.disk.Stat(s.path(id))
	return err == nil
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
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		err = fmt.Errorf("%w: %w", ErrFull, err)
	}
	if err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	return e, nil
}

func (s *Spool) prepare(p Plan, head []byte, body io.Reader) (*Entry, error) {
	front, err := p.encode()
	if err != nil {
		return nil, err
	}
	if err := s.disk.MkdirAll(s.dir); err != nil {
		return nil, err
	}
	e := &Entry{spool: s, plan: p, head: head, path: s.path("." + p.ID + "." + NewID()[:8]), at: int64(len(front))}
	if e.file, err = s.disk.Create(e.path); err != nil {
		return nil, err
	}
	err = func() error {
		if ok, err := e.file.Lock(); err != nil || !ok {
			return fmt.Errorf("lock: %w", errors.Join(err, ErrHeld))
		}
		if err := e.file.Reserve(e.journal() + p.reserve()); err != nil {
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

// Claim takes an entry to work on it. ErrHeld: somebody does; ErrGone: it has ended; ErrDamaged: it cannot be read,
// and Condemn takes it out of the way.
func (s *Spool) Claim(id string) (*Entry, error) { return s.claim(s.dir, id) }

func (s *Spool) claim(dir, id string) (*Entry, error) {
	if !valid(id) {
		return nil, ErrGone
	}
	e := &Entry{spool: s, path: filepath.Join(dir, id), published: true}
	var err error
	if e.file, err = s.disk.Open(e.path); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, ErrGone
		}
		return nil, fmt.Errorf("spool: %w", err)
	}
	if err = e.take(); err == nil {
		err = e.read()
	}
	if err != nil {
		e.file.Close()
		return nil, fmt.Errorf("spool entry %s: %w", id, err)
	}
	return e, nil
}

// Condemn moves an entry that cannot be read to the failed ones.
func (s *Spool) Condemn(id string) error {
	if !valid(id) {
		return ErrGone
	}
	if err := s.disk.MkdirAll(s.failed); err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	if err := s.disk.Rename(s.path(id), filepath.Join(s.failed, id)); err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	return nil
}

// Sweep removes what processes that died while they wrote an entry left behind; nobody was told 250 for it.
func (s *Spool) Sweep() error {
	entries, err := s.disk.ReadDir(s.dir)
	if err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	for _, d := range entries {
		if !strings.HasPrefix(d.Name(), ".") {
			continue
		}
		if info, err := d.Info(); err != nil || s.now().Sub(info.ModTime()).Abs() < time.Minute {
			continue // its maker may not hold its lock yet
		}
		f, err := s.disk.Open(s.path(d.Name()))
		if err != nil {
			continue
		}
		if dead, _ := f.Lock(); dead {
			err = s.disk.Remove(s.path(d.Name()))
		}
		if err = errors.Join(err, f.Close()); err != nil {
			return fmt.Errorf("spool: %w", err)
		}
	}
	return nil
}
