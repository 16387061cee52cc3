package web

import (
	"strings"
	"testing"

	"superlistd/lists"
	"superlistd/token"
)

const base = "https://lists.example.org/mail"

func newKeys(tb testing.TB) *token.Keys {
	tb.Helper()
	keys, err := token.Open(tb.TempDir())
	if err != nil {
		tb.Fatal(err)
	}
	return keys
}

func address(tb testing.TB, s string) lists.Address {
	tb.Helper()
	a, err := lists.ParseAddress(s)
	if err != nil {
		tb.Fatal(err)
	}
	return a
}

// path is what the server sees of a link.
func path(url string) string { return strings.TrimPrefix(url, base+"/") }

func TestLinksHoldAnyAddress(t *testing.T) {
	t.Parallel()
	k := NewLinks(base, newKeys(t))
	list := address(t, "team@lists.example.org")
	for _, in := range []string{
		"ann@example.org", `"a b/?#%&<>@\"\\"@example.org`, "jörg@bücher.example", "a@[192.0.2.1]", `"@"@[IPv6:2001:db8::1]`,
		"o'neil+x=y@example.org", `".."@example.org`, strings.Repeat("ü", 150) + "@example.org", "../../etc/passwd@example.org",
	} {
		a := address(t, in)
		for _, l := range []lists.Address{list, a} {
			url := k.URL(l, a)
			if strings.Trim(path(url), "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_/") != "" || len(url) > 990 {
				t.Errorf("%s: %d octets: %q", in, len(url), url)
			}
			got, ok := k.read(path(url))
			if !ok || got.member.Key() != a.Key() || got.list.Key() != l.Key() {
				t.Errorf("%s reads back as %+v, %v", in, got, ok)
			}
		}
	}
	if got, ok := k.read(path(k.ListURL(list))); !ok || got != (link{list: list}) {
		t.Errorf("the list's link reads back as %+v, %v", got, ok)
	}
	if none := (Links{}); none.URL(list, list) != "" || none.ListURL(list) != "" {
		t.Error("no site, but links")
	}
}

func TestLinksWithoutAnyCase(t *testing.T) {
	t.Parallel()
	k := NewLinks(base, newKeys(t))
	if one, other := k.URL(address(t, "Team@Lists.Example.org"), address(t, "Ann@Example.org")), k.URL(address(t, "team@lists.example.org"), address(t, "ann@example.org")); one != other {
		t.Errorf("%s is not %s: a member who is written otherwise could not leave", one, other)
	}
}

func TestForgedLinks(t *testing.T) {
	t.Parallel()
	k, stranger := NewLinks(base, newKeys(t)), NewLinks(base, newKeys(t))
	team, tea, ann, bob := address(t, "team@lists.example.org"), address(t, "tea@lists.example.org"), address(t, "ann@example.org"), address(t, "bob@example.org")
	good := path(k.URL(team, ann))
	swapped := func(payload, mac string) string {
		return payload[:len(payload)-token.Length] + mac[len(mac)-token.Length:]
	}
	for _, tt := range []struct{ name, path string }{
		{"nothing", ""},
		{"no token", memberPage},
		{"the token of another secret", path(stranger.URL(team, ann))},
		{"of another member", swapped(path(k.URL(team, bob)), good)},
		{"of another list", swapped(path(k.URL(tea, ann)), good)},
		{"list and member the wrong way round", swapped(path(k.URL(ann, team)), good)},
		{"a list's page as a member's", memberPage + strings.TrimPrefix(path(k.ListURL(team)), listPage)},
		{"a member's page as a list's", listPage + strings.TrimPrefix(good, memberPage)},
		{"a member's page with the list's token", swapped(good, path(k.ListURL(team)))},
		{"cut in front", memberPage + good[len(memberPage)+1:]},
		{"cut behind", good[:len(good)-1]},
		{"longer", good + "a"},
		{"with a slash", good + "/"},
		{"with padding", good[:len(good)-token.Length] + "=" + good[len(good)-token.Length:]},
		{"too long", memberPage + strings.Repeat("A", 1<<20)},
		{"a token alone", memberPage + good[len(good)-token.Length:]},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got, ok := k.read(tt.path); ok {
				t.Errorf("%q is read as %+v", tt.path, got)
			}
		})
	}
}

// FuzzLinks: what is read was made by us, octet for octet but for the case of the token.
func FuzzLinks(f *testing.F) {
	k := NewLinks(base, newKeys(f))
	team := address(f, "team@lists.example.org")
	f.Add(path(k.URL(team, address(f, `"a b"@example.org`))), "ann@example.org")
	f.Add(path(k.ListURL(team)), "x@[192.0.2.1]")
	f.Add("u/"+strings.Repeat("A", 16), "ä@ö")
	f.Add("u/AAAA", "a")
	f.Fuzz(func(t *testing.T, in, who string) {
		if l, ok := k.read(in); ok {
			again := path(k.URL(l.list, l.member))
			if l.member.IsZero() {
				again = path(k.ListURL(l.list))
			}
			at := len(in) - token.Length
			if in[:at] != again[:at] || !strings.EqualFold(in, again) {
				t.Fatalf("%q is taken for %q", in, again)
			}
		}
		a, err := lists.ParseAddress(who)
		if err != nil {
			return
		}
		good := path(k.URL(team, a))
		if l, ok := k.read(good); !ok || l.member.Key() != a.Key() || l.list != team {
			t.Fatalf("%v reads back as %+v, %v", a, l, ok)
		}
		if _, ok := k.read(good[:2] + in + good[2:]); ok && in != "" {
			t.Fatalf("%q is in a link, and it holds", in)
		}
	})
}

func TestMemberOfALink(t *testing.T) {
	t.Parallel()
	k := NewLinks(base, newKeys(t))
	team, ann := address(t, "team@lists.example.org"), address(t, "ann@example.org")
	good := k.URL(team, ann)
	if list, member, ok := k.Member(good); !ok || list != team || member != ann {
		t.Errorf("%s: %v, %v, %v", good, list, member, ok)
	}
	for name, url := range map[string]string{
		"the list's page":            k.ListURL(team),
		"another site":               strings.Replace(good, "lists.example.org", "evil.example.org", 1),
		"a path alone":               path(good),
		"forged":                     good[:len(good)-1] + "!",
		"with something behind":      good + "?x",
		"none":                       "",
		"another secret, our site's": NewLinks(base, newKeys(t)).URL(team, ann),
	} {
		if _, _, ok := k.Member(url); ok {
			t.Errorf("%s is a member's link: %q", name, url)
		}
	}
	if _, _, ok := (Links{}).Member(path(good)); ok {
		t.Error("no site, but links")
	}
}
