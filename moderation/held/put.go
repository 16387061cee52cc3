package held

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"time"

	"superlistd/delivery/spool"
)

// Put holds a post: on nil all of it is on the disk, with its name, and stays until it is decided. The same Key of the
// same list is held once, however often it comes: existed tells that it was there before, undecided or not, and nothing was
// written now. ErrFull, ErrFacts, or trouble with the disk.
func (s *Store) Put(f Facts, content io.Reader, size int64) (id string, existed bool, err error) {
	f.clip()
	f.Size, f.At = size, s.now().UTC().Truncate(time.Second)
	if err := f.check(); err != nil {
		return "", false, err
	}
	if err := s.folder(); err != nil {
		return "", false, wrap("of "+f.List.String(), err)
	}
	if id, existed, err = s.name(f); err == nil && !existed {
		if err = s.full(f); err == nil {
			existed, err = s.publish(id, f, content)
		}
	}
	if err == nil && existed {
		// Whoever made it may have died before it was safe, or could not make it so.
		err = s.disk.SyncDir(s.dir)
	}
	if err != nil {
		return "", false, wrap("of "+f.List.String(), err)
	}
	return id, existed, nil
}

// maxNames is more than so many posts have the same 60 bits.
const maxNames = 8

// name finds the ID of a post: one that it has already, or one that is free.
func (s *Store) name(f Facts) (id string, existed bool, err error) {
	key := f.Key
	if key == "" {
		key = "random " + random()
	}
	for n := range maxNames {
		id = nameOf(f.List.Key(), key, n)
		old, err := s.Get(id)
		switch {
		case errors.Is(err, ErrGone):
			return id, false, nil
		case errors.Is(err, ErrDamaged):
			continue
		case err != nil:
			return "", false, err
		case f.Key != "" && old.Key == f.Key && old.List.Key() == f.List.Key():
			return id, true, nil
		}
	}
	return "", false, errors.New("every name for it is taken")
}

// publish writes the file of a post. existed: somebody else held the same post meanwhile.
func (s *Store) publish(id string, f Facts, content io.Reader) (existed bool, err error) {
	front, err := encode(postMagic, f)
	if err != nil {
		return false, err
	}
	existed, err = s.appear(id, id, int64(len(front))+f.Size, func(w io.Writer) error {
		if _, err := w.Write(front); err != nil {
			return err
		}
		n, err := io.Copy(w, io.LimitReader(content, f.Size+1))
		if err == nil && n != f.Size {
			err = fmt.Errorf("content of %d octets instead of %d", n, f.Size)
		}
		return err
	})
	if errors.Is(err, errUnsure) && f.Key == "" {
		// Nobody will find it by its Key, so its sender would have it held twice. One with a Key stays: another session may
		// have promised it meanwhile.
		err = errors.Join(err, s.disk.Remove(s.path(id)))
	}
	return existed, err
}

// appear makes a file whose name is there when all of it is on the disk, and on the disk when it returns nil. existed: there
// is one of that name, and it stays.
func (s *Store) appear(name, id string, size int64, write func(io.Writer) error) (existed bool, err error) {
	temp := s.path("." + id + "." + random())
	file, err := s.disk.Create(temp)
	if err != nil {
		return false, err
	}
	defer file.Close()
	if err := s.fill(file, size, write); err != nil {
		return false, errors.Join(err, s.disk.Remove(temp))
	}
	if err := s.disk.Rename(temp, s.path(name)); err != nil {
		removed := s.disk.Remove(temp)
		if errors.Is(err, fs.ErrExist) {
			return true, nil // what could not be removed now, Sweep finds
		}
		return false, errors.Join(err, removed)
	}
	if err := s.disk.SyncDir(s.dir); err != nil {
		return false, fmt.Errorf("%w: %w", errUnsure, err)
	}
	return false, nil
}

// errUnsure says that a file has its name, and that a power cut may take it.
var errUnsure = errors.New("not on the disk for sure")

// fill writes a file and brings it to the disk. Its lock tells Sweep that somebody is at it.
func (s *Store) fill(file spool.File, size int64, write func(io.Writer) error) error {
	if _, err := file.Lock(); err != nil {
		return err
	}
	if err := file.Reserve(size); err != nil {
		return err
	}
	w := bufio.NewWriterSize(file, 64<<10)
	if err := write(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return file.Sync()
}
