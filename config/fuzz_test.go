package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"
)

// FuzzLoad holds the laws of a file that nobody wrote with care: it is refused with faults that each fit one line of
// text and blame a line that exists, in order; or it is taken, and then what the daemon relies on is true.
func FuzzLoad(f *testing.F) {
	files, _ := filepath.Glob("testdata/faults/*.txtar")
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(a.Files[0].Data)
	}
	full, err := os.ReadFile("testdata/full.toml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(full)
	f.Add([]byte(small))
	f.Add([]byte("\xef\xbb\xbf" + small + "\"\" = 1\n\"a\\nb\" = 2\n[a.b.c]\n[limits.x]\nd.e.f=1\n"))
	f.Add([]byte("relay = 2026-11-20\nlog = {level = 'x', to = [{}]}\r\n[[xclient]]\nnetworks = '::ffff:1.2.3.4'"))
	f.Add([]byte(small + "door = [{listen = '''unix:\n[[door]]'''}, {}]\n[[ \"door\" ]]\n[door.x]\n[[door.y]]"))
	f.Add([]byte(small + "[[door]]\nlisten = '127.0.0.1:1'\n[a]\n[[door]]\r\n[[ 'door' ]] # [[door]]\nlisten=1"))
	f.Add([]byte(small + "[web]\nlisten = '[::1]:80'\nurl = 'https://[2001:db8::1]:0443/a%20b/'"))
	f.Add([]byte(small + "web = {listen = ':0', url = 'https://ü@x.example:/'}"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := parse("f", data, host)
		if err == nil {
			checkAccepted(t, c)
			return
		}
		var told *Error
		if !errors.As(err, &told) || len(told.Faults) == 0 {
			t.Fatalf("refused without a fault: %v", err)
		}
		last := 0
		for i, fault := range told.Faults {
			if strings.ContainsAny(fault.Key+fault.Message, "\r\n") || fault.Message == "" {
				t.Errorf("fault %d is not one line of text: %q %q", i, fault.Key, fault.Message)
			}
			missing := strings.HasPrefix(fault.Message, "is missing") || strings.HasPrefix(fault.Message, "is not set")
			if fault.Line == 0 != missing || fault.Line > 1+strings.Count(string(data), "\n") {
				t.Errorf("fault %q blames line %d of a file of %d", fault.Message, fault.Line, 1+strings.Count(string(data), "\n"))
			}
			if fault.Line != 0 && fault.Line < last {
				t.Errorf("line %d is told after line %d", fault.Line, last)
			}
			last = fault.Line
		}
	})
}

func checkAccepted(t *testing.T, c Config) {
	t.Helper()
	d := c.Delivery
	if len(c.Domains) == 0 || c.Relay.Address == "" || c.Hostname == "" || c.Data == "" || len(c.Delimiter) != 1 {
		t.Errorf("accepted without a required key: %+v", c)
	}
	if d.MaxArmed < 1 || d.Batch < 1 || d.RelayShare < 1 || d.MaxArmed > d.RelayConnections-d.RelayShare || c.Limits.ClientSessions > c.Limits.Sessions {
		t.Errorf("accepted numbers that do not fit together: %+v %+v", d, c.Limits)
	}
	if d.SpoolHigh > 0 && d.SpoolLow > d.SpoolHigh || d.SpoolConnections > d.RelayConnections-d.RelayShare || d.SpoolPerList > d.SpoolConnections || d.SpoolPerList < 1 || d.SpoolLifetime <= 0 {
		t.Errorf("accepted a spool that does not fit together: %+v", d)
	}
	checkIdentity(t, c)
	checkWeb(t, c.Web)
	for _, name := range append([]string{c.Hostname}, c.Domains...) {
		again, err := domain(name)
		if err != nil || again != name || strings.ToLower(name) != name {
			t.Errorf("domain %q does not survive a second reading: %q, %v", name, again, err)
		}
	}
	again, err := hop(c.Relay.String())
	if err != nil || again != c.Relay {
		t.Errorf("relay %q does not survive a second reading: %v, %v", c.Relay, again, err)
	}
}

func checkIdentity(t *testing.T, c Config) {
	t.Helper()
	for _, d := range c.AllDoors() {
		smtp, trusted := d.Protocol == ProtocolSMTP, d.Trust == TrustSubmission
		if d.Listen.Address == "" || !smtp && d.Protocol != ProtocolLMTP || !trusted && d.Trust != TrustNone {
			t.Errorf("accepted a door that is none: %+v", d)
		}
		if again, err := door("listen")(d.Listen.String()); err != nil || again != d.Listen {
			t.Errorf("door %q does not survive a second reading: %v, %v", d.Listen, again, err)
		}
	}
	i := c.Identity
	if again, err := resolver(i.Resolver); err != nil || again != i.Resolver || i.Timeout <= 0 || i.Timeout > c.Delivery.Budget || i.Cache < 1 || i.Signatures < 1 {
		t.Errorf("accepted an identity that cannot be found out: %+v, %v", i, err)
	}
	if len(c.DKIM.Keys) != len(c.DKIM.Selectors) || c.DKIM.Domain != "" && len(c.DKIM.Keys) == 0 {
		t.Errorf("accepted keys that do not fit together: %+v", c.DKIM)
	}
	for _, s := range c.DKIM.Selectors {
		if again, err := selector(s); err != nil || again != s {
			t.Errorf("selector %q does not survive a second reading: %q, %v", s, again, err)
		}
	}
}

func checkWeb(t *testing.T, w Web) {
	t.Helper()
	if (w.URL == "") != (w.Listen == Endpoint{}) {
		t.Errorf("accepted half a page: %+v", w)
	}
	if w.URL == "" {
		return
	}
	if again, err := webURL(w.URL); err != nil || again != w.URL || strings.ContainsAny(w.URL, "<>\"' ,?#\\") || strings.HasSuffix(w.URL, "/") {
		t.Errorf("URL %q does not survive a second reading, or can be taken for something else: %q, %v", w.URL, again, err)
	}
	if again, err := webListen(w.Listen.String()); err != nil || again != w.Listen {
		t.Errorf("%q does not survive a second reading: %v, %v", w.Listen, again, err)
	}
}
