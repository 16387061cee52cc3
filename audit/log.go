package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"superlistd/lists"
)

// Options of a Log; all may be left out.
type Options struct {
	// Months is how many months are kept besides the present one; 0 is for ever.
	Months int
	Now    func() time.Time
	// Fault hears of what could not be written.
	Fault func(list lists.Address, err error)
}

// Log is the book. It may be used by many goroutines, and any number of processes may write to the same folder.
type Log struct {
	dir  string
	opts Options
}

// Open returns the log below a data folder. Nothing is read or made before it is needed.
func Open(data string, o Options) *Log {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Fault == nil {
		o.Fault = func(lists.Address, error) {}
	}
	return &Log{dir: filepath.Join(data, "audit"), opts: o}
}

const (
	fileMode = 0o640
	dirMode  = 0o750
	suffix   = ".jsonl"
	month    = "2006-01"
)

// folder is where the files of a list are: named by its ID, which needs no more letters than a file name may have. One that is
// too long for that ends with a sum.
func (l *Log) folder(list lists.Address) string {
	const most = 200
	id := lists.List{Address: list}.ID()
	if len(id) > most {
		sum := sha256.Sum256([]byte(id))
		id = id[:most] + "=" + hex.EncodeToString(sum[:8])
	}
	return filepath.Join(l.dir, id)
}

// Append writes events of a list down, those without a time as of now. They are with the operating system when it returns.
func (l *Log) Append(list lists.Address, all ...Event) error {
	records := make([]record, len(all))
	for i, e := range all {
		records[i].Event = e
	}
	return l.write(list, records)
}

// Note is Append for what has happened already: an error goes to Options.Fault.
func (l *Log) Note(list lists.Address, all ...Event) { l.report(list, l.Append(list, all...)) }

func (l *Log) note(list lists.Address, all []record) { l.report(list, l.write(list, all)) }

func (l *Log) report(list lists.Address, err error) {
	if err != nil {
		l.opts.Fault(list, err)
	}
}

// write appends lines, as many at a time as go together: each whole in one write(2), so that those of other processes come
// before or after, and not between.
func (l *Log) write(list lists.Address, all []record) error {
	const most = 1 << 20 // octets, about
	now := l.opts.Now()
	var text bytes.Buffer
	var errs []error
	file := ""
	flush := func() {
		if text.Len() > 0 {
			errs = append(errs, l.append(list, file, text.Bytes()))
			text.Reset()
		}
	}
	for _, r := range all {
		if r.List = list.String(); r.At.IsZero() {
			r.At = now
		}
		line, err := r.line()
		if err != nil {
			errs = append(errs, err)
			continue
		}
		if name := r.At.UTC().Format(month) + suffix; name != file || text.Len() >= most {
			flush()
			file = name
		}
		text.Write(line)
	}
	flush()
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("audit log of %s: %w", list, err)
	}
	return nil
}

func (l *Log) append(list lists.Address, name string, text []byte) error {
	f, err := l.open(l.folder(list), name)
	if err != nil {
		return err
	}
	defer f.Close()
	if cut, err := endsWithin(f); err != nil {
		return err
	} else if cut { // a full disk, or no power: what is there now shall be the only line that is lost
		text = append([]byte("\n"), text...)
	}
	if _, err := f.Write(text); err != nil {
		return err
	}
	return f.Close()
}

// endsWithin reports whether a file ends within a line.
func endsWithin(f *os.File) (bool, error) {
	info, err := f.Stat()
	if err != nil || info.Size() == 0 {
		return false, err
	}
	var last [1]byte
	if _, err := f.ReadAt(last[:], info.Size()-1); err != nil {
		return false, err
	}
	return last[0] != '\n', nil
}

// open opens a file to append to, and makes it the first time, and the folders that it is in.
func (l *Log) open(dir, name string) (*os.File, error) {
	const flags = os.O_RDWR | os.O_APPEND | syscall.O_NOFOLLOW
	path := filepath.Join(dir, name)
	for {
		f, err := os.OpenFile(path, flags, 0)
		if !errors.Is(err, fs.ErrNotExist) {
			return f, err
		}
		for _, folder := range []string{l.dir, dir} {
			switch err := os.Mkdir(folder, dirMode); {
			case err == nil:
				if err := giveFolderAway(folder); err != nil {
					return nil, err
				}
			case !errors.Is(err, fs.ErrExist):
				return nil, err
			}
		}
		f, err = os.OpenFile(path, flags|os.O_CREATE|os.O_EXCL, fileMode)
		if errors.Is(err, fs.ErrExist) {
			continue // somebody was faster
		}
		if err != nil {
			return nil, err
		}
		if err := giveAway(f, dir); err != nil {
			return nil, errors.Join(err, f.Close())
		}
		return f, nil
	}
}

// giveAway gives what root has made to the owner of the folder it is in: listctl run by root must not lock the daemon out. It is what was
// opened, whatever that owner has put in its place since.
func giveAway(f *os.File, folder string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	info, err := os.Stat(folder)
	if err != nil {
		return err
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok {
		return f.Chown(int(owner.Uid), int(owner.Gid))
	}
	return nil
}

func giveFolderAway(path string) error {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	return errors.Join(giveAway(f, filepath.Dir(path)), f.Close())
}
