package soak_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// post is a mail that its sender tries to hand over until it is told 250.
type post struct {
	id      int
	to      []string // lists, and friends beside them
	size    int      // octets of its body
	begun   time.Time
	told    time.Time // zero: never yet
	unheard int       // attempts whose answer to the dot it does not know
	history []string
}

// note keeps what happened to an attempt, for people.
func (p *post) note(format string, args ...any) {
	p.history = append(p.history, time.Now().Format("15:04:05.000 ")+fmt.Sprintf(format, args...))
}

func (p *post) from() string { return fmt.Sprintf("p%d@authors.test", p.id) }

// content is the same at each attempt. Lines that begin with dots are among it.
func (p *post) content() []byte {
	body := strings.Repeat(". .. one line of a post that is longer than it needs to be\r\n", p.size/60+1)
	return fmt.Appendf(nil, "Message-ID: <p%d@posts.test>\r\nFrom: %s\r\nTo: %s\r\nSubject: soak\r\nX-Size: %d\r\n\r\n%s",
		p.id, p.from(), strings.Join(p.to, ", "), len(body), body)
}

// readContent finds out which post a copy is of, and whether it is whole.
func readContent(content []byte) (post int, err error) {
	head, body, ok := bytes.Cut(content, []byte("\r\n\r\n"))
	if !ok {
		return 0, fmt.Errorf("a copy without a body: %.200q", content)
	}
	_, id, known := bytes.Cut(head, []byte("Message-ID: <p"))
	_, size, sized := bytes.Cut(head, []byte("X-Size: "))
	if !known || !sized {
		return 0, fmt.Errorf("mail that is no post: %.200q", content)
	}
	text, _, _ := bytes.Cut(id, []byte("@"))
	if post, err = strconv.Atoi(string(text)); err != nil {
		return 0, err
	}
	text, _, _ = bytes.Cut(size, []byte("\r\n"))
	if n, err := strconv.Atoi(string(text)); err != nil || n != len(body) {
		return 0, fmt.Errorf("post %d: a copy of %d octets instead of %s", post, len(body), text)
	}
	return post, nil
}

// errRefused is an answer that asks nobody to come again.
var errRefused = errors.New("refused for good")

// errDeaf is why a sender comes again who did not hear the answer.
var errDeaf = errors.New("hung up before the answer")

// hand makes one attempt, as Postfix does it behind smtpd_proxy_filter. It returns the answer to the dot, or errDeaf when it
// has no time to wait for it.
func (p *post) hand(conn net.Conn, most time.Duration) (reply string, err error) {
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return "", err
	}
	r := bufio.NewReader(conn)
	if reply, err = answer(r, "220"); err != nil {
		return reply, err
	}
	commands := []string{
		"EHLO mail.authors.test",
		"XFORWARD NAME=host.authors.test ADDR=192.0.2.7 PORT=1234 PROTO=ESMTP HELO=host.authors.test",
		"MAIL FROM:<" + p.from() + ">",
	}
	for _, to := range p.to {
		commands = append(commands, "RCPT TO:<"+to+">")
	}
	for _, line := range append(commands, "DATA") {
		want := "250"
		if line == "DATA" {
			want = "354"
		}
		if _, err := io.WriteString(conn, line+"\r\n"); err != nil {
			return "", err
		}
		if reply, err = answer(r, want); err != nil {
			return reply, err
		}
	}
	text := bytes.ReplaceAll(append([]byte("\r\n"), p.content()...), []byte("\r\n."), []byte("\r\n.."))
	p.unheard++
	if _, err := conn.Write(append(text[2:], ".\r\n"...)); err != nil {
		return "", err
	}
	if most < patience {
		time.Sleep(most)
		return "", errDeaf
	}
	if reply, err = answer(r, "250"); reply != "" {
		p.unheard--
	}
	if err != nil {
		return reply, err
	}
	if _, err := io.WriteString(conn, "QUIT\r\n"); err == nil {
		_, _ = answer(r, "221") // the mail is theirs already
	}
	return reply, nil
}

// answer reads a reply, and wants it to begin so.
func answer(r *bufio.Reader, want string) (string, error) {
	for {
		line, err := r.ReadString('\n')
		switch {
		case err != nil:
			return "", err
		case len(line) > 3 && line[3] == '-':
			continue
		}
		line = strings.TrimRight(line, "\r\n")
		switch {
		case strings.HasPrefix(line, want):
			return line, nil
		case strings.HasPrefix(line, "4"):
			return line, fmt.Errorf("told %s", line)
		}
		return line, fmt.Errorf("%w: %s", errRefused, line)
	}
}

// door leads to a superlistd.
type door func() (net.Conn, error)

// door is where the daemon listens.
func (d *daemon) door() (net.Conn, error) { return net.DialTimeout("tcp", d.address, patience) }

// spawner is spawn(8): it starts a process for each session.
type spawner struct {
	site   *site
	config string
	wg     sync.WaitGroup // of processes that linger

	mu      sync.Mutex
	started int
	errs    []error
}

func (s *spawner) door() (net.Conn, error) {
	pair, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	ours, theirs := os.NewFile(uintptr(pair[0]), "client"), os.NewFile(uintptr(pair[1]), "session")
	defer ours.Close()
	defer theirs.Close()
	conn, err := net.FileConn(ours)
	if err != nil {
		return nil, err
	}
	cmd := s.site.command("superlistd", "spawn", "--config", s.config)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = theirs, theirs, theirs
	if err := cmd.Start(); err != nil {
		conn.Close()
		return nil, err
	}
	s.mu.Lock()
	s.started++
	s.mu.Unlock()
	s.wg.Go(func() { s.end(cmd) })
	return conn, nil
}

func (s *spawner) end(cmd *exec.Cmd) {
	if err := cmd.Wait(); err != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.errs = append(s.errs, fmt.Errorf("superlistd spawn: %w", err))
	}
}

// deliver tries until the post is taken, with other words: as a queue does.
func (p *post) deliver(r *rand.Rand, open door) error {
	p.begun = time.Now()
	for end := time.Now().Add(patience); ; time.Sleep(comeAgain(r)) {
		reply, err := p.attempt(r, open)
		switch {
		case err == nil:
			p.told = time.Now()
			p.note("%s", reply)
			return nil
		case errors.Is(err, errRefused):
			return fmt.Errorf("post %d to %s: %w", p.id, p.to, err)
		case time.Now().After(end):
			return fmt.Errorf("post %d to %s: not taken for %v: %w", p.id, p.to, patience, err)
		}
		if !errors.Is(err, syscall.ECONNREFUSED) {
			p.note("%v", err)
		}
	}
}

// comeAgain is how long a sender waits: now and then so long that the post may be delivered by then.
func comeAgain(r *rand.Rand) time.Duration {
	if r.IntN(8) == 0 {
		return between(r, 100*time.Millisecond, 1500*time.Millisecond)
	}
	return between(r, time.Millisecond, 100*time.Millisecond)
}

func (p *post) attempt(r *rand.Rand, open door) (string, error) {
	conn, err := open()
	if err != nil {
		return "", err
	}
	most := patience
	if r.IntN(15) == 0 {
		most = between(r, 0, 40*time.Millisecond)
	}
	return p.hand(conn, most)
}
