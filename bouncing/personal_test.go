package bouncing_test

import (
	"strings"
	"testing"

	"superlistd/bouncing"
	"superlistd/lists"
)

// What comes back to the reverse-path of a member's own copy is his, whatever his address looks like.
func TestPersonalPath(t *testing.T) {
	t.Parallel()
	for _, who := range []string{
		"ann.lee@m.test", "a=b@m.test", "a+b=c@m.test", "-=+@m.test", `"a b"@m.test`, `"a@b"@m.test`, `"a\"b\\c"@m.test`, "=@m.test",
		"ann@[192.0.2.1]", "ann@xn--mller-kva.test", "ann@müller.test", "ärger@m.test", "ärger@müller.test", "Ann.LEE@m.test",
	} {
		t.Run(who, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, 5)
			a := parse(t, who)
			h.Join(lists.Member{Address: a})
			own := bouncing.PersonalPath(h.desk.Path(h.Settings(), h.Now()), "+", a)
			if back := parse(t, own.String()); back != own {
				t.Errorf("%s comes back as %s", own, back)
			}
			ext, ok := strings.CutPrefix(own.Local, "team-bounces+")
			if !ok {
				t.Fatalf("%s", own)
			}
			must(t, h.desk.Take(t.Context(), h.Settings(), ext, strings.NewReader(gone("bea@m.test", "1@m.test"))))
			if h.score(a.String()) != 1 || h.score("bea@m.test") != 0 {
				t.Errorf("%s has %v points, bea %v", who, h.score(a.String()), h.score("bea@m.test"))
			}
		})
	}
}

// A local part of more than 64 octets is not for every server.
func TestPersonalPathHasAnEnd(t *testing.T) {
	t.Parallel()
	path := parse(t, "team-bounces+b0123456789@lists.test")
	room := 64 - len(path.Local) - len("+=m.test")
	for n, own := range map[int]bool{room: true, room + 1: false} {
		got := bouncing.PersonalPath(path, "+", parse(t, strings.Repeat("a", n)+"@m.test"))
		if (got != path) != own || len(got.Local) > 64 {
			t.Errorf("%d octets: %s", n, got)
		}
	}
}
