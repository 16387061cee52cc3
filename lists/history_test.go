package lists_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"superlistd/lists"
)

func TestMessageIDs(t *testing.T) {
	t.Parallel()
	var chain []string
	for i := range 40 {
		chain = append(chain, fmt.Sprintf("<%d@x>", i))
	}
	for _, tt := range []struct {
		name, inReplyTo, references string
		want                        string
	}{
		{"none", "", "", ""},
		{"an answer", "<b@x>", "<a@x> <b@x>", "b@x a@x"},
		{"References only: the last is the nearest", "", "<a@x> <b@x>", "b@x a@x"},
		{"folded", "", "<a@x>\r\n\t<b@x>\r\n <c@x>", "c@x b@x a@x"},
		{"without blanks, or with commas", "", "<a@x><b@x>,<c@x>", "c@x b@x a@x"},
		{"words of old programs", `Message from Ann <ann> of "Mon" <1@x>`, "", "ann 1@x"},
		{"two in In-Reply-To", "<a@x> <b@x>", "", "a@x b@x"},
		{"case counts", "<A@x>", "<a@x>", "A@x a@x"},
		{"not closed", "<a@x", "<b@x> <c@x", "b@x"},
		{"not opened", "a@x>", "b@x> <c@x>", "c@x"},
		{"blanks within are none", "<a b@x>", "", ""},
		{"empty", "<>", "< >", ""},
		{"brackets in brackets", "<<a@x>>", "", "a@x"},
		{"too long", "<" + strings.Repeat("a", 999) + ">", "<b@x>", "b@x"},
		{"only so many, and the nearest", "", strings.Join(chain, " "),
			strings.NewReplacer("<", "", ">", "").Replace(strings.Join(reversed(chain[8:]), " "))},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := strings.Join(lists.MessageIDs(tt.inReplyTo, tt.references), " "); got != tt.want {
				t.Errorf("MessageIDs = %q, want %q", got, tt.want)
			}
		})
	}
}

func reversed(s []string) []string {
	s = slices.Clone(s)
	slices.Reverse(s)
	return s
}

// What is read is bounded, has nothing that could end a field or an id, and is read again
// from its own text.
func FuzzMessageIDs(f *testing.F) {
	f.Add("<b@x>", "<a@x> <b@x>")
	f.Add(`Ann's message of "Mon" <1@x>`, "<a@x>\r\n\t<b@x>,<<c>>")
	f.Add("<", "><>")
	f.Fuzz(func(t *testing.T, inReplyTo, references string) {
		ids := lists.MessageIDs(inReplyTo, references)
		if len(ids) > lists.MaxReferences {
			t.Fatalf("%d ids", len(ids))
		}
		for _, id := range ids {
			if id == "" || len(id) > 998 || strings.ContainsAny(id, "<> \t\r\n") {
				t.Fatalf("%q is no id", id)
			}
		}
		text := "<" + strings.Join(reversed(ids), "> <") + ">"
		if again := lists.MessageIDs("", text); !slices.Equal(again, ids) {
			t.Fatalf("%q are read again as %q", ids, again)
		}
		if again := lists.NormalIDs(ids); !slices.Equal(again, ids) {
			t.Fatalf("%q are no normal ids: %q", ids, again)
		}
	})
}

func BenchmarkMessageIDsJunk(b *testing.B) {
	for name, junk := range map[string]string{
		"closed": strings.Repeat(">", 1<<20), "opened": strings.Repeat("<", 1<<20),
		"words": strings.Repeat("word> ", 1<<20/6), "long": "<" + strings.Repeat("a", 1<<20) + ">",
	} {
		b.Run(name+"-1MiB", func(b *testing.B) {
			b.SetBytes(int64(len(junk)))
			for b.Loop() {
				if ids := lists.MessageIDs("", junk); len(ids) > 0 {
					b.Fatal(ids)
				}
			}
		})
	}
}

func TestPostedCheck(t *testing.T) {
	t.Parallel()
	ann := lists.Address{Local: "ann", Domain: "x"}
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		name string
		post lists.Posted
		ok   bool
	}{
		{"the least", lists.Posted{Author: ann, At: now}, true},
		{"no author", lists.Posted{At: now}, false},
		{"nobody is answered", lists.Posted{Author: ann, Answered: []lists.Address{{}}, At: now}, false},
		{"no time", lists.Posted{Author: ann}, false},
		{"a time that no file can hold", lists.Posted{Author: ann, At: now.AddDate(300, 0, 0)}, false},
	} {
		if err := tt.post.Check(); (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	if err := (lists.Posted{At: now}).Check(); !errors.Is(err, lists.ErrAddress) {
		t.Errorf("no author: %v, want ErrAddress", err)
	}
}

func TestPostedBounded(t *testing.T) {
	t.Parallel()
	p := lists.Posted{MessageID: " <a@x> ", References: []string{"<a@x>", "b@x", "<b@x>", ""}, Answered: make([]lists.Address, 50)}
	got := p.Bounded()
	if got.MessageID != "a@x" || !slices.Equal(got.References, []string{"b@x"}) || len(got.Answered) != lists.MaxAnswered {
		t.Errorf("Bounded() = %+v", got)
	}
}
