package bounce

import (
	"bytes"
	"strings"

	"superlistd/lists"
)

// spelling is how a mail writes addresses that ParseAddress writes otherwise.
type spelling struct {
	aLabels bool // domains as the DNS has them: xn--…
	quoted  bool // local parts in quotes
}

func (l *letter) spelling() (s spelling) {
	for _, p := range l.parts {
		s.aLabels = s.aLabels || bytes.Contains(p.body, []byte("xn--")) || bytes.Contains(p.body, []byte("XN--"))
		s.quoted = s.quoted || bytes.Contains(p.body, []byte(`"@`))
	}
	return s
}

// Spell writes an address of the report as the report does: there are mobile networks whose local parts should be in quotes
// and are not, and reports that name a domain in its own script. It is for people, and not always an address to parse.
func (r Report) Spell(a lists.Address) string {
	if a.IsZero() {
		return ""
	}
	if !r.spelling.aLabels {
		a.Domain = a.DomainDisplay()
	}
	if r.spelling.quoted || strings.Trim(a.Local, ".") == "" || strings.ContainsFunc(a.Local, func(c rune) bool { return c < 0x80 && !inLocal(byte(c)) }) {
		return a.String()
	}
	return a.Local + "@" + a.Domain
}
