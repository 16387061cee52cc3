package housetest_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"superlistd/internal/faultdisk"
	"superlistd/internal/housetest"
)

// judge is a test that may fail without harm.
type judge struct {
	testing.TB
	said []string
}

func (j *judge) Helper()                      {}
func (j *judge) Failed() bool                 { return len(j.said) > 0 }
func (j *judge) Logf(string, ...any)          {}
func (j *judge) Errorf(text string, a ...any) { j.said = append(j.said, fmt.Sprintf(text, a...)) }

func TestEachStep(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name              string
		steps, least, bad int // the run with this number fails
		runs              int
		said              string
	}{
		{"every step, and one run more", 3, 3, 0, 4, ""},
		{"too few steps", 2, 3, 0, 3, "only 2 steps, want 3"},
		{"nothing was broken", 0, 1, 0, 1, "only 0 steps, want 1"},
		{"the first failure is the last run", 3, 3, 2, 2, "run 2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			j, runs := &judge{TB: t}, 0
			housetest.EachStep(j, tt.least, func(n int) (broken string) {
				if runs++; runs != n {
					t.Errorf("run %d has the number %d", runs, n)
				}
				if n == tt.bad {
					j.Errorf("run %d", n)
				}
				if n <= tt.steps {
					broken = "step"
				}
				return broken
			})
			if said := strings.Join(j.said, ", "); said != tt.said || runs != tt.runs {
				t.Errorf("%d runs, %q; want %d, %q", runs, said, tt.runs, tt.said)
			}
		})
	}
}

// Of five calls the n-th fails, for every n, one letter each: ok, fault, or the fault of a process that is dead.
func TestCallFaults(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"once":         "foo ofo oof ooo",
		"from then on": "fff off oof ooo",
		"kill":         "ddd odd ood ooo",
	} {
		var got []string
		for _, f := range housetest.CallFaults {
			if f.Name != name {
				continue
			}
			f.EachStep(t, 3, func(c *housetest.Calls) {
				run := ""
				for range 3 {
					err := c.Step("call")
					switch dead := errors.Is(c.Disk.SyncDir(t.TempDir()), faultdisk.ErrCrashed); {
					case err == nil && !dead:
						run += "o"
					case errors.Is(err, housetest.ErrFault) && !dead:
						run += "f"
					case errors.Is(err, housetest.ErrFault):
						run += "d"
					}
				}
				got = append(got, run)
			})
		}
		if got := strings.Join(got, " "); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
