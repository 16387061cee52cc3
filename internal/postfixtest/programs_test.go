package postfixtest_test

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"superlistd/internal/needs"
	"superlistd/internal/postfixtest"
)

// checkIsContent holds that the examples are what check calls right, and that it sees what is missing.
func checkIsContent(t *testing.T, p *postfixtest.Postfix) {
	p.List("checked", "ann@far.test")
	out, err := p.Check(p.Dir)
	if err != nil {
		t.Errorf("check: %v", err)
	}
	for line := range strings.Lines(out) {
		if !strings.HasPrefix(line, "ok ") && !strings.HasPrefix(line, "note   size ") && !strings.HasPrefix(line, "note   identity  resolver is off") {
			t.Errorf("check says %s", line)
		}
	}
	if !regexp.MustCompile(`(?m)^ok +postfix +`+regexp.QuoteMeta(postfixtest.Domain)+" is routed to .*, where (superlistd answers|Postfix starts superlistd)$").MatchString(out) ||
		!regexp.MustCompile(`(?m)^ok +xforward `).MatchString(out) || !regexp.MustCompile(`(?m)^ok +xverp `).MatchString(out) {
		t.Errorf("check says:\n%s", out)
	}

	for _, parameter := range []string{"transport_maps", "relay_domains"} {
		out, err := p.Check(without(t, p, parameter))
		if err == nil || !regexp.MustCompile(`(?m)^WRONG +postfix +`+parameter+` in `).MatchString(out) {
			t.Errorf("check without %s: %v\n%s", parameter, err, out)
		}
	}
}

// without is a config_directory like that of p, but for one parameter of main.cf.
func without(t *testing.T, p *postfixtest.Postfix, parameter string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(p.Dir, "main.cf"))
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(p.Dir, "without-"+parameter)
	text = regexp.MustCompile(`(?m)^`+parameter+` = .*\n`).ReplaceAll(text, nil)
	if err := errors.Join(os.Mkdir(dir, 0o755), os.WriteFile(filepath.Join(dir, "main.cf"), text, 0o644)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// runSwaks sends a post with swaks, which is a client that nobody here wrote.
func runSwaks(t *testing.T, cmd *exec.Cmd, list, mark string) {
	t.Helper()
	cmd.Args = append(cmd.Args, "--from", "ann@far.test", "--to", list, "--header", "Subject: "+mark, "--body", mark)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("swaks: %v\n%s", err, out)
	}
}

func swaks(t *testing.T, p *postfixtest.Postfix) {
	needs.Program(t, "swaks")
	list := p.List("swaks", "ann@far.test", "bob@far.test")
	runSwaks(t, exec.Command("swaks", "--server", p.Front), list, "swaks-post")
	p.Copies("swaks-post", "ann@far.test", "bob@far.test")
}

func swaksAtDoor(t *testing.T, p *postfixtest.Postfix) {
	needs.Program(t, "swaks")
	list := p.List("swaksdoor", "ann@far.test")
	runSwaks(t, exec.Command("swaks", "--server", p.Door, "--protocol", "LMTP"), list, "swaks-lmtp")
	p.Copies("swaks-lmtp", "ann@far.test")
	if conn, err := net.Dial("tcp", p.Filter); err == nil {
		conn.Close()
		runSwaks(t, exec.Command("swaks", "--server", p.Filter, "--pipeline"), list, "swaks-smtp")
		p.Copies("swaks-smtp", "ann@far.test")
	}
}

func swaksPipe(t *testing.T, p *postfixtest.Postfix) {
	needs.Program(t, "swaks")
	list := p.List("swakspipe", "ann@far.test")
	runSwaks(t, p.AsAccount("swaks", "--pipe", binary+" spawn --config "+p.Config), list, "swaks-pipe")
	p.Copies("swaks-pipe", "ann@far.test")
	runSwaks(t, p.AsAccount("swaks", "--protocol", "LMTP", "--pipe", binary+" spawn --lmtp --config "+p.Config), list, "swaks-lmtp-pipe")
	p.Copies("swaks-lmtp-pipe", "ann@far.test")
}

// crowd lets Postfix's own load generator post and send to others at the same time, from ten connections each.
func crowd(t *testing.T, p *postfixtest.Postfix) {
	const messages = 40
	list := p.List("crowd", "crowd1@far.test", "crowd2@far.test", "crowd3@far.test")
	p.Listctl("set", list, "post=anyone")
	var wg sync.WaitGroup
	for _, to := range []string{list, "crowd4@far.test"} {
		wg.Go(func() {
			out, err := exec.Command("smtp-source", "-s", "10", "-m", strconv.Itoa(messages), "-l", "3000",
				"-f", "ann@far.test", "-t", to, p.Front).CombinedOutput()
			if err != nil {
				t.Errorf("smtp-source: %v\n%s", err, out)
			}
		})
	}
	wg.Wait()
	p.WaitEmpty()
	count := p.Far.Queued()
	for i := 1; i <= 4; i++ {
		if n := count["crowd"+strconv.Itoa(i)+"@far.test"]; n != messages {
			t.Errorf("crowd%d got %d messages, want %d", i, n, messages)
		}
	}
}

func stopDrains(t *testing.T, p *postfixtest.Postfix) {
	list := p.List("drain", "ann@far.test")
	idle := postfixtest.Dial(t, postfixtest.Own, p.Filter)
	c := front(t, p)
	c.Begin("ann@far.test", list)
	c.Write(mail("ann@far.test", list, "drain-post"))
	stopped := make(chan error)
	go func() { stopped <- p.StopSuperlistd() }()
	p.WaitSuperlistdLog(` stopping `)
	idle.Want("421 4.3.2", idle.Reply())
	late := front(t, p)
	late.Want("250", late.Cmd("MAIL FROM:<ann@far.test>"))
	late.Want("451", late.Cmd("RCPT TO:<"+list+">"))
	c.Write("the rest\r\n.\r\n")
	c.Want("250 2.0.0 Ok: queued as ", c.Reply())
	if err := <-stopped; err != nil {
		t.Errorf("superlistd serve: %v", err)
	}
	p.Copies("drain-post", "ann@far.test")
	p.StartSuperlistd()
	late.Want("250", late.Cmd("RCPT TO:<"+list+">"))
}
