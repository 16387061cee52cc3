package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const (
	domain    = "lists.example.org"
	outside   = "somebody@example.net" // relayed
	smallList = "small@" + domain
)

// rig is what all cases share: the built programs, the sink, the raw proxy and a superlistd before it.
type rig struct {
	settings
	dir       string
	self      string
	sink, raw *process
	ours      *process
	settled   bool           // its data folder is as after many posts
	rosters   map[int]string // files of a store with a list of so many members

	sinkAddress, rawAddress, address string
}

func newRig(ctx context.Context, s settings) (r *rig, err error) {
	r = &rig{settings: s, rosters: map[int]string{}}
	defer func() {
		if err != nil {
			r.close()
		}
	}()
	if r.dir, err = os.MkdirTemp("", "superlistd-bench-"); err != nil {
		return nil, err
	}
	// smtp-sink and Postfix run under accounts of their own, which must get to their folders.
	if err := os.Chmod(r.dir, 0o755); err != nil {
		return nil, err
	}
	if r.self, err = os.Executable(); err != nil {
		return nil, err
	}
	if err := r.build(ctx); err != nil {
		return nil, err
	}
	if r.sink, r.sinkAddress, err = startSink(ctx, r.dir); err != nil {
		return nil, err
	}
	if r.rawAddress, err = freeAddress(); err != nil {
		return nil, err
	}
	if r.raw, err = start(ctx, filepath.Join(r.dir, "raw.log"), r.rawAddress, r.self, rawCommand, "-listen", r.rawAddress, "-relay", r.sinkAddress); err != nil {
		return nil, err
	}
	r.ours, r.address, err = r.superlistd(ctx, "main", r.sinkAddress, "")
	return r, err
}

func (r *rig) close() {
	for _, p := range []*process{r.ours, r.raw, r.sink} {
		if err := p.stop(); err != nil && p == r.ours {
			fmt.Fprintln(os.Stderr, "bench: superlistd ended badly:", err)
		}
	}
	os.RemoveAll(r.dir)
}

// build builds the two programs as "make build" does.
func (r *rig) build(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", r.dir+"/", "superlistd/cmd/superlistd", "superlistd/cmd/listctl")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w: %s", err, out)
	}
	if r.command == "" {
		r.command = filepath.Join(r.dir, "superlistd")
	}
	return nil
}

// superlistd starts one with its own data folder: the program itself with all settings as they are by
// default, apart from the tables in extra, or, for a profile, its parts inside this program.
func (r *rig) superlistd(ctx context.Context, name, relay, extra string) (*process, string, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, "", err
	}
	if err := r.configure(name, address, relay, extra); err != nil {
		return nil, "", err
	}
	command, args := r.command, []string{"serve", "--config", r.config(name)}
	if r.profile != "" {
		profile := r.profile
		if name != "main" {
			profile += "." + name
		}
		command, args = r.self, []string{serveCommand, "-config", r.config(name), "-profile", profile}
	}
	p, err := start(ctx, filepath.Join(r.dir, name+".log"), address, command, args...)
	return p, address, err
}

func (r *rig) config(name string) string { return filepath.Join(r.dir, name+".toml") }
func (r *rig) data(name string) string   { return filepath.Join(r.dir, name+".data") }

func (r *rig) configure(name, listen, relay, extra string) error {
	text := fmt.Sprintf("hostname = \"mx.example.org\"\ndomains = [%q]\nidentity.resolver = \"off\"\nlisten = %q\nrelay = %q\ndata = %q\n%s",
		domain, listen, relay, r.data(name), extra)
	return os.WriteFile(r.config(name), []byte(text), 0o644)
}

// list creates a list with that many members, at which everybody may post.
func (r *rig) list(ctx context.Context, name, address string, members int) error {
	var b strings.Builder
	for i := range members {
		fmt.Fprintf(&b, "%s\n", member(i))
	}
	for _, args := range [][]string{{"create", address, "post=anyone"}, {"add", address, "-"}} {
		cmd := exec.CommandContext(ctx, filepath.Join(r.dir, "listctl"), append([]string{"--config", r.config(name)}, args...)...)
		cmd.Stdin = strings.NewReader(b.String())
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("listctl %s: %w: %s", args[0], err, out)
		}
	}
	return nil
}

func member(i int) string { return fmt.Sprintf("member%06d@example.net", i) }

// some is how many messages a case sends in a round: fewer with -quick.
func (r *rig) some(n int) int {
	if r.quick {
		return max(n/10, 1)
	}
	return n
}

// lastWords is the end of superlistd's log, for the message of a failure.
func (r *rig) lastWords() string {
	text, err := os.ReadFile(r.ours.log)
	if err != nil || len(text) == 0 {
		return ""
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return "\nthe last lines of superlistd's log:\n" + strings.Join(lines[max(0, len(lines)-5):], "\n")
}
