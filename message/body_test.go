package message

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"superlistd/lists"
)

// bodies are the posts of testdata/body, by the name of their story.
func bodies(tb testing.TB) map[string][]byte {
	tb.Helper()
	all := make(map[string][]byte)
	for name, a := range bodyStories(tb) {
		all[name], _ = storyOf(tb, a)
	}
	return all
}

func bodyStories(tb testing.TB) map[string]*txtar.Archive {
	tb.Helper()
	names, err := filepath.Glob("../testdata/body/*.txtar")
	if err != nil || len(names) == 0 {
		tb.Fatalf("no stories: %v", err)
	}
	all := make(map[string]*txtar.Archive, len(names))
	for _, name := range names {
		if all[name], err = txtar.ParseFile(name); err != nil {
			tb.Fatal(err)
		}
	}
	return all
}

// storyOf reads post.eml, and what its list does to it: lines header=, footer=, html=, remove=1,2 with "\n" for line ends.
func storyOf(tb testing.TB, a *txtar.Archive) (post []byte, d Decoration) {
	tb.Helper()
	for _, f := range a.Files {
		switch f.Name {
		case "post.eml":
			post = []byte(strings.ReplaceAll(string(f.Data), "\n", "\r\n"))
		case "list":
			for line := range strings.Lines(string(f.Data)) {
				name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
				value = strings.ReplaceAll(value, `\n`, "\n")
				switch name {
				case "header":
					d.Header = value
				case "footer":
					d.Footer = value
				case "html":
					d.HTML = value
				case "remove":
					n, err := strconv.Atoi(value)
					if err != nil {
						tb.Fatal(err)
					}
					d.Remove = append(d.Remove, n)
				default:
					tb.Fatalf("what is %q?", line)
				}
			}
		}
	}
	d.Removed = func(f lists.PartFact) string { return "[" + f.Filename + " (" + f.Type + ") was removed]" }
	return post, d
}

// TestDecorate reads testdata/body/*.txtar: post.eml is what came, list what its list does, want.eml what comes out (not
// there: nothing changes), edits what is said of it. Line ends are CRLF in the messages, and LF in the archive.
func TestDecorate(t *testing.T) {
	t.Parallel()
	for name, a := range bodyStories(t) {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			t.Parallel()
			post, d := storyOf(t, a)
			out, err := inspect(t, post).Decorate(d)
			if err != nil {
				t.Fatal(err)
			}
			got := txtar.Archive{Comment: a.Comment}
			for _, f := range a.Files {
				if f.Name == "list" || f.Name == "post.eml" {
					got.Files = append(got.Files, f)
				}
			}
			if out.Changed {
				var edits bytes.Buffer
				for _, e := range out.Edits {
					fmt.Fprintln(&edits, e)
				}
				if out.EightBit {
					edits.WriteString("needs 8BITMIME\n")
				}
				all := readAll(t, out.Body.Reader(0))
				if bytes.Count(all, []byte("\n")) != bytes.Count(all, []byte("\r\n")) {
					t.Errorf("a line does not end with CRLF: %q", all)
				}
				got.Files = append(got.Files, txtar.File{Name: "edits", Data: edits.Bytes()},
					txtar.File{Name: "want.eml", Data: bytes.ReplaceAll(all, []byte("\r\n"), []byte("\n"))})
			}
			text := txtar.Format(&got)
			if *update {
				if err := os.WriteFile(name, text, 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if want := txtar.Format(a); !bytes.Equal(text, want) {
				t.Errorf("got\n%s\nwant\n%s", text, want)
			}
		})
	}
}

// TestBodyLaws holds the laws for every sample of the house and every story, with all that can be asked for.
func TestBodyLaws(t *testing.T) {
	t.Parallel()
	all := samples(t)
	for name, raw := range bodies(t) {
		all[filepath.Base(name)] = raw
	}
	for name, raw := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := checkInspect(t, raw)
			if b == nil {
				t.Fatal("its header cannot be read")
			}
			for _, text := range []string{"", lists.HTMLText} {
				for _, header := range []string{"", "Écoutez"} {
					for _, footer := range []string{"", "-- \nThe list", "--b\n--outer--\n--x", "Grüße & <b>\nhttps://a.example.org/?a=1&b=2", "日本 " + strings.Repeat("長", 300)} {
						for _, remove := range [][]int{nil, {1, 1, -1, 99999}, {0, 1, 2, 3}} {
							checkDecorate(t, b, Decoration{Header: header, Footer: footer, HTML: text, Remove: remove})
						}
					}
				}
			}
		})
	}
}
