package boltstore

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"syscall"

	"superlistd/lists"
)

// Stamp reads which file is there, its size and time, and the numbers of its last two
// transactions. It takes no lock: a stamp read in the middle of a commit equals neither
// the one before nor the one after, which costs a cache and nothing else.
func (s *Store) Stamp(ctx context.Context) (lists.Stamp, error) {
	if err := ctx.Err(); err != nil {
		return lists.Stamp{}, err
	}
	f, err := os.Open(s.path)
	if errors.Is(err, fs.ErrNotExist) && s.wasMade() {
		if f, err = os.Open(s.path); errors.Is(err, fs.ErrNotExist) { // it was not made just now
			return lists.Stamp{}, s.errGone()
		}
	}
	if errors.Is(err, fs.ErrNotExist) {
		return lists.Stamp{}, s.checkFolder()
	}
	if err != nil {
		return lists.Stamp{}, s.unusable(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return lists.Stamp{}, s.unusable(err)
	}
	m := readMeta(f)
	stamp := lists.Stamp{
		Size:    info.Size(),
		Changed: info.ModTime().UnixNano(),
		Commits: [2]uint64{m[0].commit(), m[1].commit()},
	}
	if sys, ok := info.Sys().(*syscall.Stat_t); ok {
		stamp.File = [2]uint64{uint64(sys.Dev), uint64(sys.Ino)}
	}
	return stamp, nil
}
