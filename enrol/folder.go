package enrol

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"sync"
	"time"

	"superlistd/delivery/spool"
)

// folder is where the desk has its files. Whoever reads and then writes does it under the lock, which is one for all processes.
type folder struct {
	dir  string
	disk spool.Disk
	mu   sync.Mutex
}

func (f *folder) path(name string) string { return filepath.Join(f.dir, name) }

const (
	lockFile = "lock"
	lockWait = 5 * time.Second
	lockStep = 5 * time.Millisecond
)

var errLocked = errors.New("the folder of requests is locked for too long")

// locked runs do under the lock. No socket is used meanwhile.
func (f *folder) locked(ctx context.Context, do func() error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	lock, err := f.openLock()
	if err != nil {
		return fmt.Errorf("requests: %w", err)
	}
	defer lock.Close()
	for end := time.Now().Add(lockWait); ; {
		free, err := lock.Lock()
		if err != nil {
			return fmt.Errorf("requests: %w", err)
		}
		if free {
			return do()
		}
		if time.Now().After(end) {
			return errLocked
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(lockStep):
		}
	}
}

// openLock opens the file that is locked; the first time it makes it, and the folder.
func (f *folder) openLock() (spool.File, error) {
	file, err := f.disk.Open(f.path(lockFile))
	if !errors.Is(err, fs.ErrNotExist) {
		return file, err
	}
	if err := f.disk.MkdirAll(f.dir); err != nil {
		return nil, err
	}
	if err := f.disk.SyncDir(filepath.Dir(f.dir)); err != nil {
		return nil, err
	}
	file, err = f.disk.Create(f.path(lockFile))
	if errors.Is(err, fs.ErrExist) {
		return f.disk.Open(f.path(lockFile))
	}
	return file, err
}

func (f *folder) exists(name string) (bool, error) {
	_, err := f.disk.Stat(f.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// maxFile is more than any file of ours has, in octets: maxOrders with names of which JSON makes six octets out of one.
const maxFile = 256 << 10

// read reads a file of JSON. One that is not there, or is none of ours, gives fs.ErrNotExist.
func (f *folder) read(name string, into any) error {
	file, err := f.disk.Open(f.path(name))
	if err != nil {
		return err
	}
	defer file.Close()
	raw, err := io.ReadAll(io.NewSectionReader(file, 0, maxFile))
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("%s: %w: %w", name, fs.ErrNotExist, err)
	}
	return nil
}

// write makes a file whose name is there when all of it is on the disk, and on the disk when it returns nil. existed: there is one of
// that name, and it stays.
func (f *folder) write(name string, what any) (existed bool, err error) {
	raw, err := json.Marshal(what)
	if err != nil {
		return false, err
	}
	var suffix [8]byte
	rand.Read(suffix[:]) // never fails
	temp := f.path("." + hex.EncodeToString(suffix[:]))
	file, err := f.disk.Create(temp)
	if err != nil {
		return false, err
	}
	defer file.Close()
	_, err = file.Write(append(raw, '\n'))
	if err == nil {
		err = file.Sync()
	}
	if err == nil {
		err = f.disk.Rename(temp, f.path(name))
	}
	if err != nil {
		removed := f.disk.Remove(temp) // what cannot be removed now, sweep finds
		if !errors.Is(err, fs.ErrExist) {
			return false, errors.Join(err, removed)
		}
		existed = true
	}
	// Whoever made it may have died before it was safe.
	return existed, f.disk.SyncDir(filepath.Dir(f.path(name)))
}

// remove removes a file, there or not.
func (f *folder) remove(name string) error {
	err := f.disk.Remove(f.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
