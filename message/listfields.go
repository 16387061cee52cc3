package message

import (
	"bytes"
	"strings"

	"superlistd/lists"
)

// listFields writes what says that a list sends the post, and how to reach it.
func (p *plan) listFields(d *draft) {
	l := p.l
	d.add("List-Id", listID(l))
	if l.Settings.Post == lists.PostNobody {
		d.add("List-Post", "NO")
	} else {
		d.mailto("List-Post", l.Address)
	}
	d.mailto("List-Help", l.Help())
	d.mailto("List-Subscribe", l.Subscribe())
	if !p.d.Personal {
		d.addRaw("List-Unsubscribe", func(dst []byte) []byte { return appendUnsubscribe(dst, p.l.Unsubscribe(), p.d.Unsubscribe) })
	}
	d.mailto("List-Owner", l.Owner())
	d.add("Precedence", "list")
}

// appendUnsubscribe appends the ways out: by mail, and by the web if there is a page.
func appendUnsubscribe(dst []byte, mail lists.Address, page string) []byte {
	dst = appendMailto(dst, "List-Unsubscribe", mail)
	if !fitsLine(page) {
		return dst
	}
	dst = bytes.TrimSuffix(dst, []byte("\r\n"))
	return append(append(append(dst, ",\r\n\t<"...), page...), ">\r\n"...)
}

// AppendPersonal appends the fields that lead a member out of a list, for the copy that goes to that member alone: page is the https URL
// that needs nothing but a POST (RFC 8058). Without one, and with one that no line can hold, there is the way by mail alone. A copy
// that all members get has no List-Unsubscribe-Post: its page cannot know who presses the button.
func AppendPersonal(dst []byte, l lists.List, page string) []byte {
	dst = appendUnsubscribe(dst, l.Unsubscribe(), page)
	if fitsLine(page) {
		dst = append(dst, "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n"...)
	}
	return dst
}

// maxURL leaves room for a tab and angle brackets in a line of 998 octets (RFC 5322 section 2.1.1).
const maxURL = 990

// fitsLine tells an https URL that can stand between angle brackets on a line of its own, since it cannot be folded.
func fitsLine(url string) bool {
	if !strings.HasPrefix(url, "https://") || len(url) > maxURL {
		return false
	}
	for i := range len(url) {
		if c := url[i]; c <= ' ' || c >= 0x7f || strings.IndexByte(`<>"`, c) >= 0 {
			return false
		}
	}
	return true
}

func (d *draft) mailto(name string, a lists.Address) {
	d.addRaw(name, func(dst []byte) []byte { return appendMailto(dst, name, a) })
}

// listID is the value of List-Id: the description as a phrase, and the identifier.
func listID(l lists.List) string {
	id := "<" + l.ID() + ">"
	if d := strings.TrimSpace(l.Settings.Description); d != "" {
		return phrase(d) + " " + id
	}
	return id
}

// appendMailto appends a field whose value is the URL of RFC 6068 for a, in the angle brackets of RFC 2369. Whatever has a
// meaning in URLs or in a list of them is escaped, the quotes of a local part included; "+" is itself in mailto.
func appendMailto(dst []byte, name string, a lists.Address) []byte {
	const hex = "0123456789ABCDEF"
	var buf [128]byte
	s := a.Append(buf[:0])
	at := bytes.LastIndexByte(s, '@')
	dst = append(append(dst, name...), ": <mailto:"...)
	for i, c := range s {
		if i == at || plainInURL(c) {
			dst = append(dst, c)
		} else {
			dst = append(dst, '%', hex[c>>4], hex[c&15])
		}
	}
	return append(dst, ">\r\n"...)
}

// plainInURL tells the octets that no reader of a mailto URL takes for something else.
func plainInURL(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	}
	switch c {
	case '-', '.', '_', '~', '+', '!', '$', '*':
		return true
	}
	return false
}
