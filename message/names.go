package message

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"

	"superlistd/lists"
)

// mailbox is an address and who it belongs to, in plain UTF-8; name may be empty.
type mailbox struct {
	name    string
	address lists.Address
}

// String writes the mailbox for a header (RFC 5322 section 3.4).
func (m mailbox) String() string {
	if m.name == "" {
		return m.address.String()
	}
	return phrase(m.name) + " <" + m.address.String() + ">"
}

// mailboxesOf returns the mailboxes of all fields of that name, at most n of them, and how many fields there are.
// What cannot be read is left out.
func (h Header) mailboxesOf(name string, n int) (all []mailbox, fields int) {
	for _, f := range h.fields {
		if !f.is(name) {
			continue
		}
		fields++
		for m := (mailboxes{rest: f.raw[f.value:]}); len(all) < n && m.next(); {
			if a, ok := m.address(); ok {
				all = append(all, mailbox{displayName(m.name), a})
			}
		}
	}
	return all, fields
}

// address is that of the element; false: it has none, or none that can be relied on.
func (m *mailboxes) address() (lists.Address, bool) {
	if m.fragment || m.unclear {
		return lists.Address{}, false
	}
	a, err := lists.ParseAddress(strings.TrimSuffix(m.spec, "."))
	return a, err == nil
}

// author is who wrote the post: the one that the caller has judged, or else the first that From names. The name
// is that of From; else the one that the list has for the member.
func author(h Header, d Dressing) mailbox {
	who := mailbox{address: d.Author}
	all, _ := h.mailboxesOf("From", maxNamed)
	for _, m := range all {
		if who.address.IsZero() || who.address.Key() == m.address.Key() {
			who = m
			break
		}
	}
	if who.name == "" {
		who.name = personName([]byte(d.AuthorName))
	}
	return who
}

// maxNamed is how many mailboxes of a field are taken over into a field of ours.
const maxNamed = 10

// displayName reads a phrase, or a comment, for people: quotes and encoded-words undone. It is empty
// when a part of it cannot be read.
func displayName(raw []byte) string {
	if len(raw) == 0 {
		return ""
	}
	unquoted := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		switch {
		case raw[i] == '"':
			continue
		case raw[i] == '\\' && i+1 < len(raw):
			i++
		}
		unquoted = append(unquoted, raw[i])
	}
	r := readWords(bytes.TrimSpace(unquoted))
	for _, s := range r.spans {
		if s.kind == opaque {
			return ""
		}
	}
	return personName(r.text)
}

// maxName is how long a name may be, in characters.
const maxName = 80

// personName makes of text a name that can stand before any address: in one line, with no address in it, since a reader who sees
// `"boss@example.com" <team@lists.example.org>` believes the wrong one, and receivers refuse it for that.
func personName(text []byte) string {
	const more = 8 // octets for each character, and for what is taken out
	if len(text) > maxName*more {
		text = text[:maxName*more]
	}
	var kept []string
	address := ""
	for w := range strings.FieldsSeq(strings.Map(namely, shown(text))) {
		i := strings.IndexFunc(w, atSign)
		switch {
		case i < 0:
			kept = append(kept, w)
		case address == "":
			address = strings.Trim(w[:i], "()[]',;:")
		}
	}
	name := strings.Trim(strings.Join(kept, " "), " ,;:'")
	if name == "" {
		name = address
	}
	n := 0
	for i := range name {
		if n++; n > maxName {
			return strings.TrimSpace(name[:i])
		}
	}
	return name
}

// namely leaves out what programs take for the limits of a name.
func namely(r rune) rune {
	switch r {
	case '<', '>', '"', '\\':
		return ' '
	}
	return r
}

// atSign tells what people read as one.
func atSign(r rune) bool { return r == '@' || r == '\uff20' || r == '\ufe6b' }

// maxListName is how long a description is for a display name, in characters; a longer one is a sentence.
const maxListName = 40

// listName is what the list is called in a From: its description, or the local part of its address.
func listName(l lists.List) string {
	if name := personName([]byte(l.Settings.Description)); name != "" && utf8.RuneCountInString(name) <= maxListName {
		return name
	}
	return personName([]byte(l.Address.Local))
}

// viaList is the rewritten From, `"Ann via Team" <team@lists.example.org>`: a domain whose policy binds nobody but us,
// and a name that says who wrote.
func viaList(who mailbox, l lists.List) string {
	name, list := who.name, listName(l)
	if name == "" {
		name = personName([]byte(who.address.Local))
	}
	switch {
	case name == "":
		name = list
	case list != "":
		name += " via " + list
	}
	return mailbox{name, l.Address}.String()
}

// phrase writes s so that RFC 5322 allows it before an angle bracket: quoted, or as encoded-words. B, not Q: RFC 2047
// section 5(3) forbids most octets in a phrase. What looks like an encoded-word is encoded, since many read them in quotes, too.
func phrase(s string) string {
	if !asIs(s) {
		return string(appendWords(nil, 'b', strings.ToValidUTF8(noControls(s), "\uFFFD")))
	}
	b := make([]byte, 0, len(s)+8)
	b = append(b, '"')
	for i := range len(s) {
		if s[i] == '"' || s[i] == '\\' {
			b = append(b, '\\')
		}
		b = append(b, s[i])
	}
	return string(append(b, '"'))
}

// shown is decoded text as one line that can be shown: no controls, no marks that turn the direction of
// what comes after, single blanks, and nothing but UTF-8.
func shown(text []byte) string {
	var b strings.Builder
	b.Grow(len(text))
	space := false
	for _, r := range string(text) {
		switch {
		case '!' <= r && r <= '~':
		case unicode.IsSpace(r):
			space = b.Len() > 0
			continue
		case !unicode.IsGraphic(r) && r != '\u200c' && r != '\u200d': // names and emoji need the joiners
			continue
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		b.WriteRune(r)
	}
	return b.String()
}
