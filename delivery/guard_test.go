package delivery

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"sync"
	"testing"
	"time"

	"superlistd/delivery/spool"
)

func claim(t *testing.T, g *Guard, key Key) *Claim {
	t.Helper()
	c, err := g.claim(key, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestGuardRemembersAcrossProcesses(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "guard")
	key := Key{1, 2, 3}
	c := claim(t, NewGuard(dir), key)
	if c.Done || c.Had != nil {
		t.Fatalf("a new post is known: %+v", c)
	}
	want := []spool.Served{
		{Ranges: []spool.Range{{After: "", UpTo: "b@x"}}},
		{Ranges: []spool.Range{{After: "b@x", UpTo: "quoted \" and\nline@x"}, {After: "m@x", UpTo: "ü@x"}}, But: []string{"n@x"}},
	}
	for _, note := range want {
		if err := c.Note(note); err != nil {
			t.Fatal(err)
		}
	}
	c.Release()

	c = claim(t, NewGuard(dir), key) // as another process would
	if c.Done || !reflect.DeepEqual(c.Had, want) {
		t.Errorf("Done %v, Had %q, want %q", c.Done, c.Had, want)
	}
	if err := c.Finish(); err != nil {
		t.Fatal(err)
	}
	c.Release()
	c = claim(t, NewGuard(dir), key)
	defer c.Release()
	if !c.Done {
		t.Error("a finished post is not known")
	}
	other := claim(t, NewGuard(dir), Key{1, 2, 4}) // in the same file
	defer other.Release()
	if other.Done || other.Had != nil {
		t.Errorf("another post is known: %+v", other)
	}
}

func TestGuardLetsOneSessionDeliver(t *testing.T) {
	t.Parallel()
	g := NewGuard(filepath.Join(t.TempDir(), "guard"))
	c := claim(t, g, Key{9})
	for _, second := range []*Guard{g, NewGuard(g.dir)} {
		if _, err := second.claim(Key{9}, nil); !errors.Is(err, ErrInProgress) {
			t.Errorf("a second claim: %v, want ErrInProgress", err)
		}
	}
	other := claim(t, g, Key{8})
	other.Release()
	if _, err := g.claim(Key{9}, nil); !errors.Is(err, ErrInProgress) {
		t.Errorf("after another claim was released: %v, want ErrInProgress", err)
	}
	c.Release()
	claim(t, g, Key{9}).Release()
}

func TestGuardSurvivesDamage(t *testing.T) {
	t.Parallel()
	g := NewGuard(filepath.Join(t.TempDir(), "guard"))
	key := Key{7}
	c := claim(t, g, key)
	if err := c.Note(spool.Served{Ranges: []spool.Range{{After: "", UpTo: "a@x"}}}); err != nil {
		t.Fatal(err)
	}
	epochs, err := g.folders()
	if err != nil {
		t.Fatal(err)
	}
	path := file(epochs[len(epochs)-1], key)
	line, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for cut := range line {
		// A note that was cut short, with a whole one behind it.
		if err := os.WriteFile(path, line[:cut], 0o640); err != nil {
			t.Fatal(err)
		}
		if err := c.Note(spool.Served{Ranges: []spool.Range{{After: "a@x", UpTo: "b@x"}}}); err != nil {
			t.Fatal(err)
		}
		again := &Claim{guard: g, key: key, notes: -1}
		if err := again.read(); err != nil {
			t.Fatal(err)
		}
		want := []spool.Served{{Ranges: []spool.Range{{After: "a@x", UpTo: "b@x"}}}}
		if cut == len(line)-1 { // only its line feed was missing
			want = append([]spool.Served{{Ranges: []spool.Range{{After: "", UpTo: "a@x"}}}}, want...)
		}
		if !reflect.DeepEqual(again.Had, want) {
			t.Errorf("cut at %d: %q, want %q", cut, again.Had, want)
		}
	}
	c.Release()
}

func TestGuardForgetsByEpochs(t *testing.T) {
	t.Parallel()
	g := NewGuard(filepath.Join(t.TempDir(), "guard"))
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Truncate(guardEpoch)
	for _, tt := range []struct {
		name  string
		at    time.Duration
		known bool
	}{
		{"at once", 0, true},
		{"after four days", 4 * 24 * time.Hour, true},
		{"when the clock jumps back", -1000 * time.Hour, true},
		{"when the clock jumps far ahead", 10000 * time.Hour, true},
		{"and one epoch later", 10000*time.Hour + 2*guardEpoch, false},
	} {
		if tt.at == 0 {
			g.now = func() time.Time { return start }
			c := claim(t, g, Key{5})
			if err := c.Finish(); err != nil {
				t.Fatal(err)
			}
			c.Release()
		}
		g.now = func() time.Time { return start.Add(tt.at) }
		other := claim(t, g, Key{6}) // a note of another post moves the epoch on
		if err := other.Finish(); err != nil {
			t.Fatal(err)
		}
		other.Release()
		c := claim(t, g, Key{5})
		if c.Done != tt.known {
			t.Errorf("%s: known %v, want %v", tt.name, c.Done, tt.known)
		}
		c.Release()
	}
}

func TestGuardUnderManySessions(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "guard")
	var wg sync.WaitGroup
	var mu sync.Mutex
	finished := map[Key]int{}
	for range 8 {
		g := NewGuard(dir)
		wg.Go(func() {
			for i := range 200 {
				key := Key{byte(i % 5), byte(i % 7)}
				c, err := g.claim(key, nil)
				if errors.Is(err, ErrInProgress) {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				if !c.Done {
					if err := c.Finish(); err != nil {
						t.Error(err)
					}
					mu.Lock()
					finished[key]++
					mu.Unlock()
				}
				c.Release()
			}
		})
	}
	wg.Wait()
	for key, n := range finished {
		if n != 1 {
			t.Errorf("post %v was delivered %d times", key, n)
		}
	}
	if len(finished) != 35 {
		t.Errorf("%d posts, want 35", len(finished))
	}
}

func BenchmarkGuard(b *testing.B) {
	for _, known := range []int{0, 1000} {
		b.Run(fmt.Sprintf("known=%d", known), func(b *testing.B) {
			g := NewGuard(filepath.Join(b.TempDir(), "guard"))
			key := func(i int) Key { return Key{byte(i), byte(i >> 8), byte(i >> 16), 1} }
			for i := range known {
				c, err := g.claim(key(i), nil)
				if err != nil {
					b.Fatal(err)
				}
				c.Finish()
				c.Release()
			}
			i := known
			for b.Loop() {
				c, err := g.claim(key(i), nil)
				if err != nil {
					b.Fatal(err)
				}
				c.Finish()
				c.Release()
				i++
			}
		})
	}
}
