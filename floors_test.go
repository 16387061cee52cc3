package superlistd_test

import (
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "superlistd"

// floors is the order of the house (docs/flow.md): a package imports what stands on lower floors only.
var floors = map[string]int{
	"wire": 0, "lists": 0, "token": 0,
	"lists/boltstore": 1, "lists/memstore": 1, "lists/storetest": 2,
	"message": 1, "smtpclient": 1, "identity": 1, "templates": 1, "audit": 1, "web": 2,
	"delivery/spool": 1,
	"delivery":       2, "posting": 2, "moderation/held": 2, "bounce": 2,
	"letters": 3, "digest": 3,
	"moderation": 4, "enrol": 4, "bouncing": 4, "daily": 4,
	"proxy":  5,
	"config": 5,

	"cmd/internal/run": 6,
	"cmd/superlistd":   7, "cmd/listctl": 7,
}

// own narrows what a package may import of the house; the others go by the floors alone.
var own = map[string][]string{
	"wire":            {},
	"token":           {},
	"templates":       {"lists"},
	"audit":           {"lists"},
	"web":             {"lists", "token", "audit"},
	"lists":           {},
	"config":          {},
	"lists/boltstore": {"lists"},
	"lists/memstore":  {"lists"},
	"lists/storetest": {"lists", "lists/memstore"},
	"delivery/spool":  {"lists", "wire"},
	"cmd/superlistd":  {"cmd/internal/run"},
	"cmd/listctl":     {"cmd/internal/run"},
}

// doors says who may use a library, by the prefix of its path.
var doors = map[string][]string{
	"github.com/BurntSushi/toml":       {"config"},
	"go.etcd.io/bbolt":                 {"lists/boltstore"},
	"github.com/emersion/go-message":   {"message"},
	"github.com/rs/zerolog":            {"cmd/internal/run", "proxy", "delivery"},
	"github.com/emersion/go-smtp":      {"cmd/internal/run", "proxy"},
	"github.com/emersion/go-sasl":      {"smtpclient"},
	"github.com/spf13/cobra":           {"cmd/internal/run"},
	"github.com/coreos/go-systemd/v22": {"cmd/internal/run"},
	"golang.org/x/sync":                {"delivery"},
	"golang.org/x/net":                 {"lists", "config", "identity"},
	"github.com/emersion/go-msgauth":   {"identity"},
	"blitiri.com.ar/go/spf":            {"identity"},
	"golang.org/x/sys":                 {"cmd/internal/run", "proxy", "delivery", "delivery/spool", "message", "lists/boltstore", "smtpclient"},
	"golang.org/x/term":                {"cmd/internal/run"},
}

type pkg struct {
	ImportPath string
	Dir        string
	Imports    []string
	GoFiles    []string
}

func (p pkg) name() string { return strings.TrimPrefix(p.ImportPath, module+"/") }

func packages(t *testing.T) (all []pkg) {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Dir,Imports,GoFiles", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		// internal is for tests and benchmarks: it may look into every room, and no room into it.
		if len(p.GoFiles) > 0 && !strings.HasPrefix(p.name(), "internal/") {
			all = append(all, p)
		}
	}
}

func TestNoPackageImportsUpward(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		floor, known := floors[p.name()]
		if !known {
			t.Errorf("%s has no floor yet: give it one here and in docs/flow.md", p.name())
			continue
		}
		for _, imported := range p.Imports {
			other, ours := strings.CutPrefix(imported, module+"/")
			switch allowed, narrow := own[p.name()]; {
			case !ours:
				checkDoor(t, p.name(), imported)
			case narrow && !slices.Contains(allowed, other):
				t.Errorf("%s imports %s, which is not among %v", p.name(), other, allowed)
			case strings.HasPrefix(other, "internal/"):
				t.Errorf("%s imports %s, which is for tests", p.name(), other)
			case floors[other] >= floor:
				t.Errorf("%s (floor %d) imports %s (floor %d)", p.name(), floor, other, floors[other])
			case other == "config" && p.name() != "cmd/internal/run":
				t.Errorf("%s imports config; only run does", p.name())
			}
		}
	}
}

func checkDoor(t *testing.T, name, library string) {
	t.Helper()
	host, _, _ := strings.Cut(library, "/")
	if !strings.Contains(host, ".") {
		return // the standard library
	}
	for prefix, allowed := range doors {
		if library == prefix || strings.HasPrefix(library, prefix+"/") {
			if !slices.Contains(allowed, name) {
				t.Errorf("%s imports %s, whose door is in %v", name, library, allowed)
			}
			return
		}
	}
	t.Errorf("%s imports %s, which has no door", name, library)
}

func TestEveryPackageSaysWhatItOwns(t *testing.T) {
	t.Parallel()
	for _, p := range packages(t) {
		documented := false
		for _, file := range p.GoFiles {
			f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, file), nil, parser.ParseComments)
			if err != nil {
				t.Fatal(err)
			}
			documented = documented || f.Doc != nil
			for _, d := range f.Decls {
				if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
					t.Errorf("%s/%s has an init: nothing happens here before main", p.name(), file)
				}
			}
		}
		if !documented {
			t.Errorf("package %s does not say what it owns", p.name())
		}
	}
}

var link = regexp.MustCompile(`\]\(([^)#]+)[^)]*\)`)

// Every file that README and docs point to exists.
func TestLinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob("docs/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatalf("docs: %v pages, %v", len(pages), err)
	}
	for _, page := range append(pages, "README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(page), m[1])); err != nil {
				t.Errorf("%s points to %s: %v", page, m[1], err)
			}
		}
	}
}
