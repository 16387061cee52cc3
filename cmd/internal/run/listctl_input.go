package run

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"mime"
	"strings"
	"time"

	"superlistd/lists"
)

const (
	maxLine = 64 << 10 // octets of one line of input
	maxName = 200      // octets of a member's name: it must fit a header line with the address
)

// members gathers the members of one input, and what is wrong with it.
type members struct {
	list lists.Address
	all  []lists.Member
	errs []error
}

// take adds a member, or says where the input has what is wrong. The list itself is wrong, since a list that gets its own
// posts is a loop.
func (in *members) take(where string, m lists.Member, err error) {
	if err == nil && m.Address.Key() == in.list.Key() {
		err = fmt.Errorf("%s: a list cannot be a member of itself", m.Address)
	}
	if err != nil {
		in.errs = append(in.errs, fmt.Errorf("%s%w", where, err))
		return
	}
	in.all = append(in.all, m)
}

// fail says what ended the reading, at a line.
func (in *members) fail(line int, err error) {
	in.errs = append(in.errs, fmt.Errorf("standard input, line %d: %w", line, err))
}

// readMembers parses the addresses of a command line, or those of standard input for "-". It returns what is
// wrong with each bad one.
func (c *listctl) readMembers(args []string, list lists.Address) ([]lists.Member, error) {
	in := members{list: list}
	if len(args) == 1 && args[0] == "-" {
		in.read(c.stdin)
		return in.all, errors.Join(in.errs...)
	}
	for _, arg := range args {
		m, err := parseMember(strings.TrimSpace(arg))
		in.take("", m, err)
	}
	return in.all, errors.Join(in.errs...)
}

// read finds out by the beginning in which form members are given.
func (in *members) read(r io.Reader) {
	b := bufio.NewReaderSize(r, maxLine)
	if mark, _ := b.Peek(len(byteOrderMark)); string(mark) == byteOrderMark {
		_, _ = b.Discard(len(byteOrderMark)) // editors of Windows begin files so
	}
	const enough = 4 << 10     // octets for a title and a header line
	begin, _ := b.Peek(enough) // an error comes back with the next read
	table, ok := findTable(string(begin))
	switch {
	case ok:
		in.readTable(b, table)
	case isDump(string(begin)):
		in.readDump(b)
	default:
		in.readLines(b)
	}
}

const byteOrderMark = "\ufeff"

// readLines reads one member a line.
func (in *members) readLines(r io.Reader) {
	in.eachLine(r, func(n int, line string) {
		if line = strings.TrimSpace(cutComment(line)); line != "" {
			m, err := parseMember(line)
			in.take(fmt.Sprintf("line %d: ", n), m, err)
		}
	})
}

// eachLine calls do with every line and its number.
func (in *members) eachLine(r io.Reader, do func(n int, line string)) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	n := 0
	for lines.Scan() {
		n++
		do(n, lines.Text())
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		in.errs = append(in.errs, fmt.Errorf("line %d: longer than %d octets; nothing behind it was read", n+1, maxLine))
	case err != nil:
		in.fail(n+1, err)
	}
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

// parseMember reads "address", "Name <address>" or "address Name". A name may be quoted; one that is not may be written in
// encoded words (RFC 2047), as Python's email package does.
func parseMember(text string) (lists.Member, error) {
	open := indexUnquoted(text, "<")
	if open < 0 || !strings.HasSuffix(text, ">") {
		return parsePlain(text)
	}
	a, err := lists.ParseAddress(strings.TrimSpace(text[open+1 : len(text)-1]))
	if err != nil {
		return lists.Member{}, err
	}
	name := strings.TrimSpace(text[:open])
	if len(name) > 1 && name[0] == '"' && name[len(name)-1] == '"' {
		name = unquoteName(name[1 : len(name)-1])
	} else if decoded, err := new(mime.WordDecoder).DecodeHeader(name); err == nil {
		name = strings.TrimSpace(decoded)
	}
	return named(a, name)
}

// parsePlain reads "address" or "address Name". What has a second "@" is rather two addresses.
func parsePlain(text string) (lists.Member, error) {
	a, err := lists.ParseAddress(text)
	if err == nil {
		return lists.Member{Address: a}, nil
	}
	end := indexUnquoted(text, " \t")
	if end < 0 {
		return lists.Member{}, err
	}
	name := strings.TrimSpace(text[end:])
	if name == "" || strings.ContainsAny(name, "@<>") {
		return lists.Member{}, err
	}
	if a, err = lists.ParseAddress(text[:end]); err != nil {
		return lists.Member{}, err
	}
	return named(a, name)
}

// named makes a member of an address and a name.
func named(a lists.Address, name string) (lists.Member, error) {
	if len(name) > maxName {
		return lists.Member{}, fmt.Errorf("%s: the name is longer than %d octets", a, maxName)
	}
	m := lists.Member{Address: a, Name: name}
	if (lists.Change{Add: []lists.Member{m}}).Check() != nil {
		return lists.Member{}, fmt.Errorf("%s: the name %q holds characters that no name may", a, name)
	}
	return m, nil
}

// indexUnquoted finds the first of some octets outside of quotes, or -1.
func indexUnquoted(text, any string) int {
	quoted := false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && strings.IndexByte(any, c) >= 0:
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

// memberLine is a line that readLines reads again; a comment tells who gets no posts now, or wants digests.
func memberLine(m lists.Member, now time.Time) string {
	if why := keptFrom(m, now); why != "" {
		return formatMember(m) + "  # gets no posts: " + why
	}
	if m.Delivery != lists.DeliveryMail {
		return formatMember(m) + "  # gets digests: " + m.Delivery.String()
	}
	return formatMember(m)
}

// keptFrom tells why a member gets no posts now; "": he gets them.
func keptFrom(m lists.Member, now time.Time) string {
	switch {
	case !m.Disabled.IsZero():
		return "disabled since " + m.Disabled.String()
	case m.Delivery == lists.DeliveryNone:
		return m.Delivery.String()
	case m.Suspended.Covers(now):
		return "suspended until " + m.Suspended.Until.Format(time.DateOnly)
	}
	return ""
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
	if strings.ContainsAny(name, "\"\\<>#,") || strings.Contains(name, "=?") || strings.TrimSpace(name) != name {
		name = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `"`
	}
	return name + " <" + address + ">"
}
