package postfixtest

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"superlistd/internal/smtptest"
)

// Sendmail hands in a message as a program of this host does.
func (p *Postfix) Sendmail(from, content string, to ...string) {
	p.t.Helper()
	cmd := exec.Command("sendmail", append([]string{"-C", p.Dir, "-i", "-f", from}, to...)...)
	cmd.Stdin = strings.NewReader(content)
	if out, err := cmd.CombinedOutput(); err != nil {
		p.t.Fatalf("sendmail: %v\n%s", err, out)
	}
}

// Copies waits until the far world has a message that holds mark for each of the recipients, and Postfix has
// nothing left to do. It fails the test unless that is all there is: each of them once, and nobody else.
func (p *Postfix) Copies(mark string, to ...string) []smtptest.Message {
	p.t.Helper()
	p.until(mark+" at all recipients", func() bool {
		_, count := p.arrived(mark)
		return !slices.ContainsFunc(to, func(r string) bool { return count[r] == 0 })
	})
	p.WaitEmpty()
	messages, count := p.arrived(mark)
	for _, r := range to {
		if count[r] != 1 {
			p.t.Errorf("%s: %s got %d copies", mark, r, count[r])
		}
		delete(count, r)
	}
	if len(count) > 0 {
		p.t.Errorf("%s: copies for others: %v", mark, count)
	}
	return messages
}

func (p *Postfix) arrived(mark string) (messages []smtptest.Message, count map[string]int) {
	count = map[string]int{}
	for _, m := range p.Far.Messages() {
		if !strings.Contains(m.Content, mark) {
			continue
		}
		messages = append(messages, m)
		for _, r := range m.Rcpts {
			count[r]++
		}
	}
	return messages, count
}

// WaitEmpty waits until Postfix's queue is empty. A message may be on its way from one folder to
// the next while they are looked at, so one look is not believed.
func (p *Postfix) WaitEmpty() {
	p.t.Helper()
	const looks = 4
	empty := 0
	p.until("an empty queue", func() bool {
		empty++
		if len(p.Queue()) > 0 {
			empty = 0
		}
		return empty == looks
	})
}

// Queue is the files of the messages that Postfix holds, in the order in which they go through its folders.
func (p *Postfix) Queue() []string {
	p.t.Helper()
	var files []string
	for _, folder := range []string{"maildrop", "incoming", "active", "deferred", "hold", "corrupt"} {
		err := filepath.WalkDir(filepath.Join(p.Dir, "queue", folder), func(path string, d os.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() {
				files = append(files, path)
			}
			return nil // one that has gone since was not left behind
		})
		if err != nil {
			p.t.Fatal(err)
		}
	}
	return files
}

// WaitLog waits for a line of Postfix's log that matches.
func (p *Postfix) WaitLog(pattern string) { p.t.Helper(); p.waitFor(p.Log, pattern) }

// WaitSuperlistdLog waits for a line of superlistd's log that matches.
func (p *Postfix) WaitSuperlistdLog(pattern string) {
	p.t.Helper()
	p.waitFor(p.SuperlistdLog, pattern)
}

func (p *Postfix) waitFor(log func() string, pattern string) {
	p.t.Helper()
	line := regexp.MustCompile("(?m)" + pattern)
	p.until(pattern+" in the log", func() bool { return line.MatchString(log()) })
}
