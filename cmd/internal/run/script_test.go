package run

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "write what the programs say into the scripts' golden files")

// TestMain makes this test binary be the programs too, when a script calls it by their names.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"listctl":    func() { os.Exit(Listctl(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) },
		"superlistd": func() { os.Exit(Superlistd(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) },
	})
}

// TestScripts runs testdata/script. In the TOML files of a script, $WORK is its folder. Beside testscript's own
// commands there are:
//
//	addresses FROM TO FILE   writes member<FROM>@example.org to member<TO>@example.org, one a line
//	lines N FILE             the file has N lines
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:           filepath.Join("..", "..", "..", "testdata", "script"),
		UpdateScripts: *update,
		Setup:         expandWork,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"addresses": writeAddresses,
			"lines":     countLines,
		},
	})
}

// expandWork puts the script's folder into its settings files: they hold absolute paths only.
func expandWork(env *testscript.Env) error {
	env.Setenv("SUPERLISTD_CONFIG", "")
	env.Setenv("GORACE", "atexit_sleep_ms=10") // under -race, each of a hundred processes would sleep a second
	files, err := filepath.Glob(filepath.Join(env.WorkDir, "*.toml"))
	if err != nil {
		return err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		text = bytes.ReplaceAll(text, []byte("$WORK"), []byte(env.WorkDir))
		if err := os.WriteFile(file, text, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func writeAddresses(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: addresses FROM TO FILE")
	}
	from, err := strconv.Atoi(args[0])
	ts.Check(err)
	to, err := strconv.Atoi(args[1])
	ts.Check(err)
	var b bytes.Buffer
	for i := from; i <= to; i++ {
		fmt.Fprintf(&b, "member%d@example.org\n", i)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[2]), b.Bytes(), 0o644))
}

func countLines(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: lines N FILE")
	}
	if got := bytes.Count([]byte(ts.ReadFile(args[1])), []byte("\n")); strconv.Itoa(got) != args[0] {
		ts.Fatalf("%s has %d lines, want %s", args[1], got, args[0])
	}
}
