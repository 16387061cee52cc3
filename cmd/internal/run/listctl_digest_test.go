package run

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"superlistd/config"
	"superlistd/delivery"
	"superlistd/internal/smtptest"
	"superlistd/lists"
	"superlistd/message"
)

// What waits is shown, and sent when that is asked for; whoever wants posts one by one gets nothing of it.
func TestListctlDigest(t *testing.T) {
	t.Parallel()
	hop := smtptest.Start(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "superlistd.toml")
	text := fmt.Sprintf("hostname = \"mx.lists.test\"\ndomains = [\"lists.test\"]\nidentity.resolver = \"off\"\nrelay = %q\ndata = %q\n", hop.Addr(), dir+"/data")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	listctl := func(want int, args ...string) string {
		t.Helper()
		var out, errs bytes.Buffer
		if got := Listctl(append([]string{"--config", path}, args...), strings.NewReader(""), &out, &errs); got != want {
			t.Fatalf("%q: status %d: %s%s", args, got, &out, &errs)
		}
		return out.String() + errs.String()
	}
	listctl(exitDone, "create", "team@lists.test", "description=Team")
	listctl(exitDone, "add", "team@lists.test", "ann@example.org", "dora@example.org")
	listctl(exitDone, "member", "team@lists.test", "dora@example.org", "delivery=plain")
	gatherOne(t, path, lists.Address{Local: "team", Domain: "lists.test"})
	if got := listctl(exitDone, "digest", "team@lists.test"); !strings.Contains(got, "team@lists.test: 1 post (") || !strings.Contains(got, "(volume 1, issue 1)") {
		t.Errorf("what waits: %q", got)
	}
	if got := listctl(exitDone, "--json", "digest", "team@lists.test"); !strings.Contains(got, `{"list":"team@lists.test","posts":1,"size":`) {
		t.Errorf("as JSON: %q", got)
	}
	if got := listctl(exitDone, "digest", "--send", "team@lists.test"); got != "team@lists.test: a digest with 1 post was sent\n" {
		t.Errorf("sent: %q", got)
	}
	if got := listctl(exitDone, "digest", "--send", "team@lists.test"); got != "team@lists.test: nothing waits for the next digest (volume 1, issue 2)\n" {
		t.Errorf("sent again: %q", got)
	}
	listctl(exitRefused, "digest", "none@lists.test")
	listctl(exitRefused, "digest", "--send", "none@lists.test")
	listctl(exitUsage, "digest")
	mails := hop.Messages()
	if len(mails) != 1 || len(mails[0].Rcpts) != 1 || !strings.Contains(mails[0].Rcpts[0], "dora@example.org") ||
		!strings.Contains(string(mails[0].Content), "End of Team Digest, Vol 1, Issue 1") {
		t.Errorf("the next hop has %+v", mails)
	}
}

// gatherOne keeps a post for the issue that is gathered, after that was switched to.
func gatherOne(t *testing.T, path string, list lists.Address) {
	t.Helper()
	cfg, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	a, err := newApp(cfg, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()
	ctx := context.Background()
	if err := a.digests.Tick(ctx, time.Now()); err != nil {
		t.Fatal(err)
	}
	l, err := a.store.List(ctx, list)
	if err != nil || l.Digests.Members != 1 {
		t.Fatalf("%+v, %v", l.Digests, err)
	}
	err = a.digests.Gather(ctx, delivery.Gathered{
		List: list, Issue: l.Digests.Number, ID: strings.Repeat("0a", 16), At: time.Now(),
		Head: []byte("From: ann@example.org\r\nSubject: Lunch\r\n\r\n"), Body: message.Octets("At noon?\r\n"),
	})
	if err != nil {
		t.Fatal(err)
	}
}
