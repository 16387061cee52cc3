package proxy

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"superlistd/internal/smtptest"
	"superlistd/lists"
)

// TestDialogs plays testdata/dialog/*.txtar. An archive has the files
//
//	setup        what is there (may be absent), a line each:
//	             door smtp|lmtp            which protocol; smtp
//	             tcp                       not over the unix socket, too
//	             list ADDRESS [SETTING=VALUE…] [MEMBER…]
//	             next rcpt ADDRESS REPLY   what the next hop says to a recipient
//	             next VERB REPLY           or to a command ("." is the end of data); "\n" parts its lines
//	             next ext LINE             EHLO line of the next hop, instead of the usual ones
//	             option NAME VALUE         of the server: see setOption
//	session      what is said, as smtptest.Dialog reads it
//	log          the log lines that come of it, without times and names of sessions
//	downstream   what the next hop queued, in order of arrival for one connection
//
// Each one is played over TCP, and its session over a unix socket, too. With -update log and downstream are written.
func TestDialogs(t *testing.T) {
	t.Parallel()
	names, err := filepath.Glob("../testdata/dialog/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("no dialogues: %v", err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			t.Parallel()
			playDialog(t, name)
		})
	}
}

func playDialog(t *testing.T, name string) {
	archive, err := txtar.ParseFile(name)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]*txtar.File{}
	for i := range archive.Files {
		files[archive.Files[i].Name] = &archive.Files[i]
	}
	for _, part := range []string{"session", "log", "downstream"} {
		if files[part] == nil {
			t.Fatalf("no file %q", part)
		}
	}
	script := readSetup(t, files["setup"])
	changed := false
	for _, network := range script.networks {
		h := start(t, script.setup)
		h.talk(script.door+"/"+network, string(files["session"].Data))
		h.stop()
		if v := h.peer.Violations(); len(v) > 0 {
			t.Errorf("violations: %q", v)
		}
		if network == "unix" {
			continue // its client has no address
		}
		for part, got := range map[string]string{"log": mask(h.log.String()), "downstream": mask(queued(h.peer))} {
			if *update && string(files[part].Data) != got {
				files[part].Data, changed = []byte(got), true
			} else if diff := cmp.Diff(string(files[part].Data), got); diff != "" {
				t.Errorf("%s (-want +got):\n%s\n%s", part, diff, h.peer.Transcript())
			}
		}
	}
	if changed {
		if err := os.WriteFile(name, txtar.Format(archive), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// script is the file setup, read.
type script struct {
	setup
	door     string
	networks []string
}

func readSetup(t *testing.T, f *txtar.File) *script {
	s := &script{door: "smtp", networks: []string{"tcp", "unix"}}
	if f == nil {
		return s
	}
	var options [][2]string
	refused := map[string]string{}
	var ext []string
	for line := range bytes.Lines(f.Data) {
		word, rest, _ := strings.Cut(strings.TrimSpace(string(line)), " ")
		first, second, _ := strings.Cut(rest, " ")
		switch word {
		case "", "#":
		case "door":
			s.door = rest
		case "tcp":
			s.networks = []string{"tcp"}
		case "list":
			s.lists = append(s.lists, readRoster(rest))
		case "option":
			options = append(options, [2]string{first, second})
		case "next":
			switch first {
			case "rcpt":
				who, reply, _ := strings.Cut(second, " ")
				refused[who] = strings.ReplaceAll(reply, `\n`, "\n")
			case "ext":
				ext = append(ext, second)
			default:
				s.peer = append(s.peer, smtptest.On(first, strings.ReplaceAll(second, `\n`, "\n")))
			}
		default:
			t.Fatalf("setup: %q", line)
		}
	}
	if ext != nil {
		s.peer = append(s.peer, smtptest.Ext(ext...))
	}
	s.peer = append(s.peer, smtptest.RcptReply(func(a string) string { return refused[a] }))
	s.options = func(o *Options) {
		for _, kv := range options {
			setOption(t, o, kv[0], kv[1])
		}
	}
	return s
}

func readRoster(line string) roster {
	words := strings.Fields(line)
	r := roster{address: words[0]}
	for _, w := range words[1:] {
		name, _, _ := strings.Cut(w, "=")
		if _, err := lists.LookupSetting(name); err == nil {
			r.settings = append(r.settings, w)
		} else {
			r.members = append(r.members, w)
		}
	}
	return r
}

// queued shows what the next hop has, messages of one text in one order.
func queued(p *smtptest.Peer) string {
	var all []string
	for _, m := range p.Messages() {
		var b strings.Builder
		var keys []string
		for k, v := range m.Client {
			keys = append(keys, k+"="+v)
		}
		slices.Sort(keys)
		if keys == nil {
			keys = []string{"nothing"}
		}
		fmt.Fprintf(&b, "XFORWARD %s\nMAIL %s\n", strings.Join(keys, " "), m.Mail)
		for _, r := range m.RcptArgs {
			fmt.Fprintf(&b, "RCPT %s\n", r)
		}
		b.WriteString(show(m.Content) + ".\n\n")
		all = append(all, b.String())
	}
	slices.Sort(all)
	return strings.Join(all, "")
}

// show writes content line by line; what is not printable, and a bare CR or LF, is escaped.
func show(content string) string {
	var b strings.Builder
	for line := range strings.SplitSeq(strings.TrimSuffix(content, "\r\n"), "\r\n") {
		text := strings.TrimRight(line, " \t")
		for _, r := range text {
			if r < ' ' && r != '\t' || r == 0x7f || r == 0xfffd {
				fmt.Fprintf(&b, "<%02x>", r)
			} else {
				b.WriteRune(r)
			}
		}
		b.WriteString(strings.Repeat("<blank>", len(line)-len(text)) + "\n") // which an editor would take away
	}
	return b.String()
}

// mask takes out what differs from run to run.
func mask(s string) string {
	for _, m := range [][2]string{
		{`\w{3}, +\d+ \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}`, "DATE"},
		{`\bIDENT=[0-9a-z]{10}\b`, "IDENT=SID"},
		{`\bid [0-9a-z]{10}\b`, "id SID"},
		{`taken as [0-9a-z]{10}\b`, "taken as SID"},
		{`\bPEER\d+`, "PEER"},
		{`127\.0\.0\.1:\d+`, "127.0.0.1:PORT"},
		{`(ADDR=127\.0\.0\.1.*) PORT=\d+`, "$1 PORT=PORT"},
	} {
		s = regexp.MustCompile(m[0]).ReplaceAllString(s, m[1])
	}
	return s
}
