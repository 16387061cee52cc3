package run

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"superlistd/lists"
	"superlistd/lists/boltstore"
)

// Who has complained about a list is not added to it by anybody else; a member stays one, and a roster from elsewhere goes on without him.
func TestComplainedIsNotAdded(t *testing.T) {
	t.Parallel()
	file := settingsFile(t)
	listctl := func(wantErr, wantOut string, args ...string) {
		t.Helper()
		var stdout, stderr strings.Builder
		status := Listctl(append([]string{"--config", file}, args...), strings.NewReader(""), &stdout, &stderr)
		if (status == exitDone) != (wantOut != "") || !strings.Contains(stdout.String(), wantOut) || stderr.String() != wantErr {
			t.Errorf("listctl %q: status %d\n%s%s", args, status, stdout.String(), stderr.String())
		}
	}
	const team, refused = "team@lists.example.org", `: has complained about mail of team@lists.example.org; only its own confirmation makes it a member ("listctl invite")` + "\n"
	listctl("", "created", "create", team)
	listctl("", "added", "add", team, "bob@example.org")
	book, err := boltstore.OpenRecords(filepath.Join(filepath.Dir(file), "bounces.db"), "bounces", boltstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	at, err := time.Now().UTC().MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	err = book.Update(t.Context(), lists.Address{Local: "team", Domain: "lists.example.org"}, func(b *boltstore.Table) error {
		for _, who := range []string{"ann@example.org", "eve@example.org", "bob@example.org"} {
			if err := b.Put("x"+who, at); err != nil { // as package bouncing notes it
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	listctl("Ann@example.org"+refused+"eve@example.org"+refused+"no member was changed\n", "", "add", team, "max@example.org", "Ann@example.org", "eve@example.org")
	listctl("", "already a member", "add", team, "bob@example.org")
	listctl("ann@example.org"+refused, "max@example.org added", "sync", team, "max@example.org", "ann@example.org", "bob@example.org")
	listctl("", "bob@example.org\nmax@example.org\n", "members", team)
}
