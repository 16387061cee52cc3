package templates_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"text/template/parse"
	"unicode/utf8"

	"superlistd/templates"
)

var update = flag.Bool("update", false, "write the texts into testdata/templates")

func newSet(t testing.TB, dir string) *templates.Set {
	t.Helper()
	s, err := templates.New(dir)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Every text in every language is read by a person once, with all facts, with none, and with the choices the other way.
func TestTexts(t *testing.T) {
	t.Parallel()
	set := newSet(t, "")
	for _, lang := range templates.Languages() {
		for _, name := range templates.Names() {
			t.Run(lang+"/"+string(name), func(t *testing.T) {
				t.Parallel()
				var b strings.Builder
				for i, facts := range templates.Samples() {
					text, err := set.Text(name, lang, templates.SampleList(), facts)
					if err != nil {
						t.Fatal(err)
					}
					if (text.Subject == "") != (name == templates.Removed || name == templates.Attached) {
						t.Errorf("Subject = %q", text.Subject)
					}
					fmt.Fprintf(&b, "-- %s --\nSubject: %s\n\n%s\n", []string{"full", "empty", "other", "approved", "late", "untold"}[i], text.Subject, shortened(text.Body))
				}
				golden := filepath.Join("../testdata/templates", lang+"-"+string(name)+".golden")
				if *update {
					if err := os.WriteFile(golden, []byte(b.String()), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(golden)
				if err != nil || string(want) != b.String() {
					t.Errorf("%s is not what the text is now (%v); run with -update and read the difference. Got:\n%s", golden, err, b.String())
				}
			})
		}
	}
}

// shortened leaves out of fifty items what nobody would read; items begin with a number, or with the name of the list.
func shortened(body string) string {
	for _, mark := range []string{"\n2. ", "\n  board@lists.example.org\n"} {
		if first, last := strings.Index(body, mark), strings.LastIndex(body, strings.Replace(mark, "2. ", "50. ", 1)); first >= 0 && last > first {
			return body[:first] + "\n[...]" + body[last:]
		}
	}
	return body
}

// used are the facts and functions of an embedded text, sorted.
func used(t *testing.T, lang string, name templates.Name) []string {
	t.Helper()
	raw, err := templates.Embedded.ReadFile(lang + "/" + string(name) + ".txt")
	if err != nil {
		t.Fatal(err)
	}
	tree := parse.New(string(name))
	tree.Mode = parse.SkipFuncCheck
	if tree, err = tree.Parse(string(raw), "", "", map[string]*parse.Tree{}); err != nil {
		t.Fatal(err)
	}
	var all []string
	var walk func(v reflect.Value)
	walk = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.Interface, reflect.Pointer:
			if v.IsNil() || v.Type() == reflect.TypeFor[*parse.Tree]() {
				return
			}
			switch n := v.Interface().(type) {
			case *parse.FieldNode:
				all = append(all, n.String())
			case *parse.IdentifierNode:
				all = append(all, n.Ident)
			}
			walk(v.Elem())
		case reflect.Struct:
			for i := range v.NumField() {
				if v.Type().Field(i).IsExported() {
					walk(v.Field(i))
				}
			}
		case reflect.Slice:
			for i := range v.Len() {
				walk(v.Index(i))
			}
		}
	}
	walk(reflect.ValueOf(tree.Root))
	slices.Sort(all)
	return all
}

// A fact that one language tells is told in the others too, and as often: where a text was changed in one language
// only, or a condition lost, this fails.
func TestLanguagesUseTheSameFacts(t *testing.T) {
	t.Parallel()
	for _, name := range templates.Names() {
		want := used(t, "en", name)
		if len(want) == 0 {
			t.Fatalf("%s uses no facts", name)
		}
		for _, lang := range templates.Languages()[1:] {
			if got := used(t, lang, name); !slices.Equal(got, want) {
				t.Errorf("%s uses\n%v in %s, and\n%v in en", name, got, lang, want)
			}
		}
	}
}

// No fact is asked of the callers that no text tells.
func TestEveryFactIsUsed(t *testing.T) {
	t.Parallel()
	var all []string
	for _, name := range templates.Names() {
		all = append(all, used(t, "en", name)...)
	}
	for _, facts := range []reflect.Type{reflect.TypeFor[templates.Facts](), reflect.TypeFor[templates.Item]()} {
		for i := range facts.NumField() {
			if f := facts.Field(i); !slices.Contains(all, "."+f.Name) {
				t.Errorf("no text uses %s.%s", facts.Name(), f.Name)
			}
		}
	}
}

// Every language has a sentence for every word, and the texts' lines fit a screen.
func TestWordsAndLines(t *testing.T) {
	t.Parallel()
	for _, lang := range templates.Languages() {
		raw, err := templates.Embedded.ReadFile(lang + "/words.txt")
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range templates.Keys() {
			if n := strings.Count("\n"+string(raw), "\n"+key+": "); n != 1 {
				t.Errorf("%s/words.txt has %q %d times", lang, key, n)
			}
		}
		entries, err := templates.Embedded.ReadDir(lang)
		if err != nil {
			t.Fatal(err)
		}
		if want := len(templates.Names()) + 1; len(entries) != want {
			t.Errorf("%s has %d files, want %d", lang, len(entries), want)
		}
		for _, e := range entries {
			raw, err := templates.Embedded.ReadFile(lang + "/" + e.Name())
			if err != nil {
				t.Fatal(err)
			}
			for line := range strings.SplitSeq(string(raw), "\n") {
				if plain := utf8.RuneCountInString(line); plain > 82 && !strings.Contains(line, "{{") && e.Name() != "words.txt" {
					t.Errorf("%s/%s: %d characters: %s", lang, e.Name(), plain, line)
				}
				if line != strings.TrimRight(line, " ") {
					t.Errorf("%s/%s: blanks at the end of %q", lang, e.Name(), line)
				}
			}
		}
	}
}

// The commands of the languages are all different, so that an answer in any language means one thing.
func TestCommandsMeanOneThing(t *testing.T) {
	t.Parallel()
	meaning := map[string]string{}
	for _, lang := range templates.Languages() {
		c := templates.CommandsOf(lang)
		for action, word := range map[string]string{"approve": c.Approve, "reject": c.Reject, "discard": c.Discard, "ban": c.Ban} {
			if was, known := meaning[word]; word == "" || known && was != action {
				t.Errorf("%s: %q is %s and %s", lang, word, action, was)
			}
			meaning[word] = action
		}
	}
	if got := templates.CommandsOf("tlh"); got != templates.CommandsOf("en") {
		t.Errorf("CommandsOf an unknown language = %v", got)
	}
}
