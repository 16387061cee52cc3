package held

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"superlistd/delivery/spool"
)

// The further files of a post.
const (
	decidedFile = ".decided"
	noticedFile = ".noticed"
	toldFile    = ".told"
	countedFile = ".counted"
)

// marks are files whose name is all that they say; they go with their post.
func marks() []string { return []string{noticedFile, toldFile, countedFile} }

// Post is an open held post: its facts, and its content for any number of readers. It is closed once.
type Post struct {
	store   *Store
	file    spool.File
	facts   Facts
	at      int64
	claimed bool
}

// Facts are those at the time of opening.
func (p *Post) Facts() Facts { return p.facts }

// Size of the content in octets.
func (p *Post) Size() int64 { return p.facts.Size }

// Reader reads the content from an offset on.
func (p *Post) Reader(off int64) io.Reader {
	off = min(max(off, 0), p.facts.Size)
	return io.NewSectionReader(p.file, p.at+off, p.facts.Size-off)
}

// Close lets go of the post.
func (p *Post) Close() error { return p.file.Close() }

// Get returns the facts of a post, or, for KeepNotes after it was finished, what is left of them. ErrGone, ErrDamaged.
func (s *Store) Get(id string) (Facts, error) {
	p, err := s.Open(id)
	if err == nil {
		return p.facts, p.Close()
	}
	if !errors.Is(err, ErrGone) || !Valid(id) {
		return Facts{}, err
	}
	n, decided, err := s.decision(id)
	switch {
	case err != nil:
		return Facts{}, wrap(id, err)
	case !decided:
		return Facts{}, wrap(id, ErrGone)
	}
	f := n.Facts
	f.ID, f.Decided, f.Finished = id, &n.Decision, true
	return f, nil
}

// Open opens a post that is not finished. ErrGone, ErrDamaged.
func (s *Store) Open(id string) (*Post, error) {
	p, err := s.open(id)
	if err != nil {
		return nil, wrap(id, err)
	}
	if err := p.marks(s.exists); err != nil {
		return nil, wrap(id, errors.Join(err, p.Close()))
	}
	return p, nil
}

// open reads the file of a post, and nothing beside it.
func (s *Store) open(id string) (*Post, error) {
	if !Valid(id) {
		return nil, ErrGone
	}
	file, err := s.disk.Open(s.path(id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrGone
	}
	if err != nil {
		if info, failed := s.disk.Stat(s.path(id)); failed == nil && !info.Mode().IsRegular() {
			err = fmt.Errorf("%w: it is no file", ErrDamaged)
		}
		return nil, err
	}
	p := &Post{store: s, file: file}
	if p.at, err = decode(file, postMagic, &p.facts); err == nil {
		err = p.whole()
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	p.facts.ID = id
	return p, nil
}

// whole checks that the content is there.
func (p *Post) whole() error {
	info, err := p.file.Stat()
	if err != nil {
		return err
	}
	if p.facts.Size < 0 || p.facts.Size != info.Size()-p.at {
		return fmt.Errorf("%w: %d octets of content instead of %d", ErrDamaged, info.Size()-p.at, p.facts.Size)
	}
	return nil
}

// marks looks at what stands beside the file.
func (p *Post) marks(exists func(name string) (bool, error)) (err error) {
	f := &p.facts
	for _, mark := range []struct {
		suffix string
		is     *bool
	}{{noticedFile, &f.Noticed}, {toldFile, &f.Told}, {countedFile, &f.Counted}} {
		if *mark.is, err = exists(f.ID + mark.suffix); err != nil {
			return err
		}
	}
	decided, err := exists(f.ID + decidedFile)
	if err != nil || !decided {
		return err
	}
	n, decided, err := p.store.decision(f.ID)
	if decided {
		f.Decided = &n.Decision
	}
	return err
}

// decision reads the file of a decision, if there is one.
func (s *Store) decision(id string) (n note, decided bool, err error) {
	file, err := s.disk.Open(s.path(id + decidedFile))
	if errors.Is(err, fs.ErrNotExist) {
		return n, false, nil
	}
	if err != nil {
		return n, false, err
	}
	_, err = decode(file, noteMagic, &n)
	if err == nil {
		err = n.Decision.check()
	}
	return n, err == nil, errors.Join(err, file.Close())
}

// Claim opens a post that is decided, for whoever carries the decision out: nobody else has it until Close, and no power cut
// takes the decision back. ErrGone: it is finished; ErrUndecided; ErrBusy: somebody else has it; ErrDamaged.
func (s *Store) Claim(id string) (*Post, error) {
	p, err := s.open(id)
	if err != nil {
		return nil, wrap(id, err)
	}
	if err = p.take(); err == nil {
		err = p.marks(s.exists)
	}
	if err == nil && p.facts.Decided == nil {
		err = ErrUndecided
	}
	if err == nil {
		err = s.disk.SyncDir(s.dir)
	}
	if err != nil {
		return nil, wrap(id, errors.Join(err, p.Close()))
	}
	p.claimed = true
	return p, nil
}

// take locks the file, and looks whether it is still the post of that name.
func (p *Post) take() error {
	free, err := p.file.Lock()
	if err != nil {
		return err
	}
	if !free {
		return ErrBusy
	}
	ours, err := p.file.Stat()
	if err != nil {
		return err
	}
	named, err := p.store.disk.Stat(p.store.path(p.facts.ID))
	if errors.Is(err, fs.ErrNotExist) || err == nil && !os.SameFile(ours, named) {
		return ErrGone
	}
	return err
}

// Finish removes a claimed post and its marks: what was decided is done. What was decided stays known for KeepNotes.
func (p *Post) Finish() error {
	id, s := p.facts.ID, p.store
	if !p.claimed {
		return wrap(id, errors.New("finished by somebody who has not claimed it"))
	}
	if err := s.disk.Remove(s.path(id)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return wrap(id, err)
	}
	for _, suffix := range marks() {
		_ = s.disk.Remove(s.path(id + suffix)) // most are not there; what stays, Sweep finds
	}
	return wrap(id, s.disk.SyncDir(s.dir))
}
