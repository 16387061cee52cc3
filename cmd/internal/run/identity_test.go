package run

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/foxcpp/go-mockdns"
	"github.com/rs/zerolog"

	"superlistd/config"
	"superlistd/identity"
	"superlistd/internal/needs"
)

// startDNS answers for zones, and for nothing else.
func startDNS(t *testing.T, zones map[string]mockdns.Zone) (address string) {
	t.Helper()
	var server *mockdns.Server
	var err error
	for range 10 { // the port that is free for TCP may be taken for UDP
		if server, err = mockdns.NewServerWithLogger(zones, log.New(io.Discard, "", 0), false); err == nil {
			break
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	return server.LocalAddr().String()
}

func TestNewCheckerAsksTheResolverOfTheSettings(t *testing.T) {
	t.Parallel()
	cfg := config.Default()
	cfg.Identity.Resolver = startDNS(t, map[string]mockdns.Zone{"_dmarc.example.org.": {TXT: []string{"v=DMARC1; p=reject"}}})
	if p := newChecker(cfg).Policy(context.Background(), "example.org"); p != identity.PolicyReject {
		t.Errorf("policy %q, want %q", p, identity.PolicyReject)
	}
	cfg.Identity.Resolver = config.ResolverOff
	if c := newChecker(cfg); c != nil {
		t.Error("there is somebody who would ask the DNS, though the resolver is off")
	}
}

// keyFile makes a key of listctl's.
func keyFile(t *testing.T, args string) (path, selector string) {
	t.Helper()
	selector = "s2026"
	path = filepath.Join(t.TempDir(), "key.pem")
	settings := filepath.Join(t.TempDir(), "none.toml")
	if status, _, stderr := listctlOn(settings, "dkim new-key --domain lists.example.org --selector "+selector+" --out "+path+" "+args); status != exitDone {
		t.Fatal(stderr)
	}
	return path, selector
}

func TestNewSigners(t *testing.T) {
	t.Parallel()
	path, selector := keyFile(t, "--type ed25519")
	for _, tt := range []struct {
		name string
		dkim config.DKIM
		want map[string]string // d= for the domain of a list
	}{
		{"no key, no signature", config.DKIM{}, map[string]string{"lists.example.org": ""}},
		{"each list by its domain", config.DKIM{Selectors: []string{selector}, Keys: []string{path}},
			map[string]string{"lists.example.org": "lists.example.org", "lists.example.net": "lists.example.net", "example.com": ""}},
		{"one domain for all", config.DKIM{Domain: "example.org", Selectors: []string{selector}, Keys: []string{path}},
			map[string]string{"lists.example.org": "example.org", "lists.example.net": "example.org", "example.org": ""}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cfg := config.Default()
			cfg.Domains, cfg.DKIM = []string{"lists.example.org", "lists.example.net"}, tt.dkim
			sign, err := newSigners(cfg, zerolog.Nop())
			if err != nil {
				t.Fatal(err)
			}
			for domain, want := range tt.want {
				got := ""
				if s := sign(domain); s != nil {
					got = s.Domain()
				}
				if got != want {
					t.Errorf("posts of %s are signed by %q, want %q", domain, got, want)
				}
			}
		})
	}
}

// A key that others can read signs all the same, and the log says so at the start.
func TestNewSignersWarnsOfOpenKeys(t *testing.T) {
	t.Parallel()
	path, selector := keyFile(t, "--type ed25519")
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	cfg := config.Default()
	cfg.Domains = []string{"lists.example.org"}
	cfg.DKIM = config.DKIM{Selectors: []string{selector}, Keys: []string{path}}
	var out strings.Builder
	sign, err := newSigners(cfg, zerolog.New(&out))
	if err != nil || sign("lists.example.org") == nil {
		t.Fatalf("no signer: %v", err)
	}
	if want := path + ": mode 0644 lets everybody at it"; !strings.Contains(out.String(), want) {
		t.Errorf("the log has %q, want %q", out.String(), want)
	}
}

// dkimCheck returns what check says about a key whose record is the one given, where %s is the right p=.
func dkimCheck(t *testing.T, path, selector string, records []string) (wrong int, said string) {
	t.Helper()
	key, _, err := identity.LoadKey(selector, path)
	if err != nil {
		t.Fatal(err)
	}
	text, err := key.Record()
	if err != nil {
		t.Fatal(err)
	}
	_, p, _ := strings.Cut(text, "p=")
	zones := map[string]mockdns.Zone{}
	for _, record := range records {
		name := selector + "._domainkey.lists.example.org."
		zone := zones[name]
		zone.TXT = append(zone.TXT, strings.ReplaceAll(record, "%s", p))
		zones[name] = zone
	}
	cfg := config.Default()
	cfg.Domains = []string{"lists.example.org"}
	cfg.Identity.Resolver = startDNS(t, zones)
	cfg.DKIM = config.DKIM{Selectors: []string{selector}, Keys: []string{path}}
	var out strings.Builder
	r := &report{w: &out}
	r.checkIdentity(context.Background(), cfg)
	return r.wrong, out.String()
}

func TestCheckComparesKeysWithTheDNS(t *testing.T) {
	t.Parallel()
	ed, selector := keyFile(t, "--type ed25519")
	rsa, _ := keyFile(t, "--bits 1024")
	for _, tt := range []struct {
		name, path string
		records    []string
		want       string // of the line about the key
	}{
		{"the same", ed, []string{"v=DKIM1; k=ed25519; p=%s"}, "ok     dkim"},
		{"blanks and tags that change nothing", ed, []string{"v=DKIM1 ;p= %s ; k = ed25519; h=sha1:sha256; s=email; t=s; n=ours;"}, "ok     dkim"},
		{"k is rsa when it is left out", rsa, []string{"p=%s"}, "ok     dkim"},
		{"testing", rsa, []string{"v=DKIM1; t=s:y; p=%s"}, "note   dkim      s2026._domainkey.lists.example.org says t=y"},
		{"nothing there", rsa, nil, "there is no TXT record"},
		{"two records", rsa, []string{"v=DKIM1; p=%s", "v=DKIM1; p=%s"}, "there are 2 TXT records"},
		{"something else", rsa, []string{"v=spf1 -all"}, "is no DKIM key"},
		{"revoked", rsa, []string{"v=DKIM1; p="}, "revokes the key"},
		{"another key", rsa, []string{"v=DKIM1; p=AAAA"}, "has another key"},
		{"another kind", rsa, []string{"v=DKIM1; k=ed25519; p=%s"}, "has another key"},
		{"Ed25519 that passes for RSA", ed, []string{"v=DKIM1; p=%s"}, "has another key"},
		{"another hash", rsa, []string{"v=DKIM1; h=sha1; p=%s"}, "does not allow SHA-256: h=sha1"},
		{"not for mail", rsa, []string{"v=DKIM1; s=tlsrpt; p=%s"}, "is not for mail: s=tlsrpt"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			wrong, said := dkimCheck(t, tt.path, selector, tt.records)
			bad := !strings.HasPrefix(tt.want, "ok") && !strings.HasPrefix(tt.want, "note")
			if !strings.Contains(said, tt.want) || wrong > 0 != bad || !strings.Contains(said, "ok     identity  the DNS answers") {
				t.Errorf("want %q, wrong: %t; check said\n%s", tt.want, bad, said)
			}
		})
	}
}

func TestCheckTellsOfADNSThatIsNotThere(t *testing.T) {
	t.Parallel()
	path, selector := keyFile(t, "--type ed25519")
	silent, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	cfg := config.Default()
	cfg.Domains = []string{"lists.example.org"}
	cfg.Identity.Resolver, cfg.Identity.Timeout = silent.LocalAddr().String(), 100*time.Millisecond
	cfg.DKIM = config.DKIM{Selectors: []string{selector}, Keys: []string{path}}
	var out strings.Builder
	r := &report{w: &out}
	r.checkIdentity(context.Background(), cfg)
	for _, want := range []string{
		fmt.Sprintf("WRONG  identity  the DNS does not answer (resolver = %q): each post waits up to 100ms for it", cfg.Identity.Resolver),
		"ok     dkim      " + path + " signs as s2026._domainkey.lists.example.org; the DNS was not asked",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("want %q; check said\n%s", want, out.String())
		}
	}
	if r.wrong != 1 {
		t.Errorf("%d things are wrong, want 1", r.wrong)
	}
}

// What root makes must be readable by the account that signs.
func TestAKeyOfRootGoesToWhoServes(t *testing.T) {
	t.Parallel()
	needs.Root(t, "only root can give files away")
	file := settingsFile(t)
	if err := os.Chown(filepath.Dir(file), 1234, 2345); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "key.pem")
	if status, _, stderr := listctlOn(file, "dkim new-key --type ed25519 --selector s --out "+path); status != exitDone {
		t.Fatal(stderr)
	}
	if owner := ownerOf(path); owner != 1234 {
		t.Errorf("the key belongs to account %d, want 1234", owner)
	}
}

func TestDKIMUsage(t *testing.T) {
	t.Parallel()
	file := settingsFile(t)
	for _, tt := range []struct{ args, want string }{
		{"dkim", "usage: listctl dkim new-key|show\n"},
		{"dkim newkey", "\"newkey\" is not a command of dkim: try \"listctl dkim --help\"\n"},
		{"dkim new-key", "usage: listctl dkim new-key --selector S --out FILE [flags]\n"},
		{"dkim new-key --selector s", "usage: listctl dkim new-key --selector S --out FILE [flags]\n"},
		{"dkim new-key --selector s --out x --type dsa", "--type \"dsa\" is neither rsa nor ed25519\n"},
		{"dkim new-key --selector s --out x --type ed25519 --bits 2048", "--bits is for RSA: an Ed25519 key has one length\n"},
		{"dkim new-key more", "unknown command \"more\" for \"listctl dkim new-key\"\n"},
		{"dkim show more", "unknown command \"more\" for \"listctl dkim show\"\n"},
	} {
		t.Run(tt.args, func(t *testing.T) {
			t.Parallel()
			if status, stdout, stderr := listctlOn(file, tt.args); status != exitUsage || stdout != "" || stderr != tt.want {
				t.Errorf("exit status %d, stdout %q, stderr %q, want %q", status, stdout, stderr, tt.want)
			}
		})
	}
}
