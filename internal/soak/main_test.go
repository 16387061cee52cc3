package soak_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// programs is the folder of superlistd and listctl.
var programs string

func TestMain(m *testing.M) { os.Exit(buildAndRun(m)) }

// buildAndRun builds the programs once, without the race detector: what is looked for here are races between processes.
func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "soak-bin")
	if err == nil {
		defer os.RemoveAll(dir)
		var out []byte
		if out, err = exec.Command("go", "build", "-o", dir, "superlistd/cmd/...").CombinedOutput(); err != nil {
			err = fmt.Errorf("%w\n%s", err, out)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	programs = dir
	return m.Run()
}

func program(name string) string { return filepath.Join(programs, name) }

// patience bounds every wait for something that does happen, on a busy machine too.
const patience = 90 * time.Second

// number is a setting of a run, from the environment ("make soak").
func number(t *testing.T, name string, usual uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return usual
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// seed begins the random numbers of a test; the kernel's choices are not in it, so that a run with the same seed is alike
// and not the same.
func seed(t *testing.T) uint64 {
	t.Helper()
	n := number(t, "SOAK_SEED", rand.Uint64N(1_000_000))
	t.Logf("SOAK_SEED=%d", n)
	return n
}

func random(seed, stream uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, stream)) }

// between is a random time.
func between(r *rand.Rand, from, to time.Duration) time.Duration {
	return from + time.Duration(r.Int64N(int64(to-from)))
}
