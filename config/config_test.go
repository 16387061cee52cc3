package config

import (
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "write what the programs say into the golden files")

const small = "domains = [\"lists.example.org\"]\nrelay = \"127.0.0.1:10026\"\n"

func host() (string, error) { return "mx.example.org", nil }

func mustParse(t *testing.T, text string) Config {
	t.Helper()
	c, err := parse("superlistd.toml", []byte(text), host)
	if err != nil {
		t.Fatalf("parse(%q): %v", text, err)
	}
	return c
}

func faults(t *testing.T, text string) string {
	t.Helper()
	_, err := parse("superlistd.toml", []byte(text), host)
	if err == nil {
		t.Fatalf("parse(%q) finds no fault", text)
	}
	return err.Error()
}

func compare(a, b Config) string {
	return cmp.Diff(a, b, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }), cmpopts.EquateEmpty())
}

func TestTheSmallestFile(t *testing.T) {
	t.Parallel()
	want := Default()
	want.Hostname = "mx.example.org"
	want.Domains = []string{"lists.example.org"}
	want.Relay = Endpoint{TCP, "127.0.0.1:10026"}
	if diff := compare(mustParse(t, small), want); diff != "" {
		t.Errorf("(-got +want)\n%s", diff)
	}
}

func TestEveryKeyIsRead(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/full.toml")
	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		Hostname: "mail.example.net",
		Domains:  []string{"lists.example.org", "xn--bcher-kva.example"},
		Listen:   []Endpoint{{TCP, "192.0.2.1:10025"}, {Unix, "/run/superlistd/filter"}, {Systemd, "listen"}},
		LMTP:     []Endpoint{{Systemd, "door"}}, Relay: Endpoint{TCP, "[::1]:10026"},
		Data: "/srv/lists", Delimiter: "=",
		Clients: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::1/128")},
		Doors: []Door{
			{Endpoint{TCP, "127.0.0.1:10027"}, ProtocolSMTP, TrustSubmission},
			{Endpoint{Systemd, "second"}, ProtocolLMTP, TrustNone},
		},
		Templates: "/etc/superlistd/templates", AuditMonths: 60,
		Identity: Identity{"[2001:db8::53]:5353", 500 * time.Millisecond, 7, 2},
		DKIM: DKIM{
			"xn--bcher-kva.example", []string{"r2026", "2026"},
			[]string{"/etc/superlistd/rsa.pem", "/etc/superlistd/ed.pem"},
		},
		Limits:    Limits{1 << 20, 2, 300, 4, 5, 16384, 1e6, 3},
		Timeouts:  Timeouts{time.Minute, 90 * time.Minute, 1500 * time.Millisecond, 25 * time.Second, 0},
		Delivery:  Delivery{500, 3, 9, 6, 45 * time.Second, 10e6, 9e6, 0, 0, 60 * time.Hour, 3, 2, 0},
		Helo:      Helo{CheckResolvable},
		TLS:       TLS{"/etc/ssl/cert.pem", "/etc/ssl/key.pem"},
		RelayTLS:  RelayTLS{ModeRequired, "/etc/ssl/ca.pem", "relay.example.net"},
		RelayAuth: RelayAuth{"CRAM-MD5", "lists", "", "/etc/superlistd/password"},
		XClient:   XClient{[]netip.Prefix{netip.MustParsePrefix("192.0.2.7/32")}},
		Web: Web{
			Endpoint{TCP, "127.0.0.1:8025"}, "https://xn--bcher-kva.example:8443/lists",
			[]netip.Prefix{netip.MustParsePrefix("192.0.2.8/32")},
		},
		Log: Log{"debug", FormatJSON, "/var/log/superlistd.log"},
	}
	if diff := compare(mustParse(t, string(data)), want); diff != "" {
		t.Errorf("(-got +want)\n%s", diff)
	}
}

func TestSizes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		in   string
		want int64
		ok   bool
	}{
		{"0", 0, true}, {"none", 0, true}, {"10MB", 10e6, true}, {"10 MB", 10e6, true}, {"512kB", 512e3, true}, {"64KiB", 65536, true},
		{"1 GiB", 1 << 30, true}, {"7B", 7, true}, {"9223372036854775807", 1<<63 - 1, true},
		{"", 0, false}, {"MB", 0, false}, {"5 parsecs", 0, false}, {"-1MB", 0, false}, {"+1MB", 0, false}, {"1.5MB", 0, false}, {"5mb", 0, false},
		{"5M", 0, false}, {"5 5MB", 0, false}, {"5MB ", 0, false}, {"9223372036854775807kB", 0, false}, {"1_000", 0, false}, {"-0", 0, false},
	} {
		if got, ok := parseSize(tt.in); got != tt.want || ok != tt.ok {
			t.Errorf("parseSize(%q) = %d, %t, want %d, %t", tt.in, got, ok, tt.want, tt.ok)
		}
	}
}

func TestSpans(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		in   string
		want time.Duration
		ok   bool
	}{
		{"90s", 90 * time.Second, true}, {"5d", 120 * time.Hour, true}, {"1h30m", 90 * time.Minute, true}, {"2w1d", 15 * 24 * time.Hour, true},
		{"1m500ms", time.Minute + 500*time.Millisecond, true}, {"0", 0, true},
		{"", 0, false}, {"90", 0, false}, {"s", 0, false}, {"1.5h", 0, false}, {"-5s", 0, false}, {"5s1m", 0, false}, {"1h1h", 0, false},
		{"5 s", 0, false}, {"0s", 0, false}, {"9999999999999d", 0, false}, {"99999999999999999999s", 0, false}, {"106751d106751d", 0, false},
	} {
		if got, ok := parseSpan(tt.in); ok != tt.ok || ok && got != tt.want {
			t.Errorf("parseSpan(%q) = %v, %t, want %v, %t", tt.in, got, ok, tt.want, tt.ok)
		}
	}
	for d, want := range map[time.Duration]string{90 * time.Second: "1m30s", time.Hour: "1h", 48 * time.Hour: "2d", time.Minute: "1m", 0: "0s", 100 * time.Millisecond: "100ms"} {
		if got := showSpan(d); got != want {
			t.Errorf("showSpan(%d) = %q, want %q", d, got, want)
		}
	}
}

func TestDomains(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, want string }{
		{"folds to lower case", "Lists.EXAMPLE.org", "lists.example.org"},
		{"a U-label becomes its A-label", "Bücher.example", "xn--bcher-kva.example"},
		{"an A-label stays", "XN--bcher-kva.example", "xn--bcher-kva.example"},
		{"underscores are seen in the wild", "my_lists.example.org", "my_lists.example.org"},
		{"one label is a domain", "localhost", "localhost"},
		{"the root's dot is dropped", "lists.example.org.", "lists.example.org"},
		{"empty", "", ""},
		{"an address", "192.0.2.1", ""},
		{"empty label", "lists..org", ""},
		{"label starts with a hyphen", "-a.org", ""},
		{"label too long", strings.Repeat("a", 64) + ".org", ""},
		{"too long", strings.Repeat("abcdefg.", 40) + "org", ""},
		{"blank", "lists example.org", ""},
		{"mailbox", "team@example.org", ""},
		{"line break", "lists.example.org\r\n", ""},
		{"broken A-label", "xn--a.example", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := domain(tt.in)
			if got != tt.want || (err != nil) != (tt.want == "") {
				t.Errorf("domain(%q) = %q, %v, want %q", tt.in, got, err, tt.want)
			}
		})
	}
}

func TestDoorsBeyondThisHost(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		listen string
		local  bool
	}{
		{"127.0.0.1:10025", true}, {"127.8.9.1:1", true}, {"[::1]:10025", true}, {"localhost:10025", true}, {"unix:/run/x", true}, {"systemd", true},
		{":10025", false}, {"0.0.0.0:10025", false}, {"[::]:10025", false}, {"192.0.2.1:10025", false}, {"mx.example.org:10025", false}, {"inet:10.0.0.1:1", false},
	} {
		for _, key := range []string{"listen", "lmtp"} {
			text := small + key + " = [\"unix:/run/other\", \"" + tt.listen + "\"]\n"
			_, err := parse("f", []byte(text), host)
			if (err == nil) != tt.local {
				t.Errorf("%s = %q without clients: %v, want a fault: %t", key, tt.listen, err, !tt.local)
			}
			if err != nil && (!strings.Contains(err.Error(), "f:3: "+key+": ") || !strings.Contains(err.Error(), "clients")) {
				t.Errorf("%s = %q: the fault does not name its line, or the way out: %v", key, tt.listen, err)
			}
			mustParse(t, text+`clients = ["192.0.2.0/24"]`)
		}
	}
}

func TestMoreDoorsThanAnybodyNeeds(t *testing.T) {
	t.Parallel()
	for _, n := range []int{maxDoors, maxDoors + 1} {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "[[door]]\nlisten = \"unix:/run/%d\"\n", i)
		}
		_, err := parse("f", []byte(small+b.String()), host)
		if told := err != nil && strings.HasSuffix(err.Error(), "door: there are 101: 100 are the most"); told != (n > maxDoors) || (err == nil) == told {
			t.Errorf("%d doors: %v", n, err)
		}
	}
}

// All doors are found where the daemon and "superlistd check" look for them.
func TestAllDoors(t *testing.T) {
	t.Parallel()
	c := mustParse(t, small+"lmtp = \"unix:/l\"\nlisten = [\"unix:/a\", \"unix:/b\"]\n[[door]]\nlisten = \"unix:/c\"\ntrust = \"submission\"\nprotocol = \"lmtp\"\n")
	want := []Door{
		{Endpoint{Unix, "/a"}, ProtocolSMTP, TrustNone}, {Endpoint{Unix, "/b"}, ProtocolSMTP, TrustNone},
		{Endpoint{Unix, "/l"}, ProtocolLMTP, TrustNone}, {Endpoint{Unix, "/c"}, ProtocolLMTP, TrustSubmission},
	}
	if diff := cmp.Diff(c.AllDoors(), want); diff != "" {
		t.Errorf("(-got +want)\n%s", diff)
	}
}

func TestResolvers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, want string }{
		{"the system's", "system", "system"},
		{"none", "off", "off"},
		{"a server", "127.0.0.1:5353", "127.0.0.1:5353"},
		{"port 53 needs no saying", "192.0.2.53", "192.0.2.53:53"},
		{"IPv6", "2001:DB8::53", "[2001:db8::53]:53"},
		{"IPv6 with a port", "[::1]:5353", "[::1]:5353"},
		{"a name cannot be looked up", "localhost:53", ""},
		{"no port", "127.0.0.1:", ""},
		{"port 0", "127.0.0.1:0", ""},
		{"empty", "", ""},
		{"case counts", "OFF", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := resolver(tt.in)
			if got != tt.want || (err != nil) != (tt.want == "") {
				t.Errorf("resolver(%q) = %q, %v, want %q", tt.in, got, err, tt.want)
			}
		})
	}
}

func TestConnectionsFitTogether(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, want string }{
		{"more armed than there are", "max_armed = 41", "superlistd.toml:4: delivery.max_armed: max_armed (41) is more than relay_connections less relay_share (60 - 20 = 40)"},
		{"as many armed as there are", "max_armed = 40", ""},
		{"the last key given is blamed", "relay_connections = 30\nmax_armed = 20\nrelay_share = 11", "superlistd.toml:6: delivery.relay_share: max_armed (20) is more than relay_connections less relay_share (30 - 11 = 19)"},
		{"nothing left for posts", "relay_connections = 20", "superlistd.toml:4: delivery.relay_connections: relay_share (20) must be less than relay_connections (20)"},
		{"one slip, one fault", "relay_connections = \"30\"\nmax_armed = 500", "superlistd.toml:4: delivery.relay_connections: must be a whole number without quotes, not a string"},
		{"connecting takes the whole budget", "budget = \"9s\"", "superlistd.toml:4: delivery.budget: timeouts.connect (10s) is longer than delivery.budget (9s)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := ""
			if _, err := parse("superlistd.toml", []byte(small+"[delivery]\n"+tt.in), host); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("\n got %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestTheSpoolFitsTogether(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, want string }{
		{"low above high", "spool_low = \"3GB\"", "superlistd.toml:4: delivery.spool_low: spool_low (3000000000 octets) is more than spool_high (2000000000)"},
		{"the last key given is blamed", "spool_low = \"2MB\"\nspool_high = \"1MB\"", "superlistd.toml:5: delivery.spool_high: spool_low (2000000 octets) is more than spool_high (1000000)"},
		{"low beside no high", "spool_low = \"3GB\"\nspool_high = \"none\"", ""},
		{"more connections than posts may have", "spool_connections = 41", "superlistd.toml:4: delivery.spool_connections: spool_connections (41) is more than relay_connections less relay_share (60 - 20 = 40)"},
		{"as many", "spool_connections = 40", ""},
		{"more for a list than for all", "spool_per_list = 11", "superlistd.toml:4: delivery.spool_per_list: spool_per_list (11) is more than spool_connections (10)"},
		{"more for a list than there are left", "max_armed = 2\nrelay_connections = 22\nspool_per_list = 3", "superlistd.toml:6: delivery.spool_per_list: spool_per_list (3) is more than spool_connections (2)"},
		{"one slip, one fault", "spool_connections = \"2\"\nspool_per_list = 11", "superlistd.toml:4: delivery.spool_connections: must be a whole number without quotes, not a string"},
		{"nothing left for posts is told once", "relay_connections = 20\nspool_connections = 5", "superlistd.toml:4: delivery.relay_connections: relay_share (20) must be less than relay_connections (20)"},
		{"no lifetime", "spool_lifetime = \"0\"", "superlistd.toml:4: delivery.spool_lifetime: \"0\" is not between 1s and 366d"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got := ""
			if _, err := parse("superlistd.toml", []byte(small+"[delivery]\n"+tt.in), host); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("\n got %s\nwant %s", got, tt.want)
			}
		})
	}
}

func TestTheSpoolFollowsWhatItDependsOn(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, in             string
		low                  int64
		connections, perList int
	}{
		{"nothing given", "", 1e9, 10, 5},
		{"a lower high mark halves the low one", "spool_high = \"100MB\"", 50e6, 10, 5},
		{"a higher high mark leaves the low one", "spool_high = \"100GB\"", 1e9, 10, 5},
		{"no high mark needs no low one", "spool_high = 0", 1e9, 10, 5},
		{"fewer connections", "relay_connections = 24\nmax_armed = 4", 1e9, 4, 4},
		{"fewer for the spool", "spool_connections = 2", 1e9, 2, 2},
		{"what is given stays", "spool_low = 0\nspool_connections = 8\nspool_per_list = 8", 0, 8, 8},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := mustParse(t, small+"[delivery]\n"+tt.in).Delivery
			if d.SpoolLow != tt.low || d.SpoolConnections != tt.connections || d.SpoolPerList != tt.perList {
				t.Errorf("low %d, %d connections, %d per list; want %d, %d, %d", d.SpoolLow, d.SpoolConnections, d.SpoolPerList, tt.low, tt.connections, tt.perList)
			}
		})
	}
}

func TestFewerSessionsBoundThoseOfOneClient(t *testing.T) {
	t.Parallel()
	if got := mustParse(t, small+"limits.sessions = 50").Limits.ClientSessions; got != 50 {
		t.Errorf("ClientSessions = %d, want 50", got)
	}
}

func TestHostnameOfTheHost(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, own string
		err       error
		want      string
	}{
		{"full", "MX.Example.org", nil, ""},
		{"short", "mx", nil, `superlistd.toml: hostname: is not set, and this host's own name "mx" is not a full one (try hostname = "mx.example.org")`},
		{"none", "", errors.New("no name"), `superlistd.toml: hostname: is not set, and this host has no name: no name`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, err := parse("superlistd.toml", []byte(small), func() (string, error) { return tt.own, tt.err })
			if tt.want == "" && (err != nil || c.Hostname != "mx.example.org") {
				t.Errorf("Hostname = %q, %v", c.Hostname, err)
			}
			if tt.want != "" && (err == nil || err.Error() != tt.want) {
				t.Errorf("\n got %v\nwant %s", err, tt.want)
			}
		})
	}
}

func TestAPasswordIsNeverShown(t *testing.T) {
	t.Parallel()
	for _, value := range []string{`"hunter2\n"`, `["hunter2"]`, `"hunter2"`} {
		if got := faults(t, small+"[relay_auth]\npassword = "+value); strings.Contains(got, "hunter2") || !strings.Contains(got, "relay_auth.password") {
			t.Errorf("password = %s: %s", value, got)
		}
	}
}

// TestFaultsAsTold compares what a person reads with testdata/faults/*.txtar; -update writes them.
func TestFaultsAsTold(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/faults/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no golden files: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			a, err := txtar.ParseFile(file)
			if err != nil || len(a.Files) != 2 {
				t.Fatalf("want superlistd.toml and want.txt in %s: %v", file, err)
			}
			got := faults(t, string(a.Files[0].Data)) + "\n"
			if *update {
				a.Files[1].Data = []byte(got)
				if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(got, string(a.Files[1].Data)); diff != "" {
				t.Errorf("(-got +want)\n%s", diff)
			}
		})
	}
}

func TestLoadReadsTheFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	good, bad, big := filepath.Join(dir, "good.toml"), filepath.Join(dir, "bad.toml"), filepath.Join(dir, "big.toml")
	for file, text := range map[string]string{good: small + `hostname = "mx.example.org"`, bad: "relay = 1", big: strings.Repeat("#\n", maxFile)} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if c, err := Load(good); err != nil || c.Relay.Address != "127.0.0.1:10026" {
		t.Errorf("Load(good) = %v, %v", c, err)
	}
	var told *Error
	if _, err := Load(bad); !errors.As(err, &told) || told.Path != bad || told.Faults[0].Line != 1 {
		t.Errorf("Load(bad) = %v, want a fault in line 1", err)
	}
	if _, err := Load(big); !errors.As(err, &told) {
		t.Errorf("Load(big) = %v, want a fault", err)
	}
	if _, err := Load(filepath.Join(dir, "none.toml")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("Load(none) = %v, want os.ErrNotExist", err)
	}
}

func TestEndpointsAreWrittenAsRead(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"127.0.0.1:10025", "[::1]:25", "unix:/run/x", "systemd:lmtp", ":25", "mx.example.org:25"} {
		e, err := door("listen")(s)
		if err != nil || e.String() != s {
			t.Errorf("door(%q) = %q, %v", s, e, err)
		}
	}
}
