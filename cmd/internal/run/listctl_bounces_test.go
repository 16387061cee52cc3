package run

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"superlistd/bouncing"
	"superlistd/lists"
	"superlistd/lists/boltstore"
)

// Who has points is printed, for people and for scripts, and is not any more after a reset.
func TestBouncesAreShown(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	settings := filepath.Join(data, "superlistd.toml")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.WriteFile(settings, fmt.Appendf(nil, "hostname = \"mx.test\"\ndomains = [\"lists.test\"]\nrelay = \"127.0.0.1:10026\"\ndata = %q\n", data), 0o600))
	ctl := func(args ...string) string {
		t.Helper()
		var out, errs bytes.Buffer
		if status := Listctl(append([]string{"--config", settings}, args...), strings.NewReader(""), &out, &errs); status != exitDone {
			t.Fatalf("%q: %d, %s", args, status, errs.String())
		}
		return out.String()
	}
	ctl("create", "team@lists.test")
	ctl("add", "team@lists.test", "Ann@m.test", "bob@m.test")

	store, err := boltstore.Open(filepath.Join(data, "lists.db"), boltstore.Options{})
	must(err)
	book, err := boltstore.OpenRecords(filepath.Join(data, "bounces.db"), "bounces", boltstore.Options{})
	must(err)
	desk := bouncing.New(bouncing.Options{Store: store, Book: book})
	desk.Refused(lists.Address{Local: "team", Domain: "lists.test"}, "ann@m.test", "550 5.1.1 no such\x1b[2J user")
	must(desk.Flush(t.Context()))

	table := regexp.MustCompile(`^LIST MEMBER SCORE LAST STATE SAID team@lists\.test Ann@m\.test 1 \d{4}-\d\d-\d\d - 550 5\.1\.1 no such[^\x1b]*$`)
	object := regexp.MustCompile(`^\{"list":"team@lists\.test","member":"Ann@m\.test","score":1,"last":"\d{4}-\d\d-\d\dT00:00:00Z","state":"","since":"","notices":0,"said":"550`)
	for _, args := range [][]string{{"bounces"}, {"bounces", "team@lists.test"}, {"bounces", "ann@m.test"}, {"bounces", "team@lists.test", "ann@m.test"}} {
		got := strings.Join(strings.Fields(ctl(args...)), " ")
		if !table.MatchString(got) {
			t.Errorf("%q prints %q", args, got)
		}
	}
	if got := ctl("bounces", "bob@m.test"); got != "" {
		t.Errorf("bob: %q", got)
	}
	if got := ctl("--json", "bounces"); !object.MatchString(got) {
		t.Errorf("JSON %q", got)
	}
	if got := ctl("bounces", "--reset", "team@lists.test"); got != "team@lists.test: Ann@m.test: bounces forgotten\n" {
		t.Errorf("reset: %q", got)
	}
	if got := ctl("bounces"); got != "" {
		t.Errorf("after the reset: %q", got)
	}
}
