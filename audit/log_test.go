package audit_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"superlistd/audit"
	"superlistd/internal/needs"
	"superlistd/lists"
)

func file(t *testing.T, data, month string) string {
	t.Helper()
	return filepath.Join(data, "audit", "team.m.test", month+".jsonl")
}

func event(at time.Time, member string) audit.Event {
	return audit.Event{At: at, What: audit.Joined, Member: member}
}

func TestReadGoesByMonthsAndTime(t *testing.T) {
	t.Parallel()
	log := audit.Open(t.TempDir(), audit.Options{Now: noon})
	team := address(t, "team@m.test")
	must(t, log.Append(team, event(noon().AddDate(0, -2, 0), "a"), event(noon().Add(-time.Hour), "b"), event(time.Time{}, "c")))
	must(t, log.Append(address(t, "other@m.test"), event(noon(), "x")))
	for _, tt := range []struct {
		name  string
		since time.Time
		want  []string
	}{
		{"all", time.Time{}, []string{"joined a", "joined b", "joined c"}},
		{"of a month", noon().AddDate(0, -1, 0), []string{"joined b", "joined c"}},
		{"of half an hour, said in another zone", noon().Add(-30 * time.Minute).In(time.FixedZone("", 13*3600)), []string{"joined c"}},
		{"of the future", noon().Add(time.Minute), nil},
	} {
		var got []string
		must(t, log.Read(team, tt.since, func(e audit.Event) error {
			if e.List != "team@m.test" {
				t.Errorf("%s: of %s", tt.name, e.List)
			}
			got = append(got, short(e))
			return nil
		}))
		if !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	stop := errors.New("enough")
	if err := log.Read(team, time.Time{}, func(audit.Event) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("yield's error became %v", err)
	}
	if got := said(t, log, address(t, "nolist@m.test")); len(got) != 0 {
		t.Errorf("of a list that never was: %q", got)
	}
}

// The law: whatever stands in a file, what is appended later is read, and so is all that was whole before.
func TestDamageCostsItsOwnLinesOnly(t *testing.T) {
	t.Parallel()
	for name, damage := range map[string]string{
		"a cut line":             `{"at":"2026-11-21T12:00:00Z","list":"team@m.test","what":"jo`,
		"a line without its end": `{"at":"2026-11-21T12:00:00Z","list":"team@m.test"}`,
		"no JSON":                "\x00\x00\xff\n",
		"another JSON":           "[1]\n{}\n\"at\"\n",
		"a line without an end":  strings.Repeat("x", 2<<20),
		"empty lines":            "\n\n",
	} {
		data := t.TempDir()
		log := audit.Open(data, audit.Options{Now: noon})
		team := address(t, "team@m.test")
		must(t, log.Append(team, event(noon(), "before")))
		from, err := log.End(team)
		must(t, err)
		f, err := os.OpenFile(file(t, data, "2026-11"), os.O_APPEND|os.O_WRONLY, 0)
		must(t, err)
		_, err = f.WriteString(damage)
		must(t, errors.Join(err, f.Close()))
		if got := said(t, log, team); !reflect.DeepEqual(got, []string{"joined before"}) {
			t.Errorf("%s: %q", name, got)
		}
		must(t, log.Append(team, event(noon(), "after")))
		if got := said(t, log, team); !reflect.DeepEqual(got, []string{"joined before", "joined after"}) {
			t.Errorf("%s, and one more: %q", name, got)
		}
		var got []string
		next, err := log.After(team, from, func(e audit.Event) error {
			got = append(got, short(e))
			return nil
		})
		must(t, err)
		if end, err := log.End(team); err != nil || !reflect.DeepEqual(next, end) || !reflect.DeepEqual(got, []string{"joined after"}) {
			t.Errorf("%s: after %v come %q, up to %v of %v, %v", name, from, got, next, end, err)
		}
	}
}

// A position tells of each event once, to whichever month the clock has written it.
func TestAPositionDoesNotGoByTheClock(t *testing.T) {
	t.Parallel()
	log := audit.Open(t.TempDir(), audit.Options{})
	team := address(t, "team@m.test")
	var at audit.Position
	for i, when := range []time.Time{noon(), noon().AddDate(3, 0, 0), noon().AddDate(-1, 0, 0), noon(), noon().AddDate(3, 0, 0)} {
		who := fmt.Sprint("m", i)
		must(t, log.Append(team, event(when, who)))
		var got []string
		next, err := log.After(team, at, func(e audit.Event) error {
			got = append(got, e.Member)
			return nil
		})
		if err != nil || !reflect.DeepEqual(got, []string{who}) {
			t.Errorf("event %d: %q, %v", i, got, err)
		}
		at = next
	}
}

// Processes that write at the same time lose nothing to each other.
func TestManyWriters(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	team := address(t, "team@m.test")
	const writers, each = 8, 50
	var wg sync.WaitGroup
	for w := range writers {
		log := audit.Open(data, audit.Options{Fault: fails(t)})
		wg.Go(func() {
			for i := range each {
				log.Note(team, audit.Event{What: audit.Joined, Member: fmt.Sprint(w, ".", i), Why: strings.Repeat("y", 1000)})
			}
		})
	}
	wg.Wait()
	seen := map[string]bool{}
	for _, s := range said(t, audit.Open(data, audit.Options{}), team) {
		seen[s] = true
	}
	if len(seen) != writers*each {
		t.Errorf("%d of %d events", len(seen), writers*each)
	}
}

func TestOldMonthsAreForgotten(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	log := audit.Open(data, audit.Options{Months: 2})
	team := address(t, "team@m.test")
	must(t, log.Tick(noon())) // before there is anything
	for back := range 6 {
		must(t, log.Append(team, event(noon().AddDate(0, -back, -20), fmt.Sprint(back))))
	}
	must(t, log.Append(address(t, "old@m.test"), event(noon().AddDate(-1, 0, 0), "o")))
	left := func() (n int) { return len(said(t, log, team)) }
	now := noon()
	for i, want := range []int{5, 4, 3, 3} {
		must(t, log.Tick(now))
		must(t, log.Tick(now.Add(time.Hour))) // not again on the same day
		if left() != want {
			t.Errorf("day %d: %d months are left, want %d", i, left(), want)
		}
		now = now.AddDate(0, 0, 1)
	}
	must(t, audit.Open(data, audit.Options{}).Tick(now.AddDate(10, 0, 0)))
	if left() != 3 {
		t.Error("what is kept for ever was forgotten")
	}
	if _, err := os.Stat(filepath.Join(data, "audit", "old.m.test")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder of a list without events: %v", err)
	}
}

// Names of lists make no paths.
func TestAnyListHasAFolderOfItsOwn(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	log := audit.Open(data, audit.Options{})
	names := []string{`"../../x"@m.test`, `"a/b"@m.test`, `"a b"@m.test`, strings.Repeat("ü", 32) + "@" + strings.Repeat("abcdefgh.", 20) + "test", strings.Repeat("ü", 31) + "ä@" + strings.Repeat("abcdefgh.", 20) + "test"}
	for _, name := range names {
		a := address(t, name)
		must(t, log.Append(a, audit.Event{What: audit.Joined, Member: name}))
		if got := said(t, log, a); len(got) != 1 {
			t.Errorf("%s: %q", name, got)
		}
	}
	folders, err := os.ReadDir(filepath.Join(data, "audit"))
	above, _ := os.ReadDir(data)
	if err != nil || len(folders) != len(names) || len(above) != 1 {
		t.Errorf("%d folders for %d lists beside %d, %v", len(folders), len(names), len(above), err)
	}
}

// What root's listctl writes first, the account that serves can write on.
func TestFilesOfRoot(t *testing.T) {
	t.Parallel()
	needs.Root(t, "only root can give files away")
	const uid = 12345
	data := t.TempDir()
	must(t, os.Chown(data, uid, uid))
	log := audit.Open(data, audit.Options{Months: 1, Now: noon})
	must(t, log.Append(address(t, "team@m.test"), audit.Event{What: audit.Joined, Member: "m"}))
	must(t, log.Tick(noon()))
	n := 0
	must(t, filepath.WalkDir(data, func(path string, _ os.DirEntry, _ error) error {
		n++
		info, err := os.Lstat(path)
		if err == nil && info.Sys().(*syscall.Stat_t).Uid != uid {
			t.Errorf("%s is of root", path)
		}
		return err
	}))
	if n != 5 {
		t.Errorf("%d files and folders", n)
	}
}

// Two lists may have the same List-Id; who reads of one does not hear of the other.
func TestListsOfOneFolder(t *testing.T) {
	t.Parallel()
	log := audit.Open(t.TempDir(), audit.Options{Now: noon})
	one, other := address(t, "a.b@c.test"), address(t, "a@b.c.test")
	must(t, log.Append(one, audit.Event{What: audit.Joined, Member: "one@x.test"}))
	must(t, log.Append(other, audit.Event{What: audit.Joined, Member: "other@x.test"}))
	if got := said(t, log, address(t, "A.B@C.test")); len(got) != 1 || !strings.Contains(got[0], "one@x.test") {
		t.Errorf("%q", got)
	}
	n := 0
	_, err := log.After(other, nil, func(e audit.Event) error {
		n++
		return nil
	})
	if err != nil || n != 1 {
		t.Errorf("%d events, %v", n, err)
	}
}

// The law: whatever a file holds, each event that comes out of it can be written and read again, and reading ends at the file's last line.
func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"at":"2026-11-21T12:00:00Z","list":"team@m.test","what":"joined","members":["a","b"]}` + "\n"))
	f.Add([]byte("{\"at\":\"2026-11-21T12:00:00Z\",\"what\":\"x\",\"new\":\"\xff\\u0000\"}\n{"))
	f.Fuzz(func(t *testing.T, text []byte) {
		data := t.TempDir()
		team := lists.Address{Local: "team", Domain: "m.test"}
		path := file(t, data, "2026-11")
		must(t, os.MkdirAll(filepath.Dir(path), 0o700))
		must(t, os.WriteFile(path, text, 0o600))
		log := audit.Open(data, audit.Options{})
		n := 0
		end, err := log.After(team, nil, func(e audit.Event) error {
			if len(e.What)+len(e.Way) < 1000 { // which are never long
				n++
				e.At = noon()
				return log.Append(address(t, "copy@m.test"), e)
			}
			return nil
		})
		must(t, err)
		if last := int64(strings.LastIndexByte(string(text), '\n') + 1); end["2026-11.jsonl"] != last {
			t.Fatalf("read up to %d of %d", end["2026-11.jsonl"], last)
		}
		if copies := len(said(t, log, address(t, "copy@m.test"))); copies != n {
			t.Fatalf("%d events became %d", n, copies)
		}
	})
}
