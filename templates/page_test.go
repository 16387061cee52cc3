package templates_test

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"superlistd/templates"
)

// docs/templates.md names all that there is, and its example is one.
func TestPage(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../docs/templates.md")
	if err != nil {
		t.Fatal(err)
	}
	page := string(raw)
	for _, name := range templates.Names() {
		if !strings.Contains(page, "| `"+string(name)+".txt` |") {
			t.Errorf("no row for %s.txt", name)
		}
	}
	for _, word := range templates.Keys() {
		if !strings.Contains(" "+strings.NewReplacer("`", " ", "\n", " ", ",", " ").Replace(page), " "+word+" ") {
			t.Errorf("no word %s", word)
		}
	}
	for _, facts := range []reflect.Type{reflect.TypeFor[templates.Facts](), reflect.TypeFor[templates.Item](), reflect.TypeFor[templates.Order]()} {
		for i := range facts.NumField() {
			if name := facts.Field(i).Name; !strings.Contains(page, "`."+name+"`") {
				t.Errorf("no fact .%s", name)
			}
		}
	}
	_, example, _ := strings.Cut(page, "the text:\n\n")
	example, _, ok := strings.Cut(example, "\n\nFiles are")
	if !ok {
		t.Fatal("no example")
	}
	dir := t.TempDir()
	write(t, dir, "de/held.txt", strings.ReplaceAll("\n"+example, "\n    ", "\n")[1:])
	got, err := held(t, newSet(t, dir), "de", "team@lists.example.org", templates.Samples()[0])
	if want := "\"Lunch on Friday?\" wartet auf die Freigabe.\nNur Mitglieder dürfen an die Liste schreiben.\nNach 14 Tagen"; err != nil || !strings.Contains(got, want) {
		t.Errorf("the example makes %q, %v; want %q", got, err, want)
	}
}
