package lists_test

import (
	"slices"
	"testing"

	"superlistd/lists"
)

func TestServiceAddresses(t *testing.T) {
	t.Parallel()
	l := lists.List{Address: mustParse(t, "Team@lists.example.org")}
	for want, got := range map[string]lists.Address{
		"Team-bounces@lists.example.org":     l.Bounces(),
		"Team-owner@lists.example.org":       l.Owner(),
		"Team-request@lists.example.org":     l.Request(),
		"Team-subscribe@lists.example.org":   l.Subscribe(),
		"Team-unsubscribe@lists.example.org": l.Unsubscribe(),
		"Team-help@lists.example.org":        l.Help(),
	} {
		if got.String() != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestID(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, want string }{
		{"plain", "team@lists.example.org", "team.lists.example.org"},
		{"case folds", "Team@Lists.example.org", "team.lists.example.org"},
		{"dots, hyphens and underscores stay", "a.b-c_d@x", "a.b-c_d.x"},
		{"everything else is escaped", `"a>b=c +\""@x`, "a=3eb=3dc=20=2b=22.x"},
		{"stray dots are escaped", `".a..b."@x`, "=2ea.=2eb=2e.x"},
		{"literal", "a@[192.0.2.1]", "a.=5b192.0.2.1=5d"},
		{"UTF-8", "ü@x", "=c3=bc.x"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := (lists.List{Address: mustParse(t, tt.in)}).ID(); got != tt.want {
				t.Errorf("ID() = %q, want %q", got, tt.want)
			}
		})
	}
}

func TestRecipients(t *testing.T) {
	t.Parallel()
	var r lists.Recipients
	add := func(texts ...string) {
		for _, s := range texts {
			a := mustParse(t, s)
			r.Append([]byte(a.String()), []byte(a.Key()))
		}
	}
	content := func() (texts []string) {
		for i := range r.Len() {
			texts = append(texts, string(r.Address(i))+" "+string(r.Key(i)))
			if r.UTF8(i) != (r.Address(i)[0] >= 0x80) {
				t.Errorf("UTF8(%d) = %v for %s", i, r.UTF8(i), r.Address(i))
			}
		}
		return texts
	}
	if r.Len() != 0 || r.Done() || len(r.Cursor()) != 0 {
		t.Error("the zero value is not at the start")
	}
	add("Ann@x", "bob@x")
	if got, want := content(), []string{"Ann@x ann@x", "bob@x bob@x"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	_ = append(r.Address(0), "overwritten"...)
	_ = append(r.Key(0), "overwritten"...)
	if got := string(r.Address(1)) + string(r.Key(1)); got != "bob@xbob@x" {
		t.Errorf("an append to one recipient changed the next to %q", got)
	}
	r.Reset()
	if r.Len() != 0 || string(r.Cursor()) != "bob@x" {
		t.Errorf("Reset: %d recipients, cursor %q", r.Len(), r.Cursor())
	}
	add("ü@x")
	r.SetDone()
	if got, want := content(), []string{"ü@x ü@x"}; !slices.Equal(got, want) || !r.Done() {
		t.Errorf("got %q, want %q; done %v", got, want, r.Done())
	}
	r.Rewind()
	if r.Len() != 0 || len(r.Cursor()) != 0 || r.Done() {
		t.Error("Rewind does not go back to the start")
	}
}

func TestRecipientsReuseTheirBuffers(t *testing.T) {
	var r lists.Recipients
	address, key := []byte("Ann@example.org"), []byte("ann@example.org")
	fill := func() {
		r.Rewind()
		for range 1000 {
			r.Append(address, key)
		}
	}
	fill()
	if n := testing.AllocsPerRun(10, fill); n != 0 {
		t.Errorf("%v allocations when filled again", n)
	}
}
