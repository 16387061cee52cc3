package daily

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"superlistd/audit"
	"superlistd/delivery/spool"
	"superlistd/lists"
)

// mark is up to where the owners of a list have heard. At is only for the clock; what is told goes by From.
type mark struct {
	List string         `json:"list"` // for people
	At   time.Time      `json:"at"`
	From audit.Position `json:"from,omitempty"`
	// Since is where the first summary of a new list begins, if that is not At.
	Since time.Time `json:"since,omitzero"`
	// Pending is a summary that is being sent.
	Pending *summary `json:"pending,omitempty"`
}

func markName(list lists.Address) string {
	sum := sha256.Sum256([]byte(list.Key()))
	return hex.EncodeToString(sum[:16]) + ".json"
}

func (d *Desk) path(list lists.Address) string { return filepath.Join(d.dir, markName(list)) }

// load reads a mark. One that is none of ours is as good as none.
func (d *Desk) load(list lists.Address) (m mark, err error) {
	raw, err := os.ReadFile(d.path(list))
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		return m, fmt.Errorf("%s: %w: %w", d.path(list), fs.ErrNotExist, err)
	}
	return m, nil
}

// save puts a mark in the place of the old one, at once and on the disk.
func (d *Desk) save(list lists.Address, m mark) error {
	m.List, m.At = list.String(), m.At.UTC()
	raw, err := json.Marshal(m)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(d.dir, "."+markName(list))
	if err != nil {
		return err
	}
	_, err = f.Write(append(raw, '\n'))
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), d.path(list))
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return spool.RealDisk{}.SyncDir(d.dir)
}

func (d *Desk) forget(list lists.Address) error {
	err := os.Remove(d.path(list))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// tidy removes all files but those named: marks of lists that are gone, and what a killed process has left.
func (d *Desk) tidy(names map[string]bool) error {
	entries, err := os.ReadDir(d.dir)
	if err != nil {
		return fmt.Errorf("daily summaries: %w", err)
	}
	for _, e := range entries {
		if names[e.Name()] {
			continue
		}
		if err := os.Remove(filepath.Join(d.dir, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("daily summaries: %w", err)
		}
	}
	return nil
}
