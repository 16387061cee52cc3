package run

import (
	"bytes"
	"flag"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"superlistd/internal/smtptest"
)

var update = flag.Bool("update", false, "write what the programs say into the scripts' golden files")

// TestMain makes this test binary be the programs too, when a script calls it by their names.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"listctl":    func() { os.Exit(Listctl(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) },
		"superlistd": func() { os.Exit(Superlistd(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) },
	})
}

// TestScripts runs testdata/script. In the TOML files of a script, and in the *.cf files of its folders, $WORK is its
// folder, and $RELAY a next hop that takes everything. Beside testscript's own commands there are:
//
//	addresses FROM TO FILE   writes member<FROM>@example.org to member<TO>@example.org, one a line
//	lines N FILE             the file has N lines
//	dialog SOCKET FILE       plays a dialogue (smtptest.Dialog) as the client of a unix socket, when there is one
//	await FILE REGEXP        waits until a file that a program writes has a match
//	queued N ADDRESS...      the next hop has N copies for each address
//
// and the condition [postfix]: there is one here.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:           filepath.Join("..", "..", "..", "testdata", "script"),
		UpdateScripts: *update,
		Setup:         func(env *testscript.Env) error { return setUp(t, env) },
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"addresses": writeAddresses,
			"lines":     countLines,
			"dialog":    playDialog,
			"queued":    checkQueued,
			"await":     await,
		},
		Condition: func(name string) (bool, error) {
			_, err := exec.LookPath("postconf")
			if name == "postfix" && (err == nil || os.Getenv("CI") != "true") {
				return err == nil, nil
			}
			return false, fmt.Errorf("condition %s: %v", name, err) // CI leaves nothing out
		},
	})
}

// peerKey finds the next hop of a script.
type peerKey struct{}

// setUp puts the script's folder and next hop into its settings files: they hold absolute paths only.
func setUp(t *testing.T, env *testscript.Env) error {
	peer := smtptest.Start(t)
	env.Values[peerKey{}] = peer
	env.Setenv("SUPERLISTD_CONFIG", "")
	env.Setenv("GORACE", "atexit_sleep_ms=10") // under -race, each of a hundred processes would sleep a second
	files, err := filepath.Glob(filepath.Join(env.WorkDir, "*.toml"))
	if err != nil {
		return err
	}
	postfix, err := filepath.Glob(filepath.Join(env.WorkDir, "*", "*.cf"))
	if err != nil {
		return err
	}
	for _, file := range append(files, postfix...) {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		text = bytes.ReplaceAll(text, []byte("$WORK"), []byte(env.WorkDir))
		text = bytes.ReplaceAll(text, []byte("$RELAY"), []byte(peer.Hop()))
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

// playDialog waits for the socket of a program that was just started.
func playDialog(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: dialog SOCKET FILE")
	}
	var conn net.Conn
	var err error
	for range 500 {
		if conn, err = net.Dial("unix", ts.MkAbs(args[0])); err == nil {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	ts.Check(err)
	defer conn.Close()
	ts.Check(smtptest.RunDialog(conn, ts.ReadFile(args[1])))
}

func await(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: await FILE REGEXP")
	}
	want := regexp.MustCompile(args[1])
	for range 1000 {
		if text, err := os.ReadFile(ts.MkAbs(args[0])); err == nil && want.Match(text) {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	ts.Fatalf("%s never had a match of %s", args[0], args[1])
}

func checkQueued(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: queued N ADDRESS...")
	}
	queued := ts.Value(peerKey{}).(*smtptest.Peer).Queued()
	for _, address := range args[1:] {
		if got := strconv.Itoa(queued[address]); got != args[0] {
			ts.Fatalf("%s has %s copies at the next hop, want %s", address, got, args[0])
		}
	}
}
