package run

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"superlistd/delivery/spool"
	"superlistd/internal/smtptest"
	"superlistd/lists"
)

// While the lists are lost, as in the middle of a restore, nothing that was promised is thrown away by who goes on working: not
// what waits for a moderator, decided or not, not what waits for a digest, and not what is under way.
func TestALostStoreThrowsNothingAway(t *testing.T) {
	t.Parallel()
	peer := smtptest.Start(t)
	file, id := holding(t, peer, lists.Proven)
	data := filepath.Dir(file)
	store := filepath.Join(data, "lists.db")
	listctl := func(args, want string) {
		t.Helper()
		if _, got, faults := listctlOn(file, args); !strings.Contains(got+faults, want) {
			t.Errorf("%s: %s%s, want %q", args, got, faults, want)
		}
	}
	listctl("member team@lists.example.org bob@example.org delivery=digest", "")
	gatherOne(t, file, lists.Address{Local: "team", Domain: "lists.example.org"})
	put(t, data, idOf("ab"), func(e *spool.Entry) error { return e.Release(time.Now()) })
	listctl("queue", "0/100")
	if err := os.Rename(store, store+".kept"); err != nil {
		t.Fatal(err)
	}
	listctl("approve "+id, "the file is gone")
	maintain := func(want int) {
		t.Helper()
		var out, errs bytes.Buffer
		if status := Superlistd([]string{"maintain", "--config", file}, strings.NewReader(""), &out, &errs); status != want {
			t.Errorf("maintain: status %d, want %d, %s%s", status, want, &out, &errs)
		}
	}
	maintain(exitRefused)
	if _, err := os.Stat(store); err == nil {
		t.Error("a store was made")
	}
	if err := os.Rename(store+".kept", store); err != nil {
		t.Fatal(err)
	}
	listctl("held", id)
	listctl("digest team@lists.example.org", "1 post (")
	if got := entriesIn(t, data, "spool"); got != "ab" {
		t.Errorf("in the spool: %q", got)
	}
	maintain(exitDone)
	if _, got, _ := listctlOn(file, "held"); got != "" {
		t.Errorf("what was decided meanwhile is not carried out:\n%s", got)
	}
	listctl("digest team@lists.example.org", "2 posts (")
	if log, err := os.ReadFile(filepath.Join(data, "log")); err != nil || !bytes.Contains(log, []byte("the file is gone")) {
		t.Errorf("the log does not tell of it: %v\n%s", err, log)
	}
}
