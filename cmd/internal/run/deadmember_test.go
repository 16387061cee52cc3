package run

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"superlistd/config"
	"superlistd/internal/postfixtest"
	"superlistd/internal/smtptest"
	"superlistd/lists"
)

// farWorld is another Postfix, which has the mailboxes in a file: one name a line.
type farWorld struct {
	*postfixtest.Postfix
	mailboxes string
}

// startFar starts it with mailboxes, and with those that answer something of their own to RCPT.
func startFar(t *testing.T, mailboxes []string, answers map[string]string) farWorld {
	dir := t.TempDir()
	f := farWorld{mailboxes: filepath.Join(dir, "mailboxes")}
	f.have(t, mailboxes...)
	full := filepath.Join(dir, "full")
	var lines strings.Builder
	for name, answer := range answers {
		fmt.Fprintf(&lines, "%s %s\n", name, answer)
	}
	writeFile(t, full, lines.String())
	f.Postfix = postfixtest.Start(t, postfixtest.Options{Shape: postfixtest.Listener, Alone: true, Edit: func(name, text string) string {
		switch name {
		case "main.cf":
			return withSettings(text, "myhostname = mx.far.test", "transport_maps =", "relay_domains = far.test", "relay_recipient_maps = texthash:"+f.mailboxes,
				"smtpd_recipient_restrictions = check_recipient_access texthash:"+full)
		case "master.cf": // no filter, and each connection sees the mailboxes of now
			return regexp.MustCompile(`-o smtpd_proxy_filter=[0-9].*`).ReplaceAllString(text, "-o max_use=1")
		}
		return text
	}})
	return f
}

// withSettings puts lines into a main.cf, in the place of those that set the same.
func withSettings(text string, lines ...string) string {
	for _, line := range lines {
		name, _, _ := strings.Cut(line, " ")
		text = regexp.MustCompile(`(?m)^`+name+` =.*\n`).ReplaceAllString(text, "") + line + "\n"
	}
	return text
}

// have are the mailboxes from now on.
func (f farWorld) have(t *testing.T, mailboxes ...string) {
	t.Helper()
	writeFile(t, f.mailboxes, strings.Join(mailboxes, " x\n")+" x\n")
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// movedClock is one that a test moves.
type movedClock struct {
	mu    sync.Mutex
	ahead time.Duration
}

func (c *movedClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Now().Add(c.ahead)
}

// at moves the clock to a day from now.
func (c *movedClock) at(day int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead = time.Duration(day) * 24 * time.Hour
}

// startAt runs the daemon of a Postfix's settings in this process, by a clock of its own. Its housekeeping is done by who calls tick.
func startAt(t *testing.T, p *postfixtest.Postfix, now func() time.Time) (a *app, log zerolog.Logger) {
	t.Helper()
	cfg, err := config.Load(p.Config)
	if err != nil {
		t.Fatal(err)
	}
	log, _, err = newLogger(cfg.Log, os.Stderr)
	if err == nil {
		a, err = newAppAt(cfg, now, log)
	}
	if err != nil {
		t.Fatal(err)
	}
	doors, err := openDoors(cfg)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	ctx, stop := context.WithCancel(context.Background())
	for _, d := range doors {
		wg.Go(func() {
			if err := a.server.Serve(d, d.kind); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Go(func() { a.spooler.Run(ctx) })
	t.Cleanup(func() {
		late, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := a.server.Shutdown(late); err != nil {
			t.Error(err)
		}
		stop()
		wg.Wait()
		a.close()
	})
	return a, log
}

// TestDeadMemberLeaves is the whole way on two real Postfixes, with a clock that is moved: an address is deleted at the far one, which
// refuses it. Our Postfix writes each bounce and brings it by LMTP; the member has points, is probed, gets no posts, is warned three
// times and removed. Two members with full mailboxes, one of them only put off, are members after all that.
func TestDeadMemberLeaves(t *testing.T) {
	t.Parallel()
	const ann, dead, full, late, owner = "ann@far.test", "dead@far.test", "full@far.test", "late@far.test", "olga@far.test"
	postfixtest.Require(t)
	far := startFar(t, []string{ann, dead, full, late, owner}, map[string]string{
		full: "552 5.2.2 The mailbox is full", late: "452 4.2.2 The mailbox is full, try again later",
	})
	p := postfixtest.Start(t, postfixtest.Options{Shape: postfixtest.Listener, Alone: true, Edit: func(name, text string) string {
		if name == "main.cf" { // what is put off comes back at once
			return withSettings(text, "maximal_queue_lifetime = 0", "relayhost = [127.0.0.1]:"+far.Front[strings.LastIndexByte(far.Front, ':')+1:])
		}
		return text
	}})
	clock := &movedClock{}
	a, log := startAt(t, p, clock.now)
	list := lists.Address{Local: "team", Domain: postfixtest.Domain}
	ctl := func(args string) string {
		t.Helper()
		status, out, faults := listctlOn(p.Config, args)
		if status != 0 {
			t.Fatalf("listctl %s: %s%s", args, out, faults)
		}
		return out
	}
	ctl("create team@" + postfixtest.Domain)
	ctl("set team@" + postfixtest.Domain + " owners=" + owner + " owners_notice=on bounce_storm=off")
	ctl("add team@" + postfixtest.Domain + " " + strings.Join([]string{ann, dead, full, late}, " "))
	far.have(t, ann, full, late, owner)

	member := func(who string) (lists.Member, bool) {
		t.Helper()
		m, found, err := a.store.Member(t.Context(), list, lists.Address{Local: strings.TrimSuffix(who, "@far.test"), Domain: "far.test"})
		if err != nil {
			t.Fatal(err)
		}
		return m, found
	}
	stopped, removed := 0, 0
	for day := 0; day <= 45; day++ {
		clock.at(day)
		a.tick(t.Context(), log)
		if day <= 24 { // 25 posts: the full ones have more points than the limit
			mark := fmt.Sprintf("post-%d", day)
			c := postfixtest.Dial(t, postfixtest.Stranger, p.Front)
			c.Want("250", c.Send(ann, "From: "+ann+"\r\nTo: team@"+postfixtest.Domain+"\r\nSubject: "+mark+"\r\nMessage-ID: <"+mark+"@far.test>\r\n\r\n"+mark+"\r\n", "team@"+postfixtest.Domain))
			c.Close()
		}
		p.WaitEmpty()
		m, found := member(dead)
		if stopped == 0 && found && !m.Disabled.IsZero() {
			stopped = day
		}
		if removed == 0 && !found {
			removed = day
		}
	}
	far.WaitEmpty()
	if stopped != 6 || removed != 28 {
		t.Errorf("posts were stopped on day %d, and he was removed on day %d", stopped, removed)
	}
	for _, who := range []string{ann, full, late} {
		if m, found := member(who); !found || !m.Disabled.IsZero() {
			t.Errorf("%s: a member: %v, %+v", who, found, m.Disabled)
		}
	}
	text := p.SuperlistdLog()
	for _, line := range []string{
		`probe sent .*member=dead@far\.test`, `delivery to member stopped .*member=dead@far\.test.*User unknown`, `disabled sent .*member=dead@far\.test`,
		`member removed .*member=dead@far\.test`, `probe sent .*member=full@far\.test`, `probe arrived, bounces forgotten .*member=full@far\.test`,
		`probe sent .*member=late@far\.test`,
	} {
		if n, want := len(regexp.MustCompile(line).FindAllString(text, -1)), map[bool]int{true: 3, false: 1}[strings.HasPrefix(line, "disabled")]; n < want {
			t.Errorf("%d times in the log, want %d: %s", n, want, line)
		}
	}
	told := slices.ContainsFunc(far.Far.Messages(), func(m smtptest.Message) bool {
		return slices.Equal(m.Rcpts, []string{owner}) && strings.Contains(m.Content, dead) && strings.Contains(m.Content, "was removed")
	})
	if !told {
		t.Error("the owner was not told")
	}
}
