package held_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"superlistd/delivery/spool"
	"superlistd/lists"
	"superlistd/moderation/held"
)

func TestLimits(t *testing.T) {
	t.Parallel()
	one := int64(0)
	{
		data := t.TempDir()
		id := put(t, held.Open(data, held.Options{}), factsFor(t, "team@lists.test", "1"))
		info, err := os.Stat(filepath.Join(data, "held", id))
		must(t, err)
		one = info.Size()
	}
	for _, tt := range []struct {
		name              string
		o                 held.Options
		team, other, same bool // whether a third post for a list, one for another, and one that is held already, go in
	}{
		{"no limit", held.Options{}, true, true, true},
		{"entries", held.Options{Entries: 2}, false, false, true},
		{"room for an entry", held.Options{Entries: 3}, true, true, true},
		{"entries of the list", held.Options{ListEntries: 2}, false, true, true},
		{"octets", held.Options{Size: 2*one - 1}, false, false, true},
		{"octets of the list", held.Options{ListSize: 2*one - 1}, false, true, true},
		{"room for octets", held.Options{Size: 4 * one, ListSize: 4 * one}, true, true, true},
		{"disk", held.Options{Free: 1 << 60}, false, false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			data := t.TempDir()
			free := held.Open(data, held.Options{})
			put(t, free, factsFor(t, "team@lists.test", "1"))
			put(t, free, factsFor(t, "team@lists.test", "2"))
			for _, try := range []struct {
				f    held.Facts
				want bool
			}{
				{factsFor(t, "team@lists.test", "3"), tt.team},
				{factsFor(t, "other@lists.test", "3"), tt.other},
				{factsFor(t, "team@lists.test", "1"), tt.same},
			} {
				s := held.Open(data, tt.o)
				if full := s.Full(try.f.List); (full == nil) != try.want && try.f.Key != "1" {
					t.Errorf("%s: full: %v", try.f.List, full)
				}
				id, existed, err := s.Put(try.f, strings.NewReader(post), int64(len(post)))
				if (err == nil) != try.want {
					t.Errorf("%s: %v", try.f.List, err)
				}
				if err != nil {
					wantError(t, err, held.ErrFull)
					wantError(t, err, spool.ErrFull)
				} else if !existed {
					_, err := s.Decide(id, held.Decision{Action: held.Discard})
					must(t, err)
					finish(t, s, id)
				}
			}
		})
	}
}

func TestDamage(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		spoil func(raw []byte) []byte
	}{
		{"empty", func([]byte) []byte { return nil }},
		{"foreign", func([]byte) []byte { return []byte("something else\n") }},
		{"later version", func(raw []byte) []byte { return bytes.Replace(raw, []byte("post 1\n"), []byte("post 2\n"), 1) }},
		{"facts changed", func(raw []byte) []byte { return bytes.Replace(raw, []byte("proven"), []byte("Proven"), 1) }},
		{"cut in the facts", func(raw []byte) []byte { return raw[:40] }},
		{"cut in the content", func(raw []byte) []byte { return raw[:len(raw)-1] }},
		{"more content", func(raw []byte) []byte { return append(raw, 'x') }},
		{"facts without end", func(raw []byte) []byte { return append(raw[:30], bytes.Repeat([]byte{'x'}, 600_000)...) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			data := t.TempDir()
			s := held.Open(data, held.Options{})
			id := put(t, s, factsFor(t, "team@lists.test", "k1"))
			whole := put(t, s, factsFor(t, "team@lists.test", "k2"))
			path := filepath.Join(data, "held", id)
			raw, err := os.ReadFile(path)
			must(t, err)
			must(t, os.WriteFile(path, tt.spoil(raw), 0o640))
			_, err = s.Get(id)
			wantError(t, err, held.ErrDamaged)
			_, err = s.Claim(id)
			wantError(t, err, held.ErrDamaged)
			_, err = s.Decide(id, held.Decision{Action: held.Approve})
			wantError(t, err, held.ErrDamaged)
			all, err := held.Open(data, held.Options{}).List(lists.Address{}, "", 10)
			must(t, err)
			if !slices.Equal(ids(all), sorted(id, whole)) {
				t.Errorf("list: %+v", all)
			}
			for _, f := range all {
				if (f.Fault != "") != (f.ID == id) {
					t.Errorf("%s: fault %q", f.ID, f.Fault)
				}
			}
			// The same post comes again: it must not be lost behind the damaged one.
			again, existed, err := s.Put(factsFor(t, "team@lists.test", "k1"), strings.NewReader(post), int64(len(post)))
			if err != nil || existed || again == id {
				t.Errorf("again: %s, existed %v, %v", again, existed, err)
			}
		})
	}
	for _, tt := range []struct {
		name string
		make func(path string) error
	}{
		{"a folder", func(path string) error { return os.Mkdir(path, 0o750) }},
		{"a link", func(path string) error { return os.Symlink("/etc/passwd", path) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			data := t.TempDir()
			must(t, os.Mkdir(filepath.Join(data, "held"), 0o750))
			must(t, tt.make(filepath.Join(data, "held", "aaaaaaaaaaaa")))
			_, err := held.Open(data, held.Options{}).Get("aaaaaaaaaaaa")
			wantError(t, err, held.ErrDamaged)
		})
	}
}

func TestSweepTakesWhatIsNobodys(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	s := held.Open(data, held.Options{})
	id := put(t, s, factsFor(t, "team@lists.test", "k1"))
	keep := sorted(id, "README", ".hidden")
	for _, name := range []string{".aaaaaaaaaaaa.0123456789abcdef", "bbbbbbbbbbbb.noticed", "bbbbbbbbbbbb.told", "cccccccccccc.decided", "README", ".hidden"} {
		must(t, os.WriteFile(filepath.Join(data, "held", name), []byte("x"), 0o640))
	}
	must(t, s.Sweep(time.Now())) // the first might be somebody's
	if got := files(t, data); !slices.Contains(got, ".aaaaaaaaaaaa.0123456789abcdef") {
		t.Errorf("swept while it may be written: %q", got)
	}
	must(t, s.Sweep(time.Now().Add(2*time.Minute)))
	if got := files(t, data); !slices.Equal(got, keep) {
		t.Errorf("left: %q, want %q", got, keep)
	}
}
