package message

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// samples are the messages of testdata/messages, by name.
func samples(tb testing.TB) map[string][]byte {
	tb.Helper()
	names, err := filepath.Glob("../testdata/messages/*.eml")
	if err != nil || len(names) == 0 {
		tb.Fatalf("no samples: %v", err)
	}
	all := make(map[string][]byte, len(names))
	for _, name := range names {
		raw, err := os.ReadFile(name)
		if err != nil {
			tb.Fatal(err)
		}
		all[filepath.Base(name)] = raw
	}
	return all
}

func TestParseHeaderEndsWherePostfixEndsIt(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, in, header string
		fields           int
	}{
		{"empty line", "A: 1\r\nB: 2\r\n\r\nbody", "A: 1\r\nB: 2\r\n\r\n", 2},
		{"bare LF", "A: 1\n\nbody", "A: 1\n\n", 1},
		{"no body", "A: 1\r\nB: 2\r\n", "A: 1\r\nB: 2\r\n", 2},
		{"no line end", "A: 1", "A: 1", 1},
		{"continuation of blanks is no end", "A: 1\r\n \r\nB: 2\r\n\r\n", "A: 1\r\n \r\nB: 2\r\n\r\n", 2},
		{"a line that is no field is body", "A: 1\r\noops\r\nB: 2\r\n\r\n", "A: 1\r\n", 1},
		{"empty name is body", ": 1\r\nB: 2\r\n\r\n", "", 0},
		{"blank at the very start is body", " A: 1\r\n\r\n", "", 0},
		{"8-bit name is body", "A\xe9: 1\r\n\r\n", "", 0},
		{"blanks before the colon", "A \t: 1\r\n\r\n", "A \t: 1\r\n\r\n", 1},
		{"two words before the colon are body", "A b: 1\r\n\r\n", "", 0},
		{"mbox line at the start", "From a b\r\n>From c d\r\nA: 1\r\n\r\nx", "From a b\r\n>From c d\r\nA: 1\r\n\r\n", 3},
		{"mbox line further down is body", "A: 1\r\nFrom a b\r\n\r\n", "A: 1\r\n", 1},
		{"mbox line has no continuation", "From a b\r\n c\r\n\r\n", "From a b\r\n", 1},
		{"bare CR ends nothing", "A: 1\rB: 2\r\n\r\n", "A: 1\rB: 2\r\n\r\n", 1},
		{"a name past the line limit is body", strings.Repeat("n", 999) + ": 1\r\n\r\n", "", 0},
		{"nothing", "", "", 0},
		{"empty line first", "\r\nA: 1", "\r\n", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := ParseHeader([]byte(tt.in))
			if got := string(h.Bytes()); got != tt.header {
				t.Errorf("Bytes() = %q, want %q", got, tt.header)
			}
			if got := len(h.fields); got != tt.fields {
				t.Errorf("%d fields, want %d", got, tt.fields)
			}
			if got := h.Len(); got != len(tt.header) {
				t.Errorf("Len() = %d, want %d", got, len(tt.header))
			}
		})
	}
}

func TestHeaderValues(t *testing.T) {
	t.Parallel()
	h := ParseHeader([]byte("Subject: one\r\nX: \t a\r\n\tb\n  c \r\nsubJECT : two\r\nEmpty:\r\nSubjects: no\r\n\r\n"))
	for _, tt := range []struct {
		name string
		want []string
	}{
		{"subject", []string{"one", "two"}},
		{"X", []string{"a\tb  c"}},
		{"Empty", []string{""}},
		{"Missing", nil},
		{"", nil},
	} {
		if got := h.Values(tt.name); !slices.Equal(got, tt.want) {
			t.Errorf("Values(%q) = %q, want %q", tt.name, got, tt.want)
		}
		if got := h.Has(tt.name); got != (tt.want != nil) {
			t.Errorf("Has(%q) = %v", tt.name, got)
		}
	}
}

func TestHeaderEdits(t *testing.T) {
	t.Parallel()
	const in = "From a b\r\nA: 1\r\nB: 2\r\n b\r\nA: 3\r\n\r\n"
	for _, tt := range []struct {
		name string
		in   string
		edit func(*Header)
		want string
	}{
		{"delete all of a name", in, func(h *Header) { h.Delete("a") }, "From a b\r\nB: 2\r\n b\r\n\r\n"},
		{"delete several names", in, func(h *Header) { h.Delete("b", "A", "zz") }, "From a b\r\n\r\n"},
		{"replace stays in place", in, func(h *Header) { h.Replace("A", "x") }, "From a b\r\nA: x\r\nB: 2\r\n b\r\n\r\n"},
		{"replace what is not there", in, func(h *Header) { h.Replace("C", "x") }, "From a b\r\nA: 1\r\nB: 2\r\n b\r\nA: 3\r\nC: x\r\n\r\n"},
		{"prepend goes below the mbox line", in, func(h *Header) { h.Prepend("C", "x") }, "From a b\r\nC: x\r\nA: 1\r\nB: 2\r\n b\r\nA: 3\r\n\r\n"},
		{"append", in, func(h *Header) { h.Append("C", "x") }, "From a b\r\nA: 1\r\nB: 2\r\n b\r\nA: 3\r\nC: x\r\n\r\n"},
		{"append ends the line before", "A: 1", func(h *Header) { h.Append("B", "2") }, "A: 1\r\nB: 2\r\n"},
		{"append ends a line cut in its CRLF", "A: 1\r", func(h *Header) { h.Append("B", "2") }, "A: 1\r\nB: 2\r\n"},
		{"prepend ends the mbox line", "From a b", func(h *Header) { h.Prepend("B", "2") }, "From a b\r\nB: 2\r\n"},
		{"append to nothing", "", func(h *Header) { h.Append("B", "2") }, "B: 2\r\n"},
		{"controls become blanks", "\r\n", func(h *Header) { h.Append("B", "2\r\nBcc: x\x00\x7f\ty\n") }, "B: 2  Bcc: x   y \r\n\r\n"},
		{"bad names are not added", "\r\n", func(h *Header) {
			for _, name := range []string{"", "a b", "a:b", "a\r\nb", "é", "a\x00"} {
				h.Append(name, "x")
				h.Prepend(name, "x")
				h.Replace(name, "x")
			}
		}, "\r\n"},
		{
			"long values fold at blanks", "",
			func(h *Header) { h.Append("B", strings.Repeat("word ", 20)+strings.Repeat("x", 100)+" end") },
			"B: word word word word word word word word word word word word word word word\r\n word word word word word\r\n " + strings.Repeat("x", 100) + "\r\n end\r\n",
		},
		{
			"no line of blanks", "",
			func(h *Header) { h.Append("B", "a"+strings.Repeat(" ", 100)) }, "B: a" + strings.Repeat(" ", 100) + "\r\n",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := ParseHeader([]byte(tt.in))
			before := h
			tt.edit(&h)
			if got := string(h.Bytes()); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if got := string(before.Bytes()); got != tt.in {
				t.Errorf("the copy changed too: %q", got)
			}
		})
	}
}

// rest is the fields whose name is not among names, one string each.
func rest(h Header, names ...string) []string {
	var fs []string
	for _, f := range h.fields {
		if !slices.ContainsFunc(names, f.is) {
			fs = append(fs, string(f.raw))
		}
	}
	return fs
}

// FuzzHeader: an edit changes the fields it names and no other, whatever name, value and header are; and what it
// writes reads as that one field again.
func FuzzHeader(f *testing.F) {
	for _, raw := range samples(f) {
		if len(raw) < 4096 {
			f.Add(raw, "Subject", "new value")
		}
	}
	f.Add([]byte("A: 1\r\n\r\n"), "A", "x\r\nBcc: y")
	f.Add([]byte("A: 1"), "B", strings.Repeat(" x", 100))
	f.Add([]byte("From x\nA: 1\r"), "A:", "\r\n\r\nbody")
	f.Fuzz(func(t *testing.T, raw []byte, name, value string) {
		h := ParseHeader(raw)
		if !bytes.Equal(h.Bytes(), raw[:h.Len()]) {
			t.Fatalf("not the identity: %q", h.Bytes())
		}
		valid := name != "" && !strings.ContainsFunc(name, func(r rune) bool { return r < '!' || r > '~' || r == ':' })
		for edit, want := range map[string]int{"delete": 0, "replace": 1, "prepend": 1 + len(h.Values(name)), "append": 1 + len(h.Values(name))} {
			e := h
			switch edit {
			case "delete":
				e.Delete(name)
			case "replace":
				e.Replace(name, value)
			case "prepend":
				e.Prepend(name, value)
			case "append":
				e.Append(name, value)
			}
			if !valid {
				want = len(h.Values(name))
			}
			checkEdit(t, edit, h, e, name, want)
			if edit == "replace" && valid && len(name) < 900 {
				if got := ParseHeader(e.Bytes()).Values(name); len(got) != 1 || got[0] != cleaned(value) {
					t.Fatalf("replace: read back %q, want %q", got, cleaned(value))
				}
			}
		}
		if !bytes.Equal(h.Bytes(), raw[:h.Len()]) {
			t.Fatal("editing a copy changed the original")
		}
	})
}

// checkEdit checks e, which was made from h by an edit of name, of which there should be want fields.
func checkEdit(t *testing.T, edit string, h, e Header, name string, want int) {
	t.Helper()
	again := ParseHeader(e.Bytes())
	if len(name) > maxFieldName-2 {
		return // no field for a reader
	}
	if again.Len() != e.Len() || len(again.fields) != len(e.fields) {
		t.Fatalf("%s: what was written reads as another header: %q", edit, e.Bytes())
	}
	if got := len(again.Values(name)); got != want {
		t.Fatalf("%s: %d fields %q, want %d in %q", edit, got, name, want, e.Bytes())
	}
	was, is := rest(h, name), rest(again, name)
	for i := range was { // an edit may end a last line that was not ended
		if i < len(is) && is[i] != was[i] && is[i] == string(endLine([]byte(was[i]))) {
			is[i] = was[i]
		}
	}
	if !slices.Equal(was, is) {
		t.Fatalf("%s %q: other fields were %q, are %q", edit, name, was, is)
	}
}

// cleaned is how a value reads after it was written.
func cleaned(v string) string {
	b := []byte(v)
	for i, c := range b {
		if c < ' ' || c == 0x7f {
			b[i] = ' '
		}
	}
	return string(bytes.Trim(b, " "))
}

func ExampleHeader() {
	h := ParseHeader([]byte("Subject: Tea\r\nTo: team@example.org\r\n\r\nbody\r\n"))
	h.Replace("Subject", "[team] Tea")
	h.Delete("To")
	fmt.Printf("%q", h.Bytes())
	// Output: "Subject: [team] Tea\r\n\r\n"
}
