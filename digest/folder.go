package digest

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"superlistd/delivery/spool"
	"superlistd/lists"
)

const (
	lockFile    = "lock"
	labelFile   = ".label"
	batchFile   = ".batch"
	sentFile    = ".sent"
	damagedFile = ".damaged"
)

// maxName is how long the address may be in the name of a folder, in octets. Of a longer one the name has a sum.
const maxName = 200

// folderOf is the name of a list's folder.
func folderOf(l lists.List) string {
	var b strings.Builder
	key := l.Address.Key()
	for i := range len(key) {
		switch c := key[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '_', c == '@', c == '.' && i > 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "=%02x", c)
		}
	}
	name := b.String()
	if len(name) > maxName {
		sum := sha256.Sum256([]byte(key))
		name = name[:maxName-33] + "~" + hex.EncodeToString(sum[:16])
	}
	return name + "+" + strconv.FormatInt(l.Created.Unix(), 10)
}

// shelf is the folder of one list.
type shelf struct {
	list lists.Address
	dir  string
	disk spool.Disk
}

func (d *Desk) shelf(l lists.List) shelf {
	return shelf{l.Address, filepath.Join(d.dir, folderOf(l)), d.disk}
}

func (s shelf) path(name string) string { return filepath.Join(s.dir, name) }

func (s shelf) issue(n int) string { return s.path(strconv.Itoa(n)) }

// lock takes the list, for as long as the result is open. ErrBusy. The first time it makes the folder.
func (s shelf) lock() (io.Closer, error) {
	path := s.path(lockFile)
	file, err := s.disk.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err = s.disk.MkdirAll(s.dir); err == nil {
			file, err = s.disk.Create(path)
		}
		if errors.Is(err, fs.ErrExist) {
			file, err = s.disk.Open(path)
		}
	}
	if err != nil {
		return nil, err
	}
	free, err := file.Lock()
	if err == nil && !free {
		err = ErrBusy
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// make makes the folder of an issue, and brings its name to the disk.
func (d *Desk) make(s shelf, n int) error {
	if err := d.disk.MkdirAll(s.issue(n)); err != nil {
		return err
	}
	if err := d.disk.SyncDir(s.dir); err != nil {
		return err
	}
	d.mu.Lock()
	ready := d.ready[s.dir] // it stays as long as its list
	d.mu.Unlock()
	if ready {
		return nil
	}
	for _, above := range []string{d.dir, d.opts.Data} {
		if err := d.disk.SyncDir(above); err != nil {
			return err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ready[s.dir] = true
	return nil
}

// appear makes a file whose name is there when all of it is on the disk, and on the disk when it returns nil. existed: there
// is one of that name, and it stays.
func appear(disk spool.Disk, dir, name string, write func(io.Writer) error) (existed bool, err error) {
	var suffix [8]byte
	rand.Read(suffix[:]) // never fails
	temp := filepath.Join(dir, "."+hex.EncodeToString(suffix[:]))
	file, err := disk.Create(temp)
	if err != nil {
		return false, err
	}
	defer file.Close()
	if err = fill(file, write); err == nil {
		err = disk.Rename(temp, filepath.Join(dir, name))
	}
	if err != nil {
		removed := disk.Remove(temp) // what cannot be removed now, sweep finds
		if !errors.Is(err, fs.ErrExist) {
			return false, errors.Join(err, removed)
		}
		existed = true
	}
	// Whoever made the other one may have died before it was safe.
	return existed, disk.SyncDir(dir)
}

// fill writes a file and brings it to the disk. Its lock tells sweep that somebody is at it.
func fill(file spool.File, write func(io.Writer) error) error {
	if _, err := file.Lock(); err != nil {
		return err
	}
	w := bufio.NewWriterSize(file, 64<<10)
	if err := write(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return file.Sync()
}

// note writes a file of one line with a checksum.
func (s shelf) note(name string, what any) error {
	text, err := json.Marshal(what)
	if err != nil {
		return err
	}
	_, err = appear(s.disk, s.dir, name, func(w io.Writer) error {
		_, err := w.Write(spool.AppendLine(nil, text))
		return err
	})
	return err
}

// errDamaged says that a file is not what its name says, or not whole.
var errDamaged = errors.New("damaged file of a digest")

// read reads what note wrote. fs.ErrNotExist, errDamaged.
func (s shelf) read(name string, into any) error {
	file, err := s.disk.Open(s.path(name))
	if err != nil {
		return err
	}
	defer file.Close()
	raw, _, err := start(file, math.MaxInt64)
	if err == nil && !parse(bytes.Trim(raw, "\n"), into) {
		err = fmt.Errorf("%w: %s", errDamaged, name)
	}
	return err
}

// start reads a file as far as most octets; size is that of all of it.
func start(file spool.File, most int64) (raw []byte, size int64, err error) {
	info, err := file.Stat()
	if err != nil {
		return nil, 0, err
	}
	if raw = make([]byte, min(info.Size(), most)); len(raw) > 0 {
		_, err = file.ReadAt(raw, 0)
	}
	return raw, info.Size(), err
}

// parse reads what is behind the checksum of a line.
func parse(line []byte, into any) bool {
	text, ok := spool.ParseLine(string(line))
	return ok && json.Unmarshal([]byte(text), into) == nil
}

// remove removes a file, or an empty folder, there or not.
func (s shelf) remove(path string) error {
	if err := s.disk.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// index is what lies in the folder of a list.
type index struct {
	issues []int // that have a folder, in order
	labels map[int]bool
	open   map[int]int   // the mailing of an issue that is not sent yet
	sent   map[int][]int // those that are
	rest   []fs.DirEntry // labels, mailings and what is half written, for sweep
}

func (s shelf) index() (index, error) {
	x := index{labels: map[int]bool{}, open: map[int]int{}, sent: map[int][]int{}}
	entries, err := s.disk.ReadDir(s.dir)
	if err != nil {
		return x, err
	}
	for _, e := range entries {
		name := e.Name()
		if n, ok := number(name); ok {
			x.issues = append(x.issues, n)
			continue
		}
		if name == lockFile {
			continue
		}
		x.rest = append(x.rest, e)
		if n, ok := number(strings.TrimSuffix(name, labelFile)); ok {
			x.labels[n] = true
			continue
		}
		issue, mailing, _ := strings.Cut(name, ".")
		n, ok := number(issue)
		k, kind, _ := strings.Cut(mailing, ".")
		at, counted := number(k)
		switch {
		case !ok || !counted:
		case "."+kind == batchFile:
			x.open[n] = at
		case "."+kind == sentFile:
			x.sent[n] = append(x.sent[n], at)
		}
	}
	slices.Sort(x.issues)
	return x, nil
}

// number reads a number as we write it.
func number(s string) (int, bool) {
	n, err := strconv.Atoi(s)
	return n, err == nil && n >= 0 && strconv.Itoa(n) == s
}

// keepNotes is how long labels and lists of what was sent stay: much longer than a post is tried by the spool, so that one that is late,
// or comes again, finds them.
const keepNotes = 30 * 24 * time.Hour

// sweep removes what nobody needs any more, of issues that have no folder.
func (s shelf) sweep(x index, now time.Time) error {
	var errs []error
	for _, e := range x.rest {
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		age := now.Sub(info.ModTime()).Abs()
		issue, _, _ := strings.Cut(e.Name(), ".")
		n, ok := number(issue)
		switch {
		case strings.HasPrefix(e.Name(), "."):
			errs = append(errs, s.sweepTemp(s.dir, e, now))
		case !ok || age < keepNotes || slices.Contains(x.issues, n) || strings.HasSuffix(e.Name(), batchFile):
		default:
			errs = append(errs, s.remove(s.path(e.Name())))
		}
	}
	return errors.Join(errs...)
}

// sweepTemp removes a file that is half written when nobody is at it any more.
func (s shelf) sweepTemp(dir string, e fs.DirEntry, now time.Time) error {
	info, err := e.Info()
	if err != nil || !info.Mode().IsRegular() || now.Sub(info.ModTime()).Abs() < time.Minute {
		return nil // its maker may not hold its lock yet
	}
	path := filepath.Join(dir, e.Name())
	file, err := s.disk.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer file.Close()
	dead, err := file.Lock()
	if err != nil || !dead {
		return err
	}
	return s.remove(path)
}
