package lists

import (
	"fmt"
	"slices"
	"strings"
)

// HeaderRule decides by a field of the header: the first rule that matches wins.
type HeaderRule struct {
	// Field is the name of the field, without its colon; any case.
	Field string
	// Pattern is looked for in the value, unfolded and decoded.
	Pattern Expression
	// Action is Accept, Hold, Refuse or Discard.
	Action Action
}

// String returns the rule as settings hold it: "Subject: /lottery/ refuse".
func (r HeaderRule) String() string {
	return r.Field + ": " + r.Pattern.String() + " " + string(r.Action)
}

// maxField is how long the name of a header field may be, in octets.
const maxField = 76

func headerActions() []Action { return []Action{Accept, Hold, Refuse, Discard} }

func (r HeaderRule) check() error {
	if r.Field == "" || len(r.Field) > maxField || strings.IndexFunc(r.Field, notFieldName) >= 0 {
		return fmt.Errorf("%w: %s is not the name of a header field", ErrSetting, shorten(r.Field))
	}
	if r.Pattern.re == nil {
		return fmt.Errorf(`%w: a rule is written "Field: /expression/ action"`, ErrSetting)
	}
	if !slices.Contains(headerActions(), r.Action) {
		return fmt.Errorf("%w: action %s; want %s", ErrSetting, shorten(string(r.Action)), orList(headerActions()))
	}
	return nil
}

// notFieldName: RFC 5322 section 3.6.8 has printable ASCII without the colon; the
// semicolon separates rules here.
func notFieldName(r rune) bool { return r <= ' ' || r > '~' || r == ':' || r == ';' }

// parseHeaderRules reads rules separated by ";" or line ends.
func parseHeaderRules(v string) ([]HeaderRule, error) {
	if strings.TrimSpace(v) == "none" {
		return nil, nil
	}
	var rules []HeaderRule
	for v = trimSeparators(v, ";"); v != ""; v = trimSeparators(v, ";") {
		name, rest, ok := strings.Cut(v, ":")
		rest = strings.TrimLeft(rest, " \t")
		if !ok || !strings.HasPrefix(rest, "/") {
			return nil, fmt.Errorf(`%s: %w: a rule is written "Field: /expression/ action"`, shorten(v), ErrSetting)
		}
		e, rest, err := cutExpression(rest)
		if err != nil {
			return nil, err
		}
		end := strings.IndexAny(rest, ";\r\n")
		if end < 0 {
			end = len(rest)
		}
		rule := HeaderRule{Field: strings.TrimSpace(name), Pattern: e, Action: Action(strings.TrimSpace(rest[:end]))}
		if err := rule.check(); err != nil {
			return nil, err
		}
		rules = append(rules, rule)
		if err := checkCount(len(rules), maxRules); err != nil {
			return nil, err
		}
		v = rest[end:]
	}
	return rules, nil
}

func trimSeparators(s, separators string) string {
	return strings.Trim(s, separators+" \t\r\n")
}

func formatHeaderRules(rules []HeaderRule) string {
	words := make([]string, len(rules))
	for i, r := range rules {
		words[i] = r.String()
	}
	return formatItems(words, "; ")
}

func checkHeaderRules(rules []HeaderRule) error {
	for _, r := range rules {
		if err := r.check(); err != nil {
			return err
		}
	}
	return checkCount(len(rules), maxRules)
}

// TypeRule decides about the parts of one kind.
type TypeRule struct {
	// Type is "text/html" or "image/*" in MimeTypes, "exe" or "tar.gz" in Extensions;
	// lower case.
	Type string
	// Action is Accept, Hold, Refuse or Remove.
	Action Action
}

func (r TypeRule) String() string { return r.Type + "=" + string(r.Action) }

func partActions() []Action { return []Action{Accept, Refuse, Hold, Remove} }

// parseTypeRules reads "TYPE=action, …"; normal returns the type as it is kept, or "".
func parseTypeRules(v string, normal func(string) string, wanted string) ([]TypeRule, error) {
	var rules []TypeRule
	seen := map[string]bool{}
	for _, item := range splitItems(v) {
		name, action, _ := strings.Cut(item, "=")
		r := TypeRule{Type: normal(foldASCII(strings.TrimSpace(name))), Action: Action(strings.TrimSpace(action))}
		switch {
		case r.Type == "":
			return nil, fmt.Errorf("%s: %w: %s", shorten(item), ErrSetting, wanted)
		case !slices.Contains(partActions(), r.Action):
			return nil, fmt.Errorf("%s: %w: action %s; want %s", r.Type, ErrSetting, shorten(string(r.Action)), orList(partActions()))
		case seen[r.Type]:
			return nil, fmt.Errorf("%s: %w: given twice", r.Type, ErrSetting)
		}
		seen[r.Type] = true
		rules = append(rules, r)
	}
	return rules, checkCount(len(rules), maxRules)
}

func formatTypeRules(rules []TypeRule) string {
	words := make([]string, len(rules))
	for i, r := range rules {
		words[i] = r.String()
	}
	return formatItems(words, ", ")
}

// normalType takes "text/html" and "image/*".
func normalType(s string) string {
	kind, sub, ok := strings.Cut(s, "/")
	if !ok || !isToken(kind) || sub != "*" && !isToken(sub) {
		return ""
	}
	return s
}

// normalExtension takes ".exe", "exe" and "tar.gz".
func normalExtension(s string) string {
	s = strings.TrimPrefix(s, ".")
	for _, word := range strings.Split(s, ".") {
		if !isToken(word) {
			return ""
		}
	}
	return s
}

// isToken is a restricted-name of RFC 6838 section 4.2, which is what a type is made of.
func isToken(s string) bool {
	if s == "" || len(s) > 127 {
		return false
	}
	for i := 0; i < len(s); i++ {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && strings.IndexByte("!#$&-^_+.", c) < 0 {
			return false
		}
	}
	return true
}
