package boltstore_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"superlistd/lists"
	"superlistd/lists/boltstore"
)

// childDamage damages copies of a file at random and uses them. The law: an operation
// ends, with a result or with an error that errors.Is knows. It is a process of its own
// because a damaged file may still end one; then the parent says so.
func childDamage(path, id string, use func(path string) error) error {
	good, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	seed, err := strconv.ParseUint(id, 10, 64)
	if err != nil {
		return err
	}
	rnd := rand.New(rand.NewPCG(seed, 2))
	page := os.Getpagesize()
	bad := filepath.Join(filepath.Dir(path), "bad"+id+".db")
	for i := range 40 {
		b := append([]byte(nil), good...)
		for range 1 + rnd.IntN(20) {
			at := rnd.IntN(len(b) / page)
			switch rnd.IntN(3) {
			case 0: // an octet, most likely in the page's head
				b[at*page+rnd.IntN(256)] = byte(rnd.Uint32())
			case 1: // a page that was never written
				clear(b[at*page : (at+1)*page])
			case 2: // a page in the place of another
				other := rnd.IntN(len(b) / page)
				copy(b[at*page:(at+1)*page], b[other*page:])
			}
		}
		if err := os.WriteFile(bad, b, 0o600); err != nil {
			return err
		}
		if err := use(bad); err != nil {
			return fmt.Errorf("seed %d, file %d: %w", seed, i, err)
		}
	}
	return nil
}

func useDamaged(path string) error {
	s, err := boltstore.Open(path, boltstore.Options{})
	if err != nil {
		return err
	}
	return allKnown(everyMethod(context.Background(), s, team))
}

func useDamagedHistory(path string) error {
	h, err := boltstore.OpenHistory(path, boltstore.Options{})
	if err != nil {
		return err
	}
	return allKnown(everyHistoryMethod(context.Background(), h))
}

// allKnown wants no error that errors.Is does not know.
func allKnown(errs map[string]error) error {
	for name, err := range errs {
		known := false
		for _, is := range []error{nil, lists.ErrStore, lists.ErrSchema, lists.ErrNoList, lists.ErrNoMember, lists.ErrListExists} {
			known = known || errors.Is(err, is)
		}
		if !known {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func TestDamagedFiles(t *testing.T) {
	t.Parallel()
	if raceDetector {
		t.Skip("the race detector ends a process that reads a damaged bbolt file")
	}
	lists, history := filled(t, 3000), notedHistory(t, 300)
	for seed := range 2 {
		run(t, "damage", lists, strconv.Itoa(seed))
		run(t, "damage-history", history, strconv.Itoa(seed))
	}
}
