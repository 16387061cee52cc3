package faultdisk_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"superlistd/delivery/spool"
	"superlistd/internal/faultdisk"
)

func put(t *testing.T, d spool.Disk, path, text string) spool.File {
	t.Helper()
	f, err := d.Create(path)
	if err == nil {
		_, err = f.Write([]byte(text))
	}
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// want compares a file; "-" is one that is not there.
func want(t *testing.T, path, text string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		got, err = []byte("-"), nil
	}
	if err != nil || string(got) != text {
		t.Errorf("%s holds %q, %v; want %q", filepath.Base(path), got, err, text)
	}
}

func TestFaultAtItsStep(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		fault faultdisk.Fault
		want  string // of five syncs, one letter each: ok, fault, crashed
	}{
		{"none", faultdisk.Fault{}, "ooooo"},
		{"once", faultdisk.Fault{At: 3}, "ooeoo"},
		{"for ever", faultdisk.Fault{At: 3, Forever: true}, "ooeee"},
		{"crash", faultdisk.Fault{At: 3, Crash: true}, "ooccc"},
		{"other steps do not count", faultdisk.Fault{At: 1, Match: func(op, _ string) bool { return op == "write" }}, "ooooo"},
		{"these count", faultdisk.Fault{At: 2, Match: func(op, _ string) bool { return op == "syncdir" }}, "oeooo"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := faultdisk.New(tt.fault)
			got := ""
			for range 5 {
				switch err := d.SyncDir(t.TempDir()); {
				case err == nil:
					got += "o"
				case errors.Is(err, syscall.EIO):
					got += "e"
				case errors.Is(err, faultdisk.ErrCrashed):
					got += "c"
				}
			}
			if got != tt.want || d.Tripped() != strings.ContainsAny(got, "ec") {
				t.Errorf("%s, tripped %v (%s); want %s", got, d.Tripped(), d.Step(), tt.want)
			}
		})
	}
}

func TestFailedWriteIsShort(t *testing.T) {
	t.Parallel()
	for _, crash := range []bool{false, true} {
		path := filepath.Join(t.TempDir(), "a")
		d := faultdisk.New(faultdisk.Fault{At: 1, Crash: crash, Err: syscall.ENOSPC, Match: func(op, _ string) bool { return op == "write" }})
		f, err := d.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := f.Write([]byte("abcd")); n != 2 || !crash && !errors.Is(err, syscall.ENOSPC) || crash && !errors.Is(err, faultdisk.ErrCrashed) {
			t.Errorf("%d, %v", n, err)
		}
		want(t, path, "ab")
	}
}

func TestCrashFreesLocks(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "a")
	d := faultdisk.New(faultdisk.Fault{})
	if ok, err := put(t, d, path, "x").Lock(); !ok || err != nil {
		t.Fatal(ok, err)
	}
	other, err := spool.RealDisk{}.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if ok, err := other.Lock(); ok || err != nil {
		t.Fatalf("lock of what is held: %v, %v", ok, err)
	}
	d.Crash()
	if ok, err := other.Lock(); !ok || err != nil {
		t.Errorf("lock after the crash: %v, %v", ok, err)
	}
}

func TestPowerCut(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name        string
		do          func(t *testing.T, d *faultdisk.Disk, dir string)
		a, b        string // after a cut that loses names
		keptA, kept string // after one that keeps them
	}{
		{"nothing synced", func(t *testing.T, d *faultdisk.Disk, dir string) {
			put(t, d, dir+"/a", "one")
		}, "-", "-", "", "-"},
		{"octets synced, name not", func(t *testing.T, d *faultdisk.Disk, dir string) {
			put(t, d, dir+"/a", "one").Sync()
		}, "-", "-", "one", "-"},
		{"name synced, octets not", func(t *testing.T, d *faultdisk.Disk, dir string) {
			put(t, d, dir+"/a", "one")
			d.SyncDir(dir)
		}, "", "-", "", "-"},
		{"what follows the sync", func(t *testing.T, d *faultdisk.Disk, dir string) {
			f := put(t, d, dir+"/a", "one")
			f.Sync()
			d.SyncDir(dir)
			f.Write([]byte("two"))
			f.Close()
		}, "one", "-", "one", "-"},
		{"a rename that was not synced", func(t *testing.T, d *faultdisk.Disk, dir string) {
			put(t, d, dir+"/a", "one").Sync()
			d.SyncDir(dir)
			d.Rename(dir+"/a", dir+"/b")
		}, "one", "-", "-", "one"},
		{"one that was", func(t *testing.T, d *faultdisk.Disk, dir string) {
			put(t, d, dir+"/a", "one").Sync()
			d.Rename(dir+"/a", dir+"/b")
			d.SyncDir(dir)
		}, "-", "one", "-", "one"},
		{"a remove that was not synced", func(t *testing.T, d *faultdisk.Disk, dir string) {
			put(t, d, dir+"/a", "one").Sync()
			d.SyncDir(dir)
			d.Remove(dir + "/a")
		}, "one", "-", "-", "-"},
		{"one that was", func(t *testing.T, d *faultdisk.Disk, dir string) {
			put(t, d, dir+"/a", "one").Sync()
			d.Remove(dir + "/a")
			d.SyncDir(dir)
		}, "-", "-", "-", "-"},
		{"a folder that was not synced", func(t *testing.T, d *faultdisk.Disk, dir string) {
			d.MkdirAll(dir + "/a")
			put(t, d, dir+"/a/x", "one").Sync()
			d.SyncDir(dir + "/a")
			put(t, d, dir+"/b", "two").Sync()
		}, "-", "-", "", "two"},
	} {
		for _, keep := range []bool{false, true} {
			t.Run(tt.name, func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				d := faultdisk.New(faultdisk.Fault{})
				tt.do(t, d, dir)
				a, b := tt.a, tt.b
				if keep {
					a, b = tt.keptA, tt.kept
				}
				if err := d.PowerCut(keep); err != nil {
					t.Fatal(err)
				}
				if info, err := os.Stat(dir + "/a"); err == nil && info.IsDir() {
					want(t, dir+"/a/x", "one")
				} else {
					want(t, dir+"/a", a)
				}
				want(t, dir+"/b", b)
			})
		}
	}
}

// An error that the real disk gives is not ours.
func TestRealErrors(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d := faultdisk.New(faultdisk.Fault{})
	put(t, d, dir+"/a", "one")
	put(t, d, dir+"/b", "two")
	if err := d.Rename(dir+"/a", dir+"/b"); !errors.Is(err, os.ErrExist) {
		t.Errorf("rename to a name that is taken: %v", err)
	}
	if _, err := d.Open(dir + "/c"); !errors.Is(err, os.ErrNotExist) || d.Tripped() {
		t.Errorf("open of nothing: %v, tripped %v", err, d.Tripped())
	}
}
