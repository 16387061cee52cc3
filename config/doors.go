package config

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/BurntSushi/toml"
)

const (
	doorTable = "door"
	maxDoors  = 100 // tables [[door]]: more is a slip
)

// doorBindings is the table of the keys of one [[door]].
func doorBindings(d *Door) []binding {
	return []binding{
		{"listen", text(&d.Listen, door(doorTable))},
		{"protocol", choice(&d.Protocol, ProtocolSMTP, ProtocolLMTP)},
		{"trust", choice(&d.Trust, TrustNone, TrustSubmission)},
	}
}

// doorKey names a key of the n-th [[door]], counted from 0, as faults tell it.
func doorKey(n int, key string) string { return fmt.Sprintf("%s[%d].%s", doorTable, n+1, key) }

// doors reads the tables [[door]].
func (r *reader) doors(p toml.Primitive) {
	line := r.line(p)
	n := tables(r.value(p))
	switch {
	case n < 0:
		r.fault(line, doorTable, "must be tables: a line [["+doorTable+"]] for each, and its keys below")
		return
	case n > maxDoors:
		r.fault(line, doorTable, fmt.Sprintf("there are %d: %d are the most", n, maxDoors))
		return
	}
	r.config.Doors = make([]Door, n)
	for i, row := range r.rows(p, n) {
		r.door(i, row)
	}
}

// tables counts the elements of an array of nothing but tables, in either way of writing; -1 is anything else.
func tables(value any) int {
	switch v := value.(type) {
	case []map[string]any:
		return len(v)
	case []any:
		if !slices.ContainsFunc(v, func(row any) bool { _, ok := row.(map[string]any); return !ok }) {
			return len(v)
		}
	}
	return -1
}

// row is one [[door]].
type row struct {
	line   int // of the table
	values map[string]any
	lines  map[string]int
}

// at is the line of a key: when only its table was found, that one's.
func (d row) at(key string) int { return cmp.Or(d.lines[key], d.line) }

// doorLine is the line that begins a [[door]].
var doorLine = regexp.MustCompile(`(?m)^[ \t]*\[\[[ \t]*["']?` + doorTable + `["']?[ \t]*\]\]`)

// rows takes the n tables apart.
func (r *reader) rows(p toml.Primitive, n int) []row {
	starts := doorLine.FindAllStringIndex(r.text, -1)
	if len(starts) != n {
		starts = nil // written in braces: the line where all of it begins must do
	}
	rows := make([]row, n)
	for i, keys := range r.decodeRows(p) {
		rows[i] = row{line: r.line(p), values: make(map[string]any)}
		for key, p := range keys {
			rows[i].values[key] = r.value(p)
		}
		if starts == nil {
			continue
		}
		rows[i].line = 1 + strings.Count(r.text[:starts[i][0]], "\n")
		end := len(r.text)
		if i+1 < n {
			end = starts[i+1][0]
		}
		rows[i].lines = linesOfDoor(r.text[:end], i)
	}
	return rows
}

// linesOfDoor finds the keys of the i-th table, which is the last one in text: the decoder knows the position of the
// last one of keys with the same name, so the file is read once more as it is before the next table begins.
func linesOfDoor(text string, i int) map[string]int {
	r := &reader{text: text}
	var root map[string]toml.Primitive
	if _, ok := r.decode(&root); !ok {
		return nil
	}
	rows := r.decodeRows(root[doorTable])
	if len(rows) != i+1 {
		return nil
	}
	lines := make(map[string]int)
	for key, p := range rows[i] {
		lines[key] = r.line(p)
	}
	return lines
}

// decodeRows returns the keys of each table of an array of tables.
func (r *reader) decodeRows(p toml.Primitive) (rows []map[string]toml.Primitive) {
	if r.meta.PrimitiveDecode(p, &rows) != nil {
		return nil
	}
	return rows
}

// door reads the i-th [[door]].
func (r *reader) door(i int, row row) {
	d := &r.config.Doors[i]
	*d = Door{Protocol: ProtocolSMTP, Trust: TrustNone}
	known := doorBindings(d)
	for key, value := range row.values {
		at := slices.IndexFunc(known, func(b binding) bool { return b.name == key })
		if at < 0 {
			name := toml.Key{key}.String()
			r.fault(row.at(key), doorKey(i, name), "is not a key of superlistd"+r.meant(doorTable+"."+name))
			continue
		}
		r.bind(known[at].set, doorKey(i, key), value, row.at(key))
	}
	if _, ok := row.values["listen"]; !ok {
		r.fault(row.line, doorKey(i, "listen"), "is not there: it must say where the door is, such as \"127.0.0.1:10027\"")
	}
}

// place is a door with the key that gives it.
type place struct {
	key string
	at  Endpoint
}

// places are the doors of the file whose keys have no fault of their own.
func (r *reader) places() (all []place) {
	c := &r.config
	for _, at := range c.Listen {
		all = append(all, place{"listen", at})
	}
	for _, at := range c.LMTP {
		all = append(all, place{"lmtp", at})
	}
	for n, d := range c.Doors {
		if d.Listen != (Endpoint{}) {
			all = append(all, place{doorKey(n, "listen"), d.Listen})
		}
	}
	return all
}

// agreeDoors keeps us from being an open relay by a slip: whoever opens a door to other hosts must say for whom.
func (r *reader) agreeDoors() {
	relay := r.config.Relay
	_, given := r.given["clients"]
	seen := make(map[Endpoint]string)
	for _, door := range r.places() {
		at := quote(door.at.String())
		if !given && !door.at.Local() {
			r.fault(r.given[door.key], door.key, at+" can be reached from other hosts: give the key clients too, to say which of them may connect")
		}
		if door.at == relay {
			r.blame(at+" is also the relay: mail would come back to us for ever", door.key, "relay")
		}
		if other, ok := seen[door.at]; ok {
			r.blame(at+" is also in "+other, door.key, other)
		}
		seen[door.at] = door.key
	}
}
