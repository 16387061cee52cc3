package message

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"hash"
	"strings"
	"time"
)

// anonymous writes a post whose header does not tell who wrote it. Only what is named here passes. All names and addresses are
// the list's, To too, since who else got the post may tell who wrote it; the trace is not shown, and our Received does
// not say where the post came from; Date is when it came, without the author's time zone. Message-IDs are mapped, so
// that threads hold. What the body tells, its Content-Type included, is the author's business.
func (p *plan) anonymous() Dressed {
	d := newDraft(p.h.Len() + 1536)
	t := p.trace
	t.Client, t.Helo = "", ""
	p.top(d, t)
	v := newVeil(p)
	subject := false
	var buf [maxKnownName]byte
	for _, f := range p.h.fields {
		switch string(f.known(&buf)) {
		case "content-type":
			d.keep(f)
		case "content-transfer-encoding", "content-disposition", "content-language", "require-tls-esmtp":
			if v.names(f.raw) {
				d.remove(f)
			} else {
				d.keep(f)
			}
		case "subject":
			subject = true
			v.subject(d, f)
		default:
			v.other(d, f)
		}
	}
	for _, f := range v.fields {
		if !f.done && f.always {
			d.add(f.name, f.value)
		}
	}
	p.missing(d, true, true, subject)
	p.listFields(d)
	d.end(p.h.blank)
	return d.dressed()
}

// veil is what an anonymous list shows in the place of what came.
type veil struct {
	p       *plan
	authors []string // addresses, in lower case
	fields  []ownField
	mac     hash.Hash
}

// ownField stands where the first field of that name stood, or, if it is always there, below the last one.
type ownField struct {
	name, value  string
	always, done bool
}

func newVeil(p *plan) *veil {
	v := &veil{p: p, mac: hmac.New(sha256.New, p.d.Key)}
	all, _ := p.h.mailboxesOf("From", maxNamed)
	for _, m := range append(all, p.who) {
		if !m.address.IsZero() {
			v.authors = append(v.authors, folded(m.address.String()))
		}
	}
	target := replyTarget(p.l)
	if target.address.IsZero() {
		target.address = p.l.Address
	}
	v.fields = []ownField{
		{name: "From", value: mailbox{listName(p.l), p.l.Address}.String(), always: true},
		{name: "Reply-To", value: target.String(), always: true},
		{name: "To", value: p.l.Address.String(), always: true},
		{name: "Date", value: p.trace.Time.UTC().Format(time.RFC1123Z), always: true},
	}
	if p.h.Has("MIME-Version") { // a comment in it may name the author's machine
		v.fields = append(v.fields, ownField{name: "MIME-Version", value: "1.0"})
	}
	for _, name := range []string{"Message-ID", "In-Reply-To", "References"} {
		if ids := v.ids(name); ids != "" {
			v.fields = append(v.fields, ownField{name: name, value: ids})
		}
	}
	if id := identifier(p.h); id != "" && p.l.Settings.ArchiveURL != "" {
		p.archived = archivedAt(p.l.Settings.ArchiveURL, v.id(id))
	}
	return v
}

// other writes what the list has in the place of f, if anything.
func (v *veil) other(d *draft, f field) {
	for i := range v.fields {
		if own := &v.fields[i]; f.is(own.name) {
			d.once(f, own.name, own.value, &own.done)
			return
		}
	}
	d.remove(f)
}

// names tells whether text holds an address of the author.
func (v *veil) names(text []byte) bool {
	low := folded(string(text))
	for _, a := range v.authors {
		if strings.Contains(low, a) {
			return true
		}
	}
	return false
}

// folded is s with A to Z in lower case, as addresses compare; offsets stay.
func folded(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

// subject writes the Subject with the author's address taken out, and the prefix.
func (v *veil) subject(d *draft, f field) {
	r := readWords(f.raw[f.value:])
	text := shown(r.text)
	if !v.names([]byte(text)) && !v.names(r.text) {
		v.p.subject(d, f)
		return
	}
	for _, a := range v.authors {
		text = mask(text, a)
	}
	nf, _ := newField("Subject", string(appendText(nil, text)))
	if v.p.prefix != "" {
		if raw, ok := prefixSubject(nf, v.p.prefix); ok {
			nf.raw = raw
		}
	}
	d.replaceRaw(f, nf.raw)
}

// mask replaces what is the address a, in any case.
func mask(text, a string) string {
	low := folded(text)
	var b strings.Builder
	from := 0
	for {
		i := strings.Index(low[from:], a)
		if i < 0 {
			b.WriteString(text[from:])
			return b.String()
		}
		b.WriteString(text[from : from+i])
		b.WriteString("(…)")
		from += i + len(a)
	}
}

// maxReferences is how many of the last References are kept, beside the first: what readers need to find the thread.
const maxReferences = 20

// ids is the value of the identification field of that name; empty: there is none.
func (v *veil) ids(name string) string {
	var all []string
	for _, value := range v.p.h.Values(name) {
		all = append(all, identifiers(value, len(value))...)
	}
	own := name == "Message-ID"
	if own && len(all) > 1 {
		all = all[:1]
	}
	if n := len(all) - maxReferences; n > 1 {
		all = append(all[:1:1], all[n:]...)
	}
	value := ""
	for _, id := range all {
		if own || !v.veiled(id) {
			id = v.id(id)
		}
		if value != "" {
			value += " "
		}
		value += "<" + id + ">"
	}
	return value
}

const (
	veiledPrefix = "anon-"
	veiledOctets = 16 // of the hash
)

// id is what an id becomes: the same one each time, on this list, and only who has the key can tell from which.
func (v *veil) id(id string) string {
	v.mac.Reset()
	v.mac.Write([]byte("message-id\x00" + v.p.l.Address.Key() + "\x00" + id))
	hash := base32.HexEncoding.EncodeToString(v.mac.Sum(nil)[:veiledOctets])
	hash, _, _ = strings.Cut(hash, "=")
	return veiledPrefix + strings.ToLower(hash) + "@" + v.p.l.Address.Domain
}

// veiled tells whether id is one of ours already: members answer what they have seen.
func (v *veil) veiled(id string) bool {
	local, ok := strings.CutSuffix(id, "@"+v.p.l.Address.Domain)
	hash, ours := strings.CutPrefix(local, veiledPrefix)
	if !ok || !ours {
		return false
	}
	return len(hash) == (veiledOctets*8+4)/5 && strings.Trim(hash, "0123456789abcdefghijklmnopqrstuv") == ""
}
