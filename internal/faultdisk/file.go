package faultdisk

import (
	"io/fs"

	"superlistd/delivery/spool"
)

// file is an open file of a Disk.
type file struct {
	disk *Disk
	path string // when it was opened
	id   inode
	real spool.File
}

// Write is a step; one that fails writes half.
func (f *file) Write(p []byte) (n int, err error) {
	d := f.disk
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.begin("write", f.path); err != nil {
		if !d.crashed {
			n, _ = f.write(p[:len(p)/2])
		}
		if d.fault.Crash {
			d.crash()
		}
		return n, err
	}
	return f.write(p)
}

// write remembers how much was safe before the first octet that is not.
func (f *file) write(p []byte) (int, error) {
	if _, known := f.disk.durable[f.id]; !known {
		info, err := f.real.Stat()
		if err != nil {
			return 0, err
		}
		f.disk.durable[f.id] = info.Size()
	}
	return f.real.Write(p)
}

// ReadAt is a step.
func (f *file) ReadAt(p []byte, off int64) (n int, err error) {
	err = f.disk.try("readat", f.path, func() (err error) {
		n, err = f.real.ReadAt(p, off)
		return err
	})
	return n, err
}

// Sync is a step.
func (f *file) Sync() error {
	return f.disk.try("sync", f.path, func() error {
		_, err := f.real.Stat()
		if err == nil {
			delete(f.disk.durable, f.id)
		}
		return err
	})
}

// Reserve is a step.
func (f *file) Reserve(size int64) error {
	return f.disk.try("reserve", f.path, func() error { return f.real.Reserve(size) })
}

// Lock is a step.
func (f *file) Lock() (ok bool, err error) {
	err = f.disk.try("lock", f.path, func() (err error) {
		ok, err = f.real.Lock()
		return err
	})
	return ok, err
}

// Stat is a step.
func (f *file) Stat() (info fs.FileInfo, err error) {
	err = f.disk.try("fstat", f.path, func() (err error) {
		info, err = f.real.Stat()
		return err
	})
	return info, err
}

// Close is none: it never fails.
func (f *file) Close() error {
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	if _, open := f.disk.open[f]; open {
		delete(f.disk.open, f)
		f.real.Close()
	}
	return nil
}
