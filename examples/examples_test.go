// Package examples_test loads every example with the program that it is for, and
// holds that their numbers fit together.
package examples_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"superlistd/config"
	"superlistd/internal/needs"
)

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func settings(t *testing.T) config.Config {
	t.Helper()
	c, err := config.Load("superlistd.toml")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// find returns the first group of the pattern in an example.
func find(t *testing.T, name, pattern string) string {
	t.Helper()
	m := regexp.MustCompile(`(?m)` + pattern).FindStringSubmatch(read(t, name))
	if m == nil {
		t.Fatalf("%s has nothing like %s", name, pattern)
	}
	return m[1]
}

func seconds(t *testing.T, s string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestPostfixReadsEveryShape(t *testing.T) {
	t.Parallel()
	postconf := needs.Program(t, "postconf")
	for _, shape := range []string{"listener", "spawn", "lmtp"} {
		t.Run(shape, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for _, name := range []string{"main.cf", "master.cf"} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(read(t, name+"."+shape)), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			for _, flag := range []string{"-n", "-M", "-P"} { // parameters, services, parameters of services
				var stderr strings.Builder
				cmd := exec.Command(postconf, "-c", dir, flag)
				cmd.Stderr = &stderr
				out, err := cmd.Output()
				if err != nil || stderr.Len() > 0 {
					t.Errorf("postconf %s: %v\n%s", flag, err, stderr.String())
				}
				if flag == "-M" && strings.Count(string(out), "\n") != strings.Count("\n"+entries(read(t, "master.cf."+shape)), "\n") {
					t.Errorf("postconf sees other services than a person does:\n%s", out)
				}
			}
		})
	}
}

// entries are the lines of master.cf that begin a service, each without its line end.
func entries(master string) string {
	var first []string
	for line := range strings.Lines(master) {
		if !strings.ContainsAny(line[:1], "# \t\n") {
			first = append(first, strings.TrimSpace(line))
		}
	}
	return strings.Join(first, "\n")
}

func TestSystemdReadsTheUnits(t *testing.T) {
	t.Parallel()
	analyze := needs.Program(t, "systemd-analyze")
	dir := t.TempDir()
	args := []string{"verify", "--recursive-errors=no"}
	for _, name := range []string{"superlistd.service", "superlistd.socket", "superlistd-lmtp.socket", "superlistd-maintain.service", "superlistd-maintain.timer"} {
		text := strings.Replace(read(t, name), "/usr/local/bin/superlistd", "/bin/true", 1) // it looks for the program
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		args = append(args, file)
	}
	out, err := exec.Command(analyze, args...).CombinedOutput()
	if err != nil || strings.Contains(string(out), "superlistd") {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
}

// hardening is what a unit takes away from its process.
func hardening(t *testing.T, name string) string {
	t.Helper()
	_, lines, ok := strings.Cut(read(t, name), "# It needs its folders")
	if !ok {
		t.Fatalf("%s is not hardened", name)
	}
	lines, _, _ = strings.Cut(lines, "[Install]")
	return strings.TrimSpace(lines)
}

func TestNumbersFitTogether(t *testing.T) {
	t.Parallel()
	c := settings(t)
	spawned := 0 // connections to the relay that the two doors of spawn may want: two for each session
	for _, door := range []string{"filter", "door"} {
		n, err := strconv.Atoi(find(t, "master.cf.spawn", `^superlistd-`+door+` unix .* (\d+) +spawn`))
		if err != nil {
			t.Fatal(err)
		}
		spawned += 2 * n
	}
	listen, lmtp, relay := c.Listen[0].String(), c.LMTP[0].String(), c.Relay.String()
	for _, tt := range []struct{ name, got, want string }{
		{"filter of the listener", find(t, "master.cf.listener", `-o smtpd_proxy_filter=(.+)$`), listen},
		{"filter of spawn", "unix:private/" + find(t, "master.cf.spawn", `^(superlistd-filter) unix`), find(t, "master.cf.spawn", `-o smtpd_proxy_filter=(.+)$`)},
		{"door of the listener", find(t, "main.cf.listener", `superlistd-lmtp:inet:(\S+)`), lmtp},
		{"door of LMTP alone", find(t, "main.cf.lmtp", `superlistd-lmtp:inet:(\S+)`), lmtp},
		{"door of spawn", find(t, "main.cf.spawn", `superlistd-lmtp:unix:private/(\S+)`), find(t, "master.cf.spawn", `^(superlistd-door) unix`)},
		{"after-filter of the listener", find(t, "master.cf.listener", `^(\S+:\d+) inet`), relay},
		{"after-filter of spawn", find(t, "master.cf.spawn", `^(\S+:\d+) inet`), relay},
		{"after-filter of LMTP alone", find(t, "master.cf.lmtp", `^(\S+:\d+) inet`), relay},
		{"socket of the filter", find(t, "superlistd.socket", `^ListenStream=(.+)$`), listen},
		{"socket of the door", find(t, "superlistd-lmtp.socket", `^ListenStream=(.+)$`), lmtp},
		{"process limit after the filter", find(t, "master.cf.listener", `^\S+:\d+ inet .* (\d+) +smtpd`), strconv.Itoa(c.Delivery.RelayConnections)},
		{"process limit before the filter", find(t, "master.cf.listener", `^smtp +inet .* (\d+) +smtpd`), strconv.Itoa(c.Delivery.RelayShare)},
		{"spawned processes", find(t, "master.cf.spawn", `^superlistd-filter unix .* (\d+) +spawn`), find(t, "master.cf.spawn", `^smtp +inet .* (\d+) +smtpd`)},
		{"after-filter of spawn has room for the spool", find(t, "master.cf.spawn", `^\S+:\d+ inet .* (\d+) +smtpd`), strconv.Itoa(spawned + c.Delivery.SpoolConnections)},
		{"data folder of maintain", "/var/lib/" + find(t, "superlistd-maintain.service", `^StateDirectory=(.+)$`), c.Data},
		{"account of maintain", find(t, "superlistd-maintain.service", `^User=(.+)$`), find(t, "superlistd.service", `^User=(.+)$`)},
		{"what maintain may do", hardening(t, "superlistd-maintain.service"), hardening(t, "superlistd.service")},
		{"data folder", "/var/lib/" + find(t, "superlistd.service", `^StateDirectory=(.+)$`), c.Data},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, tt.got, tt.want)
		}
	}
	for _, shape := range []string{"listener", "spawn"} {
		if wait := seconds(t, find(t, "master.cf."+shape, `smtpd_proxy_timeout=(\S+)`)); wait <= c.Delivery.Budget {
			t.Errorf("%s: Postfix gives up after %v, superlistd after %v", shape, wait, c.Delivery.Budget)
		}
	}
	if stop := seconds(t, find(t, "superlistd.service", `^TimeoutStopSec=(.+)$`)); stop <= c.Timeouts.Data+2*c.Delivery.Budget {
		t.Errorf("systemd kills after %v, a message and the spool may take %v", stop, c.Timeouts.Data+2*c.Delivery.Budget)
	}
	if stop := seconds(t, find(t, "superlistd-maintain.service", `^TimeoutStopSec=(.+)$`)); stop <= c.Delivery.Budget {
		t.Errorf("systemd kills after %v, a transaction of the spool may take %v", stop, c.Delivery.Budget)
	}
	for _, shape := range []string{"listener", "spawn", "lmtp"} {
		if domain := find(t, "main.cf."+shape, `^relay_domains = (.+)$`); domain != c.Domains[0] {
			t.Errorf("main.cf.%s is for %s, superlistd.toml for %s", shape, domain, c.Domains[0])
		}
		if !strings.Contains(read(t, "main.cf."+shape), "inline:{ "+c.Domains[0]+"=superlistd-lmtp:") {
			t.Errorf("main.cf.%s does not route %s to the door", shape, c.Domains[0])
		}
	}
}
