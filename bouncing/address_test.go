package bouncing_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"superlistd/bouncing"
	"superlistd/lists"
)

// extension is what follows LIST-bounces and the delimiter.
func extension(t testing.TB, a string) string {
	t.Helper()
	_, ext, ok := strings.Cut(parse(t, a).Local, "+")
	if !ok {
		t.Fatalf("%s has no extension", a)
	}
	return ext
}

func TestKnown(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 5)
	key := extension(t, h.path())
	h.days(5, gone, "ann@m.test")
	probe := extension(t, h.wantSent("probe Ann@m.test")[0].From)
	other := parse(t, "other@lists.test")
	swapped := "b" + key[2:3] + key[1:2] + key[3:]
	if key[1] == key[2] {
		swapped = "b" + "z" + key[2:]
	}
	for _, tt := range []struct {
		name, ext, from string
		list            lists.Address
		want            error
	}{
		{"key", key, "", h.List, nil},
		{"key in capitals", strings.ToUpper(key), "", h.List, nil},
		{"with VERP", key + "+ann=m.test", "", h.List, nil},
		{"of a daemon", key, "MAILER-DAEMON@far.test", h.List, nil},
		{"of a daemon without a domain", key, "Mailer-Daemon", h.List, nil},
		{"of a postmaster", key, `"postmaster"@far.test`, h.List, nil},
		{"probe", probe, "", h.List, nil},
		{"probe in capitals", strings.ToUpper(probe), "", h.List, nil},
		{"none", "", "", h.List, bouncing.ErrForged},
		{"of a person", key, "eve@far.test", h.List, bouncing.ErrForged},
		{"of somebody who looks like a daemon", key, "mailer-daemon.eve@far.test", h.List, bouncing.ErrForged},
		{"another list", key, "", other, bouncing.ErrForged},
		{"probe for another list", probe, "", other, bouncing.ErrForged},
		{"cut", key[:len(key)-1], "", h.List, bouncing.ErrForged},
		{"longer", key + "a", "", h.List, bouncing.ErrForged},
		{"changed", swapped, "", h.List, bouncing.ErrForged},
		{"VERP of nobody", key + "+", "", h.List, bouncing.ErrForged},
		{"VERP without a key", "ann=m.test", "", h.List, bouncing.ErrForged},
		{"key of a post for a probe", "p" + key[1:], "", h.List, bouncing.ErrForged},
		{"probe cut", probe[:len(probe)-1], "", h.List, bouncing.ErrForged},
		{"probe of another name", "paaaaaaaa" + probe[9:], "", h.List, bouncing.ErrForged},
		{"probe with VERP", probe + "+ann=m.test", "", h.List, bouncing.ErrForged},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := h.desk.Known(tt.list, tt.ext, tt.from); !errors.Is(err, tt.want) {
				t.Errorf("Known(%q, %q) = %v, want %v", tt.ext, tt.from, err, tt.want)
			}
			if tt.from != "" {
				return
			}
			if err := h.desk.Take(t.Context(), lists.List{Address: tt.list}, tt.ext, strings.NewReader("")); !errors.Is(err, tt.want) {
				t.Errorf("Take(%q) = %v, want %v", tt.ext, err, tt.want)
			}
		})
	}
}

func TestKeysHaveTheirTime(t *testing.T) {
	t.Parallel()
	h := newHouse(t, 5)
	key := extension(t, h.path())
	for _, tt := range []struct {
		after time.Duration
		want  error
	}{
		{0, nil}, {60 * day, nil}, {75 * day, bouncing.ErrForged}, {-7 * day, nil}, {-15 * day, bouncing.ErrForged},
	} {
		h.SetNow(start.Add(tt.after))
		if err := h.desk.Known(h.List, key, ""); !errors.Is(err, tt.want) {
			t.Errorf("after %v: %v, want %v", tt.after, err, tt.want)
		}
	}
	h.SetNow(start)
	if a, b := h.path(), h.desk.Path(h.Settings(), start.Add(7*day)).String(); a == b {
		t.Error("the key of the next week is the same")
	}
}

// The member is read out of the recipient, whatever the report says about whom.
func TestVERP(t *testing.T) {
	t.Parallel()
	for _, who := range []string{
		"ann.lee@m.test", "a=b@m.test", "a+b=c@m.test", "-=+@m.test", `"a b"@m.test`, `"a@b"@m.test`, `"a\"b\\c"@m.test`, "=@m.test",
		"ann@[192.0.2.1]", "ann@xn--mller-kva.test", "ärger@m.test", "Ann.LEE@m.test",
	} {
		t.Run(who, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, 5)
			a := parse(t, who)
			h.Join(lists.Member{Address: a})
			must(t, h.desk.Take(t.Context(), h.Settings(), extension(t, h.path())+"+"+a.Local+"="+a.Domain, strings.NewReader(gone("bea@m.test", "1@m.test"))))
			if h.score(a.String()) != 1 || h.score("bea@m.test") != 0 {
				t.Errorf("%s has %v points, bea %v", who, h.score(a.String()), h.score("bea@m.test"))
			}
		})
	}
	if got := bouncing.Members(`"a b"=m.test`); len(got) != 2 || got[1] != (lists.Address{Local: "a b", Domain: "m.test"}) {
		t.Errorf("quotes that were kept: %q", got)
	}
}

// Law: whatever a stranger writes there, only what we made is let in, and nobody is named who is no address.
func FuzzExtension(f *testing.F) {
	h := newHouse(f, 3)
	key := extension(f, h.path())
	for _, s := range []string{"", "b", "p", key, key + "+ann=m.test", "B" + key[1:], key + "+=", key + "+\x00=m.test", "pabcdefghijklmnopqr", key + "++=m.test"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		head, verp, _ := strings.Cut(s, "+")
		err := h.desk.Known(h.List, s, "")
		if err == nil && !strings.EqualFold(head, key) {
			t.Fatalf("%q is let in", s)
		}
		for _, a := range bouncing.Members(verp) {
			if a.Check() != nil {
				t.Fatalf("%q names %q", s, a)
			}
		}
	})
}
