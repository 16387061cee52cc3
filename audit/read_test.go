package audit_test

import (
	"errors"
	"os"
	"reflect"
	"strings"
	"syscall"
	"testing"
	"time"

	"superlistd/audit"
)

// A file that is shorter than what was read of it is another one: it is not told again, and what comes then is.
func TestAFileWasPutBack(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	log := audit.Open(data, audit.Options{})
	team := address(t, "team@m.test")
	must(t, log.Append(team, event(noon(), "a"), event(noon(), "b")))
	at, err := log.End(team)
	must(t, err)
	old, err := os.ReadFile(file(t, data, "2026-11"))
	must(t, err)
	must(t, os.WriteFile(file(t, data, "2026-11"), old[:len(old)/2], 0o600)) // its half, which is the first line
	var got []string
	read := func(e audit.Event) error {
		got = append(got, e.Member)
		return nil
	}
	at, err = log.After(team, at, read)
	must(t, err)
	must(t, log.Append(team, event(noon(), "c")))
	if _, err = log.After(team, at, read); err != nil || !reflect.DeepEqual(got, []string{"c"}) {
		t.Errorf("%q, %v", got, err)
	}
}

// What cannot be read is an error, and moves no position.
func TestUnreadableFile(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	log := audit.Open(data, audit.Options{})
	team := address(t, "team@m.test")
	must(t, os.MkdirAll(file(t, data, "2026-11"), 0o700)) // a folder in its place
	none := func(audit.Event) error { return nil }
	if at, err := log.After(team, nil, none); at != nil || !errors.Is(err, syscall.EISDIR) {
		t.Errorf("After: %v, %v", at, err)
	}
	if err := log.Read(team, time.Time{}, none); !errors.Is(err, syscall.EISDIR) {
		t.Errorf("Read: %v", err)
	}
	if err := log.Append(team, event(noon(), "a")); !errors.Is(err, syscall.EISDIR) {
		t.Errorf("Append: %v", err)
	}
}

// A text of any length is one line that can be read, cut between characters.
func TestLongTextsAreCut(t *testing.T) {
	t.Parallel()
	log := audit.Open(t.TempDir(), audit.Options{})
	team := address(t, "team@m.test")
	must(t, log.Append(team, audit.Event{What: audit.Storm, Why: "x" + strings.Repeat("é", 100_000)}))
	must(t, log.Read(team, time.Time{}, func(e audit.Event) error {
		if len(e.Why) > 2010 || !strings.HasSuffix(e.Why, "é…") {
			t.Errorf("%d octets, %q", len(e.Why), e.Why[len(e.Why)-10:])
		}
		return nil
	}))
}
