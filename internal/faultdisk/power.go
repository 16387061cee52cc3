package faultdisk

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
)

// inode is a file, whatever its name.
type inode struct{ dev, ino uint64 }

func inodeOf(path string) inode {
	var st syscall.Stat_t
	if err := syscall.Lstat(path, &st); err != nil {
		return inode{}
	}
	return inode{uint64(st.Dev), st.Ino}
}

// change is one of a name that was not synced yet.
type change struct {
	kind     changeKind
	from, to string
	id       inode
}

type changeKind int

const (
	created changeKind = iota
	removed
	renamed
	folder
)

// synced drops the changes in a folder, and the earlier ones of the same files.
func (d *Disk) synced(path string) {
	safe := map[inode]bool{}
	left := make([]change, 0, len(d.names))
	for i := len(d.names) - 1; i >= 0; i-- {
		c := d.names[i]
		switch {
		case filepath.Dir(c.to) == filepath.Clean(path):
			safe[c.id] = safe[c.id] || c.kind != folder
			d.forget(c)
		case c.kind != folder && safe[c.id]:
			d.forget(c)
		default:
			left = append(left, c)
		}
	}
	slices.Reverse(left)
	d.names = left
}

// forget drops the second name of what was removed for good.
func (d *Disk) forget(c change) {
	if name, kept := d.trash[c.id]; kept && c.kind == removed {
		_ = os.Remove(name)
		delete(d.trash, c.id)
	}
}

// keep gives a file that is about to be removed a second name, in case that is undone.
func (d *Disk) keep(path string) error {
	if d.bin == "" {
		// Beside the folder of the entries: a link needs the same file system, and nobody looks there.
		bin, err := os.MkdirTemp(filepath.Dir(filepath.Dir(path)), "faultdisk-")
		if err != nil {
			return err
		}
		d.bin = bin
	}
	name := filepath.Join(d.bin, rand.Text())
	if err := os.Link(path, name); err != nil {
		return err
	}
	d.trash[inodeOf(path)] = name
	return nil
}

// PowerCut crashes, and takes from the files what was not synced: octets behind the last Sync of their file, and, unless the
// file system happened to write them (keepNames), the names that were made, changed or removed since the last SyncDir of
// their folder. Folders that were made are lost likewise, with all that is in them.
func (d *Disk) PowerCut(keepNames bool) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.crash()
	if keepNames {
		d.names = nil
	}
	for i := len(d.names) - 1; i >= 0; i-- {
		if err := d.undo(d.names[i]); err != nil {
			return fmt.Errorf("power cut: %w", err)
		}
	}
	d.names = nil
	return d.cut()
}

// undo takes back a change, where no later one that is safe stands in its way.
func (d *Disk) undo(c change) error {
	switch c.kind {
	case created:
		if inodeOf(c.to) == c.id {
			return os.Remove(c.to)
		}
	case removed:
		if name, kept := d.trash[c.id]; kept && missing(c.to) {
			d.where[c.id] = c.to
			return os.Link(name, c.to)
		}
	case renamed:
		if inodeOf(c.to) == c.id && missing(c.from) {
			d.where[c.id] = c.from
			return os.Rename(c.to, c.from)
		}
	case folder:
		return os.RemoveAll(c.to)
	}
	return nil
}

func missing(path string) bool {
	_, err := os.Lstat(path)
	return errors.Is(err, fs.ErrNotExist)
}

// cut shortens the files to what was synced.
func (d *Disk) cut() error {
	for id, size := range d.durable {
		if path := d.where[id]; inodeOf(path) == id {
			if err := os.Truncate(path, size); err != nil {
				return fmt.Errorf("power cut: %w", err)
			}
		}
	}
	return nil
}
