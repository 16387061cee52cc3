package boltstore_test

import (
	"path/filepath"
	"testing"

	"superlistd/lists"
	"superlistd/lists/boltstore"
	"superlistd/lists/storetest"
)

func openHistory(t testing.TB, path string, opts boltstore.Options) *boltstore.History {
	t.Helper()
	h, err := boltstore.OpenHistory(path, opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

func TestHistory(t *testing.T) {
	t.Parallel()
	storetest.RunHistory(t, func(t *testing.T) lists.History {
		path := filepath.Join(t.TempDir(), "state.db")
		t.Cleanup(func() { // whatever the test did, the file is in order
			if err := boltstore.CheckHistory(path); err != nil {
				t.Error(err)
			}
		})
		return openHistory(t, path, boltstore.Options{})
	})
}
