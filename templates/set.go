package templates

import (
	"embed"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"superlistd/lists"
)

//go:embed en fr de
var embedded embed.FS

// Text is a text that is ready: Subject is one line, "" for Removed; Body ends with a line end, but for Removed. Both are
// UTF-8 without controls, with "\n" for line ends.
type Text struct{ Subject, Body string }

// Set makes texts. It may be used by many at once.
type Set struct {
	dir string // "" is none

	mu    sync.Mutex
	files map[string]file // parsed files by path; the embedded ones by "lang/name.txt"
}

// New returns the texts, with those of a folder in the place of the embedded ones: DIR/de/held.txt for the site,
// DIR/team@lists.example.org/de/held.txt for one list (its address in lower case). Every file there is parsed and tried
// with made-up facts; the error names all faults, with path and line. "" is no folder.
func New(dir string) (*Set, error) {
	s := &Set{files: map[string]file{}}
	if dir == "" {
		return s, nil
	}
	s.dir = filepath.Clean(dir)
	if err := s.check(); err != nil {
		return s, fmt.Errorf("templates: %w", err)
	}
	return s, nil
}

// Text makes a text in a language; "", or one that there is not, is the first of Languages. A file of the list goes
// before one of the site, and that before the embedded text; one that was changed holds for the next text. When a file
// cannot be used, the next one is, and the error says so beside a good Text. Only a name that there is not gives no Text.
func (s *Set) Text(name Name, lang string, list lists.Address, facts Facts) (Text, error) {
	if err := checkName(name); err != nil {
		return Text{}, fmt.Errorf("text %s: %w", name, err)
	}
	if !slices.Contains(Languages(), lang) {
		lang = Languages()[0]
	}
	v := viewOf(list, facts)
	folders := s.folders(lang, list)
	words, faults := s.words(folders, lang)
	for _, folder := range folders {
		f, err := s.load(folder, lang, string(name))
		if err == nil && f.missing() {
			continue
		}
		if err == nil {
			var text Text
			if text, err = f.make(v, words); err == nil {
				return text, errors.Join(faults...)
			}
		}
		faults = append(faults, err)
	}
	f, err := s.embedded(lang, string(name))
	if err != nil {
		return Text{}, errors.Join(append(faults, err)...)
	}
	text, err := f.make(v, words)
	return text, errors.Join(append(faults, err)...)
}

// folders are where files for a list may be, the first goes first. A list whose name has a slash has only the site's.
func (s *Set) folders(lang string, list lists.Address) []string {
	if s.dir == "" {
		return nil
	}
	site := filepath.Join(s.dir, lang)
	key := list.Key()
	if key == "" || strings.ContainsAny(key, "/\x00") {
		return []string{site}
	}
	return []string{filepath.Join(s.dir, key, lang), site}
}

// words are the sentences of a language: those of the files, of the list before those of the site, over the embedded.
func (s *Set) words(folders []string, lang string) (map[string]string, []error) {
	base, err := s.embedded(lang, wordsFile)
	all, faults := base.words, []error{err}
	for _, folder := range slices.Backward(folders) {
		f, err := s.load(folder, lang, wordsFile)
		faults = append(faults, err)
		all = over(all, f.words)
	}
	return all, faults
}
