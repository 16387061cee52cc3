package config

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// setter takes a value as the TOML decoder gives it, and returns everything that is wrong with it.
type setter func(value any) []error

// text binds a string that parse understands.
func text[T any](p *T, parse func(string) (T, error)) setter {
	return func(value any) []error {
		s, ok := value.(string)
		if !ok {
			return []error{fmt.Errorf("must be a string in quotes, not %s", kind(value))}
		}
		v, err := parse(s)
		if err != nil {
			return []error{err}
		}
		*p = v
		return nil
	}
}

// list binds an array of strings; a single string is an array of one. Each bad element is a fault of its own.
func list[T comparable](p *[]T, parse func(string) (T, error)) setter {
	return func(value any) []error {
		elements, ok := value.([]any)
		if !ok {
			elements = []any{value}
		}
		var errs []error
		out := make([]T, 0, len(elements))
		for _, element := range elements {
			var v T
			if bad := text(&v, parse)(element); bad != nil {
				errs = append(errs, bad...)
				continue
			}
			if slices.Contains(out, v) {
				errs = append(errs, fmt.Errorf("%s is there twice", quote(element.(string))))
				continue
			}
			out = append(out, v)
		}
		if errs == nil {
			*p = out
		}
		return errs
	}
}

// choice binds a string out of a few.
func choice(p *string, of ...string) setter {
	return text(p, func(s string) (string, error) {
		if !slices.Contains(of, s) {
			return "", fmt.Errorf("%s is none of %s", quote(s), `"`+strings.Join(of, `", "`)+`"`)
		}
		return s, nil
	})
}

// number binds a whole number within limits.
func number(p *int, least, most int) setter {
	return func(value any) []error {
		n, ok := value.(int64)
		if !ok {
			return []error{fmt.Errorf("must be a whole number without quotes, not %s", kind(value))}
		}
		if n < int64(least) || n > int64(most) {
			return []error{fmt.Errorf("%d is not between %d and %d", n, least, most)}
		}
		*p = int(n)
		return nil
	}
}

// size binds a number of octets, written "5MB" or as a plain number.
func size(p *int64, least, most int64) setter {
	return func(value any) []error {
		var n int64
		switch v := value.(type) {
		case int64:
			n = v
		case string:
			var ok bool
			if n, ok = parseSize(v); !ok {
				return []error{fmt.Errorf("%s is not a size (try \"5MB\")", quote(v))}
			}
		default:
			return []error{fmt.Errorf("must be a size such as \"5MB\", not %s", kind(value))}
		}
		if n < least || n > most {
			return []error{fmt.Errorf("%d octets are not between %d and %d", n, least, most)}
		}
		*p = n
		return nil
	}
}

// parseSize reads "50MB", "64 KiB", "1000" or "none". It takes whole numbers only: nobody needs half an octet.
func parseSize(s string) (int64, bool) {
	if s == "none" {
		return 0, true
	}
	digits := strings.TrimRight(s, "kKMGTiB ")
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n < 0 || digits[0] < '0' {
		return 0, false
	}
	factors := map[string]int64{
		"": 1, "B": 1,
		"kB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12,
		"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40,
	}
	factor, ok := factors[strings.TrimLeft(s[len(digits):], " ")]
	if !ok || n > math.MaxInt64/factor {
		return 0, false
	}
	return n * factor, true
}

// span binds a length of time, written "90s", "5d" or "1h30m". A bare number is refused: it hides its unit.
func span(p *time.Duration, least, most time.Duration) setter {
	return func(value any) []error {
		s, ok := value.(string)
		if !ok {
			return []error{fmt.Errorf("must be a time with its unit in quotes, such as \"90s\", not %s", kind(value))}
		}
		d, ok := parseSpan(s)
		if !ok {
			return []error{fmt.Errorf("%s is not a time (try \"90s\" or \"5d\")", quote(s))}
		}
		if d < least || d > most {
			return []error{fmt.Errorf("%s is not between %s and %s", quote(s), showSpan(least), showSpan(most))}
		}
		*p = d
		return nil
	}
}

// parseSpan reads one or more pairs of a whole number and a unit, the longer units first.
func parseSpan(s string) (time.Duration, bool) {
	names := []string{"w", "d", "h", "m", "s", "ms"}
	lengths := []time.Duration{7 * 24 * time.Hour, 24 * time.Hour, time.Hour, time.Minute, time.Second, time.Millisecond}
	if s == "0" {
		return 0, true
	}
	var sum time.Duration
	for next := 0; s != ""; {
		digits := len(s) - len(strings.TrimLeft(s, "0123456789"))
		n, err := strconv.ParseInt(s[:digits], 10, 64)
		if err != nil {
			return 0, false
		}
		s = s[digits:]
		name := s[:len(s)-len(strings.TrimLeft(s, "wdhms"))]
		i := slices.Index(names, name)
		if i < next || n > int64((math.MaxInt64-sum)/lengths[i]) {
			return 0, false
		}
		sum += time.Duration(n) * lengths[i]
		s, next = s[len(name):], i+1
	}
	return sum, sum > 0
}

// showSpan writes a length of time as the file would.
func showSpan(d time.Duration) string {
	if d > 0 && d%(24*time.Hour) == 0 {
		return strconv.FormatInt(int64(d/(24*time.Hour)), 10) + "d"
	}
	s := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(s, zero) {
			s = s[:len(s)-2]
		}
	}
	return s
}

// kind names the TOML type of a value for a person.
func kind(value any) string {
	switch value.(type) {
	case string:
		return "a string"
	case int64:
		return "a number"
	case float64:
		return "a fraction"
	case bool:
		return "true or false"
	case []any:
		return "an array"
	case map[string]any, []map[string]any:
		return "a table"
	}
	return "a date"
}

// quote shows a value from the file in a message of one line and bounded length.
func quote(s string) string {
	const most = 80
	if len(s) > most {
		return strconv.Quote(strings.ToValidUTF8(s[:most], "")) + "…"
	}
	return strconv.Quote(s)
}
