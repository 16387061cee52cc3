package templates

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"superlistd/lists"
)

// check reads every file of the folder, so that what is wrong is told before it is needed. Hidden files, and files that
// do not end in ".txt", are somebody else's.
func (s *Set) check() error {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return err
	}
	var faults []error
	for _, e := range entries {
		where := filepath.Join(s.dir, e.Name())
		switch {
		case hidden(e.Name()):
		case slices.Contains(Languages(), e.Name()):
			faults = append(faults, s.checkLanguage(where, e.Name()))
		case strings.Contains(e.Name(), "@"):
			faults = append(faults, s.checkList(where, e.Name()))
		case strings.HasSuffix(e.Name(), suffix) || isDir(where):
			faults = append(faults, fmt.Errorf("%s: here are folders for languages (%s) and for lists (by address)",
				where, strings.Join(Languages(), ", ")))
		}
	}
	return errors.Join(faults...)
}

func (s *Set) checkList(where, name string) error {
	a, err := lists.ParseAddress(name)
	if err != nil {
		return fmt.Errorf("%s: %w", where, err)
	}
	if key := a.Key(); key != name {
		return fmt.Errorf("%s: the folder of this list is called %s", where, key)
	}
	entries, err := os.ReadDir(where)
	if err != nil {
		return err
	}
	var faults []error
	for _, e := range entries {
		at := filepath.Join(where, e.Name())
		switch {
		case hidden(e.Name()):
		case slices.Contains(Languages(), e.Name()):
			faults = append(faults, s.checkLanguage(at, e.Name()))
		case strings.HasSuffix(e.Name(), suffix) || isDir(at):
			faults = append(faults, fmt.Errorf("%s: here are folders for languages (%s)", at, strings.Join(Languages(), ", ")))
		}
	}
	return errors.Join(faults...)
}

func (s *Set) checkLanguage(where, lang string) error {
	entries, err := os.ReadDir(where)
	if err != nil {
		return err
	}
	var faults []error
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), suffix)
		if !ok || hidden(e.Name()) {
			continue
		}
		if name != wordsFile {
			if err := checkName(Name(name)); err != nil {
				faults = append(faults, fmt.Errorf("%s: %w", filepath.Join(where, e.Name()), err))
				continue
			}
		}
		_, err := s.load(where, lang, name)
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}

func hidden(name string) bool { return strings.HasPrefix(name, ".") }

func isDir(where string) bool {
	info, err := os.Stat(where)
	return err == nil && info.IsDir()
}
