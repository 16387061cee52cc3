package lists_test

import (
	"errors"
	"strings"
	"testing"

	"superlistd/lists"
)

func mustParse(t testing.TB, s string) lists.Address {
	t.Helper()
	a, err := lists.ParseAddress(s)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestParseAddress(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, local, want, key string }{
		{"plain", "ann@example.org", "ann", "ann@example.org", "ann@example.org"},
		{"domain folds, local part does not, key does", "Ann@EXAMPLE.org", "Ann", "Ann@example.org", "ann@example.org"},
		{"quoted local part keeps its quotes", `"a b"@example.org`, "a b", `"a b"@example.org`, "a b@example.org"},
		{"needless quotes go", `"ann"@example.org`, "ann", "ann@example.org", "ann@example.org"},
		{"needless backslash goes", `"a\nn"@example.org`, "ann", "ann@example.org", "ann@example.org"},
		{"quote and backslash in quotes", `"a\"\\b"@example.org`, `a"\b`, `"a\"\\b"@example.org`, `a"\b@example.org`},
		{"at sign in quotes", `"a@evil.example> x"@example.org`, "a@evil.example> x", `"a@evil.example> x"@example.org`, "a@evil.example> x@example.org"},
		{"quoted words beside atoms", `a."b c".d@example.org`, "a.b c.d", `"a.b c.d"@example.org`, "a.b c.d@example.org"},
		{"stray dots are quoted", "a..b.@example.org", "a..b.", `"a..b."@example.org`, "a..b.@example.org"},
		{"leading dot is quoted", ".a@example.org", ".a", `".a"@example.org`, ".a@example.org"},
		{"every atom character", "!#$%&'*+-/=?^_`{|}~@example.org", "!#$%&'*+-/=?^_`{|}~", "!#$%&'*+-/=?^_`{|}~@example.org", "!#$%&'*+-/=?^_`{|}~@example.org"},
		{"UTF-8 local part, not folded", "Jörg.Ä@example.org", "Jörg.Ä", "Jörg.Ä@example.org", "jörg.Ä@example.org"},
		{"Kelvin sign is not k", "\u212a@example.org", "\u212a", "\u212a@example.org", "\u212a@example.org"},
		{"underscore in the domain", "a@my_host.example", "a", "a@my_host.example", "a@my_host.example"},
		{"dot at the end of the domain", "a@example.org.", "a", "a@example.org", "a@example.org"},
		{"one label", "root@localhost", "root", "root@localhost", "root@localhost"},
		{"IPv4 literal", "a@[192.0.2.1]", "a", "a@[192.0.2.1]", "a@[192.0.2.1]"},
		{"IPv6 literal in one spelling", "a@[ipv6:2001:DB8:0:0::1]", "a", "a@[IPv6:2001:db8::1]", "a@[IPv6:2001:db8::1]"},
		{"local part over 64 octets", strings.Repeat("a", 100) + "@example.org", strings.Repeat("a", 100), strings.Repeat("a", 100) + "@example.org", strings.Repeat("a", 100) + "@example.org"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := mustParse(t, tt.in)
			if a.Local != tt.local {
				t.Errorf("Local = %q, want %q", a.Local, tt.local)
			}
			if got := a.String(); got != tt.want {
				t.Errorf("String() = %q, want %q", got, tt.want)
			}
			if got := string(a.Append([]byte("x"))); got != "x"+tt.want {
				t.Errorf("Append = %q, want %q", got, "x"+tt.want)
			}
			if got := a.Key(); got != tt.key {
				t.Errorf("Key() = %q, want %q", got, tt.key)
			}
			if got := string(a.AppendKey(nil)); got != tt.key {
				t.Errorf("AppendKey = %q, want %q", got, tt.key)
			}
		})
	}
}

func TestParseAddressRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in string }{
		{"empty", ""},
		{"no domain", "ann"},
		{"empty domain", "ann@"},
		{"only a dot for a domain", "ann@."},
		{"empty local part", "@example.org"},
		{"empty quoted local part", `""@example.org`},
		{"two at signs", "a@b@example.org"},
		{"angle brackets", "<ann@example.org>"},
		{"blank outside quotes", "a b@example.org"},
		{"blank around", " ann@example.org"},
		{"quote not closed", `"ann@example.org`},
		{"backslash at the end", `"ann\`},
		{"backslash outside quotes", `a\ b@example.org`},
		{"source route", "@relay.example:ann@example.org"},
		{"line end", "ann\r\n@example.org"},
		{"line end in quotes", "\"a\r\nRCPT TO:<x>\"@example.org"},
		{"line end behind backslash", "\"a\\\nb\"@example.org"},
		{"line end in the domain", "ann@example.org\r\n"},
		{"NUL", "a\x00b@example.org"},
		{"tab in quotes", "\"a\tb\"@example.org"},
		{"DEL", "\"a\x7fb\"@example.org"},
		{"C1 control", "a\u0085b@example.org"},
		{"line separator", "a\u2028b@example.org"},
		{"not UTF-8", "a\xffb@example.org"},
		{"blank in the domain", "ann@exam ple.org"},
		{"parameter in the domain", "ann@example.org> SIZE=1"},
		{"empty label", "ann@example..org"},
		{"two dots at the end", "ann@example.org.."},
		{"label over 63 octets", "ann@" + strings.Repeat("a", 64) + ".org"},
		{"domain over 255 octets", "ann@" + strings.Repeat("abc.", 64) + "org"},
		{"over 320 octets", strings.Repeat("a", 310) + "@example.org"},
		{"over 320 octets with its quotes", `"` + strings.Repeat(`\"`, 160) + `"@example.org`},
		{"very long", strings.Repeat("a", 1<<20) + "@example.org"},
		{"literal not closed", "ann@[192.0.2.1"},
		{"text after literal", "ann@[192.0.2.1]x"},
		{"bad IPv4 literal", "ann@[192.0.2.256]"},
		{"IPv6 literal without tag", "ann@[2001:db8::1]"},
		{"IPv4 with the IPv6 tag", "ann@[IPv6:192.0.2.1]"},
		{"zone in a literal", "ann@[IPv6:fe80::1%eth0]"},
		{"general literal", "ann@[x:y]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if a, err := lists.ParseAddress(tt.in); !errors.Is(err, lists.ErrAddress) {
				t.Errorf("ParseAddress(%.80q) = %v, %v; want ErrAddress", tt.in, a, err)
			} else if a != (lists.Address{}) {
				t.Errorf("ParseAddress(%.80q) = %v beside an error", tt.in, a)
			}
		})
	}
}

func TestDomainNames(t *testing.T) {
	t.Parallel()
	const want = "xn--bcher-kva.example"
	for _, tt := range []struct{ name, in string }{
		{"A-label", "xn--bcher-kva.example"},
		{"A-label in upper case", "XN--BCHER-KVA.EXAMPLE"},
		{"U-label", "bücher.example"},
		{"U-label in upper case", "BÜCHER.example"},
		{"U-label, decomposed", "bu\u0308cher.example"},
		{"ideographic full stop", "bücher\u3002example"},
		{"full width", "bücher.ｅｘａｍｐｌｅ"},
		{"dot at the end", "bücher.example."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := mustParse(t, "ann@"+tt.in)
			if a.Domain != want {
				t.Errorf("Domain = %q, want %q", a.Domain, want)
			}
			if !a.ASCII() {
				t.Error("ASCII() = false; an A-label needs no SMTPUTF8")
			}
		})
	}
	if a := mustParse(t, "a@straße_1.example"); a.Domain != "xn--strae_1-3va.example" {
		t.Errorf("sharp s is kept and _ is taken: got %q", a.Domain)
	}
	for _, in := range []string{"a@bücher .example", "a@ü\x00.example", "a@［192.0.2.1］", "a@\u0301.example", "a@ü\u202e.example"} {
		if a, err := lists.ParseAddress(in); !errors.Is(err, lists.ErrAddress) {
			t.Errorf("ParseAddress(%q) = %v, %v; want ErrAddress", in, a, err)
		}
	}
}

func TestZeroAddress(t *testing.T) {
	t.Parallel()
	var a lists.Address
	if a.String() != "" || a.Key() != "" || !a.IsZero() || len(a.Append(nil)) != 0 || len(a.AppendKey(nil)) != 0 {
		t.Errorf("the zero Address is not empty: %q, %q", a.String(), a.Key())
	}
	if mustParse(t, "a@b").IsZero() {
		t.Error("a@b is zero")
	}
}

func TestAddressCheck(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		in   lists.Address
		ok   bool
	}{
		{"as parsed", mustParse(t, `"a b"@example.org`), true},
		{"zero", lists.Address{}, false},
		{"line end in the local part", lists.Address{Local: "a\r\nDATA", Domain: "example.org"}, false},
		{"bracket in the domain", lists.Address{Local: "a", Domain: "example.org> X=Y"}, false},
		{"domain not folded", lists.Address{Local: "a", Domain: "EXAMPLE.org"}, false},
		{"no local part", lists.Address{Domain: "example.org"}, false},
		{"no domain", lists.Address{Local: "a"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if err := tt.in.Check(); (err == nil) != tt.ok || err != nil && !errors.Is(err, lists.ErrAddress) {
				t.Errorf("Check() = %v, want ok %v", err, tt.ok)
			}
		})
	}
}

// The laws: what was parsed can be written and parsed again and is the same; its key is
// the key of every spelling that differs in case; nothing of it can end a command line.
func FuzzAddress(f *testing.F) {
	for _, s := range []string{
		"ann@example.org", `"a b"@EXAMPLE.org`, `"a\"\\@b"@example.org`, "a..b@example.org", `a."b".c@x`,
		"Jörg@bücher.example", "a@[192.0.2.1]", "a@[IPv6:::ffff:192.0.2.1]", "a@xn--bcher-kva.example", "a@_x.example.",
		"\u212a@x", "a@b\u3002c", `"\a"@b`, "\"\"@x", "a@\u00df", "a@xn--a", "a@xn--zca.\u00e9",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		a, err := lists.ParseAddress(in)
		if err != nil {
			if !errors.Is(err, lists.ErrAddress) || !a.IsZero() {
				t.Fatalf("ParseAddress(%q) = %v, %v", in, a, err)
			}
			return
		}
		s := a.String()
		if mustParse(t, s) != a || a.Check() != nil {
			t.Fatalf("%q does not survive a round trip by %q", in, s)
		}
		if string(a.Append(nil)) != s || string(a.AppendKey(nil)) != a.Key() {
			t.Fatalf("%q: Append and String differ", in)
		}
		if len(s) > 320 || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			t.Fatalf("%q gives the unsafe %q", in, s)
		}
		at := strings.LastIndexByte(a.Key(), '@')
		folded := lists.Address{Local: a.Key()[:at], Domain: a.Key()[at+1:]}
		if folded.Key() != a.Key() {
			t.Fatalf("Key is not idempotent: %q, %q", a.Key(), folded.Key())
		}
		upper := lists.Address{Local: asciiUpper(a.Local), Domain: a.Domain}
		if upper.Key() != a.Key() {
			t.Fatalf("%q and %q differ in case only, and so do their keys", a, upper)
		}
		id := lists.List{Address: a}.ID()
		if strings.Trim(id, "abcdefghijklmnopqrstuvwxyz0123456789.-_=") != "" || strings.Contains("."+id+".", "..") {
			t.Fatalf("%q has the identifier %q", a, id)
		}
	})
}

func asciiUpper(s string) string {
	return strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' {
			return r - 'a' + 'A'
		}
		return r
	}, s)
}

func TestDisplay(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"ann@grünewiese.example":            "ann@xn--grnewiese-r9a.example",
		"jürgen@grünewiese.example":         "jürgen@grünewiese.example",
		"jürgen@xn--grnewiese-r9a.example":  "jürgen@grünewiese.example",
		"jürgen@xn--a-ecp.ru.example":       "jürgen@xn--a-ecp.ru.example", // no label that IDNA would make
		`"jürgen k"@xn--grnewiese-r9a.test`: `"jürgen k"@grünewiese.test`,
	} {
		a, err := lists.ParseAddress(in)
		if err != nil {
			a = lists.Address{Local: "jürgen", Domain: "xn--a-ecp.ru.example"} // as an old store may have it
		}
		got := a.Display()
		if got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
		if back, err := lists.ParseAddress(got); err == nil && back.Key() != a.Key() {
			t.Errorf("%s comes back as %s", got, back)
		}
	}
}
