package lists

import (
	"fmt"
	"strings"
)

const (
	// maxEntries bounds every list of addresses, patterns and domains in Settings.
	maxEntries = 1000
	// maxExpressions bounds those of them that are regular expressions, since each is
	// tried in turn.
	maxExpressions = 100
	// maxRules bounds header rules and rules for types.
	maxRules = 100
)

// Pattern names addresses: one address, those of a domain, or those that an expression
// matches. The zero Pattern names none.
type Pattern struct {
	address    Address
	key        string // of the address
	domain     string // ".example.org" is example.org and all below it
	expression Expression
}

// ParsePattern reads "ann@example.org" (compared as members are: the case of the local
// part does not matter), "@example.org", "@.example.org" (example.org and every domain
// below it), or "/expression/", which is looked for in the address in the form of its
// Key. An address that begins with a slash is written with quotes. It gives ErrSetting,
// wrapped, for anything else.
func ParsePattern(text string) (Pattern, error) {
	text = strings.TrimSpace(text)
	switch {
	case strings.HasPrefix(text, "/"):
		e, rest, err := cutExpression(text)
		if err == nil && rest != "" {
			err = fmt.Errorf(`%w: %s behind an expression (a "/" in it is written "\/")`, ErrSetting, shorten(rest))
		}
		if err != nil {
			return Pattern{}, err
		}
		return Pattern{expression: e}, nil
	case strings.HasPrefix(text, "@"):
		domain, err := parseDomainName(text[1:])
		if err != nil {
			return Pattern{}, err
		}
		return Pattern{domain: domain}, nil
	}
	a, err := ParseAddress(text)
	if err != nil {
		return Pattern{}, fmt.Errorf("%w: %w", ErrSetting, err)
	}
	return PatternFor(a), nil
}

// parseDomainName reads a domain, with a dot before it for all that is below it too.
func parseDomainName(text string) (string, error) {
	name, below := strings.CutPrefix(text, ".")
	domain, err := parseDomain(name)
	if err != nil {
		return "", fmt.Errorf("%s: %w: %w", shorten(text), ErrSetting, err)
	}
	if below {
		return "." + domain, nil
	}
	return domain, nil
}

// PatternFor names one address.
func PatternFor(a Address) Pattern { return Pattern{address: a, key: a.Key()} }

// IsZero reports whether the pattern is the zero Pattern.
func (p Pattern) IsZero() bool {
	return p.address.IsZero() && p.domain == "" && p.expression.re == nil
}

// String returns the pattern as ParsePattern reads it.
func (p Pattern) String() string {
	switch {
	case p.expression.re != nil:
		return p.expression.String()
	case p.domain != "":
		return "@" + p.domain
	}
	text := p.address.String()
	if strings.HasPrefix(text, "/") {
		return `"` + p.address.Local + `"@` + p.address.Domain // a dot-string needs no escapes
	}
	return text
}

// Match reports whether the pattern names the address; never the zero Address.
func (p Pattern) Match(a Address) bool { return !a.IsZero() && p.match(a.Key(), a.Domain) }

func (p Pattern) match(key, domain string) bool {
	switch {
	case p.expression.re != nil:
		return p.expression.Match(key)
	case p.domain != "":
		return underDomain(domain, p.domain)
	}
	return p.key == key
}

func matchAny(patterns []Pattern, a Address) bool {
	if len(patterns) == 0 || a.IsZero() {
		return false
	}
	key := a.Key()
	for i := range patterns {
		if patterns[i].match(key, a.Domain) {
			return true
		}
	}
	return false
}

func parsePatterns(v string) ([]Pattern, error) {
	var all []Pattern
	seen := map[string]bool{}
	for _, item := range splitItems(v) {
		p, err := ParsePattern(item)
		if err != nil {
			return nil, err
		}
		key := p.String()
		if p.expression.re == nil {
			key = foldASCII(key)
		}
		if !seen[key] {
			seen[key] = true
			all = append(all, p)
		}
	}
	return all, checkPatterns(all)
}

func formatPatterns(all []Pattern) string {
	words := make([]string, len(all))
	for i, p := range all {
		words[i] = p.String()
	}
	return formatItems(words, ", ")
}

// checkPatterns is for patterns that are there already: nothing is compiled again.
func checkPatterns(all []Pattern) error {
	if err := checkCount(len(all), maxEntries); err != nil {
		return err
	}
	expressions := 0
	for _, p := range all {
		if p.expression.re != nil {
			expressions++
		} else if p.domain == "" {
			if err := p.address.Check(); err != nil {
				return fmt.Errorf("%w: %w", ErrSetting, err)
			}
		}
	}
	if expressions > maxExpressions {
		return fmt.Errorf("%w: %d expressions; at most %d", ErrSetting, expressions, maxExpressions)
	}
	return nil
}

func checkCount(n, most int) error {
	if n > most {
		return fmt.Errorf("%w: %d entries; at most %d", ErrSetting, n, most)
	}
	return nil
}
