package main

import (
	"context"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// privatePostfix is a Postfix with folders and ports of its own. Four smtpd take mail: one without a
// filter, and one each whose filter is the after-filter smtpd itself, the raw proxy, and superlistd. All
// mail ends in the discard transport.
type privatePostfix struct {
	config, queue string

	plain, null, copied, filtered, after string // addresses
}

// throughPostfix compares superlistd as a before-queue filter with Postfix's own smtpd in its place.
func throughPostfix(ctx context.Context, r *rig) (result, error) {
	if os.Geteuid() != 0 {
		return result{left: "a private Postfix needs root"}, nil
	}
	p, err := newPostfix(r.dir)
	if err != nil {
		return result{}, err
	}
	ours, filter, err := r.superlistd(ctx, "filter", p.after, "")
	if err != nil {
		return result{}, err
	}
	defer ours.stop()
	rawAddress, err := freeAddress()
	if err != nil {
		return result{}, err
	}
	raw, err := start(ctx, filepath.Join(r.dir, "rawfilter.log"), rawAddress, r.self, rawCommand, "-listen", rawAddress, "-relay", p.after)
	if err != nil {
		return result{}, err
	}
	defer raw.stop()
	if err := p.start(ctx, rawAddress, filter); err != nil {
		return result{}, err
	}
	defer p.stop()
	l := load{size: 10 << 10, sessions: 10, messages: r.some(700)}
	return r.rounded(ctx, p, l)
}

// rounded measures all of them in each round, each with an empty queue before it.
func (r *rig) rounded(ctx context.Context, p *privatePostfix, l load) (result, error) {
	roads := []string{p.plain, p.null, p.copied, p.filtered}
	res := result{series: make([]series, len(roads))}
	warm := l
	warm.messages = 5 * l.sessions
	for round := range r.rounds + 1 {
		for i, address := range roads {
			run := l
			if round == 0 {
				run = warm
			}
			rate, err := run.send(ctx, address)
			if err == nil {
				err = p.drained(ctx)
			}
			if err != nil {
				return res, fmt.Errorf("%w\n%s", err, p.lastWords())
			}
			if round > 0 {
				res.series[i] = append(res.series[i], rate)
			}
		}
	}
	res.verdict = res.series[3].over(res.series[1])
	res.note = fmt.Sprintf("%s of raw", number(res.series[3].over(res.series[2]).median()))
	return res, nil
}

func newPostfix(dir string) (*privatePostfix, error) {
	p := &privatePostfix{config: filepath.Join(dir, "postfix"), queue: filepath.Join(dir, "queue")}
	for _, address := range []*string{&p.plain, &p.null, &p.copied, &p.filtered, &p.after} {
		var err error
		if *address, err = freeAddress(); err != nil {
			return nil, err
		}
	}
	return p, nil
}

const mainCF = `compatibility_level = 3.6
queue_directory = QUEUE
data_directory = DIR/postfix-data
mail_owner = postfix
setgid_group = postdrop
maillog_file = DIR/mail.log
maillog_file_prefixes = DIR
myhostname = mx.example.org
mydestination =
inet_interfaces = loopback-only
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
alias_maps =
local_recipient_maps =
default_transport = discard:
smtpd_relay_restrictions = permit_mynetworks, reject
smtpd_recipient_restrictions = permit_mynetworks, reject
smtpd_peername_lookup = no
# A pause that smtpd makes when mail comes faster than it goes would be measured in place of the filters.
in_flow_delay = 0
`

const masterCF = `PLAIN    inet n - n - 100 smtpd
NULL     inet n - n - 100 smtpd -o smtpd_proxy_filter=AFTER
COPIED   inet n - n - 100 smtpd -o smtpd_proxy_filter=RAW
FILTERED inet n - n - 100 smtpd -o smtpd_proxy_filter=SUPERLISTD
AFTER    inet n - n - 100 smtpd -o smtpd_authorized_xforward_hosts=127.0.0.0/8 -o smtpd_client_connection_count_limit=0 -o smtpd_recipient_limit=50000 -o smtpd_authorized_verp_clients=127.0.0.1
postlog  unix-dgram n - n - 1 postlogd
cleanup  unix n - n - 0 cleanup
qmgr     unix n - n 300 1 qmgr
rewrite  unix - - n - - trivial-rewrite
bounce   unix - - n - 0 bounce
defer    unix - - n - 0 bounce
trace    unix - - n - 0 bounce
error    unix - - n - - error
retry    unix - - n - - error
discard  unix - - n - - discard
anvil    unix - - n - 1 anvil
proxymap unix - - n - - proxymap
`

// start writes the configuration and waits until every smtpd answers.
func (p *privatePostfix) start(ctx context.Context, raw, filter string) error {
	dir := filepath.Dir(p.config)
	for _, d := range []string{p.config, p.queue} {
		if err := os.Mkdir(d, 0o755); err != nil {
			return err
		}
	}
	words := strings.NewReplacer("QUEUE", p.queue, "DIR", dir, "PLAIN", p.plain, "NULL", p.null,
		"COPIED", p.copied, "RAW", raw, "FILTERED", p.filtered, "AFTER", p.after, "SUPERLISTD", filter)
	for name, text := range map[string]string{"main.cf": mainCF, "master.cf": masterCF} {
		if err := os.WriteFile(filepath.Join(p.config, name), []byte(words.Replace(text)), 0o644); err != nil {
			return err
		}
	}
	if out, err := p.postfix(ctx, "start"); err != nil {
		return fmt.Errorf("postfix start: %w: %s%s", err, out, p.lastWords())
	}
	for _, address := range []string{p.plain, p.null, p.copied, p.filtered, p.after} {
		if err := awaited(ctx, address); err != nil {
			p.stop()
			return fmt.Errorf("%w\n%s", err, p.lastWords())
		}
	}
	return nil
}

func awaited(ctx context.Context, address string) error {
	for end := time.Now().Add(startPatience); ; time.Sleep(20 * time.Millisecond) {
		conn, err := net.DialTimeout("tcp", address, time.Second)
		switch {
		case err == nil:
			return conn.Close()
		case ctx.Err() != nil:
			return ctx.Err()
		case time.Now().After(end):
			return err
		}
	}
}

func (p *privatePostfix) postfix(ctx context.Context, command string) ([]byte, error) {
	return exec.CommandContext(ctx, sbin("postfix"), "-c", p.config, command).CombinedOutput()
}

func (p *privatePostfix) stop() {
	if out, err := p.postfix(context.Background(), "stop"); err != nil {
		fmt.Fprintf(os.Stderr, "bench: postfix stop: %v: %s\n", err, out)
	}
}

// drained waits until the queue is empty, so that no run pays for the deliveries of another.
func (p *privatePostfix) drained(ctx context.Context) error {
	for end := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		left := 0
		for _, queue := range []string{"incoming", "active", "deferred"} {
			err := filepath.WalkDir(filepath.Join(p.queue, queue), func(_ string, d fs.DirEntry, err error) error {
				if err == nil && !d.IsDir() {
					left++
				}
				return nil // a file that is gone meanwhile is no fault
			})
			if err != nil {
				return err
			}
		}
		switch {
		case left == 0:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case time.Now().After(end):
			return fmt.Errorf("%d messages stay in Postfix's queue", left)
		}
	}
}

func (p *privatePostfix) lastWords() string {
	text, _ := os.ReadFile(filepath.Join(filepath.Dir(p.config), "mail.log")) // no log, no words
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return strings.Join(lines[max(0, len(lines)-8):], "\n")
}
