package audit

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"superlistd/lists"
)

// Read tells yield of each event of a list since then, file by file in the order of months, in each as they were written. An error
// of yield ends it and is returned. A list of which there is nothing has no events. Lines that are damaged, or not whole, are
// passed over.
func (l *Log) Read(list lists.Address, since time.Time, yield func(Event) error) error {
	names, err := l.files(list)
	if err != nil {
		return err
	}
	ours := about(list)
	first := since.UTC().Format(month) + suffix
	for _, name := range names {
		if name < first {
			continue
		}
		_, err := l.readFile(list, name, 0, func(e Event) error {
			if e.At.Before(since) || !ours(e) {
				return nil
			}
			return yield(e)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Position is how far a list's log was read: octets of each of its files. Unlike a time it means the same whatever the clock does.
type Position map[string]int64

// After tells yield of each event that is not before p, and returns where the next ones will be. An error of yield ends it and is
// returned.
func (l *Log) After(list lists.Address, p Position, yield func(Event) error) (Position, error) {
	names, err := l.files(list)
	if err != nil {
		return nil, err
	}
	next, ours := Position{}, about(list)
	for _, name := range names {
		next[name], err = l.readFile(list, name, p[name], func(e Event) error {
			if !ours(e) {
				return nil
			}
			return yield(e)
		})
		if err != nil {
			return nil, err
		}
	}
	return next, nil
}

// about returns what tells the events of a list: a.b@c.d and a@b.c.d have the same ID, and so one folder.
func about(list lists.Address) func(Event) bool {
	name, key := list.String(), list.Key()
	return func(e Event) bool {
		if e.List == name {
			return true
		}
		a, err := lists.ParseAddress(e.List)
		return err == nil && a.Key() == key
	}
}

// End is where the next events of a list will be.
func (l *Log) End(list lists.Address) (Position, error) {
	names, err := l.files(list)
	if err != nil {
		return nil, err
	}
	end := Position{}
	for _, name := range names {
		info, err := os.Stat(filepath.Join(l.folder(list), name))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("audit log of %s: %w", list, err)
		}
		end[name] = info.Size()
	}
	return end, nil
}

// files are the names of a list's files, in order.
func (l *Log) files(list lists.Address) ([]string, error) {
	names, err := filesIn(l.folder(list))
	if err != nil {
		return nil, fmt.Errorf("audit log of %s: %w", list, err)
	}
	return names, nil
}

func filesIn(dir string) (names []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), suffix)
		if _, err := time.Parse(month, name); ok && err == nil {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// readFile tells yield of the events from an octet on, and returns where the last whole line ends. One that was forgotten meanwhile has none.
func (l *Log) readFile(list lists.Address, name string, from int64, yield func(Event) error) (end int64, err error) {
	f, err := os.Open(filepath.Join(l.folder(list), name))
	if errors.Is(err, fs.ErrNotExist) {
		return from, nil
	}
	if err != nil {
		return from, fmt.Errorf("audit log of %s: %w", list, err)
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() < from {
		return info.Size(), nil // an older one was put in its place
	}
	r := bufio.NewReaderSize(io.NewSectionReader(f, from, 1<<62), maxLine)
	for end = from; ; {
		line, err := r.ReadSlice('\n')
		n := int64(len(line))
		for errors.Is(err, bufio.ErrBufferFull) { // longer than any of ours
			var rest []byte
			rest, err = r.ReadSlice('\n')
			n += int64(len(rest))
			line = nil
		}
		if errors.Is(err, io.EOF) {
			return end, nil
		}
		if err != nil {
			return end, fmt.Errorf("audit log of %s: %w", list, err)
		}
		for _, e := range events(line) {
			if err := yield(e); err != nil {
				return end, err
			}
		}
		end += n
	}
}
