package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// process is a program that runs until it is stopped. Its output goes to a file.
type process struct {
	cmd  *exec.Cmd
	name string
	log  string
	done chan error
}

const startPatience = 10 * time.Second

// start runs a program and waits until it answers at address.
func start(ctx context.Context, log, address, path string, args ...string) (*process, error) {
	out, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	defer out.Close()
	p := &process{cmd: exec.Command(path, args...), name: filepath.Base(path), log: log, done: make(chan error, 1)}
	p.cmd.Stdout, p.cmd.Stderr = out, out
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() { p.done <- p.cmd.Wait() }() // stop waits for it
	if err := p.answers(ctx, address); err != nil {
		p.stop()
		words, _ := os.ReadFile(log)
		return nil, fmt.Errorf("%s: %w: %s", p.name, err, words)
	}
	return p, nil
}

func (p *process) answers(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	for {
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			conn.Close()
			return nil
		}
		select {
		case err := <-p.done:
			p.done <- err
			return fmt.Errorf("has ended: %v", err)
		case <-ctx.Done():
			return fmt.Errorf("does not answer at %s", address)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// stop asks the process to end, and ends it when it does not.
func (p *process) stop() error {
	if p == nil {
		return nil
	}
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
	select {
	case err := <-p.done:
		return err
	case <-time.After(startPatience):
		_ = p.cmd.Process.Kill()
		return errors.Join(fmt.Errorf("%s did not stop", p.name), <-p.done)
	}
}

// resident reads the largest and the present resident size, in octets.
func (p *process) resident() (peak, now float64, err error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(status)) {
		field := strings.Fields(line)
		if len(field) != 3 || field[0] != "VmHWM:" && field[0] != "VmRSS:" {
			continue
		}
		n, err := strconv.ParseFloat(field[1], 64)
		if err != nil {
			return 0, 0, err
		}
		if field[0] == "VmHWM:" {
			peak = n * 1024
		} else {
			now = n * 1024
		}
	}
	if peak == 0 {
		return 0, 0, fmt.Errorf("%s: no VmHWM in its status", p.name)
	}
	return peak, now, nil
}

// Ports for listeners are taken from below those that the kernel gives to outgoing connections: between our choice and
// a listener's bind, one of many thousand connections would get hold of it sooner or later.
const (
	firstPort = 20000
	ports     = 12000
)

// freeAddress returns an address on the loopback at which nobody listens now.
func freeAddress() (string, error) {
	var last error
	for range 100 {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", firstPort+rand.IntN(ports)))
		if err == nil {
			return l.Addr().String(), l.Close()
		}
		last = err
	}
	return "", last
}

// sbin finds a program of Postfix, which Debian keeps where a user's PATH does not lead.
func sbin(name string) string {
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	return filepath.Join("/usr/sbin", name)
}
