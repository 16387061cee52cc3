package digest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"superlistd/delivery"
	"superlistd/delivery/spool"
	"superlistd/lists"
)

// facts are what the first lines of a post's file say.
type facts struct {
	List      lists.Address
	Issue     int
	MessageID string `json:",omitempty"` // for people
	At        time.Time
	EightBit  bool `json:",omitempty"`
	UTF8      bool `json:",omitempty"`
	Size      int64
}

const (
	magic    = "superlistd digest post 1"
	maxFront = 64 << 10
)

// summary is what is asked about each post again and again.
type summary struct {
	size int64
	at   time.Time
}

// Gather keeps a post, as delivery.Gather: when it returns nil the post is on the disk, and one that comes again is kept once.
// lists.ErrNoList: the list is gone.
func (d *Desk) Gather(ctx context.Context, g delivery.Gathered) error {
	l, err := d.opts.Store.List(ctx, g.List)
	if err == nil {
		err = d.keep(l, g)
	}
	if err != nil {
		return fmt.Errorf("digest %d of %s: %w", g.Issue, g.List, err)
	}
	return nil
}

func (d *Desk) keep(l lists.List, g delivery.Gathered) error {
	if g.Issue < 0 {
		return errors.New("there is no such issue")
	}
	s, id := d.shelf(l), nameOf(g.ID)
	f := facts{
		List: g.List, Issue: g.Issue, MessageID: strings.ToValidUTF8(g.MessageID[:min(len(g.MessageID), 1000)], "?"), At: g.At.UTC(), EightBit: g.EightBit, UTF8: g.UTF8,
		Size: int64(len(g.Head)) + g.Body.Size(),
	}
	if now := d.opts.Now(); f.At.After(now) {
		f.At = now.UTC() // a clock was wrong: it has waited since now
	}
	front, err := f.encode()
	if err != nil {
		return err
	}
	write := func(w io.Writer) error {
		for _, b := range [][]byte{front, g.Head} {
			if _, err := w.Write(b); err != nil {
				return err
			}
		}
		n, err := io.Copy(w, g.Body.Reader(0))
		if err == nil && n != g.Body.Size() {
			err = fmt.Errorf("a body of %d octets instead of %d", n, g.Body.Size())
		}
		return err
	}
	for range 3 { // whoever has sent all of an issue removes its folder
		if err = d.make(s, g.Issue); err != nil {
			return err
		}
		if _, err = appear(d.disk, s.issue(g.Issue), id, write); !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	if err != nil {
		return err
	}
	d.remember(s.issue(g.Issue), id, summary{f.Size, f.At})
	if w, err := d.held(s, g.Issue); g.Issue < l.Digests.Number || err == nil && l.Digests.Members > 0 && full(l.Settings, w) {
		d.call()
	}
	return nil
}

// nameOf is the name of a post's file: its ID where that can be one.
func nameOf(id string) string {
	if validName(id) {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return "x" + hex.EncodeToString(sum[:])
}

func validName(s string) bool {
	return s != "" && len(s) <= 65 && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789") == ""
}

func (f facts) encode() ([]byte, error) {
	text, err := json.Marshal(f)
	if err != nil {
		return nil, err
	}
	front := spool.AppendLine([]byte(magic), text)
	if len(front) > maxFront {
		return nil, fmt.Errorf("facts of %d octets", len(front))
	}
	return front, nil
}

// piece is a post on the disk: its header and body are content for any number of readers.
type piece struct {
	facts
	id   string
	file spool.File
	at   int64
}

func (p *piece) Size() int64 { return p.facts.Size }

func (p *piece) Reader(off int64) io.Reader {
	off = min(max(off, 0), p.facts.Size)
	return io.NewSectionReader(p.file, p.at+off, p.facts.Size-off)
}

func (p *piece) close() error { return p.file.Close() }

// open opens a post. fs.ErrNotExist, errDamaged.
func (s shelf) open(n int, id string) (*piece, error) {
	file, err := s.disk.Open(filepath.Join(s.issue(n), id))
	if err != nil {
		return nil, err
	}
	p := &piece{id: id, file: file}
	if err := p.read(); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return p, nil
}

func (p *piece) read() error {
	front, size, err := start(p.file, maxFront)
	if err != nil {
		return err
	}
	text, ok := bytes.CutPrefix(front, []byte(magic+"\n"))
	end := bytes.IndexByte(text, '\n')
	if !ok || end < 0 {
		return fmt.Errorf("%w: post %s", errDamaged, p.id)
	}
	p.at = int64(len(magic) + 1 + end + 1)
	if !parse(text[:end], &p.facts) || p.facts.Size < 0 || p.facts.Size != size-p.at {
		return fmt.Errorf("%w: post %s", errDamaged, p.id)
	}
	return nil
}

// held is what waits in the folder of an issue.
type held struct {
	ids    []string // the oldest first
	size   int64
	oldest time.Time // zero: nothing waits
}

// held looks at the posts of an issue. One that is damaged is put aside, so that it does not stop the others.
func (d *Desk) held(s shelf, n int) (held, error) {
	dir := s.issue(n)
	entries, err := s.disk.ReadDir(dir)
	if err != nil {
		return held{}, err
	}
	var h held
	all := map[string]summary{}
	for _, e := range entries {
		id := e.Name()
		if !validName(id) {
			continue
		}
		seen, err := d.summary(s, n, id)
		switch {
		case errors.Is(err, errDamaged):
			aside := fmt.Sprintf("%d.%s%s", n, id, damagedFile)
			err = errors.Join(err, s.disk.Rename(filepath.Join(dir, id), s.path(aside)))
			d.opts.Log(Event{List: s.list, What: "post for a digest is damaged, and put aside as " + s.path(aside), Number: n, Err: err})
			continue
		case errors.Is(err, fs.ErrNotExist):
			continue
		case err != nil:
			return held{}, err
		}
		all[id] = seen
		h.ids = append(h.ids, id)
		h.size += seen.size
		if h.oldest.IsZero() || seen.at.Before(h.oldest) {
			h.oldest = seen.at
		}
	}
	slices.SortFunc(h.ids, func(a, b string) int {
		if c := all[a].at.Compare(all[b].at); c != 0 {
			return c
		}
		return strings.Compare(a, b)
	})
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.seen[dir] = all; len(all) == 0 {
		delete(d.seen, dir)
	}
	return h, nil
}

func (d *Desk) remember(dir, id string, s summary) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.seen[dir] == nil {
		d.seen[dir] = map[string]summary{}
	}
	d.seen[dir][id] = s
}

// summary reads what is not known yet of a post. A time that is not yet is now, and stays it.
func (d *Desk) summary(s shelf, n int, id string) (summary, error) {
	d.mu.Lock()
	known, ok := d.seen[s.issue(n)][id]
	d.mu.Unlock()
	now := d.opts.Now()
	if !ok {
		p, err := s.open(n, id)
		if err != nil {
			return summary{}, err
		}
		known = summary{p.facts.Size, p.At}
		if err := p.close(); err != nil {
			return summary{}, err
		}
	}
	if known.at.After(now) {
		known.at = now
	}
	return known, nil
}
