package lists

import (
	"fmt"
	"strings"
)

// splitItems cuts at commas and line ends that are neither inside a quoted local part
// nor inside an expression, and trims what is between them. "" and "none" are no items;
// an empty item in the middle is kept, so that it is refused.
func splitItems(s string) []string {
	s = strings.TrimSpace(s)
	if s == "" || s == "none" {
		return nil
	}
	var words []string
	start := 0
	for i := 0; i <= len(s); {
		if i < len(s) && s[i] != ',' && s[i] != '\n' {
			i = skip(s, i, strings.TrimSpace(s[start:i]) == "")
			continue
		}
		word := strings.TrimSpace(s[start:i])
		// A file may have a comma at each line's end, and empty lines.
		if word != "" || i < len(s) && s[i] == ',' || start > 0 && i == len(s) && s[start-1] == ',' {
			words = append(words, word)
		}
		i++
		start = i
	}
	return words
}

// skip returns the offset behind the octet at i, or behind the quoted string or, at the
// first octet of an item, the expression that begins there.
func skip(s string, i int, first bool) int {
	end := s[i]
	if end != '"' && (end != '/' || !first) {
		return i + 1
	}
	for i++; i < len(s) && s[i] != end; i++ {
		if s[i] == '\\' {
			i++
		}
	}
	return min(i+1, len(s))
}

// formatItems joins what splitItems cuts.
func formatItems(words []string, separator string) string {
	if len(words) == 0 {
		return "none"
	}
	return strings.Join(words, separator)
}

func parseAddresses(v string) ([]Address, error) {
	var all []Address
	seen := map[string]bool{}
	for _, item := range splitItems(v) {
		a, err := ParseAddress(item)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrSetting, err)
		}
		if !seen[a.Key()] {
			seen[a.Key()] = true
			all = append(all, a)
		}
	}
	return all, checkCount(len(all), maxEntries)
}

func formatAddresses(all []Address) string {
	words := make([]string, len(all))
	for i, a := range all {
		words[i] = a.String()
	}
	return formatItems(words, ", ")
}

func checkAddresses(all []Address) error {
	for _, a := range all {
		if err := a.Check(); err != nil {
			return fmt.Errorf("%w: %w", ErrSetting, err)
		}
	}
	return checkCount(len(all), maxEntries)
}

func parseDomains(v string) ([]string, error) {
	var all []string
	seen := map[string]bool{}
	for _, item := range splitItems(v) {
		name, star := strings.CutSuffix(item, ".*")
		domain, err := parseDomainName(name)
		if err != nil {
			return nil, err
		}
		if star && strings.ContainsAny(domain[:1], ".[") {
			return nil, fmt.Errorf(`%s: %w: a star stands for the end of a name, as in "yahoo.*"`, shorten(item), ErrSetting)
		}
		if star {
			domain += ".*"
		}
		if domain == "none" {
			return nil, fmt.Errorf("%w: %q is no domain here", ErrSetting, domain)
		}
		if !seen[domain] {
			seen[domain] = true
			all = append(all, domain)
		}
	}
	return all, checkCount(len(all), maxEntries)
}

// orList writes "a, b or c".
func orList[T ~string](words []T) string {
	var b strings.Builder
	for i, w := range words {
		switch {
		case i > 0 && i == len(words)-1:
			b.WriteString(" or ")
		case i > 0:
			b.WriteString(", ")
		}
		b.WriteString(string(w))
	}
	return b.String()
}
