package run

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"superlistd/delivery/spool"
	"superlistd/internal/needs"
	"superlistd/lists"
	"superlistd/wire"
)

var queueNow = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// idOf makes an id that begins so.
func idOf(prefix string) string { return prefix + strings.Repeat("0", 32-len(prefix)) }

// put makes an entry for a hundred members, accepted an hour before queueNow; then does what it says with it.
func put(t *testing.T, data, id string, then func(*spool.Entry) error) {
	t.Helper()
	s := spool.Open(data, spool.Options{Now: func() time.Time { return queueNow.Add(-time.Hour) }})
	team := lists.Address{Local: "team", Domain: "lists.example.org"}
	e, err := s.Prepare(spool.Plan{
		ID: id, List: team, ReversePath: lists.Address{Local: "team-bounces", Domain: "lists.example.org"},
		MessageID: "<lunch@example.net>", Client: wire.ClientInfo{Name: "mail.example.net", Addr: "192.0.2.25"},
		Audience: spool.Audience{List: team, Members: 100}, Owners: []string{"olga@example.org", "otto@example.org"},
	}, []byte("Subject: Lunch\r\n\r\n"), strings.NewReader("At noon?\r\n"), 10)
	if err == nil {
		err = e.Publish()
	}
	if err == nil {
		err = then(e)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// fillQueue makes one entry of each kind; the one that is worked on is held until the test ends.
func fillQueue(t *testing.T, data string) {
	t.Helper()
	put(t, data, idOf("a1"), func(e *spool.Entry) error {
		e.Note(spool.Served{Ranges: []spool.Range{{UpTo: "b"}}}, 40, 2)
		e.Tried("127.0.0.1:10026: connection refused")
		return e.Release(queueNow.Add(5 * time.Minute))
	})
	put(t, data, idOf("a2"), func(e *spool.Entry) error { return e.Release(queueNow.Add(-time.Second)) })
	put(t, data, idOf("b"), func(e *spool.Entry) error {
		t.Cleanup(func() { e.Release(queueNow) })
		return nil
	})
	put(t, data, idOf("c"), func(e *spool.Entry) error {
		e.Tried(strings.Repeat("x", 120))
		e.Told()
		return e.Fail()
	})
	put(t, data, idOf("d"), func(e *spool.Entry) error { return e.Release(queueNow) })
	failed := queueNow.Add(-10 * time.Minute)
	if err := os.Chtimes(filepath.Join(data, "failed", idOf("c")), failed, failed); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(data, "spool", idOf("d")), []byte("no entry"), 0o640); err != nil {
		t.Fatal(err)
	}
}

func queueAsPrinted(t *testing.T, data string, json bool) string {
	t.Helper()
	entries, err := spool.Open(data, spool.Options{}).Entries()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	c := &listctl{stdout: bufio.NewWriter(&out), json: json}
	if err := c.printQueue(entries, queueNow); err != nil {
		t.Fatal(err)
	}
	c.stdout.Flush()
	return out.String()
}

// The sizes differ with the journal; they are not what is looked at.
var sizes = regexp.MustCompile(`\b(\d+B|\d\.\dkB)`)

func TestQueueAsATable(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	if got := queueAsPrinted(t, data, false); got != "" {
		t.Errorf("an empty queue prints %q", got)
	}
	fillQueue(t, data)
	got := sizes.ReplaceAllString(queueAsPrinted(t, data, false), "SIZE")
	got = regexp.MustCompile(` +`).ReplaceAllString(got, " ")
	want := `ID LIST AGE SERVED SIZE STATE LAST ERROR
d0000000 - - - SIZE damaged damaged spool entry: its first line is not that of an entry
a1000000 team@lists.example.org 1h 42/100 SIZE waiting, next in 5m 127.0.0.1:10026: connection refused
a2000000 team@lists.example.org 1h 0/100 SIZE waiting, due
b0000000 team@lists.example.org 1h 0/100 SIZE working
c0000000 team@lists.example.org 1h 0/100 SIZE failed 10m ago ` + strings.Repeat("x", 100) + "…\n"
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("(-got +want)\n%s", diff)
	}
}

func TestQueueAsJSON(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	if got := queueAsPrinted(t, data, true); got != "[]\n" {
		t.Errorf("an empty queue prints %q", got)
	}
	fillQueue(t, data)
	text := queueAsPrinted(t, data, true)
	var got []jsonEntry
	if err := json.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	for i := range got {
		if got[i].Size <= 0 {
			t.Errorf("%s has a size of %d", got[i].ID, got[i].Size)
		}
		got[i].Size = 0
	}
	entry := func(id, state string) jsonEntry {
		return jsonEntry{
			ID: idOf(id), List: "team@lists.example.org", State: state, Accepted: "2026-11-21T11:00:00Z", Members: 100,
			ReversePath: "team-bounces@lists.example.org", MessageID: "<lunch@example.net>", Owners: []string{"olga@example.org", "otto@example.org"},
		}
	}
	want := []jsonEntry{{ID: idOf("d"), State: "damaged", Owners: []string{}, Fault: "damaged spool entry: its first line is not that of an entry"},
		entry("a1", "waiting"), entry("a2", "waiting"), entry("b", "working"), entry("c", "failed")}
	want[1].Delivered, want[1].Refused, want[1].Attempts, want[1].Error, want[1].Due = 40, 2, 1, "127.0.0.1:10026: connection refused", "2026-11-21T12:05:00Z"
	want[2].Due = "2026-11-21T11:59:59Z"
	want[4].Failed, want[4].Attempts, want[4].Error, want[4].Told = "2026-11-21T11:50:00Z", 1, strings.Repeat("x", 120), true
	if diff := cmp.Diff(got, want); diff != "" {
		t.Errorf("(-got +want)\n%s", diff)
	}
	// Keys are never left out: a script need not ask whether they are there.
	var keys []map[string]any
	if err := json.Unmarshal([]byte(text), &keys); err != nil {
		t.Fatal(err)
	}
	for _, e := range keys {
		for _, key := range regexp.MustCompile(`"[a-z_]+"`).FindAllString(queueHelp[strings.Index(queueHelp, `{"id"`):strings.Index(queueHelp, "}")], -1) {
			if v, ok := e[strings.Trim(key, `"`)]; !ok || v == nil {
				t.Errorf("%s has no key %s", e["id"], key)
			}
		}
	}
	if strings.Contains(text, `\u003c`) {
		t.Error("angle brackets are escaped")
	}
}

func TestQueueOrders(t *testing.T) {
	t.Parallel()
	a1, a2, b, c, d := idOf("a1"), idOf("a2"), idOf("b"), idOf("c"), idOf("d")
	damaged := ": it is damaged, and can only be deleted: damaged spool entry: its first line is not that of an entry\n"
	for _, tt := range []struct {
		args           string
		want           int
		stdout, stderr string
		waiting        string // first digits of what is in the spool afterwards
		failed         string
	}{
		{"queue retry a1", exitDone, a1 + " to team@lists.example.org is due now\n", "", "a1 a2 b d", "c"},
		{"queue retry C a1", exitDone, c + " to team@lists.example.org is due now\n" + a1 + " to team@lists.example.org is due now\n", "", "a1 a2 b c d", ""},
		{"queue retry b", exitRefused, "", b + ": it is being worked on at this moment: try again when it waits\n", "a1 a2 b d", "c"},
		{"queue retry d", exitRefused, "", d + damaged, "a1 a2 b d", "c"},
		{"queue retry all", exitRefused, a1 + " to team@lists.example.org is due now\n" + a2 + " to team@lists.example.org is due now\n" +
			b + " to team@lists.example.org is being worked on\n" + c + " to team@lists.example.org is due now\n", d + damaged, "a1 a2 b c d", ""},
		{"queue retry --json a1 c", exitDone, `{"retried":["` + a1 + `","` + c + "\"]}\n", "", "a1 a2 b c d", ""},
		{"queue delete a1", exitDone, a1 + " deleted: the post to team@lists.example.org goes no further, 42 of 100 members served, 2 of them refused by the next hop\n", "", "a2 b d", "c"},
		{"queue delete c d", exitDone, c + " deleted: the post to team@lists.example.org goes no further, 0 of 100 members served\n" + d + " deleted; it was damaged\n", "", "a1 a2 b", ""},
		{"queue delete a2 " + a2 + " a2", exitDone, a2 + " deleted: the post to team@lists.example.org goes no further, 0 of 100 members served\n", "", "a1 b d", "c"},
		{"queue delete b a2", exitRefused, a2 + " deleted: the post to team@lists.example.org goes no further, 0 of 100 members served\n", b + ": it is being worked on at this moment: try again when it waits\n", "a1 b d", "c"},
		{"queue delete --json c", exitDone, `{"deleted":["` + c + "\"]}\n", "", "a1 a2 b d", ""},
		{"queue delete a", exitRefused, "", "\"a\": 2 entries begin so; give more of the id\n", "a1 a2 b d", "c"},
		{"queue delete a1 f c", exitRefused, "", "\"f\": no such entry in the queue\n", "a1 a2 b d", "c"},
		{"queue delete all a1", exitRefused, "", "\"all\": no such entry in the queue\n", "a1 a2 b d", "c"},
		{"queue delete all", exitRefused, "", "nothing was deleted: --yes means it\n", "a1 a2 b d", "c"},
		{"queue delete --json --yes all", exitRefused, `{"deleted":["` + d + `","` + a1 + `","` + a2 + `","` + c + "\"]}\n",
			b + ": it is being worked on at this moment: try again when it waits\n", "b", ""},
		{"queue show a", exitRefused, "", "\"a\": 2 entries begin so; give more of the id\n", "a1 a2 b d", "c"},
		{"queue show ../x", exitRefused, "", "\"../x\": no such entry in the queue\n", "a1 a2 b d", "c"},
		{"queue show", exitUsage, "", "usage: listctl queue show ID\n", "a1 a2 b d", "c"},
		{"queue show a1 a2", exitUsage, "", "usage: listctl queue show ID\n", "a1 a2 b d", "c"},
		{"queue retry", exitUsage, "", "usage: listctl queue retry ID...|all\n", "a1 a2 b d", "c"},
		{"queue delete", exitUsage, "", "usage: listctl queue delete [--yes] ID...|all\n", "a1 a2 b d", "c"},
		{"queue flush", exitUsage, "", "\"flush\" is not a command of queue: try \"listctl queue --help\"\n", "a1 a2 b d", "c"},
	} {
		t.Run(tt.args, func(t *testing.T) {
			t.Parallel()
			file := settingsFile(t)
			data := filepath.Dir(file)
			fillQueue(t, data)
			status, stdout, stderr := listctlOn(file, tt.args)
			if status != tt.want || stdout != tt.stdout || stderr != tt.stderr {
				t.Errorf("exit status %d, want %d\nstdout %swant   %s\nstderr %swant   %s", status, tt.want, stdout, tt.stdout, stderr, tt.stderr)
			}
			if got := entriesIn(t, data, "spool"); got != tt.waiting {
				t.Errorf("in the spool: %s, want %s", got, tt.waiting)
			}
			if got := entriesIn(t, data, "failed"); got != tt.failed {
				t.Errorf("failed: %s, want %s", got, tt.failed)
			}
		})
	}
}

func listctlOn(file, args string) (status int, stdout, stderr string) {
	var out, faults bytes.Buffer
	status = Listctl(append([]string{"--config", file}, strings.Fields(args)...), strings.NewReader(""), &out, &faults)
	return status, out.String(), faults.String()
}

func entriesIn(t *testing.T, data, folder string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(data, folder, strings.Repeat("[0-9a-f]", 32)))
	if err != nil {
		t.Fatal(err)
	}
	for i := range files {
		files[i] = strings.TrimRight(filepath.Base(files[i]), "0")
	}
	return strings.Join(files, " ")
}

func TestQueueShow(t *testing.T) {
	t.Parallel()
	file := settingsFile(t)
	fillQueue(t, filepath.Dir(file))
	_, got, _ := listctlOn(file, "queue show c")
	for _, line := range []string{
		`id +c0{31}`, `list +team@lists.example.org`, `reverse-path +<team-bounces@lists.example.org>`, `message-id +<lunch@example.net>`,
		`client +mail.example.net\[192.0.2.25\]`, `accepted +2026-11-21 11:00:00 UTC, .* ago`, `state +failed .* ago`, `progress +0 of 100 members served`,
		`attempts +1`, `size +.*B`, `owners +olga@example.org, otto@example.org`, `told +the owners know that it failed`, `last error +x{120}`,
		`listctl queue retry c0{7} +due now, .*`, `listctl queue delete c0{7} +gone: .*`,
	} {
		if !regexp.MustCompile(`(?m)^` + line + `$`).MatchString(got) {
			t.Errorf("no line %q in\n%s", line, got)
		}
	}
	if _, got, _ := listctlOn(file, "queue show d"); !strings.Contains(got, "damaged") || !strings.Contains(got, "first line") || strings.Contains(got, "0001-01-01") ||
		strings.Contains(got, "queue retry") || !strings.Contains(got, "queue delete d0000000 ") {
		t.Errorf("of a damaged one it says\n%s", got)
	}
	if _, got, _ := listctlOn(file, "queue show b"); strings.Contains(got, "listctl") {
		t.Errorf("of one that is worked on it says\n%s", got)
	}
	if _, got, _ := listctlOn(file, "queue show a1 --json"); !strings.HasPrefix(got, `{"id":"a1`) || strings.Count(got, "\n") != 1 {
		t.Errorf("as JSON %s", got)
	}
	entry := spool.Info{Plan: spool.Plan{Client: wire.ClientInfo{Name: wire.Unavailable, Addr: wire.Unavailable}}}
	if got := clientOf(entry); got != "" {
		t.Errorf("an unknown client is %q", got)
	}
}

func TestQueueOfNothing(t *testing.T) {
	t.Parallel()
	file := settingsFile(t)
	for args, want := range map[string]string{"queue": "", "queue --json": "[]\n", "queue retry all": "", "queue retry all --json": "{\"retried\":[]}\n"} {
		if status, stdout, stderr := listctlOn(file, args); status != exitDone || stdout != want || stderr != "" {
			t.Errorf("%s: exit status %d, stdout %q, stderr %q", args, status, stdout, stderr)
		}
	}
	files, err := os.ReadDir(filepath.Dir(file))
	if err != nil || len(files) != 1 {
		t.Errorf("looking has made files: %v, %v", files, err)
	}
	if err := os.RemoveAll(filepath.Dir(file)); err != nil {
		t.Fatal(err)
	}
	away := filepath.Join(t.TempDir(), "away.toml")
	text := fmt.Sprintf("hostname = \"mx.example.org\"\ndomains = [\"lists.example.org\"]\nidentity.resolver = \"off\"\nrelay = \"127.0.0.1:10026\"\ndata = %q\n", filepath.Dir(file))
	if err := os.WriteFile(away, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, stdout, stderr := listctlOn(away, "queue"); status != exitRefused || stdout != "" || !strings.Contains(stderr, "no such file") {
		t.Errorf("a folder that is not there: exit status %d, stdout %q, stderr %q", status, stdout, stderr)
	}
}

func TestPickEntryPrefersTheYoungerNamesake(t *testing.T) {
	t.Parallel()
	old, young := spool.Info{ID: idOf("a"), Failed: true}, spool.Info{ID: idOf("a")}
	for _, entries := range [][]spool.Info{{old, young}, {young, old}} {
		if got, err := pickEntry(entries, "a"); err != nil || got.Failed {
			t.Errorf("%+v, %v", got, err)
		}
	}
	if _, err := pickEntry([]spool.Info{old}, ""); err == nil {
		t.Error("no id at all is taken for one")
	}
	if n := shortest([]spool.Info{{ID: idOf("123456789a")}, {ID: idOf("123456789b")}, old, young}); n != 10 {
		t.Errorf("%d digits tell them apart", n)
	}
}

func TestQueueOrdersOfRootLeaveOwnersAlone(t *testing.T) {
	t.Parallel()
	needs.Root(t, "only root makes files that belong to others")
	file := settingsFile(t)
	data := filepath.Dir(file)
	fillQueue(t, data)
	each := func(do func(path string, stat *syscall.Stat_t) error) {
		t.Helper()
		err := filepath.WalkDir(data, func(path string, d fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			info, err := d.Info()
			if err != nil {
				return err
			}
			return do(path, info.Sys().(*syscall.Stat_t))
		})
		if err != nil {
			t.Error(err)
		}
	}
	each(func(path string, _ *syscall.Stat_t) error { return os.Chown(path, 1234, 2345) })
	for _, args := range []string{"queue", "queue show a1", "queue retry a1 c", "queue delete a2"} {
		if status, _, stderr := listctlOn(file, args); status != exitDone {
			t.Errorf("%s: %s", args, stderr)
		}
	}
	each(func(path string, stat *syscall.Stat_t) error {
		if stat.Uid != 1234 || stat.Gid != 2345 {
			return fmt.Errorf("%s belongs to %d:%d", path, stat.Uid, stat.Gid)
		}
		return nil
	})
}

func TestAgesAndSizes(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		-time.Hour: "0s", 0: "0s", 59*time.Second + 999*time.Millisecond: "59s", time.Minute: "1m", 59 * time.Minute: "59m", time.Hour: "1h", 47 * time.Hour: "47h", 48 * time.Hour: "2d", 1000 * time.Hour: "41d",
	} {
		if got := showAge(d); got != want {
			t.Errorf("showAge(%v) = %s, want %s", d, got, want)
		}
	}
	for n, want := range map[int64]string{
		0: "0B", 999: "999B", 1000: "1.0kB", 1260: "1.3kB", 9949: "9.9kB", 9950: "10kB", 999_499: "999kB", 999_500: "1.0MB", 2_000_000_000: "2.0GB", 83_000_000_000: "83GB", 5_000_000_000_000_000: "5000TB",
	} {
		if got := showSize(n); got != want {
			t.Errorf("showSize(%d) = %s, want %s", n, got, want)
		}
	}
}
