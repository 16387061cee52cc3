package housetest

import (
	"errors"
	"testing"

	"superlistd/lists"
)

// Must ends the test on an error.
func Must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// WantError checks what an error is; a want of nil: none.
func WantError(t testing.TB, got, want error) {
	t.Helper()
	if !errors.Is(got, want) {
		t.Errorf("error %v, want %v", got, want)
	}
}

// Address parses one that is right.
func Address(t testing.TB, s string) lists.Address {
	t.Helper()
	a, err := lists.ParseAddress(s)
	Must(t, err)
	return a
}
