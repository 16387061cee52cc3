package lists

import (
	"fmt"
	"strings"
)

// setOwners reads addresses separated by commas; "" and "none" leave no owner.
func setOwners(s *Settings, v string) error {
	var owners []Address
	seen := map[string]bool{}
	if v = strings.TrimSpace(v); v != "" && v != "none" {
		for _, word := range splitCommas(v) {
			a, err := ParseAddress(strings.TrimSpace(word))
			if err != nil {
				return fmt.Errorf("%w: %w", ErrSetting, err)
			}
			if !seen[a.Key()] {
				seen[a.Key()] = true
				owners = append(owners, a)
			}
		}
	}
	s.Owners = owners
	return nil
}

func formatOwners(owners []Address) string {
	if len(owners) == 0 {
		return "none"
	}
	words := make([]string, len(owners))
	for i, a := range owners {
		words[i] = a.String()
	}
	return strings.Join(words, ", ")
}

// splitCommas cuts at commas that are not inside a quoted local part.
func splitCommas(s string) []string {
	var words []string
	quoted, start := false, 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			quoted = !quoted
		case c == '\\' && quoted:
			i++
		case c == ',' && !quoted:
			words = append(words, s[start:i])
			start = i + 1
		}
	}
	return append(words, s[start:])
}
