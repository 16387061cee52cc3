package held_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"superlistd/internal/faultdisk"
	"superlistd/lists"
	"superlistd/moderation/held"
)

// A file is a post whose content is what follows its facts, or damaged; it never breaks the list.
func FuzzFiles(f *testing.F) {
	seed := f.TempDir()
	s := held.Open(seed, held.Options{Now: at(start)})
	id := put(f, s, factsFor(f, "team@lists.test", "k1"))
	_, err := s.Decide(id, held.Decision{Action: held.Reject, By: "bob", Text: "no"})
	must(f, err)
	whole, err := os.ReadFile(filepath.Join(seed, "held", id))
	must(f, err)
	decision, err := os.ReadFile(filepath.Join(seed, "held", id+".decided"))
	must(f, err)
	f.Add(whole, decision)
	f.Add(whole[:50], decision[:30])
	f.Add([]byte("superlistd held post 1\n00000000 {}\n"), []byte("superlistd decision 1\n"))
	f.Add([]byte(nil), []byte(nil))
	f.Fuzz(func(t *testing.T, raw, note []byte) {
		data := t.TempDir()
		must(t, os.Mkdir(filepath.Join(data, "held"), 0o750))
		path := filepath.Join(data, "held", id)
		must(t, os.WriteFile(path, raw, 0o640))
		must(t, os.WriteFile(path+".decided", note, 0o640))
		s := held.Open(data, held.Options{})
		p, err := s.Open(id)
		switch {
		case err != nil && !errors.Is(err, held.ErrDamaged):
			t.Fatalf("neither a post nor damaged: %v", err)
		case err == nil:
			got, err := io.ReadAll(p.Reader(0))
			if err != nil || int64(len(got)) != p.Size() || !bytes.HasSuffix(raw, got) || p.Facts().Decided == nil {
				t.Errorf("content of %d octets, %v: %+v", len(got), err, p.Facts())
			}
			must(t, p.Close())
		}
		all, err := s.List(lists.Address{}, "", 10)
		if err != nil || len(all) != 1 || (all[0].Fault != "") == (p != nil) {
			t.Errorf("list: %+v, %v", all, err)
		}
	})
}

// Whatever texts a stranger's post has, they come back as they are, as far as they are UTF-8 and no longer than their bounds.
func FuzzFacts(f *testing.F) {
	f.Add("Lunch", "Ann", "1@example.org", "no", "bob")
	f.Add("\xff\x00\r\n</script>\u2028", "\"", "\\", "{\"Action\":\"approve\"}", "\n00000000 x")
	f.Add("x", "x", "1@example.or"+strings.Repeat("\xf0", 1100)+"g", strings.Repeat("ü", 9000), "")
	f.Fuzz(func(t *testing.T, subject, name, id, text, by string) {
		s := held.Open(t.TempDir(), held.Options{Now: at(start), Disk: faultdisk.New(faultdisk.Fault{})})
		facts := factsFor(t, "team@lists.test", "k1")
		facts.Subject, facts.AuthorName, facts.MessageID = subject, name, id
		entry := put(t, s, facts)
		_, err := s.Decide(entry, held.Decision{Action: held.Reject, By: by, Text: text})
		must(t, err)
		got, err := s.Get(entry)
		must(t, err)
		for _, tt := range [][2]string{
			{got.Subject, subject}, {got.AuthorName, name}, {got.MessageID, id}, {got.Decided.Text, text}, {got.Decided.By, by},
		} {
			want := strings.ToValidUTF8(tt[1], "\uFFFD")
			if tt[0] != want && (len(tt[1]) <= 1000 || !strings.HasPrefix(want, strings.TrimRight(tt[0], "\uFFFD"))) {
				t.Errorf("%q came back as %q", want, tt[0])
			}
		}
	})
}
