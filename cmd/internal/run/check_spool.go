package run

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"superlistd/config"
	"superlistd/delivery/spool"
)

// checkSpool looks whether posts can be kept on the disk, and at those that are.
func (r *report) checkSpool(cfg config.Config) {
	waiting, failed := filepath.Join(cfg.Data, "spool"), filepath.Join(cfg.Data, "failed")
	for _, dir := range []string{waiting, failed} {
		if err := usable(cfg.Data, dir); err != nil {
			r.verdict("spool", err, "")
			return
		}
	}
	queue := newSpool(cfg, lookOnly{}, time.Now)
	entries, err := queue.Entries()
	if err != nil {
		r.verdict("spool", err, "")
		return
	}
	r.sayEntries(waiting, entries)
	if !r.checkDisk(cfg) {
		return // the spool has no other reason to be full, or none that matters more
	}
	if err := queue.Full(); err != nil {
		r.verdict("spool", fmt.Errorf("%w: posts to lists are put off until it is below its low marks", err), "")
	}
}

// lookOnly is the disk for those who must not leave the marker of a full spool behind.
type lookOnly struct{ spool.RealDisk }

// Create refuses.
func (lookOnly) Create(string) (spool.File, error) { return nil, fs.ErrPermission }

// Remove refuses.
func (lookOnly) Remove(string) error { return fs.ErrPermission }

// sayEntries counts the entries.
func (r *report) sayEntries(dir string, entries []spool.Info) {
	var waits, failed, damaged int
	var size int64
	for _, e := range entries {
		size += e.Size
		switch stateOf(e) {
		case stateFailed:
			failed++
		case stateDamaged:
			damaged++
		default:
			waits++
		}
	}
	if waits == 0 {
		r.say("ok", "spool", "%s, nothing waits", dir)
	} else {
		r.say("ok", "spool", "%s, waiting or worked on: %d, on the disk: %s", dir, waits, showSize(size))
	}
	if failed > 0 {
		r.say("note", "spool", "failed: %d (listctl queue shows them; retry or delete them)", failed)
	}
	if damaged > 0 {
		r.say("note", "spool", "damaged: %d (listctl queue shows why)", damaged)
	}
}

// checkDisk compares what is free with what the spool leaves alone.
func (r *report) checkDisk(cfg config.Config) (ok bool) {
	free, err := spool.RealDisk{}.Free(cfg.Data)
	if err == nil && free < cfg.Delivery.SpoolFree {
		err = fmt.Errorf("%s free at %s, less than spool_free (%s): posts to lists are put off", showSize(free), cfg.Data, showSize(cfg.Delivery.SpoolFree))
	}
	return r.verdict("disk", err, "%s free", showSize(free))
}

// usable tells whether files can be made in dir, which may still have to be made in data itself, and whether the owner of
// data, who serves, owns dir as well: root may do everything, and see nothing wrong.
func usable(data, dir string) error {
	info, err := os.Stat(dir)
	at := dir
	switch {
	case errors.Is(err, fs.ErrNotExist):
		at = data
	case err != nil:
		return err
	case !info.IsDir():
		return fmt.Errorf("%s is no folder", dir)
	}
	if err := unix.Access(at, unix.R_OK|unix.W_OK|unix.X_OK); err != nil {
		return fmt.Errorf("%s: this account cannot write there: %w", at, err)
	}
	mine, theirs := ownerOf(data), ownerOf(at)
	if mine != theirs {
		return fmt.Errorf("%s belongs to account %d, and %s to account %d: who serves must own both", at, theirs, data, mine)
	}
	return foreign(at, mine)
}

// foreign finds a file that the owner of a folder does not own.
func foreign(dir string, owner int) error {
	files, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, f := range files {
		if path := filepath.Join(dir, f.Name()); f.Type().IsRegular() && ownerOf(path) != owner && ownerOf(path) >= 0 {
			return fmt.Errorf("%s belongs to account %d, and its folder to account %d, who cannot work with it", path, ownerOf(path), owner)
		}
	}
	return nil
}

// ownerOf is the number of the account that owns a path, or -1.
func ownerOf(path string) int {
	info, err := os.Stat(path)
	if err != nil {
		return -1
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return int(stat.Uid)
	}
	return -1
}
