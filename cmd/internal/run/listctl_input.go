package run

import (
	"bufio"
	"errors"
	"fmt"
	"strings"

	"superlistd/lists"
)

const (
	maxLine = 64 << 10 // octets of one line of input
	maxName = 200      // octets of a member's name: it must fit a header line with the address
)

// readMembers parses the addresses of a command line, or those of standard input for "-". It returns what is
// wrong with each bad one; list itself is a bad one, since a list that gets its own posts is a loop.
func (c *listctl) readMembers(args []string, list lists.Address) ([]lists.Member, error) {
	var members []lists.Member
	var errs []error
	take := func(where, text string) {
		m, err := parseMember(text)
		if err == nil && m.Address.Key() == list.Key() {
			err = fmt.Errorf("%s: a list cannot be a member of itself", m.Address)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s%w", where, err))
			return
		}
		members = append(members, m)
	}
	if len(args) != 1 || args[0] != "-" {
		for _, arg := range args {
			take("", strings.TrimSpace(arg))
		}
		return members, errors.Join(errs...)
	}
	lines := bufio.NewScanner(c.stdin)
	lines.Buffer(nil, maxLine)
	n := 0
	for lines.Scan() {
		n++
		line := lines.Text()
		if n == 1 {
			line = strings.TrimPrefix(line, "\ufeff") // editors of Windows begin files so
		}
		if line = strings.TrimSpace(cutComment(line)); line != "" {
			take(fmt.Sprintf("line %d: ", n), line)
		}
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		errs = append(errs, fmt.Errorf("line %d: longer than %d octets; nothing behind it was read", n+1, maxLine))
	case err != nil:
		errs = append(errs, fmt.Errorf("standard input, line %d: %w", n+1, err))
	}
	return members, errors.Join(errs...)
}

// cutComment ends a line before a "#" that begins it or follows a blank, outside of quotes: an address may hold one.
func cutComment(line string) string {
	quoted, blank := false, true
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case c == '#' && blank && !quoted:
			return line[:i]
		}
		blank = i < len(line) && (line[i] == ' ' || line[i] == '\t')
	}
	return line
}

// parseMember reads "address" or "Name <address>"; the name may be quoted.
func parseMember(text string) (lists.Member, error) {
	open := openBracket(text)
	if open < 0 || !strings.HasSuffix(text, ">") {
		a, err := lists.ParseAddress(text)
		return lists.Member{Address: a}, err
	}
	a, err := lists.ParseAddress(strings.TrimSpace(text[open+1 : len(text)-1]))
	if err != nil {
		return lists.Member{}, err
	}
	name := strings.TrimSpace(text[:open])
	if len(name) > 1 && name[0] == '"' && name[len(name)-1] == '"' {
		name = unquoteName(name[1 : len(name)-1])
	}
	if len(name) > maxName {
		return lists.Member{}, fmt.Errorf("%s: the name is longer than %d octets", a, maxName)
	}
	m := lists.Member{Address: a, Name: name}
	if (lists.Change{Add: []lists.Member{m}}).Check() != nil {
		return lists.Member{}, fmt.Errorf("%s: the name %q holds characters that no name may", a, name)
	}
	return m, nil
}

// openBracket finds the first "<" outside of quotes, or -1.
func openBracket(text string) int {
	quoted := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case c == '<' && !quoted:
			return i
		}
	}
	return -1
}

func unquoteName(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// formatMember writes what parseMember reads again, after cutComment.
func formatMember(m lists.Member) string {
	address := m.Address.String()
	if m.Name == "" {
		if strings.HasPrefix(address, "#") {
			return "<" + address + ">"
		}
		return address
	}
	name := m.Name
	if strings.ContainsAny(name, "\"\\<>#,") || strings.TrimSpace(name) != name {
		name = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `"`
	}
	return name + " <" + address + ">"
}
