package postfixtest

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// StartSuperlistd starts "superlistd serve" and waits until its doors answer. Start does this for the shapes
// that need it.
func (p *Postfix) StartSuperlistd() {
	p.t.Helper()
	p.serve = p.superlistd("serve")
	p.serve.Stderr = os.Stderr
	p.serve.SysProcAttr.Pdeathsig = syscall.SIGTERM
	if err := p.serve.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.answers(p.Door)
	if p.opts.Shape == Listener {
		p.answers(p.Filter)
	}
}

// StopSuperlistd sends it SIGTERM and waits for its end. Its exit status is the error; superlistd that was
// stopped already is none.
func (p *Postfix) StopSuperlistd() error {
	p.t.Helper()
	if p.serve == nil {
		return nil
	}
	serve := p.serve
	p.serve = nil
	if err := serve.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	end := time.AfterFunc(patience, func() { serve.Process.Kill() })
	defer end.Stop()
	return serve.Wait()
}

// superlistd is a command of the program.
func (p *Postfix) superlistd(args ...string) *exec.Cmd {
	return p.AsAccount(p.opts.Binary, append(args, "--config", p.Config)...)
}

// AsAccount is a command that runs as the account of superlistd.
func (p *Postfix) AsAccount(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Credential: &syscall.Credential{Uid: uint32(p.uid(account)), Gid: uint32(p.gid("nogroup"))},
	}
	return cmd
}

// Check runs "superlistd check" as the account of superlistd, against a config_directory of Postfix, and
// returns what it prints.
func (p *Postfix) Check(postfix string) (string, error) {
	out, err := p.superlistd("check", "--postfix", postfix).CombinedOutput()
	return string(out), err
}

// Listctl runs listctl as root, as an administrator does. It must succeed.
func (p *Postfix) Listctl(args ...string) {
	p.t.Helper()
	p.ListctlInput("", args...)
}

// ListctlInput is Listctl with a standard input.
func (p *Postfix) ListctlInput(input string, args ...string) {
	p.t.Helper()
	cmd := exec.Command(filepath.Join(filepath.Dir(p.opts.Binary), "listctl"), append([]string{"--config", p.Config}, args...)...)
	cmd.Stdin = strings.NewReader(input)
	if out, err := cmd.CombinedOutput(); err != nil {
		p.t.Fatalf("listctl %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// List makes a list of the domain and returns its address.
func (p *Postfix) List(name string, members ...string) string {
	p.t.Helper()
	list := name + "@" + Domain
	p.Listctl("create", list)
	if len(members) > 0 {
		p.ListctlInput(strings.Join(members, "\n"), "add", list, "-")
	}
	return list
}

// answers waits until something accepts connections.
func (p *Postfix) answers(address string) {
	p.t.Helper()
	p.until(address+" to answer", func() bool {
		conn, err := net.Dial("tcp", address)
		if err != nil && !errors.Is(err, syscall.ECONNREFUSED) {
			p.t.Error(err)
		}
		if err == nil {
			conn.Close()
		}
		return err == nil
	})
}
