package lists_test

import (
	"strings"
	"testing"
	"time"

	"superlistd/lists"
)

func TestPatternMatch(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		pattern string
		yes, no []string
	}{
		{"Ann@Example.org", []string{"ann@example.org", "ANN@EXAMPLE.ORG"}, []string{"anna@example.org", "ann@a.example.org"}},
		{`"a b"@x`, []string{`"A b"@x`}, []string{"ab@x"}},
		{"@example.org", []string{"ann@example.org", "bob@EXAMPLE.org"}, []string{"ann@a.example.org", "ann@anexample.org", "ann@org"}},
		{"@.example.org", []string{"ann@example.org", "ann@a.example.org", "ann@a.b.example.org"}, []string{"ann@anexample.org", "ann@org"}},
		{"@bücher.example", []string{"ann@xn--bcher-kva.example", "ann@BÜCHER.example"}, []string{"ann@bucher.example"}},
		{"@[192.0.2.1]", []string{"ann@[192.0.2.1]"}, []string{"ann@[192.0.2.11]"}},
		{"/ann/", []string{"ann@x", "JOANNA@x", "x@annex"}, []string{"bob@x"}},
		{"/^ann@/", []string{"Ann@x"}, []string{"joann@x"}},
		{`/\.example$/`, []string{"ann@x.example"}, []string{"ann@example", "ann@x.example.org"}},
		{"/^(?-i)ann@/", []string{"ANN@x"}, []string{"bob@x"}}, // keys are in lower case
		{"/ü/", []string{"Jürg@x", "J\u00dcRG@x"}, []string{"jurg@x"}},
		{`/a\/b/`, []string{`a/b@x`}, []string{"ab@x"}},
	} {
		p, err := lists.ParsePattern(tt.pattern)
		if err != nil {
			t.Errorf("%s: %v", tt.pattern, err)
			continue
		}
		for _, a := range tt.yes {
			if !p.Match(mustParse(t, a)) {
				t.Errorf("%s does not match %s", tt.pattern, a)
			}
		}
		for _, a := range tt.no {
			if p.Match(mustParse(t, a)) {
				t.Errorf("%s matches %s", tt.pattern, a)
			}
		}
		if p.Match(lists.Address{}) {
			t.Errorf("%s matches nobody", tt.pattern)
		}
	}
	if (lists.Pattern{}).Match(mustParse(t, "a@b")) || (lists.Pattern{}).Match(lists.Address{}) || (lists.Expression{}).Match("") {
		t.Error("the zero pattern matches")
	}
}

// The law: a pattern is written and read again as it was, and names what it was made for.
func FuzzPattern(f *testing.F) {
	for _, p := range []string{"ann@example.org", `"/a"@x`, "@.x", "@[IPv6:::1]", `/a\/b{1,3}/`, "/\\", `"a,b"@x`, "/[/]/"} {
		f.Add(p, "ann@example.org")
	}
	f.Fuzz(func(t *testing.T, text, who string) {
		a, err := lists.ParseAddress(who)
		if err == nil && !lists.PatternFor(a).Match(a) {
			t.Fatalf("the pattern for %q does not match it", who)
		}
		if err == nil {
			if p, err := lists.ParsePattern(lists.PatternFor(a).String()); err != nil || !p.Match(a) {
				t.Fatalf("the pattern for %q is written %s, which is %v, %v", who, lists.PatternFor(a), p, err)
			}
		}
		p, err := lists.ParsePattern(text)
		if err != nil {
			return
		}
		again, err := lists.ParsePattern(p.String())
		if err != nil || again.String() != p.String() || again.Match(a) != p.Match(a) {
			t.Fatalf("%q is written %q, and then %q, %v", text, p, again, err)
		}
	})
}

// The dearest expressions that may be set, against the longest values, end soon.
func TestExpressionsAreBounded(t *testing.T) {
	t.Parallel()
	dear := []string{"(a|aa|aaa){40}b", "(a*)*b", "(.*){30}b", "([a-z]{0,30}){8}1", `(\pL|a){10}b`}
	var rules []string
	for range 4 {
		for _, e := range dear {
			rules = append(rules, "Subject: /"+e+"/ refuse")
		}
	}
	var l lists.List
	start := time.Now()
	l = team(t, "header_rules="+strings.Join(rules, ";"), "bans="+strings.Join(strings.Split(many(100, "/^(a|b)%d{20}x/"), ", "), ","))
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("setting took %v", d)
	}
	p := fine(t)
	p.Fields = func(string) []string {
		return []string{strings.Repeat("a", 1<<20), strings.Repeat("a", 1<<20), "b"}
	}
	start = time.Now()
	v := l.Judge(p)
	if d := time.Since(start); d > 60*time.Second { // some 0.5 s alone, without -race
		t.Errorf("%v after %v", v, d)
	}
}
