// Package postfixtest is for tests: a private Postfix with superlistd in its dialogue, set up as
// examples/ tells an administrator to do it. It has its own settings, queue, folders and ports on
// 127.0.0.1, and whatever leaves it ends in a far world that lives in the test, so no mail leaves the
// host. The Postfix of the system is neither used nor touched.
package postfixtest

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"superlistd/internal/needs"
	"superlistd/internal/smtptest"
)

// A Shape is a way to put superlistd into Postfix: the end of the names of its files in examples/.
type Shape string

// The shapes.
const (
	Listener Shape = "listener" // before the queue, superlistd serve
	Spawn    Shape = "spawn"    // before the queue, superlistd spawn
	LMTP     Shape = "lmtp"     // behind the queue, list domains only, superlistd serve
)

// Addresses of the host from which clients connect: Own is in Postfix's mynetworks, so it may send to
// anywhere; Stranger is not.
const (
	Own      = "127.0.0.5"
	Stranger = "127.0.0.66"
)

// account is what superlistd runs as: spawn(8) takes neither root nor postfix.
const account = "nobody"

// patience bounds every wait for something that does happen, on a busy machine too.
const patience = 30 * time.Second

// Options say what to start.
type Options struct {
	Shape  Shape
	Binary string // superlistd, where every account may run it; not needed with Alone

	// Edit, when set, changes what was made from the examples before it is used: name is "main.cf",
	// "master.cf" or "superlistd.toml".
	Edit func(name, text string) string
	// Alone: no superlistd is started; who wants one answers at Filter and Door.
	Alone bool
	// Far are options for the peer that stands for the far world.
	Far []smtptest.Option
}

// Postfix is a running one, with its superlistd.
type Postfix struct {
	Dir    string         // config_directory, and what is in it: queue, data, lists, maillog
	Front  string         // address of the smtpd that the world meets
	After  string         // address of the after-filter smtpd
	Filter string         // address of superlistd's door for smtpd_proxy_filter
	Door   string         // address of superlistd's LMTP door
	Config string         // superlistd.toml
	Far    *smtptest.Peer // where relayhost points to

	t    testing.TB
	opts Options
	*processes
}

// processes are what runs, whichever test it serves.
type processes struct{ master, serve *exec.Cmd }

// Require ends the test where there is no Postfix to start.
func Require(t testing.TB) {
	t.Helper()
	needs.Program(t, "postconf")
	needs.Root(t, "a Postfix can be started by root only")
}

// Start makes the set-up and starts it: Postfix, and superlistd where Postfix does not start it itself.
// Both end with the test. When the test fails, it shows their logs.
func Start(t testing.TB, o Options) *Postfix {
	t.Helper()
	Require(t)
	dir, err := os.MkdirTemp("", "postfixtest")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	p := &Postfix{
		Dir: dir, Config: filepath.Join(dir, "superlistd.toml"), Far: smtptest.Start(t, o.Far...),
		t: t, opts: o, processes: &processes{},
	}
	p.folders()
	p.settings()
	p.run()
	t.Cleanup(p.stop)
	if o.Shape != Spawn && !o.Alone {
		p.StartSuperlistd()
		t.Cleanup(func() { p.StopSuperlistd() })
	}
	return p
}

// folders makes what "postfix check" would make, in a hundredth of its time.
func (p *Postfix) folders() {
	postfix, postdrop := p.uid("postfix"), p.gid("postdrop")
	nobody := p.uid(account)
	for _, f := range []struct {
		path     string
		mode     os.FileMode
		uid, gid int
	}{
		{".", 0o755, 0, 0},
		{"data", 0o700, postfix, 0},
		{"lists", 0o750, nobody, 0},
		{"queue", 0o755, 0, 0},
		{"queue/pid", 0o755, 0, 0},
		{"queue/maildrop", 0o730, postfix, postdrop},
		{"queue/public", 0o710, postfix, postdrop},
		{"queue/active", 0o700, postfix, 0}, {"queue/bounce", 0o700, postfix, 0}, {"queue/corrupt", 0o700, postfix, 0},
		{"queue/defer", 0o700, postfix, 0}, {"queue/deferred", 0o700, postfix, 0}, {"queue/flush", 0o700, postfix, 0},
		{"queue/hold", 0o700, postfix, 0}, {"queue/incoming", 0o700, postfix, 0}, {"queue/private", 0o700, postfix, 0},
		{"queue/saved", 0o700, postfix, 0}, {"queue/trace", 0o700, postfix, 0},
	} {
		path := filepath.Join(p.Dir, f.path)
		err := os.MkdirAll(path, f.mode)
		if err == nil {
			err = errors.Join(os.Chmod(path, f.mode), os.Chown(path, f.uid, f.gid))
		}
		if err != nil {
			p.t.Fatal(err)
		}
	}
}

func (p *Postfix) uid(name string) int {
	u, err := user.Lookup(name)
	if err != nil {
		p.t.Fatal(err)
	}
	return p.number(u.Uid)
}

func (p *Postfix) gid(name string) int {
	g, err := user.LookupGroup(name)
	if err != nil {
		p.t.Fatal(err)
	}
	return p.number(g.Gid)
}

func (p *Postfix) number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		p.t.Fatal(err)
	}
	return n
}

// run starts master as our child, so that it ends with us whatever happens.
func (p *Postfix) run() {
	folder, err := exec.Command("postconf", "-c", p.Dir, "-h", "-x", "daemon_directory").Output()
	if err != nil {
		p.t.Fatal(err)
	}
	p.master = exec.Command(filepath.Join(strings.TrimSpace(string(folder)), "master"), "-c", p.Dir, "-s")
	p.master.Env = append(os.Environ(), "MAIL_CONFIG="+p.Dir)
	p.master.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	if err := p.master.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.answers(p.Front)
}

// stop ends Postfix; its daemons go with it. A failed test shows what was logged.
func (p *Postfix) stop() {
	if err := p.master.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Error(err)
	}
	end := time.AfterFunc(patience, func() { p.master.Process.Kill() })
	defer end.Stop()
	p.master.Wait() // a signal is how it ends: that is no error
	log := p.Log()
	for line := range strings.Lines(log) {
		if strings.Contains(line, " fatal: ") || strings.Contains(line, " panic: ") {
			p.t.Errorf("Postfix: %s", line)
		}
	}
	if p.t.Failed() {
		p.t.Logf("%s: Postfix:\n%s\nsuperlistd:\n%s", p.opts.Shape, tail(log), tail(p.SuperlistdLog()))
	}
}

// tail is the end of a log, as much as a person may want to read.
func tail(log string) string {
	const most = 20_000
	if len(log) > most {
		return "...\n" + log[len(log)-most:]
	}
	return log
}

// until waits for a condition, and fails the test if it does not come.
func (p *Postfix) until(what string, met func() bool) {
	p.t.Helper()
	for end := time.Now().Add(patience); !met(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			p.t.Fatalf("%s: waited %v for %s", p.opts.Shape, patience, what)
		}
	}
}

func (p *Postfix) read(name string) string {
	text, err := os.ReadFile(filepath.Join(p.Dir, name))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		p.t.Error(fmt.Errorf("log: %w", err))
	}
	return string(text)
}

// Log is what Postfix has logged so far.
func (p *Postfix) Log() string { return p.read("maillog") }

// SuperlistdLog is what superlistd has logged so far.
func (p *Postfix) SuperlistdLog() string { return p.read("lists/log") }

// In is the same Postfix for a subtest: that one fails when something of it does.
func (p *Postfix) In(t testing.TB) *Postfix {
	sub := *p
	sub.t = t
	return &sub
}
