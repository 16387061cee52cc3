package run

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"superlistd/lists"
)

// settingsFile makes a folder for lists, and returns the path of its settings.
func settingsFile(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "superlistd.toml")
	text := fmt.Sprintf("hostname = \"mx.example.org\"\ndomains = [\"lists.example.org\"]\nidentity.resolver = \"off\"\nrelay = \"127.0.0.1:10026\"\ndata = %q\n", dir)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func TestExitStatus(t *testing.T) {
	t.Parallel()
	file := settingsFile(t)
	for _, tt := range []struct {
		args   string
		want   int
		stderr string
	}{
		{"create team@lists.example.org", exitDone, ""},
		{"add team@lists.example.org ann@example.org", exitDone, ""},
		{"add team@lists.example.org ann@example.org", exitDone, ""},
		{"remove team@lists.example.org nobody@example.org", exitDone, ""},
		{"help", exitDone, ""},
		{"add --help", exitDone, ""},
		{"create team@lists.example.org", exitRefused, "team@lists.example.org: list exists\n"},
		{"add team@lists.example.org x@ @y", exitRefused, "\"x@\": not a valid address: no domain\n\"@y\": not a valid address: empty local part\nno member was changed\n"},
		{"show nolist@lists.example.org", exitRefused, "nolist@lists.example.org: no such list\n"},
		{"set team@lists.example.org colour=blue", exitRefused, "\"colour\": no such setting (there are: " + strings.Join(settingNames(), ", ") + ")\n"},
		{"member team@lists.example.org x@example.org", exitRefused, "team@lists.example.org: x@example.org: not a member\n"},
		{"member team@lists.example.org", exitUsage, "usage: listctl member LIST ADDRESS [KEY=VALUE...]\n"},
		{"", exitUsage, "no command: try \"listctl help\"\n"},
		{"subscribe", exitUsage, "\"subscribe\" is not a command: try \"listctl help\"\n"},
		{"--verbose lists", exitUsage, "listctl: unknown flag: --verbose: try \"listctl --help\"\n"},
		{"add --force team@lists.example.org x@example.org", exitUsage, "listctl add: unknown flag: --force: try \"listctl add --help\"\n"},
		{"create", exitUsage, "usage: listctl create LIST [KEY=VALUE...]\n"},
		{"lists all", exitUsage, "usage: listctl lists\n"},
		{"show", exitUsage, "usage: listctl show LIST\n"},
		{"add team@lists.example.org", exitUsage, "usage: listctl add [--welcome] LIST ADDRESS...|-\n"},
		{"add team@lists.example.org x@example.org -", exitUsage, "\"-\" cannot be mixed with addresses: usage: listctl add [--welcome] LIST ADDRESS...|-\n"},
		{"invite team@lists.example.org", exitUsage, "usage: listctl invite [--text-file FILE] LIST ADDRESS...|-|--file FILE\n"},
		{"invite --file x team@lists.example.org x@example.org", exitUsage, "usage: listctl invite [--text-file FILE] LIST ADDRESS...|-|--file FILE\n"},
		{"set team@lists.example.org", exitUsage, "usage: listctl set LIST KEY=VALUE...\n"},
		{"set team@lists.example.org post", exitUsage, "\"post\" is not KEY=VALUE: usage: listctl set LIST KEY=VALUE...\n"},
	} {
		var stdout, stderr bytes.Buffer
		args := append([]string{"--config", file}, strings.Fields(tt.args)...)
		if got := Listctl(args, strings.NewReader(""), &stdout, &stderr); got != tt.want {
			t.Errorf("listctl %s: exit status %d, want %d", tt.args, got, tt.want)
		}
		if stderr.String() != tt.stderr {
			t.Errorf("listctl %s: stderr\n%swant\n%s", tt.args, stderr.String(), tt.stderr)
		}
		if (stdout.Len() > 0) != (tt.want == exitDone) {
			t.Errorf("listctl %s: exit status %d, and stdout %q", tt.args, tt.want, stdout.String())
		}
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestAnAnswerThatCannotBeWrittenIsAFailure(t *testing.T) {
	t.Parallel()
	var stderr bytes.Buffer
	got := Listctl([]string{"--config", settingsFile(t), "create", "team@lists.example.org"}, strings.NewReader(""), fullDisk{}, &stderr)
	if got != exitRefused || stderr.String() != "standard output: no space left\n" {
		t.Errorf("exit status %d, stderr %q", got, stderr.String())
	}
}

func TestInputThatBreaksOffChangesNothing(t *testing.T) {
	t.Parallel()
	file := settingsFile(t)
	run := func(stdin io.Reader, args ...string) (int, string, string) {
		var stdout, stderr bytes.Buffer
		status := Listctl(append([]string{"--config", file}, args...), stdin, &stdout, &stderr)
		return status, stdout.String(), stderr.String()
	}
	run(nil, "create", "team@lists.example.org")
	broken := io.MultiReader(strings.NewReader("ann@example.org\n"), readerFunc(func([]byte) (int, error) { return 0, errors.New("lost") }))
	if status, _, stderr := run(broken, "add", "team@lists.example.org", "-"); status != exitRefused || stderr != "standard input, line 2: lost\nno member was changed\n" {
		t.Errorf("exit status %d, stderr %q", status, stderr)
	}
	long := strings.NewReader("ann@example.org\n" + strings.Repeat("x", maxLine+1) + "\n")
	if status, _, stderr := run(long, "add", "team@lists.example.org", "-"); status != exitRefused || !strings.HasPrefix(stderr, "line 2: longer than 65536 octets") {
		t.Errorf("exit status %d, stderr %q", status, stderr)
	}
	if _, stdout, _ := run(nil, "members", "team@lists.example.org"); stdout != "" {
		t.Errorf("members %q", stdout)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func TestMembersAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, address, who string }{
		{"bare", "ann@example.org", "ann@example.org", ""},
		{"in brackets", "<ann@example.org>", "ann@example.org", ""},
		{"named", "Ann Lee <ann@example.org>", "ann@example.org", "Ann Lee"},
		{"named without a blank", "Ann<ann@example.org>", "ann@example.org", "Ann"},
		{"quoted name", `"Lee, Ann" <ann@example.org>`, "ann@example.org", "Lee, Ann"},
		{"quotes in a quoted name", `"A \"B\" \\ C" <ann@example.org>`, "ann@example.org", `A "B" \ C`},
		{"brackets in a quoted name", `"Ann <x@y>" <ann@example.org>`, "ann@example.org", "Ann <x@y>"},
		{"quoted local part", `Ann <"a <b"@example.org>`, `"a <b"@example.org`, "Ann"},
		{"bare quoted local part", `"a <b"@example.org`, `"a <b"@example.org`, ""},
		{"beyond ASCII", "Zoë <zoë@example.org>", "zoë@example.org", "Zoë"},
		{"no bracket at the end", "Ann <ann@example.org", "", ""},
		{"something behind", "Ann <ann@example.org> x", "", ""},
		{"nothing in brackets", "Ann <>", "", ""},
		{"control character in the name", "A\x1bnn <ann@example.org>", "", ""},
		{"broken UTF-8 in the name", "A\xffnn <ann@example.org>", "", ""},
		{"name too long", strings.Repeat("x", maxName+1) + " <ann@example.org>", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m, err := parseMember(tt.in)
			if (err != nil) != (tt.address == "") || m.Address.String() != tt.address || m.Name != tt.who {
				t.Errorf("parseMember(%q) = %q, %q, %v; want %q, %q", tt.in, m.Address, m.Name, err, tt.address, tt.who)
			}
		})
	}
}

func TestComments(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"# all":                     "",
		"#all":                      "",
		"ann@example.org # new":     "ann@example.org ",
		"ann@example.org\t#new":     "ann@example.org\t",
		"o#brien@example.org":       "o#brien@example.org",
		`"a #b"@example.org`:        `"a #b"@example.org`,
		`"a\" #b"@example.org # c`:  `"a\" #b"@example.org `,
		`"C #1" <c@example.org> #2`: `"C #1" <c@example.org> `,
		"<#1@example.org>":          "<#1@example.org>",
		"":                          "",
	} {
		if got := cutComment(in); got != want {
			t.Errorf("cutComment(%q) = %q, want %q", in, got, want)
		}
	}
}

func settingNames() []string {
	var names []string
	for _, s := range lists.SettingTable() {
		names = append(names, s.Name)
	}
	return names
}

// FuzzMember holds that what "members" prints, "add -" reads: the same address and the same name.
func FuzzMember(f *testing.F) {
	for _, seed := range []string{"ann@example.org", "Ann Lee <ann@example.org>", `"Lee, #1 \"x\" <y>" <"a #<b\""@example.org>`, "<#1@example.org>", `" " <a@b>`, `"" <a@b>`, "ü# <ü@ü.example>", `"a" b "c" <a@b>`, "\u00a0x <a@b>"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, in string) {
		m, err := parseMember(in)
		if err != nil {
			return
		}
		line := formatMember(m)
		if strings.ContainsAny(line, "\r\n") {
			t.Fatalf("%q is written in two lines: %q", in, line)
		}
		again, err := parseMember(strings.TrimSpace(cutComment(line)))
		if err != nil || !reflect.DeepEqual(again, m) {
			t.Fatalf("%q: written %q, read again as %+v, %v; want %+v", in, line, again, err, m)
		}
	})
}

func TestProgressIsForTerminals(t *testing.T) {
	t.Parallel()
	file, err := os.Create(filepath.Join(t.TempDir(), "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	for _, w := range []io.Writer{new(bytes.Buffer), file} {
		if p := newProgress(w); p.w != nil {
			t.Errorf("%T is taken for a terminal", w)
		}
	}
	var screen bytes.Buffer
	p := &progress{w: &screen}
	p.show(500, manyChanges) // too few to wait for
	p.show(1000, 5000)
	p.show(2000, 5000) // too soon
	p.clear()
	if got, want := screen.String(), "\r1000 of 5000\r\x1b[K"; got != want {
		t.Errorf("screen %q, want %q", got, want)
	}
	new(progress).show(1000, 5000) // silent
}

func TestCompletionOffersLists(t *testing.T) {
	t.Parallel()
	file := settingsFile(t)
	for _, name := range []string{"team", "board"} {
		if got := Listctl([]string{"--config", file, "create", name + "@lists.example.org"}, nil, io.Discard, io.Discard); got != exitDone {
			t.Fatalf("create %s: exit status %d", name, got)
		}
	}
	var stdout bytes.Buffer
	Listctl([]string{"__complete", "--config", file, "add", ""}, nil, &stdout, io.Discard)
	if want := "board@lists.example.org\nteam@lists.example.org\n:4\n"; stdout.String() != want {
		t.Errorf("completion\n%swant\n%s", stdout.String(), want)
	}
}

func BenchmarkReadMembers100k(b *testing.B) {
	var text bytes.Buffer
	for i := range 100_000 {
		fmt.Fprintf(&text, "Member %d <member%d@example.org>\n", i, i)
	}
	b.SetBytes(int64(text.Len()))
	b.ReportAllocs()
	for b.Loop() {
		c := &listctl{stdin: bytes.NewReader(text.Bytes())}
		members, err := c.readMembers([]string{"-"}, lists.Address{Local: "team", Domain: "lists.example.org"})
		if err != nil || len(members) != 100_000 {
			b.Fatal(len(members), err)
		}
	}
}
