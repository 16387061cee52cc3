package spool

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// Disk is what a Spool asks of the file system. Tests put one in its place that fails at the n-th step.
type Disk interface {
	MkdirAll(path string) error
	Create(path string) (File, error) // a new file, for reading and appending
	Open(path string) (File, error)   // an old one, likewise
	Rename(from, to string) error
	Remove(path string) error
	SyncDir(path string) error
	SetTime(path string, t time.Time) error
	Stat(path string) (fs.FileInfo, error)
	ReadDir(path string) ([]fs.DirEntry, error)
	Free(path string) (int64, error) // octets that an ordinary account may still write
}

// File is an open file of a Disk.
type File interface {
	io.Writer // appends
	io.ReaderAt
	io.Closer
	Stat() (fs.FileInfo, error)
	Sync() error
	Reserve(size int64) error // makes sure that the file can grow to size
	Lock() (bool, error)      // takes the exclusive lock; false when somebody holds it
}

// RealDisk is the file system.
type RealDisk struct{}

const (
	fileMode = 0o640
	dirMode  = 0o750
)

// MkdirAll makes a folder that only our account and group can enter.
func (RealDisk) MkdirAll(path string) error { return os.MkdirAll(path, dirMode) }

// Create makes a file that must not be there.
func (RealDisk) Create(path string) (File, error) {
	return open(path, os.O_RDWR|os.O_APPEND|os.O_CREATE|os.O_EXCL)
}

// Open opens a file that is there.
func (RealDisk) Open(path string) (File, error) { return open(path, os.O_RDWR|os.O_APPEND) }

func open(path string, flags int) (File, error) {
	f, err := os.OpenFile(path, flags|unix.O_NOFOLLOW, fileMode)
	if err != nil {
		return nil, err
	}
	return realFile{f}, nil
}

// Rename is rename(2).
func (RealDisk) Rename(from, to string) error { return os.Rename(from, to) }

// Remove is unlink(2).
func (RealDisk) Remove(path string) error { return os.Remove(path) }

// SyncDir brings the names in a folder to the disk.
func (RealDisk) SyncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// SetTime sets the time of modification.
func (RealDisk) SetTime(path string, t time.Time) error { return os.Chtimes(path, t, t) }

// Stat is lstat(2).
func (RealDisk) Stat(path string) (fs.FileInfo, error) { return os.Lstat(path) }

// ReadDir lists a folder; one that is not there is empty.
func (RealDisk) ReadDir(path string) ([]fs.DirEntry, error) {
	entries, err := os.ReadDir(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return entries, err
}

// Free asks statfs(2).
func (RealDisk) Free(path string) (int64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(path, &st); err != nil {
		return 0, err
	}
	return int64(st.Bavail) * st.Bsize, nil
}

type realFile struct{ *os.File }

// Sync leaves out times, which nobody relies on.
func (f realFile) Sync() error { return unix.Fdatasync(int(f.Fd())) }

// Reserve forgives a file system that cannot: then the journal finds the disk full when it is.
func (f realFile) Reserve(size int64) error {
	err := unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_KEEP_SIZE, 0, size)
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOSYS) {
		return nil
	}
	return err
}

func (f realFile) Lock() (bool, error) {
	for {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		switch {
		case err == nil:
			return true, nil
		case errors.Is(err, unix.EWOULDBLOCK):
			return false, nil
		case !errors.Is(err, unix.EINTR):
			return false, err
		}
	}
}
