package lists

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
)

const (
	// maxExpression is in octets of text, maxProgram in steps of the compiled program:
	// matching costs the length of the input times the length of the program.
	maxExpression = 250
	maxProgram    = 500
	// maxRunes bounds the tables of character classes, some 4 octets each.
	maxRunes = 20_000
)

// Expression is a regular expression in the syntax of RE2
// (https://github.com/google/re2/wiki/Syntax), compiled once, when it is read. It ignores
// case and is looked for anywhere in the text: "^" and "$" anchor it, "(?-i)" minds the
// case. The zero Expression matches nothing.
type Expression struct {
	text string
	re   *regexp.Regexp
}

// ParseExpression compiles an expression without its slashes. It gives ErrSetting,
// wrapped, for one that is no RE2, too long, or too costly.
func ParseExpression(text string) (Expression, error) {
	if text == "" {
		return Expression{}, fmt.Errorf("%w: empty expression", ErrSetting)
	}
	if len(text) > maxExpression {
		return Expression{}, fmt.Errorf("%w: expression longer than %d octets", ErrSetting, maxExpression)
	}
	if err := checkText(text); err != nil {
		return Expression{}, fmt.Errorf("%w: expression: %w", ErrSetting, err)
	}
	whole := "(?i)" + text
	parsed, err := syntax.Parse(whole, syntax.Perl)
	if err != nil {
		return Expression{}, fmt.Errorf("%w: %w", ErrSetting, err)
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return Expression{}, fmt.Errorf("%w: %w", ErrSetting, err)
	}
	runes := 0
	for _, inst := range program.Inst {
		runes += len(inst.Rune)
	}
	if len(program.Inst) > maxProgram || runes > maxRunes {
		return Expression{}, fmt.Errorf("%w: expression /%s/ is too costly: fewer or smaller repetitions", ErrSetting, text)
	}
	re, err := regexp.Compile(whole)
	if err != nil {
		return Expression{}, fmt.Errorf("%w: %w", ErrSetting, err)
	}
	return Expression{text: text, re: re}, nil
}

// String returns the expression between slashes, as settings hold it.
func (e Expression) String() string { return "/" + e.text + "/" }

// Match reports whether the expression is somewhere in s.
func (e Expression) Match(s string) bool { return e.re != nil && e.re.MatchString(s) }

// cutExpression reads "/…/" at the start of s and returns what follows it. A slash in
// the expression is written "\/"; RE2 takes it so, therefore nothing is decoded.
func cutExpression(s string) (e Expression, rest string, err error) {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '/':
			e, err := ParseExpression(s[1:i])
			return e, s[i+1:], err
		}
	}
	return Expression{}, "", fmt.Errorf(`%w: expression %s has no "/" at its end`, ErrSetting, shorten(s))
}

// shorten keeps errors readable when somebody gives a long value.
func shorten(s string) string {
	const most = 60
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return fmt.Sprintf("%q", s)
}
