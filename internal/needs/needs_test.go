package needs_test

import (
	"fmt"
	"testing"

	"superlistd/internal/needs"
)

// end is how a test ended.
type end struct {
	testing.TB
	how string
}

func (e *end) Helper()           {}
func (e *end) Fatal(args ...any) { e.how = "failed: " + fmt.Sprint(args...); panic(e) }
func (e *end) Skip(args ...any)  { e.how = "skipped: " + fmt.Sprint(args...); panic(e) }

func ended(test func(testing.TB)) (how string) {
	e := &end{how: "passed"}
	defer func() {
		if r := recover(); r != nil && r != e {
			panic(r)
		}
		how = e.how
	}()
	test(e)
	return e.how
}

// What is missing is a word on a machine of somebody's own, and a failure in CI.
func TestMissing(t *testing.T) {
	program := func(name string) func(testing.TB) {
		return func(t testing.TB) { needs.Program(t, name) }
	}
	for _, tt := range []struct {
		ci   string
		test func(testing.TB)
		want string
	}{
		{"", program("sh"), "passed"},
		{"true", program("sh"), "passed"},
		{"", program("no-such-program"), "skipped: there is no no-such-program here"},
		{"true", program("no-such-program"), "failed: CI leaves nothing out: there is no no-such-program here"},
		{"false", func(t testing.TB) { needs.Missing(t, "no moon") }, "skipped: no moon"},
		{"true", func(t testing.TB) { needs.Missing(t, "no moon") }, "failed: CI leaves nothing out: no moon"},
	} {
		t.Setenv("CI", tt.ci)
		if got := ended(tt.test); got != tt.want {
			t.Errorf("CI=%s: %s, want %s", tt.ci, got, tt.want)
		}
	}
}
