package config

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestTheExampleIsTheReference holds that examples/superlistd.toml has every key once, and every default: a line
// "#key = value" there is a default, a line "key = value" belongs to the small set-up that it gives.
func TestTheExampleIsTheReference(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../examples/superlistd.toml")
	if err != nil {
		t.Fatal(err)
	}
	setup := mustParse(t, string(data))
	commented := regexp.MustCompile(`(?m)^#([a-z_]+ = |\[\[)`)
	full := commented.ReplaceAllString(string(data), "$1")
	got := mustParse(t, full)
	if want := (Door{Endpoint{TCP, "127.0.0.1:10027"}, ProtocolSMTP, TrustNone}); len(got.Doors) != 1 || got.Doors[0] != want {
		t.Errorf("the door in the example is %+v, want %+v", got.Doors, want)
	}
	got.Doors = nil // there is none by default
	if diff := compare(got, setup); diff != "" {
		t.Errorf("defaults in the example are not those of the program (-example +program)\n%s", diff)
	}
	want := Default()
	want.Hostname, want.Domains, want.Listen, want.LMTP, want.Relay = setup.Hostname, setup.Domains, setup.Listen, setup.LMTP, setup.Relay
	if diff := compare(got, want); diff != "" {
		t.Errorf("more than the six keys differ from the defaults (-example +program)\n%s", diff)
	}

	var there []string
	table := ""
	for line := range strings.Lines(full) {
		if name, ok := strings.CutPrefix(line, "["); ok {
			table = strings.Trim(name, "[]\n") + "."
		} else if key, _, ok := strings.Cut(line, "="); ok && line[0] != '#' {
			there = append(there, table+strings.TrimSpace(key))
		}
	}
	var known []string
	for _, b := range bindings(&Config{}) {
		known = append(known, b.name)
	}
	for _, b := range doorBindings(&Door{}) {
		known = append(known, doorTable+"."+b.name)
	}
	slices.Sort(there)
	slices.Sort(known)
	if diff := strings.Join(there, "\n"); diff != strings.Join(known, "\n") {
		t.Errorf("keys in the example:\n%q\nkeys of the program:\n%q", there, known)
	}
}
