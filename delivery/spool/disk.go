package spool

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// Disk is what a Spool asks of the file system. Tests put one in its place that fails at the n-th step.
type Disk interface {
	MkdirAll(path string) error
	Create(path string) (File, error) // a new file, for reading and appending
	Open(path string) (File, error)   // an old one, likewise
	Rename(from, to string) error     // fs.ErrExist when something has that name already
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
	Lock() (bool, error)      // takes the exclusive lock, until Close; false when somebody holds it
}

// RealDisk is the file system.
type RealDisk struct{}

const (
	fileMode = 0o640
	dirMode  = 0o750
)

// MkdirAll makes a folder that only our account and group can enter.
func (RealDisk) MkdirAll(path string) error {
	err := os.Mkdir(path, dirMode)
	switch {
	case err == nil:
		return giveAway(path, func(uid, gid int) error { return os.Lchown(path, uid, gid) })
	case errors.Is(err, fs.ErrNotExist):
		return os.MkdirAll(path, dirMode)
	case errors.Is(err, fs.ErrExist):
		return nil
	}
	return err
}

// Create makes a file that must not be there.
func (RealDisk) Create(path string) (File, error) {
	return open(path, os.O_RDWR|os.O_APPEND|os.O_CREATE|os.O_EXCL)
}

// Open opens a file that is there.
func (RealDisk) Open(path string) (File, error) { return open(path, os.O_RDWR|os.O_APPEND) }

// open follows no link. O_RDWR does not wait for the other end of a fifo.
func open(path string, flags int) (File, error) {
	f, err := os.OpenFile(path, flags|unix.O_NOFOLLOW, fileMode)
	if err != nil {
		return nil, err
	}
	if flags&os.O_CREATE != 0 {
		if err := giveAway(path, f.Chown); err != nil {
			return nil, errors.Join(err, f.Close())
		}
	}
	return realFile{f}, nil
}

// giveAway gives what root has made to the owner of the folder it is in: "superlistd maintain", run by root, must not lock
// the daemon out.
func giveAway(path string, chown func(uid, gid int) error) error {
	if os.Geteuid() != 0 {
		return nil
	}
	var st unix.Stat_t
	if err := unix.Stat(filepath.Dir(path), &st); err != nil {
		return &fs.PathError{Op: "stat", Path: filepath.Dir(path), Err: err}
	}
	return chown(int(st.Uid), int(st.Gid))
}

// Rename is rename(2) that replaces nothing.
func (RealDisk) Rename(from, to string) error {
	err := unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.RENAME_NOREPLACE)
	if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) {
		return link(from, to) // a file system that cannot, as NFS
	}
	if err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return nil
}

// link renames in two steps.
func link(from, to string) error {
	if err := os.Link(from, to); err != nil {
		return err
	}
	if err := os.Remove(from); err != nil {
		return errors.Join(err, os.Remove(to))
	}
	return nil
}

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
	return int64(st.Bavail) * int64(st.Bsize), nil
}

type realFile struct{ *os.File }

// Sync leaves out times, which nobody relies on.
func (f realFile) Sync() error {
	return uninterrupted(func() error { return unix.Fdatasync(int(f.Fd())) })
}

// Reserve forgives a file system that cannot: then the journal finds the disk full when it is.
func (f realFile) Reserve(size int64) error {
	err := uninterrupted(func() error {
		return unix.Fallocate(int(f.Fd()), unix.FALLOC_FL_KEEP_SIZE, 0, size)
	})
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOSYS) {
		return nil
	}
	return err
}

func (f realFile) Lock() (bool, error) {
	err := uninterrupted(func() error { return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) })
	if errors.Is(err, unix.EWOULDBLOCK) {
		return false, nil
	}
	return err == nil, err
}

// Close lets go of the lock first: a process that is being started has a copy of our files until its exec, and the lock
// would live as long.
func (f realFile) Close() error {
	_ = unix.Flock(int(f.Fd()), unix.LOCK_UN)
	return f.File.Close()
}

func uninterrupted(call func() error) error {
	for {
		if err := call(); !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
