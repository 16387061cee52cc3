package lists

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// sizeUnits are decimal as disks and mail limits are sold, with the binary ones
// under their own names; the larger first, as FormatSize prefers them.
func sizeUnits() []struct {
	name   string
	octets int64
} {
	return []struct {
		name   string
		octets int64
	}{
		{"GB", 1e9}, {"GiB", 1 << 30}, {"MB", 1e6}, {"MiB", 1 << 20}, {"kB", 1e3}, {"KiB", 1 << 10}, {"B", 1},
	}
}

// ParseSize reads a size in octets: "10MB", "512kB" (a thousand each), "1MiB", "1KiB"
// (1024 each), a bare number, "0" or "none". Units may be in any case and after
// blanks. It gives ErrSetting, wrapped, for anything else.
func ParseSize(s string) (int64, error) {
	text := strings.TrimSpace(s)
	if text == "none" {
		return 0, nil
	}
	digits := strings.TrimRight(text, "BbKkMmGgIi ")
	unit, word := int64(1), strings.TrimSpace(text[len(digits):])
	if word != "" {
		unit = 0
		for _, u := range sizeUnits() {
			if strings.EqualFold(word, u.name) {
				unit = u.octets
			}
		}
	}
	n, err := strconv.ParseUint(digits, 10, 63)
	if err != nil || unit == 0 || n > uint64(math.MaxInt64/unit) {
		return 0, fmt.Errorf(`%q: %w: a size is written "500kB", "10MB" or "none"`, s, ErrSetting)
	}
	return int64(n) * unit, nil
}

// FormatSize writes a size in octets in the largest unit that keeps it exact, "none"
// for 0. ParseSize reads it back.
func FormatSize(n int64) string {
	if n <= 0 {
		return "none"
	}
	for _, u := range sizeUnits() {
		if n%u.octets == 0 && u.octets > 1 {
			return strconv.FormatInt(n/u.octets, 10) + u.name
		}
	}
	return strconv.FormatInt(n, 10) + "B"
}
