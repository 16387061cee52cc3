package soak_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"math/rand/v2"
)

// freeAddress is one below the ports that the kernel gives to outgoing connections, of which there are many here.
func freeAddress(t *testing.T) string {
	t.Helper()
	var last error
	for range 100 {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", 20000+rand.IntN(12000)))
		if err != nil {
			last = err
			continue
		}
		defer l.Close()
		return l.Addr().String()
	}
	t.Fatal(last)
	return ""
}

// site is a data folder, and the settings of who works on it.
type site struct {
	t     *testing.T
	dir   string
	data  string
	relay string
	more  string   // settings beside the usual ones, in [delivery]
	enter []string // put before each command
}

// log is where all programs of the site write.
func (s *site) log() string { return filepath.Join(s.dir, "log") }

// settings writes a settings file for a door, and returns its path.
func (s *site) settings(listen string) string {
	s.t.Helper()
	path := filepath.Join(s.dir, strings.ReplaceAll(listen, ":", "-")+".toml")
	text := fmt.Sprintf(`hostname = "mx.lists.test"
domains = ["lists.test"]
identity.resolver = "off"
listen = %q
relay = %q
data = %q

[delivery]
batch = %d
max_armed = 5
relay_connections = 30
relay_share = 10
spool_connections = 6
spool_per_list = 3
%s
[log]
to = %q
`, listen, s.relay, s.data, batch, s.more, s.log())
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		s.t.Fatal(err)
	}
	return path
}

// batch makes a list of 300 go through and one of 5000 by the spool.
const batch = 100

// command is a program of ours that ends with us, whatever happens.
func (s *site) command(name string, args ...string) *exec.Cmd {
	line := append(append([]string{}, s.enter...), program(name))
	line = append(line, args...)
	cmd := exec.Command(line[0], line[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// run waits for a program, and returns what it printed.
func (s *site) run(name, stdin string, args ...string) (string, error) {
	cmd := s.command(name, args...)
	cmd.Stdin = strings.NewReader(stdin)
	var out, trouble bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &trouble
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, trouble.String())
	}
	return out.String(), nil
}

// must is run for what may not fail.
func (s *site) must(name, stdin string, args ...string) string {
	s.t.Helper()
	out, err := s.run(name, stdin, args...)
	if err != nil {
		s.t.Fatal(err)
	}
	return out
}

// daemon is superlistd serve.
type daemon struct {
	site    *site
	address string
	config  string
	cmd     *exec.Cmd
	errors  bytes.Buffer
}

func newDaemon(s *site) *daemon {
	address := freeAddress(s.t)
	d := &daemon{site: s, address: address, config: s.settings(address)}
	s.t.Cleanup(d.kill)
	return d
}

// start begins it and does not wait until it answers.
func (d *daemon) start() {
	d.site.t.Helper()
	d.cmd = d.site.command("superlistd", "serve", "--config", d.config)
	d.errors.Reset()
	d.cmd.Stderr = &d.errors
	if err := d.cmd.Start(); err != nil {
		d.site.t.Fatal(err)
	}
}

// answers waits until it does.
func (d *daemon) answers() {
	d.site.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		conn, err := net.Dial("tcp", d.address)
		if err == nil {
			conn.Close()
			return
		}
		if time.Now().After(end) {
			d.site.t.Fatalf("superlistd serve does not answer: %v: %s", err, d.errors.String())
		}
	}
}

// kill is kill -9.
func (d *daemon) kill() {
	if d.cmd != nil {
		_ = d.cmd.Process.Kill() // it may have ended already
		_ = d.cmd.Wait()         // that it was killed is no news
		d.cmd = nil
	}
}

// stop asks it to end, once it can hear that, and waits.
func (d *daemon) stop() {
	d.site.t.Helper()
	if d.cmd == nil {
		return
	}
	d.answers()
	if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		d.site.t.Errorf("SIGTERM: %v", err)
	}
	late := time.AfterFunc(patience, func() { _ = d.cmd.Process.Signal(syscall.SIGQUIT) })
	defer late.Stop()
	if err := d.cmd.Wait(); err != nil {
		d.site.t.Errorf("superlistd serve after SIGTERM: %v: %s", err, d.errors.String())
	}
	d.cmd = nil
}
