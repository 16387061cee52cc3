package lists

import (
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"
)

// line is one line of text.
func line(most int) kind[string] {
	return kind[string]{
		typ:    fmt.Sprintf("one line of text, at most %d characters", most),
		format: func(s string) string { return s },
		parse: func(s string) (string, error) {
			s = strings.TrimSpace(s)
			if err := checkText(s); err != nil {
				return "", fmt.Errorf("%w: %w", ErrSetting, err)
			}
			if n := utf8.RuneCountInString(s); n > most {
				return "", fmt.Errorf("%w: %d characters; at most %d", ErrSetting, n, most)
			}
			return s, nil
		},
	}
}

const (
	maxBlock     = 4000 // octets of a header or footer text
	maxBlockLine = 900  // octets of one of its lines: RFC 5322 has 998
)

// block is text of several lines, kept with "\n", written with `\n`.
func block() kind[string] {
	return kind[string]{
		typ:    fmt.Sprintf(`text, at most %d octets; \n is a line end and \\ a backslash`, maxBlock),
		format: EscapeBlock,
		parse: func(s string) (string, error) {
			text, err := unescapeBlock(s)
			if err != nil {
				return "", err
			}
			text = strings.Trim(strings.ReplaceAll(text, "\r\n", "\n"), "\n")
			if len(text) > maxBlock {
				return "", fmt.Errorf("%w: %d octets; at most %d", ErrSetting, len(text), maxBlock)
			}
			for _, l := range strings.Split(text, "\n") {
				if err := checkText(strings.ReplaceAll(l, "\t", " ")); err != nil {
					return "", fmt.Errorf("%w: %w", ErrSetting, err)
				}
				if len(l) > maxBlockLine {
					return "", fmt.Errorf("%w: a line of %d octets; at most %d", ErrSetting, len(l), maxBlockLine)
				}
			}
			return text, nil
		},
	}
}

// EscapeBlock writes text of several lines (a file's, say) in one, as the settings that
// are Multiline take it.
func EscapeBlock(s string) string {
	return strings.NewReplacer("\\", "\\\\", "\r\n", "\\n", "\n", "\\n").Replace(s)
}

func unescapeBlock(s string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			b.WriteByte(s[i])
			continue
		}
		i++
		switch {
		case i < len(s) && s[i] == 'n':
			b.WriteByte('\n')
		case i < len(s) && s[i] == '\\':
			b.WriteByte('\\')
		default:
			return "", fmt.Errorf(`%w: a backslash is followed by n or by another backslash`, ErrSetting)
		}
	}
	return b.String(), nil
}

const maxURL = 200 // octets: it must fit a header line

func webAddress() kind[string] {
	return kind[string]{
		typ: `address that begins with https:// or http://, or "none"`,
		format: func(s string) string {
			if s == "" {
				return "none"
			}
			return s
		},
		parse: func(s string) (string, error) {
			if s == "" || s == "none" {
				return "", nil
			}
			u, err := url.Parse(s)
			if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil ||
				len(s) > maxURL || strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || r == '<' || r == '>' || r == '"' }) {
				return "", fmt.Errorf("%s: %w: a web address of at most %d ASCII characters", shorten(s), ErrSetting, maxURL)
			}
			return s, nil
		},
	}
}

// replyTo is "author", "list" or an address.
func replyTo() kind[string] {
	return kind[string]{
		typ: "author, list or an address",
		format: func(s string) string {
			if s == "" {
				return ReplyToAuthor
			}
			return s
		},
		parse: func(s string) (string, error) {
			if s == ReplyToAuthor || s == ReplyToList {
				return s, nil
			}
			a, err := ParseAddress(strings.TrimSpace(s))
			if err != nil {
				return "", fmt.Errorf("%w: author, list or an address: %w", ErrSetting, err)
			}
			return a.String(), nil
		},
	}
}
