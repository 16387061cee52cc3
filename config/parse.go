package config

import (
	"errors"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/BurntSushi/toml"
)

// reader gathers what one file says and what is wrong with it.
type reader struct {
	meta   toml.MetaData
	text   string
	config Config
	set    map[string]setter
	names  []string       // of every known key, in the order of the table
	given  map[string]int // line of every key that the file gives
	faults []Fault
}

// parse reads the text of a file; name is what faults are told of.
func parse(name string, data []byte, hostname func() (string, error)) (Config, error) {
	r := &reader{
		text:   strings.TrimPrefix(string(data), "\ufeff"),
		config: Default(),
		set:    make(map[string]setter),
		given:  make(map[string]int),
	}
	for _, b := range bindings(&r.config) {
		r.set[b.name] = b.set
		r.names = append(r.names, b.name)
	}
	for _, b := range doorBindings(&Door{}) {
		r.names = append(r.names, doorTable+"."+b.name)
	}
	var root map[string]toml.Primitive
	if f, ok := r.decode(&root); !ok {
		return Config{}, &Error{Path: name, Faults: []Fault{f}}
	}
	r.table("", root)
	r.agree(hostname)
	if len(r.faults) == 0 {
		return r.config, nil
	}
	slices.SortStableFunc(r.faults, func(a, b Fault) int {
		if (a.Line == 0) != (b.Line == 0) {
			return b.Line - a.Line // those without a line come last
		}
		if a.Line != b.Line {
			return a.Line - b.Line
		}
		return strings.Compare(a.Key, b.Key) // the decoder's maps have no order
	})
	return Config{}, &Error{Path: name, Faults: r.faults}
}

// decode reads the syntax. The values stay undecoded: each key is decoded by its own setter, so that a
// wrong type does not end the reading, as it would with a struct.
func (r *reader) decode(root *map[string]toml.Primitive) (f Fault, ok bool) {
	defer func() { // the decoder panics where it finds a bug of its own
		if p := recover(); p != nil {
			f, ok = Fault{Message: fmt.Sprintf("cannot be read: %v", p)}, false
		}
	}()
	var err error
	r.meta, err = toml.Decode(r.text, root)
	var syntax toml.ParseError
	switch {
	case errors.As(err, &syntax):
		return Fault{Line: r.syntaxLine(syntax), Message: oneLine(syntax.Message)}, false
	case err != nil:
		return Fault{Message: oneLine(err.Error())}, false
	}
	return Fault{}, true
}

// syntaxLine is the line that a fault of syntax is in. The decoder forgets it for some of them, such as a bad escape:
// then it is the last line of the shortest beginning of the file that has the same fault.
func (r *reader) syntaxLine(fault toml.ParseError) int {
	if fault.Position.Line > 0 {
		return fault.Position.Line
	}
	lines := strings.SplitAfter(r.text, "\n")
	return 1 + sort.Search(len(lines)-1, func(i int) bool {
		var same toml.ParseError
		_, err := toml.Decode(strings.Join(lines[:i+1], ""), new(map[string]any))
		return errors.As(err, &same) && same.Message == fault.Message
	})
}

// table sets every key of one table; prefix is "" or the table's name and a dot. Keys are compared exactly:
// the decoder itself would take HOSTNAME for hostname.
func (r *reader) table(prefix string, keys map[string]toml.Primitive) {
	for key, p := range keys {
		name := prefix + toml.Key{key}.String()
		line := r.line(p)
		if set, ok := r.set[name]; ok {
			r.bind(set, name, r.value(p), line)
			continue
		}
		if name == doorTable {
			r.doors(p)
			continue
		}
		if prefix != "" || !r.isTable(name) {
			r.fault(line, name, "is not a key of superlistd"+r.meant(name))
			continue
		}
		var inner map[string]toml.Primitive
		if _, ok := r.value(p).(map[string]any); !ok || r.meta.PrimitiveDecode(p, &inner) != nil {
			r.fault(line, name, "must be a table: a line ["+name+"], and its keys below")
			continue
		}
		r.table(name+".", inner)
	}
}

// bind gives a key its value.
func (r *reader) bind(set setter, name string, value any, line int) {
	r.given[name] = line
	for _, err := range set(value) {
		r.fault(line, name, err.Error())
	}
}

func (r *reader) fault(line int, key, message string) {
	r.faults = append(r.faults, Fault{Line: line, Key: oneLine(key), Message: message})
}

func (r *reader) isTable(name string) bool {
	return slices.ContainsFunc(r.names, func(known string) bool { return strings.HasPrefix(known, name+".") })
}

// value decodes a key into the plain type that the file gives it.
func (r *reader) value(p toml.Primitive) any {
	var v any
	if err := r.meta.PrimitiveDecode(p, &v); err != nil {
		return nil
	}
	return v
}

// refusal is a destination that refuses every value: the decoder's complaint holds the position of the key,
// which it tells in no other way.
type refusal struct{}

func (refusal) UnmarshalTOML(any) error { return errors.New("refused") }

// line finds the line of a key. A table that exists only through its own tables has the line of the first of them.
func (r *reader) line(p toml.Primitive) int {
	var complaint toml.ParseError
	if errors.As(r.meta.PrimitiveDecode(p, &refusal{}), &complaint) && complaint.Position.Line > 0 {
		start := min(complaint.Position.Start, len(r.text)) // Line is the last one of a string of several lines
		return min(complaint.Position.Line, 1+strings.Count(r.text[:start], "\n"))
	}
	var inner map[string]toml.Primitive
	if _, ok := r.value(p).(map[string]any); !ok || r.meta.PrimitiveDecode(p, &inner) != nil {
		return 0
	}
	first := 0
	for _, p := range inner {
		if line := r.line(p); first == 0 || line != 0 && line < first {
			first = line
		}
	}
	return first
}

// meant guesses which key an unknown one stands for.
func (r *reader) meant(name string) string {
	last := name[strings.LastIndexByte(name, '.')+1:]
	near := func(known string) bool { return strings.EqualFold(known, name) || distance(known, name) <= 2 }
	for _, known := range r.names {
		table, _, ok := strings.Cut(known, ".")
		switch {
		case near(known):
			return fmt.Sprintf(" (did you mean %q?)", known)
		case ok && near(table):
			return fmt.Sprintf(" (did you mean the table %s?)", heading(table))
		}
	}
	for _, known := range r.names {
		if table, key, ok := strings.Cut(known, "."); ok && key == last {
			return fmt.Sprintf(" (%q belongs below the line %s)", key, heading(table))
		} else if known == last {
			return fmt.Sprintf(" (%q belongs above the first line in brackets)", known)
		}
	}
	return ""
}

// heading is the line that begins a table.
func heading(table string) string {
	if table == doorTable {
		table = "[" + table + "]"
	}
	return "[" + table + "]"
}

// distance counts the letters to insert, delete or change (Levenshtein). Long names are not compared: they are no slip of a finger.
func distance(a, b string) int {
	if len(b) > 64 {
		return len(b)
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// oneLine keeps what a stranger's file says on the one line of its fault.
func oneLine(s string) string {
	if printable(s) {
		return s
	}
	return quote(s)
}
