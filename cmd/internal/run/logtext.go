package run

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"slices"
	"strconv"

	"github.com/rs/zerolog"
)

// textWriter writes zerolog's lines for people: time, level, message, then key=value by key, the error first. Values that
// could be taken for more than one are quoted. zerolog's own ConsoleWriter does the same by reading each line into
// maps, which costs more than all else that superlistd does for a small message.
type textWriter struct {
	w     io.Writer
	plain bool // neither time nor level: syslog has its own
}

// logField is one member of a line, as slices of it.
type logField struct{ key, value []byte }

func (t textWriter) Write(p []byte) (int, error) {
	var room [24]logField
	fields, ok := splitLine(room[:0], p)
	if !ok {
		return t.w.Write(p) // not one of zerolog's lines: better as it is than not at all
	}
	slices.SortStableFunc(fields, func(a, b logField) int {
		return cmp.Or(cmp.Compare(rank(a.key), rank(b.key)), bytes.Compare(a.key, b.key))
	})
	line := make([]byte, 0, len(p)+64)
	for _, f := range fields {
		if len(line) > 0 {
			line = append(line, ' ')
		}
		switch string(f.key) {
		case zerolog.TimestampFieldName:
			if t.plain {
				continue
			}
			line = append(line, bytes.Trim(f.value, `"`)...)
		case zerolog.LevelFieldName:
			if t.plain {
				continue
			}
			line = append(line, levelName(f.value)...)
		case zerolog.MessageFieldName:
			line = append(line, bytes.Trim(f.value, `"`)...)
		default:
			line = append(append(line, f.key...), '=')
			line = appendValue(line, f.value)
		}
	}
	if _, err := t.w.Write(append(line, '\n')); err != nil {
		return 0, err
	}
	return len(p), nil
}

// rank puts the members that every line has, and the error, before the others.
func rank(key []byte) int {
	switch string(key) {
	case zerolog.TimestampFieldName:
		return 0
	case zerolog.LevelFieldName:
		return 1
	case zerolog.MessageFieldName:
		return 2
	case zerolog.ErrorFieldName:
		return 3
	}
	return 4
}

func levelName(value []byte) string {
	switch string(value) {
	case `"debug"`:
		return "DBG"
	case `"info"`:
		return "INF"
	case `"warn"`:
		return "WRN"
	case `"error"`:
		return "ERR"
	}
	return string(bytes.Trim(value, `"`))
}

// appendValue writes a string without its quotes where nothing in it needs them. What is escaped or not ASCII is decoded and
// quoted again, so that no control character reaches a terminal.
func appendValue(dst, value []byte) []byte {
	if len(value) < 2 || value[0] != '"' {
		return append(dst, value...)
	}
	quote := len(value) == 2
	for _, c := range value[1 : len(value)-1] {
		switch {
		case c == '\\' || c >= 0x7f || c < ' ':
			var s string
			if json.Unmarshal(value, &s) != nil {
				return strconv.AppendQuoteToASCII(dst, string(value))
			}
			return strconv.AppendQuote(dst, s)
		case c == ' ' || c == '=':
			quote = quote || c == ' '
		}
	}
	if quote {
		return append(dst, value...)
	}
	return append(dst, value[1:len(value)-1]...)
}

// splitLine finds the members of a JSON object without decoding them.
func splitLine(fields []logField, line []byte) ([]logField, bool) {
	rest := bytes.TrimSpace(line)
	if len(rest) < 2 || rest[0] != '{' || rest[len(rest)-1] != '}' {
		return nil, false
	}
	rest = rest[1 : len(rest)-1]
	for len(rest) > 0 {
		n := valueEnd(rest)
		if n < 2 || rest[0] != '"' || n >= len(rest) || rest[n] != ':' {
			return nil, false
		}
		key := rest[1 : n-1]
		rest = rest[n+1:]
		if n = valueEnd(rest); n == 0 {
			return nil, false
		}
		fields = append(fields, logField{key, rest[:n]})
		if rest = rest[n:]; len(rest) > 0 {
			if rest[0] != ',' {
				return nil, false
			}
			rest = rest[1:]
		}
	}
	return fields, true
}

// valueEnd is the length of the JSON value that s begins with, as far as brackets and strings tell.
func valueEnd(s []byte) int {
	depth, inside := 0, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case inside && c == '\\':
			i++
		case c == '"':
			inside = !inside
			if !inside && depth == 0 {
				return i + 1
			}
		case inside:
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			if depth--; depth <= 0 {
				return i + 1
			}
		case depth == 0 && (c == ',' || c == ':'):
			return i
		}
	}
	if inside || depth > 0 {
		return 0
	}
	return len(s)
}
