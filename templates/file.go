package templates

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"text/template"
	"time"
	"unicode/utf8"
)

const (
	suffix = ".txt"
	// wordsFile has the sentences that texts are put together of; it is read like them.
	wordsFile = "words"
	maxFile   = 64 << 10 // octets
	// racy is how old a file must be before its time tells that it is not being written: file systems' clocks tick slowly.
	racy = 2 * time.Second
)

// file is one that was read: a text, or words.
type file struct {
	lang          string
	subject, body *template.Template // subject is nil for a text without
	words         map[string]string
	err           error // why it cannot be used

	info fs.FileInfo // nil for embedded files
	sure bool        // info tells whether it was changed
}

func (f file) missing() bool { return f.body == nil && f.words == nil }

// embedded reads a text of ours, once.
func (s *Set) embedded(lang, name string) (file, error) {
	where := path.Join(lang, name+suffix)
	s.mu.Lock()
	defer s.mu.Unlock()
	f, known := s.files[where]
	if !known {
		raw, err := embedded.ReadFile(where)
		if err != nil {
			return file{}, err
		}
		f = parse(where, lang, name, raw)
		s.files[where] = f
	}
	return f, f.err
}

// load reads a file when it was changed since; one that is not there is missing, and no error.
func (s *Set) load(folder, lang, name string) (file, error) {
	where := filepath.Join(folder, name+suffix)
	s.mu.Lock()
	defer s.mu.Unlock()
	info, err := os.Stat(where)
	if err != nil {
		delete(s.files, where)
		if errors.Is(err, fs.ErrNotExist) {
			return file{}, nil
		}
		return file{}, err
	}
	if f, known := s.files[where]; known && f.sure && same(f.info, info) {
		return f, f.err
	}
	raw, err := read(where, info)
	if err != nil {
		delete(s.files, where)
		return file{}, err
	}
	f := parse(where, lang, name, raw)
	if f.err == nil {
		f.err = f.try()
	}
	f.info, f.sure = info, time.Since(info.ModTime()) > racy
	s.files[where] = f
	return f, f.err
}

func same(a, b fs.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

func read(where string, info fs.FileInfo) ([]byte, error) {
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: not a file", where)
	}
	f, err := os.Open(where)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", where, err)
	}
	if len(raw) > maxFile {
		return nil, fmt.Errorf("%s: over %d octets", where, maxFile)
	}
	return raw, nil
}

// parse reads what a file holds; its err says what is wrong, with path and line.
func parse(where, lang, name string, raw []byte) file {
	f := file{lang: lang}
	text := strings.ReplaceAll(strings.TrimPrefix(string(raw), "\uFEFF"), "\r\n", "\n")
	if n := validLines(text); n > 0 {
		f.err = fmt.Errorf("%s:%d: not UTF-8", where, n)
		return f
	}
	if name == wordsFile {
		f.words, f.err = parseWords(where, text)
		return f
	}
	body := text
	if Name(name).subject() {
		first, rest, _ := strings.Cut(text, "\n")
		subject, ok := strings.CutPrefix(first, "Subject:")
		switch {
		case !ok || strings.TrimSpace(subject) == "":
			f.err = fmt.Errorf(`%s:1: the first line is "Subject: " and the subject`, where)
			return f
		case !strings.HasPrefix(rest, "\n"):
			f.err = fmt.Errorf("%s:2: the second line is empty", where)
			return f
		}
		f.subject, f.err = newTemplate(where, lang).Parse(strings.TrimSpace(subject))
		body = "\n" + rest // faults are told with the line in the file
	}
	if f.err == nil {
		f.body, f.err = newTemplate(where, lang).Parse(body)
	}
	return f
}

// validLines returns the line that is not UTF-8, 0 for none.
func validLines(text string) int {
	if utf8.ValidString(text) {
		return 0
	}
	n := 1
	for line := range strings.SplitSeq(text, "\n") {
		if !utf8.ValidString(line) {
			break
		}
		n++
	}
	return n
}
