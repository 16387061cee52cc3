// Package faultdisk is a disk for tests that fails at a step of one's choice: with an error, as in a process that is
// killed there, or as in a machine that loses its power there. It stands where spool.RealDisk stands, and works on real files.
//
// The usual loop breaks the first step, then the second, until the fault is not reached:
//
//	for n, tripped := 1, true; tripped; n++ {
//		disk := faultdisk.New(faultdisk.Fault{At: n, Err: syscall.EIO})
//		work(spool.Open(data, spool.Options{Disk: disk}))
//		check(spool.Open(data, spool.Options{})) // the law; disk.Step() says which step it was
//		tripped = disk.Tripped()
//	}
//
// For a kill set Crash, and let the old Spool be: all of its steps fail from then on, and its locks are free. For a power cut
// call PowerCut as well before the folder is opened again. Nothing is really synced, so that such loops are fast.
package faultdisk

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"superlistd/delivery/spool"
)

// ErrCrashed is what everything gives after a crash.
var ErrCrashed = errors.New("the process has crashed")

// Fault says what fails, and when. The zero Fault fails nothing, and counts.
type Fault struct {
	At      int   // the number of the step, from 1; 0: none
	Err     error // what it gives; nil: EIO. A write puts half of its octets down first, also in a crash
	Forever bool  // all later steps fail too, not only this one
	Crash   bool  // nothing is done from this step on: all later ones give ErrCrashed, open files are closed, their locks free

	// Match chooses which steps count; nil: all of them. op is the name of the method of spool.Disk or spool.File in small
	// letters ("rename", "syncdir", "write", "sync", "lock", …; Close is no step), path the file, or its new name.
	Match func(op, path string) bool
}

// Disk is a spool.Disk. It may be used by many goroutines; make one for each process that is played.
type Disk struct {
	fault Fault
	real  spool.RealDisk

	mu      sync.Mutex
	steps   int
	step    string // the first that failed
	crashed bool
	open    map[*file]struct{}
	names   []change         // not synced, in order
	durable map[inode]int64  // octets that would survive a power cut; not in it: all that are there
	where   map[inode]string // the names of files that were opened
	trash   map[inode]string // a second name of what was removed
	bin     string           // the folder of these
}

var _ spool.Disk = (*Disk)(nil)

// New returns a disk with a fault.
func New(f Fault) *Disk {
	if f.Err == nil {
		f.Err = syscall.EIO
	}
	return &Disk{fault: f, open: map[*file]struct{}{}, durable: map[inode]int64{}, where: map[inode]string{}, trash: map[inode]string{}}
}

// Tripped tells whether the fault was reached.
func (d *Disk) Tripped() bool { return d.Step() != "" }

// Step says which step failed first, such as "step 7: sync /data/spool/.0a1b…"; empty: none.
func (d *Disk) Step() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.step
}

// Steps returns how many steps were counted.
func (d *Disk) Steps() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.steps
}

// Crash is a kill at this moment.
func (d *Disk) Crash() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.crash()
}

func (d *Disk) crash() {
	d.crashed = true
	for f := range d.open {
		f.real.Close()
	}
	clear(d.open)
}

// begin counts a step, and tells whether it is to fail. The caller holds mu.
func (d *Disk) begin(op, path string) error {
	if d.crashed {
		return ErrCrashed
	}
	if d.fault.Match != nil && !d.fault.Match(op, path) {
		return nil
	}
	d.steps++
	if d.fault.At == 0 || d.steps < d.fault.At || d.steps > d.fault.At && !d.fault.Forever {
		return nil
	}
	if d.step == "" {
		d.step = fmt.Sprintf("step %d: %s %s", d.steps, op, path)
	}
	if d.fault.Crash {
		return ErrCrashed // the caller crashes after half of it
	}
	return &fs.PathError{Op: op, Path: path, Err: d.fault.Err}
}

// try runs a step.
func (d *Disk) try(op, path string, do func() error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.begin(op, path); err != nil {
		if d.fault.Crash {
			d.crash()
		}
		return err
	}
	return do()
}

// MkdirAll is a step; the folder is lost in a power cut until the one above it is synced.
func (d *Disk) MkdirAll(path string) error {
	return d.try("mkdirall", path, func() error {
		var made []string
		for at := path; ; at = filepath.Dir(at) {
			if _, err := os.Lstat(at); !errors.Is(err, fs.ErrNotExist) {
				break
			}
			made = append(made, at)
		}
		err := d.real.MkdirAll(path)
		for i := len(made) - 1; i >= 0 && err == nil; i-- {
			d.names = append(d.names, change{kind: folder, to: made[i]})
		}
		return err
	})
}

// Create is a step.
func (d *Disk) Create(path string) (f spool.File, err error) {
	err = d.try("create", path, func() error {
		real, err := d.real.Create(path)
		if err != nil {
			return err
		}
		id := inodeOf(path)
		d.durable[id] = 0
		d.names = append(d.names, change{kind: created, to: path, id: id})
		f = d.opened(path, id, real)
		return nil
	})
	return f, err
}

// Open is a step.
func (d *Disk) Open(path string) (f spool.File, err error) {
	err = d.try("open", path, func() error {
		real, err := d.real.Open(path)
		if err != nil {
			return err
		}
		id := inodeOf(path)
		if d.where[id] != path {
			delete(d.durable, id) // another file had this number
		}
		f = d.opened(path, id, real)
		return nil
	})
	return f, err
}

func (d *Disk) opened(path string, id inode, real spool.File) *file {
	f := &file{disk: d, path: path, id: id, real: real}
	d.open[f] = struct{}{}
	d.where[id] = path
	return f
}

// Rename is a step.
func (d *Disk) Rename(from, to string) error {
	return d.try("rename", to, func() error {
		id := inodeOf(from)
		err := d.real.Rename(from, to)
		if err == nil {
			d.names = append(d.names, change{kind: renamed, from: from, to: to, id: id})
			d.where[id] = to
		}
		return err
	})
}

// Remove is a step.
func (d *Disk) Remove(path string) error {
	return d.try("remove", path, func() error {
		if info, err := os.Lstat(path); err == nil && info.Mode().IsRegular() {
			if err := d.keep(path); err != nil {
				return err
			}
		}
		id := inodeOf(path)
		err := d.real.Remove(path)
		if err == nil {
			d.names = append(d.names, change{kind: removed, to: path, id: id})
		}
		return err
	})
}

// SyncDir is a step.
func (d *Disk) SyncDir(path string) error {
	return d.try("syncdir", path, func() error {
		_, err := os.ReadDir(path)
		if err == nil {
			d.synced(path)
		}
		return err
	})
}

// SetTime is a step.
func (d *Disk) SetTime(path string, t time.Time) error {
	return d.try("settime", path, func() error { return d.real.SetTime(path, t) })
}

// Stat is a step.
func (d *Disk) Stat(path string) (info fs.FileInfo, err error) {
	err = d.try("stat", path, func() (err error) {
		info, err = d.real.Stat(path)
		return err
	})
	return info, err
}

// ReadDir is a step.
func (d *Disk) ReadDir(path string) (entries []fs.DirEntry, err error) {
	err = d.try("readdir", path, func() (err error) {
		entries, err = d.real.ReadDir(path)
		return err
	})
	return entries, err
}

// Free is a step.
func (d *Disk) Free(path string) (n int64, err error) {
	err = d.try("free", path, func() (err error) {
		n, err = d.real.Free(path)
		return err
	})
	return n, err
}
