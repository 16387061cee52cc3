package boltstore_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"superlistd/internal/needs"
	"superlistd/lists"
	"superlistd/lists/boltstore"
)

func TestOpenNeedsTheFolder(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	file := filepath.Join(folder, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{filepath.Join(folder, "missing", "lists.db"), filepath.Join(file, "lists.db")} {
		if _, err := boltstore.Open(path, boltstore.Options{}); !errors.Is(err, lists.ErrStore) {
			t.Errorf("Open(%s) = %v, want ErrStore", path, err)
		}
	}
}

// The disk that held the folder is gone: not an empty store, and nothing is made.
func TestFolderGoesAway(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	s := open(t, filepath.Join(folder, "lists.db"), boltstore.Options{})
	if err := os.Remove(folder); err != nil {
		t.Fatal(err)
	}
	for name, err := range everyMethod(t.Context(), s, team) {
		if !errors.Is(err, lists.ErrStore) {
			t.Errorf("%s: got %v, want ErrStore", name, err)
		}
	}
	if _, err := s.Stamp(t.Context()); !errors.Is(err, lists.ErrStore) {
		t.Errorf("Stamp: got %v, want ErrStore", err)
	}
	if _, err := os.Stat(folder); !os.IsNotExist(err) {
		t.Errorf("the folder is there again: %v", err)
	}
}

// The file is gone, and the rest is there: not an empty store either, and no new one is made. Put back, all is as it was; the
// files of other kinds may be removed to begin anew.
func TestFileGoesAway(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lists.db")
	s := open(t, path, boltstore.Options{})
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(s.Create(t.Context(), lists.List{Address: team}, nil))
	must(os.Rename(path, path+".kept"))
	for name, err := range everyMethod(t.Context(), s, team) {
		if !errors.Is(err, lists.ErrStore) || !strings.Contains(err.Error(), "the file is gone") {
			t.Errorf("%s: got %v, want ErrStore", name, err)
		}
	}
	if _, err := s.Stamp(t.Context()); !errors.Is(err, lists.ErrStore) || strings.Count(err.Error(), "not usable") != 1 {
		t.Errorf("Stamp: got %v, want ErrStore, once", err)
	}
	if err := boltstore.Check(path); !errors.Is(err, lists.ErrStore) {
		t.Errorf("Check: got %v, want ErrStore", err)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the file is there again: %v", err)
	}
	must(os.Rename(path+".kept", path))
	if _, err := s.List(t.Context(), team); err != nil {
		t.Errorf("put back: %v", err)
	}
	must(os.Remove(path))
	must(os.Remove(path + ".lock"))
	must(s.Create(t.Context(), lists.List{Address: team}, nil))

	records := filepath.Join(t.TempDir(), "bounces.db")
	book, err := boltstore.OpenRecords(records, "bounces", boltstore.Options{})
	must(err)
	add := func(of *boltstore.Table) error { return of.Put("a", []byte("b")) }
	must(book.Update(t.Context(), team, add))
	must(os.Remove(records))
	must(book.Update(t.Context(), team, add))
}

// A store made by a version that left no note of it gets one from the next writer.
func TestFileOfBeforeGoesAway(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lists.db")
	s := open(t, path, boltstore.Options{})
	if err := s.Create(t.Context(), lists.List{Address: team}, nil); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path+".lock", 0); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Change(t.Context(), team, lists.Change{Add: []lists.Member{{Address: lists.Address{Local: "ann", Domain: "x"}}}}); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if _, err := s.List(t.Context(), team); !errors.Is(err, lists.ErrStore) {
		t.Errorf("got %v, want ErrStore", err)
	}
}

func TestReadingMakesNoFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lists.db")
	s := open(t, path, boltstore.Options{})
	if _, err := s.List(t.Context(), team); !errors.Is(err, lists.ErrNoList) {
		t.Errorf("List: %v, want ErrNoList", err)
	}
	if err := s.Delete(t.Context(), team); !errors.Is(err, lists.ErrNoList) {
		t.Errorf("Delete: %v, want ErrNoList", err)
	}
	if err := boltstore.Check(path); err != nil {
		t.Errorf("Check: %v", err)
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 0 {
		t.Errorf("files were made: %v, %v", left, err)
	}
}

// Whatever is wrong with the file, the answer is quick, says so, and leaves it alone.
func TestBadFile(t *testing.T) {
	t.Parallel()
	good, err := os.ReadFile(filled(t, 5000))
	if err != nil {
		t.Fatal(err)
	}
	foreign := filepath.Join(t.TempDir(), "foreign.db")
	edit(t, foreign, func(tx *bolt.Tx) error {
		_, err := tx.CreateBucket([]byte("widgets"))
		return err
	})
	other, err := os.ReadFile(foreign)
	if err != nil {
		t.Fatal(err)
	}
	page := os.Getpagesize()
	freelist := bytes.Clone(good) // its page says that it has 2^32 more
	number := binary.NativeEndian.Uint64
	meta := good[16:]
	if number(good[page+16+48:]) > number(meta[48:]) {
		meta = good[page+16:]
	}
	copy(freelist[int(number(meta[32:]))*page+12:], "\xff\xff\xff\xff")
	headless := bytes.Clone(good)
	clear(headless[:2*page])
	for _, tt := range []struct {
		name    string
		content []byte
	}{
		{"empty", nil},
		{"one octet", []byte{0}},
		{"text", bytes.Repeat([]byte("not a database\n"), 2000)},
		{"zeros", make([]byte, 1<<20)},
		{"head is lost", headless},
		{"freelist without end", freelist},
		{"bbolt file of another program", other},
		{"one page", good[:page]},
		{"two pages", good[:2*page]},
		{"half", good[:len(good)/2/page*page]},
		{"cut within a page", good[:len(good)/3+100]},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "lists.db")
			if err := os.WriteFile(path, tt.content, 0o600); err != nil {
				t.Fatal(err)
			}
			s := open(t, path, boltstore.Options{})
			start := time.Now()
			errs := everyMethod(t.Context(), s, team)
			errs["Check"] = boltstore.Check(path)
			for name, err := range errs {
				if !errors.Is(err, lists.ErrStore) {
					t.Errorf("%s: got %v, want ErrStore", name, err)
				}
			}
			if d := time.Since(start); d > 3*time.Second {
				t.Errorf("it took %v", d)
			}
			if _, err := s.Stamp(t.Context()); err != nil {
				t.Errorf("Stamp: %v", err)
			}
			now, err := os.ReadFile(path)
			if err != nil || !bytes.Equal(now, tt.content) {
				t.Errorf("the file was changed: %d octets, were %d; %v", len(now), len(tt.content), err)
			}
		})
	}
	t.Run("folder in its place", func(t *testing.T) {
		t.Parallel()
		for name, err := range everyMethod(t.Context(), open(t, t.TempDir(), boltstore.Options{}), team) {
			if !errors.Is(err, lists.ErrStore) {
				t.Errorf("%s: got %v, want ErrStore", name, err)
			}
		}
	})
}

func TestReadOnly(t *testing.T) {
	t.Parallel()
	path := filled(t, 3)
	s := open(t, path, boltstore.Options{ReadOnly: true})
	for name, err := range everyMethod(t.Context(), s, team) {
		writes := isWriter(name)
		if writes && !errors.Is(err, lists.ErrStore) || !writes && err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if l, err := s.List(t.Context(), team); err != nil || l.Members != 3 || l.Settings.MaxSize != 0 {
		t.Errorf("something was changed: %+v, %v", l, err)
	}
}

// An administrator puts yesterday's copy back: that is what everybody sees from then on.
func TestFileIsReplaced(t *testing.T) {
	t.Parallel()
	path := filled(t, 3)
	s := open(t, path, boltstore.Options{})
	copied, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path+".copy", copied, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Change(t.Context(), team, lists.Change{Replace: true}); err != nil {
		t.Fatal(err)
	}
	before, err := s.Stamp(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".copy", path); err != nil {
		t.Fatal(err)
	}
	after, err := s.Stamp(t.Context())
	if err != nil || before == after {
		t.Errorf("the stamp does not tell: %v, %v, %v", before, after, err)
	}
	if l, err := s.List(t.Context(), team); err != nil || l.Members != 3 {
		t.Errorf("%d members, %v; want 3", l.Members, err)
	}
}

func TestOwnerOfFiles(t *testing.T) {
	t.Parallel()
	needs.Root(t, "only root makes files that belong to others")
	folder := t.TempDir()
	if err := os.Chown(folder, 1234, 2345); err != nil {
		t.Fatal(err)
	}
	s := open(t, filepath.Join(folder, "lists.db"), boltstore.Options{})
	if err := s.Create(t.Context(), lists.List{Address: team}, nil); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(folder)
	if err != nil || len(files) != 2 {
		t.Errorf("%v, %v; want the file and its lock", files, err)
	}
	for _, entry := range files {
		info, err := entry.Info()
		if err != nil {
			t.Fatal(err)
		}
		sys := info.Sys().(*syscall.Stat_t)
		if sys.Uid != 1234 || sys.Gid != 2345 || info.Mode().Perm()&^0o640 != 0 {
			t.Errorf("%s belongs to %d:%d, mode %v", entry.Name(), sys.Uid, sys.Gid, info.Mode())
		}
	}
}

// What a crash left while the file was made does not stand in the way.
func TestHalfMadeFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lists.db")
	if err := os.WriteFile(path+".new", []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := open(t, path, boltstore.Options{})
	if err := s.Create(t.Context(), lists.List{Address: team}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path + ".new"); !os.IsNotExist(err) {
		t.Errorf("it is still there: %v", err)
	}
}
