package lists

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A kind is a sort of value: how it is described, written and read.
type kind[T any] struct {
	typ    string
	format func(T) string
	// parse gives ErrSetting, wrapped.
	parse func(string) (T, error)
	// check is for values that are there already; nil: parse what format writes, and
	// keep that.
	check func(T) error
}

// setting makes a line of SettingTable. Its Default is filled in by the table.
func setting[T any](name, help, example string, k kind[T], field func(*Settings) *T) Setting {
	return Setting{
		Name: name, Type: k.typ, Help: help, Example: example,
		Get:   func(s Settings) string { return k.format(*field(&s)) },
		Set:   func(s *Settings, v string) error { return k.set(field(s), v) },
		check: func(s *Settings) error { return k.confirm(field(s)) },
	}
}

func (k kind[T]) set(field *T, v string) error {
	parsed, err := k.parse(v)
	if err == nil {
		*field = parsed
	}
	return err
}

func (k kind[T]) confirm(field *T) error {
	if k.check != nil {
		return k.check(*field)
	}
	return k.set(field, k.format(*field))
}

// choice is one of some words; the first is the default, and what "" means.
func choice[T ~string](values ...T) kind[T] {
	return kind[T]{
		typ: orList(values),
		format: func(v T) string {
			if v == "" {
				v = values[0]
			}
			return string(v)
		},
		parse: func(s string) (T, error) {
			if v := T(s); slices.Contains(values, v) {
				return v, nil
			}
			return "", fmt.Errorf("%s: %w: %s", shorten(s), ErrSetting, orList(values))
		},
	}
}

func toggle() kind[bool] {
	return kind[bool]{
		typ: "on or off",
		format: func(v bool) string {
			if v {
				return "on"
			}
			return "off"
		},
		parse: func(s string) (bool, error) {
			switch s {
			case "on", "yes", "true":
				return true, nil
			case "off", "no", "false":
				return false, nil
			}
			return false, fmt.Errorf("%s: %w: on or off", shorten(s), ErrSetting)
		},
	}
}

// count is a number up to most; 0 is called by a word.
func count(zero string, most int) kind[int] {
	return kind[int]{
		typ: fmt.Sprintf("number, or %q", zero),
		format: func(n int) string {
			if n == 0 {
				return zero
			}
			return strconv.Itoa(n)
		},
		parse: func(s string) (int, error) {
			if s == zero {
				return 0, nil
			}
			n, err := strconv.ParseUint(s, 10, 31)
			if err != nil || n > uint64(most) {
				return 0, fmt.Errorf(`%s: %w: a number up to %d, or %q`, shorten(s), ErrSetting, most, zero)
			}
			return int(n), nil
		},
	}
}

// percent is a share of 1 to 100 of a hundred; 0 is none.
func percent() kind[int] {
	const off = "off"
	return kind[int]{
		typ: `percentage such as 20%, or "off"`,
		format: func(n int) string {
			if n == 0 {
				return off
			}
			return strconv.Itoa(n) + "%"
		},
		parse: func(s string) (int, error) {
			if s == off {
				return 0, nil
			}
			n, err := strconv.ParseUint(strings.TrimSpace(strings.TrimSuffix(s, "%")), 10, 31)
			if err != nil || n < 1 || n > 100 {
				return 0, fmt.Errorf(`%s: %w: a share from 1%% to 100%%, or "off"`, shorten(s), ErrSetting)
			}
			return int(n), nil
		},
	}
}

func size() kind[int64] {
	return kind[int64]{
		typ: `size such as 500kB or 10MB, or "none"`, format: FormatSize, parse: ParseSize,
		check: func(n int64) error {
			if n < 0 {
				return fmt.Errorf("%w: a limit below 0", ErrSetting)
			}
			return nil
		},
	}
}

// duration is in whole seconds.
func duration(most time.Duration) kind[time.Duration] {
	return kind[time.Duration]{
		typ: `time such as 15m, 2h or 1d, or "none"`,
		format: func(d time.Duration) string {
			for _, u := range durationUnits() {
				if d != 0 && d%u.length == 0 {
					return strconv.FormatInt(int64(d/u.length), 10) + u.name
				}
			}
			return "none"
		},
		parse: func(s string) (time.Duration, error) {
			if s == "none" || s == "0" {
				return 0, nil
			}
			for _, u := range durationUnits() {
				digits, ok := strings.CutSuffix(s, u.name)
				if !ok {
					continue
				}
				if n, err := strconv.ParseUint(digits, 10, 31); err == nil && n <= uint64(most/u.length) {
					return time.Duration(n) * u.length, nil
				}
			}
			return 0, fmt.Errorf(`%s: %w: a time is written "15m", "2h" or "none", and is at most %s`, shorten(s), ErrSetting, most)
		},
		check: func(d time.Duration) error {
			if d < 0 || d > most || d%time.Second != 0 {
				return fmt.Errorf("%w: %s is not in whole seconds up to %s", ErrSetting, d, most)
			}
			return nil
		},
	}
}

func durationUnits() []struct {
	name   string
	length time.Duration
} {
	return []struct {
		name   string
		length time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"m", time.Minute}, {"s", time.Second}}
}

const maxNewcomers = 1000

func moderation() kind[Moderation] {
	const all, open = "all", "newcomers("
	return kind[Moderation]{
		typ: "off, newcomers(N) or all",
		format: func(m Moderation) string {
			switch {
			case m.All:
				return all
			case m.Newcomers != 0:
				return open + strconv.Itoa(m.Newcomers) + ")"
			}
			return "off"
		},
		parse: func(s string) (Moderation, error) {
			switch s {
			case "off":
				return Moderation{}, nil
			case all:
				return Moderation{All: true}, nil
			}
			if inner, ok := strings.CutPrefix(s, open); ok {
				n, err := strconv.ParseUint(strings.TrimSuffix(inner, ")"), 10, 31)
				if err == nil && strings.HasSuffix(inner, ")") && n > 0 && n <= maxNewcomers {
					return Moderation{Newcomers: int(n)}, nil
				}
			}
			return Moderation{}, fmt.Errorf("%s: %w: off, newcomers(N) with N from 1 to %d, or all", shorten(s), ErrSetting, maxNewcomers)
		},
	}
}
