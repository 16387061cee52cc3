package postfixtest_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/emersion/go-msgauth/dkim"

	"superlistd/internal/postfixtest"
	"superlistd/internal/smtptest"
)

// TestPersonalCopies is a list whose members each get a copy of their own, on a real Postfix, with the page where they leave.
func TestPersonalCopies(t *testing.T) {
	t.Parallel()
	postfixtest.Require(t)
	folder, err := os.MkdirTemp("", "superlistd-web-") // t.TempDir is closed to the account of superlistd
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	if err := os.Chmod(folder, 0o777); err != nil {
		t.Fatal(err)
	}
	door := filepath.Join(folder, "web")
	key, record := signingKey(t, "s1")
	p := start(t, postfixtest.Listener, func(name, text string) string {
		if name == "superlistd.toml" {
			text = strings.Replace(text, "\n[dkim]\n", "\n[dkim]\nselector = \"s1\"\nkey = \""+key+"\"\n", 1)
			text = strings.Replace(text, "#listen = \"\"\n#url = \"\"", "listen = \"unix:"+door+"\"\nurl = \"https://lists.example.org/leave\"", 1)
		}
		return text
	})
	members := []string{"ann@far.test", `"bea b"@far.test`, "dörte@far.test", "a-name-of-such-a-length-that-no-verp-has-room-for-it@far.test"}
	list := p.List("own", append(members, "dead3@far.test")...)
	p.Listctl("set", list, "copies=personal", "footer=-- \\nEach his own", "subject_prefix=[own]")
	c := front(t, p)
	c.Want("250", c.Send("ann@far.test", mail("ann@far.test", list, "own-post"), list))
	links := map[string]string{}
	for _, m := range p.Copies("Each his own", members...) {
		links[m.Rcpts[0]] = ownCopy(t, m, record)
	}
	p.WaitSuperlistdLog(`bounce taken .*list=own@`)
	if got := listctl(t, p, "bounces", list); !strings.Contains(got, "dead3@far.test") {
		t.Errorf("bounces: %s", got)
	}
	p.Listctl("member", list, members[1], "delivery=digest")
	p.Listctl("digest", "--send", list) // there was no digest yet, so nothing has to be waited for
	c.Want("250", c.Send("ann@far.test", mail("ann@far.test", list, "own-digest"), list))
	p.WaitEmpty()
	p.Listctl("digest", "--send", list)
	for _, m := range p.Copies("own Digest, Vol 1, Issue 1", members[1]) {
		ownCopy(t, m, record)
	}
	if got := press(t, door, links["dörte@far.test"]); got != http.StatusOK {
		t.Fatalf("one click: %d", got)
	}
	got := listctl(t, p, "members", list)
	for _, m := range members {
		if strings.Contains(got, m) == (m == "dörte@far.test") {
			t.Errorf("%s; members:\n%s", m, got)
		}
	}
}

// ownCopy checks what a member got, and returns his link.
func ownCopy(t *testing.T, m smtptest.Message, record string) string {
	t.Helper()
	local, _, _ := strings.Cut(strings.ReplaceAll(m.Rcpts[0], `"`, ""), "@")
	sender := strings.Trim(strings.ReplaceAll(m.Sender, `"`, ""), "<>")
	want := `^own-bounces\+b[a-z0-9]{10}\+` + regexp.QuoteMeta(local) + `=far\.test@lists\.example\.org$`
	if strings.Contains(local, "no-verp") {
		want = `^own-bounces\+b[a-z0-9]{10}@lists\.example\.org$`
	}
	if !regexp.MustCompile(want).MatchString(sender) {
		t.Errorf("to %q from %q, want %s", m.Rcpts, m.Sender, want)
	}
	found, err := dkim.VerifyWithOptions(strings.NewReader(m.Content), &dkim.VerifyOptions{
		LookupTXT: func(string) ([]string, error) { return []string{record}, nil },
	})
	if err != nil || len(found) != 1 || found[0].Err != nil {
		t.Errorf("signatures %+v, %v of\n%s", found, err, m.Content)
	} else if covered := strings.Join(found[0].HeaderKeys, " ") + " "; !strings.Contains(covered, "list-unsubscribe list-unsubscribe-post ") {
		t.Errorf("covered by the signature: %s", covered)
	}
	if !strings.Contains(m.Content, "\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n") {
		t.Errorf("no one click in\n%s", m.Content)
	}
	link := regexp.MustCompile(`\r\nList-Unsubscribe: <mailto:own-unsubscribe@lists\.example\.org>,\r\n\t<(https://lists\.example\.org/leave/u/[^>]+)>\r\n`).FindStringSubmatch(m.Content)
	if link == nil {
		t.Fatalf("no link in\n%s", m.Content)
	}
	return link[1]
}

// press does what a mail program does with a link (RFC 8058 section 3.1).
func press(t *testing.T, door, link string) int {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", door)
	}}}
	defer client.CloseIdleConnections()
	r, err := client.Post(strings.Replace(link, "https:", "http:", 1), "application/x-www-form-urlencoded", strings.NewReader("List-Unsubscribe=One-Click"))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	_, _ = io.Copy(io.Discard, r.Body)
	return r.StatusCode
}
