package run

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"superlistd/config"
)

// A masterEntry is a line of Postfix's master.cf.
type masterEntry struct {
	name, kind string // "smtp" and "inet"
	command    string
	args       []string
}

func (e masterEntry) String() string { return e.name + "/" + e.kind }

// master is what Postfix's own tools tell of its processes.
type master struct {
	dir     string // config_directory
	queue   string // queue_directory, in which the paths of sockets begin
	entries []masterEntry
	filters map[string]string // smtpd_proxy_filter of the smtpd entries that have one, by the entry's String
}

// readMaster asks postconf.
func readMaster(ctx context.Context, dir string) (*master, error) {
	m := &master{dir: dir, filters: map[string]string{}}
	lines, err := postconf(ctx, dir, "-M")
	if err != nil {
		return nil, err
	}
	for _, line := range lines {
		const command = 7 // behind name, type, private, unprivileged, chroot, wakeup and maxproc: master(5)
		if f := strings.Fields(line); len(f) > command {
			m.entries = append(m.entries, masterEntry{f[0], f[1], f[command], f[command+1:]})
		}
	}
	if lines, err = postconf(ctx, dir, "-h", "queue_directory"); err != nil {
		return nil, err
	}
	m.queue = strings.Join(lines, "")
	const parameter = "smtpd_proxy_filter"
	if lines, err = postconf(ctx, dir, "-h", "-x", parameter); err != nil {
		return nil, err
	}
	for _, e := range m.entries {
		if e.command == "smtpd" {
			m.filters[e.String()] = strings.Join(lines, "")
		}
	}
	if lines, err = postconf(ctx, dir, "-P", "-x", "*/*/"+parameter); err != nil {
		return nil, err
	}
	for _, line := range lines {
		name, value, _ := strings.Cut(line, " =")
		m.filters[strings.TrimSuffix(name, "/"+parameter)] = strings.TrimSpace(value)
	}
	for name, value := range m.filters {
		if value == "" {
			delete(m.filters, name)
		}
	}
	return m, nil
}

// postconf returns what it prints, by lines.
func postconf(ctx context.Context, dir string, args ...string) ([]string, error) {
	out, err := exec.CommandContext(ctx, postfixTool("postconf"), append([]string{"-c", dir}, args...)...).Output()
	if err != nil {
		if exit, ok := errors.AsType[*exec.ExitError](err); ok && len(exit.Stderr) > 0 {
			err = errors.New(strings.TrimSpace(string(exit.Stderr))) // says more than the exit status
		}
		return nil, fmt.Errorf("postconf %s -c %s: %w", strings.Join(args, " "), dir, err)
	}
	text := strings.TrimSpace(string(out))
	if text == "" {
		return nil, nil
	}
	return strings.Split(text, "\n"), nil
}

// find returns the entry of a name and type.
func (m *master) find(name, kind string) (masterEntry, bool) {
	i := slices.IndexFunc(m.entries, func(e masterEntry) bool { return e.name == name && e.kind == kind })
	if i < 0 {
		return masterEntry{}, false
	}
	return m.entries[i], true
}

// endpoint reads where Postfix connects to: "unix:path" in the queue directory, "inet:host:port", "host:port", or a port alone
// on this host. It returns false for what must be looked up first, such as the mail servers of a domain.
func (m *master) endpoint(s string) (config.Endpoint, bool) {
	if path, ok := strings.CutPrefix(s, "unix:"); ok {
		if !filepath.IsAbs(path) {
			path = filepath.Join(m.queue, path)
		}
		return config.Endpoint{Network: config.Unix, Address: filepath.Clean(path)}, true
	}
	s = strings.TrimPrefix(s, "inet:")
	if !strings.Contains(s, ":") && s != "" && strings.Trim(s, "0123456789") == "" {
		s = ":" + s
	}
	host, port, err := net.SplitHostPort(s)
	if err != nil {
		return config.Endpoint{}, false
	}
	if host == "" {
		host = "localhost"
	}
	return config.Endpoint{Network: config.TCP, Address: net.JoinHostPort(host, port)}, true
}

// holder finds the spawn entry that answers at an endpoint, if Postfix itself listens there.
func (m *master) holder(at config.Endpoint) (masterEntry, bool) {
	for _, e := range m.entries {
		if e.command != "spawn" {
			continue
		}
		switch e.kind {
		case "unix":
			for _, folder := range []string{"private", "public"} {
				if at.Network == config.Unix && at.Address == filepath.Join(m.queue, folder, e.name) {
					return e, true
				}
			}
		case "inet":
			if its, ok := m.endpoint(e.name); ok && its == at {
				return e, true
			}
		}
	}
	return masterEntry{}, false
}

// spawns reads the arguments of a spawn entry: "user=NAME argv=PROGRAM ARGUMENT...".
func (e masterEntry) spawns() (account string, argv []string) {
	for i, arg := range e.args {
		if name, ok := strings.CutPrefix(arg, "user="); ok {
			account, _, _ = strings.Cut(name, ":")
		}
		if program, ok := strings.CutPrefix(arg, "argv="); ok {
			return account, append([]string{program}, e.args[i+1:]...)
		}
	}
	return account, nil
}
