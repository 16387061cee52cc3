package templates_test

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"superlistd/lists"
	"superlistd/templates"
)

// write makes a file with its folders, old enough that its time is believed.
func write(t testing.TB, dir, name, text string) {
	t.Helper()
	where := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(where), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(where+"~", []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(where+"~", old, old); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(where+"~", where); err != nil {
		t.Fatal(err)
	}
}

func address(s string) lists.Address {
	a, err := lists.ParseAddress(s)
	if err != nil {
		panic(err)
	}
	return a
}

// held is the body of the text for the author; it must be there whatever the error is.
func held(t testing.TB, s *templates.Set, lang, list string, facts templates.Facts) (string, error) {
	t.Helper()
	text, err := s.Text(templates.Held, lang, address(list), facts)
	if text.Subject == "" || text.Body == "" {
		t.Errorf("no text: %q, %v", text, err)
	}
	return text.Body, err
}

func TestOverrides(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "de/held.txt", "Subject: S\n\nsite {{.List}} {{word .Reason}}\n")
	write(t, dir, "team@lists.example.org/de/held.txt", "Subject: S\r\n\r\nteam {{word .Reason}}\r\n{{date .Date}}\r\n")
	write(t, dir, "de/words.txt", "# ours\nnot-member: Nur für Mitglieder.\n\nother: Darum.\n")
	write(t, dir, "board@lists.example.org/de/words.txt", "not-member: Nur für den Vorstand.\n")
	write(t, dir, "fr/README", "not a text")
	write(t, dir, ".git/config", "hidden")
	set := newSet(t, dir)
	for _, tt := range []struct{ name, list, lang, reason, want string }{
		{"list before site", "team@lists.example.org", "de", "not-member", "team Nur für Mitglieder.\n"},
		{"the list's case does not count", "Team@lists.example.org", "de", "other", "team Darum.\n"},
		{"site before ours", "choir@lists.example.org", "de", "not-member", "site choir@lists.example.org Nur für Mitglieder.\n"},
		{"the list's words before the site's", "board@lists.example.org", "de", "not-member", "site board@lists.example.org Nur für den Vorstand.\n"},
		{"beside the list's words those of the site", "board@lists.example.org", "de", "other", "site board@lists.example.org Darum.\n"},
		{"a word that there is not is shown", "choir@lists.example.org", "de", "strange", "site choir@lists.example.org strange\n"},
		{"a slash in the name", "a/b@lists.example.org", "de", "other", "site a/b@lists.example.org Darum.\n"},
		{"a quoted name", `"../team"@lists.example.org`, "de", "other", `site "../team"@lists.example.org Darum.` + "\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := held(t, set, tt.lang, tt.list, templates.Facts{Reason: tt.reason})
			if err != nil || got != tt.want {
				t.Errorf("Text() = %q, %v; want %q", got, err, tt.want)
			}
		})
	}
	for _, lang := range []string{"en", "fr", "tlh", ""} { // other languages are as they were
		got, err := held(t, set, lang, "team@lists.example.org", templates.Facts{})
		want, _ := held(t, newSet(t, ""), lang, "team@lists.example.org", templates.Facts{})
		if err != nil || got != want {
			t.Errorf("%s: %q, %v; want %q", lang, got, err, want)
		}
	}
}

func TestNewTellsEveryFault(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, file, text, want string }{
		{"syntax, with the line", "de/held.txt", "Subject: S\n\nfine\n{{if .List}}\n{{.Nope\n", "de/held.txt:5"},
		{"no end", "de/held.txt", "Subject: S\n\n{{if .List}}\nx", "de/held.txt:4"},
		{"no such fact", "de/held.txt", "Subject: S\n\nfine\n\n{{.Autor}}\n", "de/held.txt:5:2"},
		{"no such fact in the subject", "de/held.txt", "Subject: {{.Autor}}\n\nfine\n", "de/held.txt:1:2"},
		{"no such fact in what samples reach by a condition", "de/held.txt", "Subject: S\n\nx{{if .Already}}\n{{.Autor}}{{end}}", "de/held.txt:4:2"},
		{"no such fact of an item", "fr/notices.txt", "Subject: S\n\n{{range .Items}}{{.Autor}}{{end}}x", "fr/notices.txt:3:18"},
		{"no such function", "de/held.txt", "Subject: S\n\n{{exec .List}}\n", `de/held.txt:3: function "exec"`},
		{"no such command", "de/held.txt", "Subject: S\n\n{{command \"burn\"}}\n", "no such command"},
		{"an item that is not always there", "de/held.txt", "Subject: S\n\n{{(index .Items 0).From}}\n", "de/held.txt:3:3"},
		{"no subject", "de/held.txt", "Hello\n\nthere\n", "de/held.txt:1: the first line"},
		{"empty subject", "de/held.txt", "Subject: \n\nthere\n", "de/held.txt:1: the first line"},
		{"subject that may be empty", "de/held.txt", "Subject: {{.PostSubject}}\n\nthere\n", "de/held.txt:1: the subject is empty"},
		{"no empty line", "de/held.txt", "Subject: S\nthere\n", "de/held.txt:2: the second line"},
		{"no body", "de/held.txt", "Subject: S\n\n\n", "de/held.txt: the text is empty"},
		{"not UTF-8", "de/held.txt", "Subject: S\n\n\xfcber\n", "de/held.txt:3: not UTF-8"},
		{"too long a file", "de/held.txt", "Subject: S\n\n" + strings.Repeat("x", 64<<10), "de/held.txt: over 65536 octets"},
		{"too long a text", "de/held.txt", "Subject: S\n\n{{printf \"%600000d\" 1}}", "too long"},
		{"too long a subject", "de/held.txt", "Subject: {{printf \"%9000d\" 1}}\n\nx", "too long"},
		{"no such text", "de/hold.txt", "Subject: S\n\nx\n", "de/hold.txt: no such text (there are: notice, notices, held,"},
		{"no such language", "es/held.txt", "Subject: S\n\nx\n", "es: here are folders"},
		{"text beside the languages", "held.txt", "Subject: S\n\nx\n", "held.txt: here are folders"},
		{"text beside a list's languages", "team@example.org/held.txt", "Subject: S\n\nx\n", "team@example.org/held.txt: here are folders"},
		{"fault in a list's text", "team@example.org/de/held.txt", "Subject: S\n\n{{.X}}\n", "team@example.org/de/held.txt:3:2"},
		{"a list's folder in another case", "Team@example.org/de/held.txt", "Subject: S\n\nx\n", "is called team@example.org"},
		{"not an address", "te am@example.org/de/held.txt", "Subject: S\n\nx\n", "te am@example.org: "},
		{"a folder in the place of a text", "de/held.txt/x", "", "de/held.txt: not a file"},
		{"words: not a line", "de/words.txt", "# x\n\nnot-member\n", "de/words.txt:3: a line is"},
		{"words: no such word", "de/words.txt", "other: x\nnot-a-member: y\n", "de/words.txt:2: no such word: not-a-member"},
		{"words: twice", "de/words.txt", "other: x\nother: y\n", "de/words.txt:2: other is there twice"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write(t, dir, tt.file, tt.text)
			write(t, dir, "fr/failed.txt", "Subject: S\n\n{{") // and all faults are told at once
			_, err := templates.New(dir)
			if err == nil {
				t.Fatal("New took it")
			}
			for _, want := range []string{tt.want, "fr/failed.txt:3", dir} {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("New: %v; want %q", err, want)
				}
			}
		})
	}
	if _, err := templates.New(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("New took a folder that is not there")
	}
}

// What becomes of a file after the start holds for the next text, and never keeps a text from being there.
func TestChangesHoldAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	set := newSet(t, dir)
	const list = "team@lists.example.org"
	ours, _ := held(t, newSet(t, ""), "en", list, templates.Facts{})
	step := func(what, want, fault string) {
		t.Helper()
		for range 2 { // the second answer comes from what was kept
			got, err := held(t, set, "en", list, templates.Facts{})
			if got != want {
				t.Errorf("%s: %q; want %q", what, got, want)
			}
			if fault == "" && err != nil || fault != "" && (err == nil || !strings.Contains(err.Error(), fault)) {
				t.Errorf("%s: error %v; want %q", what, err, fault)
			}
		}
	}
	step("nothing there", ours, "")
	write(t, dir, "en/held.txt", "Subject: S\n\none\n")
	step("made", "one\n", "")
	write(t, dir, "en/held.txt", "Subject: S\n\ntwo\n")
	step("replaced, of the same size and time", "two\n", "")
	write(t, dir, list+"/en/held.txt", "Subject: S\n\nmine\n")
	step("the list's own", "mine\n", "")
	write(t, dir, list+"/en/held.txt", "Subject: S\n\n{{.Broken}}\n")
	step("the list's own breaks", "two\n", list+"/en/held.txt:3")
	write(t, dir, "en/held.txt", "Subject: S\n\n{{end}}\n")
	step("the site's breaks too", ours, "en/held.txt:3")
	write(t, dir, "en/words.txt", "nonsense\n")
	step("and the words", ours, "words.txt:1")
	if err := os.RemoveAll(filepath.Join(dir, list)); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "en")); err != nil {
		t.Fatal(err)
	}
	step("gone", ours, "")
	for _, text := range []string{"one\n", "two\n"} { // in place, and so fast that the clock may not tell
		if err := os.MkdirAll(filepath.Join(dir, "en"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "en/held.txt"), []byte("Subject: S\n\n"+text), 0o644); err != nil {
			t.Fatal(err)
		}
		step("written in place", text, "")
	}
}

// A text that breaks with the facts of one mail only is passed over for that mail.
func TestBreaksAtRunTime(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "en/held.txt", `Subject: {{if ne .PostSubject "none"}}S{{end}}

{{if eq .Author "boom@example.org"}}{{index .Items 99}}{{end}}
{{- if eq .Author "long@example.org"}}{{printf "%600000d" 1}}{{end -}}
mine
`)
	set := newSet(t, dir)
	const list = "team@lists.example.org"
	for _, tt := range []struct {
		name, fault string
		facts       templates.Facts
	}{
		{"sound", "", templates.Facts{Author: "ann@example.org"}},
		{"index", "en/held.txt:3", templates.Facts{Author: "boom@example.org"}},
		{"too long", "too long", templates.Facts{Author: "long@example.org"}},
		{"no subject", "en/held.txt:1", templates.Facts{PostSubject: "none"}},
	} {
		want := "mine\n"
		if tt.fault != "" {
			want, _ = held(t, newSet(t, ""), "en", list, tt.facts)
		}
		got, err := held(t, set, "en", list, tt.facts)
		if got != want || (err == nil) != (tt.fault == "") || err != nil && !strings.Contains(err.Error(), tt.fault) {
			t.Errorf("%s: %q, %v; want %q and %q", tt.name, got, err, want, tt.fault)
		}
	}
}

func TestUnknownName(t *testing.T) {
	t.Parallel()
	text, err := newSet(t, "").Text("../words", "en", templates.SampleList(), templates.Facts{})
	if err == nil || text != (templates.Text{}) {
		t.Errorf("Text of an unknown name = %q, %v", text, err)
	}
}

// Many texts at once, while an administrator changes one: each is whole, the old or the new one.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "en/held.txt", "Subject: old\n\nold\n")
	set := newSet(t, dir)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 50 {
				text, err := set.Text(templates.Held, "en", templates.SampleList(), templates.Facts{Reason: "other"})
				if err != nil || text.Subject+"\n" != text.Body {
					t.Errorf("%q, %v", text, err)
				}
			}
		})
	}
	for range 10 {
		write(t, dir, "en/held.txt", "Subject: new\n\nnew\n")
		write(t, dir, "en/held.txt", "Subject: old\n\nold\n")
	}
	wg.Wait()
}
