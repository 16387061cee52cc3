package bounce

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"superlistd/lists"
)

// findAddress finds the first address in a line of text, in angle brackets or bare: s[start:end], brackets included.
// end is 0 when there is none.
func findAddress(s string) (a lists.Address, start, end int) {
	for from := 0; ; {
		i := strings.IndexByte(s[from:], '@')
		if i < 0 {
			return lists.Address{}, 0, 0
		}
		at := from + i
		if a, start, end = angled(s, from, at); end == 0 {
			a, start, end = bareAddress(s, from, at)
		}
		if end > 0 {
			return a, start, end
		}
		from = at + 1
	}
}

// maxSpec is how far from its "@" an address is looked for.
const maxSpec = 330

// angled reads the angle brackets around the "@" at at, if there are any.
func angled(s string, from, at int) (a lists.Address, start, end int) {
	from = max(from, at-maxSpec)
	open := strings.LastIndexByte(s[from:at], '<')
	if open < 0 {
		return a, 0, 0
	}
	open += from
	shut := strings.IndexByte(s[at:min(len(s), at+maxSpec)], '>')
	if shut < 0 {
		return a, 0, 0
	}
	shut += at
	spec := strings.TrimSpace(s[open+1 : shut])
	spec = spec[len(spec)-len(cutPrefixFold(spec, "mailto:", "smtp:", "rfc822;")):]
	a, err := lists.ParseAddress(spec)
	if err != nil || !deliverable(a) {
		return lists.Address{}, 0, 0
	}
	return a, open, shut + 1
}

// cutPrefixFold cuts the first of the prefixes that s has; prefixes are in lower case.
func cutPrefixFold(s string, prefixes ...string) string {
	for _, p := range prefixes {
		if len(s) >= len(p) && strings.EqualFold(s[:len(p)], p) {
			return strings.TrimSpace(s[len(p):])
		}
	}
	return s
}

// bareAddress reads the address around the "@" at at by its characters, all ASCII, since text may touch it.
func bareAddress(s string, from, at int) (a lists.Address, start, end int) {
	start = at
	if at > from && s[at-1] == '"' {
		for start = at - 2; start >= max(from, at-maxSpec) && s[start] != '"'; start-- {
		}
		if start < max(from, at-maxSpec) {
			return a, 0, 0
		}
	} else {
		for start > max(from, at-maxSpec) && inLocal(s[start-1]) {
			start--
		}
		for start < at && strings.IndexByte("'`=*/{}|.~&", s[start]) >= 0 {
			start++
		}
		if i := strings.LastIndexByte(s[start:at], '='); i >= 0 && isWord(s[start:start+i]) { // to=a@b
			start += i + 1
		}
	}
	end = at + 1
	for end < len(s) && end < at+maxSpec && inDomain(s[end]) {
		end++
	}
	for end > at+1 && strings.IndexByte(".-_", s[end-1]) >= 0 {
		end--
	}
	if start == at || start > 0 && (s[start-1] == '@' || s[start-1] == '\\') || !strings.Contains(s[at+1:end], ".") {
		return a, 0, 0
	}
	a, err := lists.ParseAddress(s[start:end])
	if err != nil || !deliverable(a) {
		return lists.Address{}, 0, 0
	}
	return a, start, end
}

// isWord tells the keys that logs put before an address.
func isWord(s string) bool {
	switch strings.ToLower(s) {
	case "to", "rcpt", "recipient", "orig_to", "email", "address", "user":
		return true
	}
	return false
}

func inLocal(c byte) bool {
	return isAlpha(c) || '0' <= c && c <= '9' || strings.IndexByte("!#$%&'*+-/=?^_`{|}~.", c) >= 0
}

func inDomain(c byte) bool {
	return isAlpha(c) || '0' <= c && c <= '9' || c == '.' || c == '-' || c == '_'
}

// deliverable tells an address from a Message-ID, a file or a line of a log that looks like one: its last label is not of digits, unless it is a literal.
func deliverable(a lists.Address) bool {
	last := a.Domain[strings.LastIndexByte(a.Domain, '.')+1:]
	if strings.HasPrefix(a.Domain, "[") {
		return true
	}
	return len(last) > 1 && isAlpha(last[0])
}

// leading reads the address that a line begins with, after blanks, bullets and quotes, and gives what follows it.
func leading(line string) (a lists.Address, rest string, ok bool) {
	t := strings.TrimLeft(line, " \t*->•·\"'([")
	a, start, end := findAddress(t)
	if end == 0 || start > 0 {
		return lists.Address{}, "", false
	}
	return a, strings.TrimLeft(t[end:], "\"')]>"), true
}

// addressesIn returns the first addresses of a line, at most most.
func addressesIn(s string, most int) (all []lists.Address) {
	for len(all) < most {
		a, _, end := findAddress(s)
		if end == 0 {
			return all
		}
		all = append(all, a)
		s = s[end:]
	}
	return all
}

// oneLine makes of text a diagnostic: blanks squeezed, no controls, valid, and not too long.
func oneLine(s string) string {
	var b strings.Builder
	gap := false
	for _, r := range s {
		switch {
		case unicode.IsSpace(r):
			gap = b.Len() > 0
			continue
		case !unicode.IsGraphic(r):
			continue
		}
		if b.Len()+utf8.UTFMax+1 > maxDiagnostic {
			break
		}
		if gap {
			b.WriteByte(' ')
			gap = false
		}
		b.WriteRune(r)
	}
	return b.String()
}
