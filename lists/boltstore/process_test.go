package boltstore_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"testing"
	"time"

	"superlistd/lists"
	"superlistd/lists/boltstore"
)

// childMode makes the test binary play another process: "write", "read", "damage",
// "damage-history" or "note".
const childMode = "SUPERLISTD_BOLTSTORE_TEST"

func TestMain(m *testing.M) {
	if mode := os.Getenv(childMode); mode != "" {
		if err := child(mode, os.Args[1], os.Args[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

const childWrites = 10

func child(mode, path, id string) error {
	switch mode {
	case "damage":
		return childDamage(path, id, useDamaged)
	case "damage-history":
		return childDamage(path, id, useDamagedHistory)
	case "note":
		return childNote(path)
	}
	s, err := boltstore.Open(path, boltstore.Options{Timeout: time.Minute})
	if err != nil {
		return err
	}
	defer s.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	for i := range childWrites {
		if mode == "write" {
			pair := []lists.Member{
				{Address: lists.Address{Local: "a" + id + "-" + strconv.Itoa(i), Domain: "x"}},
				{Address: lists.Address{Local: "z" + id + "-" + strconv.Itoa(i), Domain: "x"}},
			}
			if _, err := s.Change(ctx, team, lists.Change{Add: pair}); err != nil {
				return err
			}
			continue
		}
		for range 20 {
			if err := childRead(ctx, s); err != nil {
				return err
			}
		}
	}
	return nil
}

// childRead sees pairs only, and a count that is the roster's at its moment.
func childRead(ctx context.Context, s lists.Store) error {
	ms, err := s.Members(ctx, team, lists.Address{}, 10_000)
	if err != nil {
		return err
	}
	balance := 0
	for _, m := range ms {
		if m.Address.Local[0] == 'a' {
			balance++
		} else {
			balance--
		}
	}
	if balance != 0 {
		return fmt.Errorf("half a pair was seen among %d members", len(ms))
	}
	l, err := s.List(ctx, team)
	if err == nil && l.Members < len(ms) {
		err = fmt.Errorf("%d members after %d were seen", l.Members, len(ms))
	}
	return err
}

func run(t *testing.T, mode, path, id string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], path, id)
	cmd.Env = append(os.Environ(), childMode+"="+mode)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("process %s (%s): %v\n%s", id, mode, err, out)
	}
}

func TestSeveralProcesses(t *testing.T) {
	t.Parallel()
	path := filled(t, 0)
	var wg sync.WaitGroup
	for i := range 3 {
		wg.Go(func() { run(t, "write", path, strconv.Itoa(i)) })
		wg.Go(func() { run(t, "read", path, strconv.Itoa(i)) })
	}
	wg.Wait()
	s := open(t, path, boltstore.Options{})
	if l, err := s.List(t.Context(), team); err != nil || l.Members != 3*2*childWrites {
		t.Errorf("%d members, want %d; %v", l.Members, 3*2*childWrites, err)
	}
	if err := boltstore.Check(path); err != nil {
		t.Error(err)
	}
}

// A change that another process has committed holds for the next Resolve.
func TestOtherProcessIsSeen(t *testing.T) {
	t.Parallel()
	path := filled(t, 0)
	d, err := lists.NewDirectory(open(t, path, boltstore.Options{}), []string{team.Domain}, "+")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		target, err := d.Resolve(t.Context(), team)
		if err != nil || target.List.Members != i*2*childWrites {
			t.Errorf("%+v, %v; want %d members", target.List, err, i*2*childWrites)
		}
		run(t, "write", path, strconv.Itoa(i))
	}
}

func TestHundredThousandMembers(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("takes a second")
	}
	const n = 100_000
	path := filled(t, n)
	s := open(t, path, boltstore.Options{})
	l, err := s.List(t.Context(), team)
	if err != nil || l.Members != n {
		t.Fatalf("%d members, %v", l.Members, err)
	}
	var r lists.Recipients
	seen := 0
	for last := ""; !r.Done(); seen += r.Len() {
		r.Reset()
		if err := s.Recipients(t.Context(), team, &r, 1000); err != nil {
			t.Fatal(err)
		}
		for i := range r.Len() {
			if key := string(r.Key(i)); key <= last {
				t.Fatalf("%s after %s", key, last)
			} else {
				last = key
			}
		}
	}
	if seen != n {
		t.Errorf("%d recipients, want %d", seen, n)
	}
	out, err := s.Change(t.Context(), team, lists.Change{Add: manyMembers(n)[:n/2], Replace: true})
	if err != nil || len(out.Present) != n/2 || len(out.Removed) != n/2 || len(out.Added) != 0 {
		t.Errorf("half of them: %d present, %d removed, %d added, %v", len(out.Present), len(out.Removed), len(out.Added), err)
	}
	if err := boltstore.Check(path); err != nil {
		t.Error(err)
	}
}
