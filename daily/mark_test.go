package daily_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// A mark that is damaged is made anew: what was before is not told, and what comes then is.
func TestDamagedMark(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.Wait(30 * day)
	h.tick(0)
	files, err := filepath.Glob(filepath.Join(h.Data, "daily", "*.json"))
	if must(t, err); len(files) != 1 {
		t.Fatalf("marks %q", files)
	}
	must(t, os.WriteFile(files[0], []byte("{"), 0o600))
	h.joins("m1@x")
	h.tick(time.Hour)
	h.joins("m2@x")
	if got := told(h.tick(day)); !slices.Equal(got, []string{"m2@x"}) {
		t.Errorf("told %q", got)
	}
}

// While the log of a list cannot be read its owners hear nothing, and afterwards all of it.
func TestUnreadableLog(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.tick(0)
	h.joins("m1@x")
	files, err := filepath.Glob(filepath.Join(h.Data, "audit", "*", "*.jsonl"))
	if must(t, err); len(files) != 1 {
		t.Fatalf("files %q", files)
	}
	must(t, os.Rename(files[0], files[0]+"~"))
	must(t, os.Mkdir(files[0], 0o700))
	if got := h.tick(day); got != nil {
		t.Errorf("told %q", got)
	}
	must(t, os.Remove(files[0]))
	must(t, os.Rename(files[0]+"~", files[0]))
	if got := told(h.tick(time.Hour)); !slices.Equal(got, []string{"m1@x"}) {
		t.Errorf("told %q", got)
	}
}
