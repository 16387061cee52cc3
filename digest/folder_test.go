package digest_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"superlistd/delivery/spool"
	"superlistd/lists"
	"superlistd/lists/memstore"
)

// A list that is gone takes its posts along, and one that is made anew gets none of them.
func TestListGone(t *testing.T) {
	t.Parallel()
	h := open(t, "digest_count=2")
	h.again(spool.RealDisk{})
	h.join(lists.DeliveryDigest, "dora")
	h.gather(text(1, "One"), 0)
	must(t, h.store.Delete(t.Context(), list))
	h.now = h.now.Add(time.Hour)
	h.create("digest_count=1")
	h.join(lists.DeliveryDigest, "dora")
	h.gather(text(2, "Two"), 0)
	h.tick()
	posts, _, _ := unfold(t, h.one("dora", lists.DeliveryDigest))
	if len(posts) != 1 || !strings.Contains(posts[0], "Subject: Two") {
		t.Errorf("%q", posts)
	}
	must(t, h.store.Delete(t.Context(), list))
	h.tick()
	if left, err := os.ReadDir(filepath.Join(h.data, "digests")); err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
	err := h.desk.Gather(t.Context(), h.gathered(text(3, "Three"), 0))
	if !errors.Is(err, lists.ErrNoList) {
		t.Errorf("gathered for nobody: %v", err)
	}
	if _, err := h.desk.Send(t.Context(), list); !errors.Is(err, lists.ErrNoList) {
		t.Errorf("sent for nobody: %v", err)
	}
}

// Long addresses, and those with any character, have folders that can be told from each other, and that are swept with their lists; what somebody
// else has put beside them stays.
func TestFolders(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.again(spool.RealDisk{})
	folder := filepath.Join(h.data, "digests")
	foreign := []string{"old", "team@lists.test.bak", "team@lists.test+copy", "=zz@x+1", "README"}
	for _, name := range foreign[:4] {
		must(t, os.MkdirAll(filepath.Join(folder, name, "0"), 0o700))
	}
	must(t, os.WriteFile(filepath.Join(folder, "README"), nil, 0o600))
	var all []lists.Address
	for _, text := range []string{`"../=a/b+~c %41"@lists.test`, "übung@lists.test", strings.Repeat("ü", 30) + "-a@lists.test", strings.Repeat("ü", 30) + "-b@lists.test"} {
		l := lists.List{Address: address(t, text), Created: h.now, Settings: lists.DefaultSettings()}
		must(t, h.store.Create(t.Context(), l, nil))
		g := h.gathered("Subject: x\n\nx\n", 0)
		g.List = l.Address
		must(t, h.desk.Gather(t.Context(), g))
		all = append(all, l.Address)
	}
	entries := func() int {
		found, err := os.ReadDir(folder)
		must(t, err)
		return len(found)
	}
	if n := entries(); n != len(foreign)+len(all) {
		t.Errorf("%d folders", n)
	}
	h.tick()
	for _, a := range all {
		must(t, h.store.Delete(t.Context(), a))
	}
	h.tick()
	h.tick()
	if n := entries(); n != len(foreign) {
		t.Errorf("%d are left of %d", n, len(foreign))
	}
}

// A store that was put back from a copy counts on from what lies on the disk.
func TestOlderStore(t *testing.T) {
	t.Parallel()
	h := open(t, "digest_count=1")
	h.join(lists.DeliveryDigest, "dora")
	h.gather(text(1, "One"), 7)
	h.tick()
	h.one("dora", lists.DeliveryDigest)
	if d := h.list().Digests; d.Number != 8 {
		t.Errorf("%+v", d)
	}
}

// A store from before some issues were closed goes on behind the last of them: their labels are still there, and
// no post is taken for a late one of theirs, nor a label given twice.
func TestStoreFromBeforeSomeIssues(t *testing.T) {
	t.Parallel()
	h := open(t, "digest_count=1")
	h.join(lists.DeliveryDigest, "dora")
	before := h.list().Digests
	for n := range 3 {
		h.gather(text(n, "Before"), n)
		h.tick()
	}
	h.got("dora")
	h.store = memstore.New()
	h.opts.Store, h.hop.store = h.store, h.store
	h.again(nil)
	h.create("digest_count=2")
	h.join(lists.DeliveryDigest, "dora")
	if after := h.list().Digests; after.Number != before.Number {
		t.Fatalf("%+v", after)
	}
	h.gather(text(4, "Late"), 0)
	h.tick()
	if raw := h.one("dora", lists.DeliveryDigest); !strings.Contains(raw, "Vol 1, Issue 1") {
		t.Error(raw)
	}
	if d := h.list().Digests; d.Number != 3 || d.Volume != 1 || d.Issue != 3 {
		t.Errorf("%+v", d)
	}
	h.gather(text(5, "Next"), 3)
	h.tick()
	if got := h.got("dora"); len(got) > 0 {
		t.Errorf("one post was enough: %+v", got)
	}
}

// A file that is not whole is put aside, and stops nothing.
func TestDamaged(t *testing.T) {
	t.Parallel()
	h := open(t, "digest_count=2")
	h.join(lists.DeliveryDigest, "dora")
	h.gather(text(1, "One"), 0)
	h.gather(text(2, "Two"), 0)
	must(t, os.Truncate(h.files()[0], 100))
	h.again(nil)
	h.gather(text(3, "Three"), 0)
	h.tick()
	if posts, _, _ := unfold(t, h.one("dora", lists.DeliveryDigest)); len(posts) != 2 || !h.logged("damaged") {
		t.Errorf("%d posts, %+v", len(posts), h.log)
	}
	if aside, err := filepath.Glob(filepath.Join(h.data, "digests", "*", "*.damaged")); err != nil || len(aside) != 1 {
		t.Errorf("aside: %q, %v", aside, err)
	}
}

// A label, or the list of a mailing, that is not whole is made anew: nothing was sent by it.
func TestDamagedNotes(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"label", "batch"} {
		h := open(t, "digest_count=1")
		h.join(lists.DeliveryDigest, "dora")
		h.gather(text(1, "One"), 0)
		down := errors.New("no connection")
		h.hop.fail = func() error { return down }
		if err := h.desk.Tick(t.Context(), h.now); !errors.Is(err, down) {
			t.Fatal(err)
		}
		w, err := h.desk.Waiting(t.Context(), list)
		if err != nil || w.Closed != 1 || w.Posts != 0 {
			t.Errorf("waiting: %+v, %v", w, err)
		}
		notes, err := filepath.Glob(filepath.Join(h.data, "digests", "*", "*."+kind))
		if err != nil || len(notes) != 1 {
			t.Fatal(notes, err)
		}
		must(t, os.Truncate(notes[0], 10))
		h.hop.fail = nil
		h.again(nil)
		h.tick()
		if posts, _, _ := unfold(t, h.one("dora", lists.DeliveryDigest)); len(posts) != 1 {
			t.Errorf("%s: %q", kind, posts)
		}
		if left := h.files(); len(left) > 0 {
			t.Errorf("%s: left %q", kind, left)
		}
	}
}
