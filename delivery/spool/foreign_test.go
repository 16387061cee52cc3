package spool_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"superlistd/delivery/spool"
)

// What stands where an entry should be is moved out of the way, or deleted, and never followed, waited for or worked on.
func TestDamagedAndForeign(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		make func(path, good string) error
	}{
		{"nothing in it", func(path, _ string) error { return os.WriteFile(path, nil, 0o600) }},
		{"another format", func(path, _ string) error { return os.WriteFile(path, []byte("superlistd spool entry 2\n\n"), 0o600) }},
		{"something else", func(path, _ string) error { return os.WriteFile(path, []byte(strings.Repeat("x", 1<<20)), 0o600) }},
		{"no end of the plan", func(path, _ string) error {
			return os.WriteFile(path, []byte("superlistd spool entry 1\n"+strings.Repeat("x", 1<<20)), 0o600)
		}},
		{"cut off in the plan", func(path, good string) error { return os.WriteFile(path, []byte(good[:100]), 0o600) }},
		{"cut off in the body", func(path, good string) error { return os.WriteFile(path, []byte(good[:len(good)-1]), 0o600) }},
		{"a changed plan", func(path, good string) error {
			return os.WriteFile(path, []byte(strings.Replace(good, "team-bounces", "meat-bounces", 1)), 0o600)
		}},
		{"a link to a good one", func(path, good string) error {
			at := filepath.Join(filepath.Dir(filepath.Dir(path)), "elsewhere")
			if err := os.WriteFile(at, []byte(good), 0o600); err != nil {
				return err
			}
			return os.Symlink(at, path)
		}},
		{"a link to nothing", func(path, _ string) error { return os.Symlink("nothing", path) }},
		{"a folder", func(path, _ string) error { return os.Mkdir(path, 0o700) }},
		{"a fifo", func(path, _ string) error { return syscall.Mkfifo(path, 0o600) }},
		{"a socket", func(path, _ string) error { return syscall.Mknod(path, syscall.S_IFSOCK|0o600, 0) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			data, id := t.TempDir(), name("a")
			s := open(data)
			waiting(t, s, id)
			path := filepath.Join(data, "spool", id)
			good, err := os.ReadFile(path)
			must(t, err)
			damage := func() {
				must(t, os.RemoveAll(path))
				must(t, tt.make(path, string(good)))
				_, err := s.Claim(id)
				wantErr(t, "Claim", err, spool.ErrDamaged)
				wantErr(t, "Retry", s.Retry(id), spool.ErrDamaged)
			}
			damage()
			if i, err := s.Show(id); err != nil || i.Fault == "" || i.Held || i.Failed {
				t.Errorf("%+v, %v", i, err)
			}
			must(t, s.Full())
			must(t, s.Condemn(id))
			if i, err := s.Show(id); err != nil || i.Fault == "" || !i.Failed {
				t.Errorf("after Condemn: %+v, %v", i, err)
			}
			damage()
			must(t, s.Condemn(id)) // beside the other one
			damage()
			if all, err := s.Entries(); err != nil || len(all) != 3 {
				t.Errorf("%d entries, %v", len(all), err)
			}
			must(t, s.Delete(id))
			must(t, s.Delete(id))
			if n := len(files(t, filepath.Join(data, "spool"))) + len(files(t, filepath.Join(data, "failed"))); n != 1 {
				t.Errorf("%d files are left, want the one under another name", n)
			}
		})
	}
}

// What is wrong with a journal costs no more than the lines it is wrong with.
func TestDamagedJournal(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, junk string }{
		{"half a line", "\n0123abc"},
		{"zeros, as after a power cut", strings.Repeat("\x00", 4096)},
		{"a wrong checksum", "\n00000000 P 1 0 \"a\" \"b\"\n"},
		{"a line of a later version", string(spool.AppendLine(nil, []byte("X what")))},
		{"ranges that are none", string(spool.AppendLine(nil, []byte(`P 1 0 "a"`)))},
		{"numbers that are none", string(spool.AppendLine(nil, []byte(`P -1 1e3 "a" "b"`)))},
		{"numbers that are too many", string(spool.AppendLine(nil, []byte(`P 9223372036854775807 0 "a" "b"`)))},
		{"a range that goes back", string(spool.AppendLine(nil, []byte(`P 0 0 "z" "a"`)))},
		{"a time that is none", string(spool.AppendLine(nil, []byte(`R 9223372036854775807`)))},
		{"a line of a megabyte", "\n" + strings.Repeat("y", 1<<20)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			data, id := t.TempDir(), name("a")
			s := open(data)
			e := post(t, s, id)
			must(t, e.Note(note(1), 1, 0))
			must(t, e.Release(time.Now()))
			f, err := os.OpenFile(filepath.Join(data, "spool", id), os.O_WRONLY|os.O_APPEND, 0)
			must(t, err)
			_, err = f.WriteString(tt.junk)
			must(t, err)
			must(t, f.Close())
			e = claim(t, s, id)
			must(t, e.Note(note(3), 1, 0))
			must(t, e.Release(time.Now()))
			got := claim(t, s, id).State()
			if got.Accepted != 2 || !has(got.Served, key(1)) || has(got.Served, key(2)) || !has(got.Served, key(3)) || got.Since.Year() > 9999 {
				t.Errorf("state %+v", got)
			}
		})
	}
}
