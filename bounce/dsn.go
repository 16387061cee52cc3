package bounce

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
	"strings"

	"superlistd/lists"
)

// block is what a report says of one recipient (RFC 3464 section 2.3).
type block struct {
	original, final string // values of the fields
	action          string // first word, lower case
	status          string
	diagnostic      string
}

// readStatus reads the machine-readable reports of a mail. success: one of them tells of a delivery.
func (n *notice) readStatus() (all []Recipient, success bool) {
	at := make(map[string]int)
	for _, p := range n.letter.parts {
		if !isStatus(p.kind) {
			continue
		}
		for _, b := range n.blocks(p.body) {
			r, ok := n.recipient(b)
			if !ok {
				success = success || b.outcome() == Delivered
				continue
			}
			if i, known := at[r.Address.Key()]; known {
				if all[i].Kind < r.Kind {
					all[i] = r
				}
				continue
			}
			if len(all) == MaxRecipients {
				return all, success
			}
			at[r.Address.Key()] = len(all)
			all = append(all, r)
		}
	}
	return all, success
}

// blocks cuts a report into recipients. An empty line should part them; what counts is that a field comes again, since
// there are reports with empty lines inside a recipient, and with none between two.
func (n *notice) blocks(body []byte) []*block {
	var all []*block
	b, gap := &block{}, false
	for len(body) > 0 {
		var name, value string
		name, value, body = cutField(body)
		switch name {
		case "":
			gap = true
			continue
		case "original-recipient", "final-recipient":
			value = cmp.Or(value, "none")
			if name[0] == 'o' && b.original != "" || name[0] == 'f' && b.final != "" || b.complete() && b.final != "" {
				b = &block{}
			}
			if b.original == "" && b.final == "" {
				if len(all) > MaxRecipients {
					return all
				}
				all = append(all, b)
			}
			if name[0] == 'o' {
				b.original = value
			} else {
				b.final = value
			}
		case "action":
			if gap && b.complete() {
				b = &block{} // a recipient whose action comes before his address
			}
			b.action, _, _ = strings.Cut(fold(value), " ")
		case "status":
			b.status = statusIn(value)
		case "diagnostic-code":
			if b.diagnostic == "" {
				b.diagnostic = oneLine(withoutType(value))
			}
		case "x-original-message-id", "original-message-id":
			if n.originalID == "" {
				n.originalID = strings.Trim(value, "<> ")
			}
		}
		gap = false
	}
	return all
}

// complete tells whether a block has what every one must have.
func (b *block) complete() bool {
	return b.action != "" && b.status != "" && (b.original != "" || b.final != "")
}

// cutField cuts the first field, unfolded, with its name in lower case. A line that is no field has no name.
func cutField(body []byte) (name, value string, rest []byte) {
	line, rest, _ := bytes.Cut(body, []byte("\n"))
	n, v, ok := bytes.Cut(line, []byte(":"))
	if !ok {
		return "", "", rest
	}
	name = fold(string(bytes.TrimSpace(n)))
	value = string(bytes.TrimSpace(v[:min(len(v), 4*maxDiagnostic)]))
	if len(rest) == 0 || rest[0] != ' ' && rest[0] != '\t' {
		return name, value, rest
	}
	var b strings.Builder
	b.WriteString(value)
	for len(rest) > 0 && (rest[0] == ' ' || rest[0] == '\t') {
		line, rest, _ = bytes.Cut(rest, []byte("\n"))
		if b.Len() < 4*maxDiagnostic {
			b.WriteByte(' ')
			b.Write(bytes.TrimSpace(line))
		}
	}
	return name, b.String(), rest
}

// withoutType takes the type away that stands before a value: "smtp; 550 …".
func withoutType(v string) string {
	kind, rest, ok := strings.Cut(v, ";")
	if !ok || len(kind) > 20 || strings.ContainsAny(strings.TrimSpace(kind), " \t<@") {
		return v
	}
	return rest
}

// outcome is what Action says, or, without one, what Status does.
func (b *block) outcome() Cause {
	switch {
	case strings.HasPrefix(b.action, "fail"), strings.HasPrefix(b.action, "undeliver"), strings.HasPrefix(b.action, "reject"), strings.HasPrefix(b.action, "bounce"):
		return Failed
	case strings.HasPrefix(b.action, "delay"), strings.HasPrefix(b.action, "defer"):
		return Delayed
	case strings.HasPrefix(b.action, "deliver"), strings.HasPrefix(b.action, "relay"), strings.HasPrefix(b.action, "expand"), strings.HasPrefix(b.status, "2"):
		return Delivered
	case strings.HasPrefix(b.status, "4") && b.diagnostic == "":
		return Delayed
	}
	return Failed
}

// recipient makes one of a block; false: it names nobody, or somebody who has the message.
func (n *notice) recipient(b *block) (Recipient, bool) {
	outcome := b.outcome()
	if outcome == Delivered {
		return Recipient{}, false
	}
	original, has := reportAddress(b.original)
	final, ok := reportAddress(b.final)
	switch {
	case !has && !ok:
		return Recipient{}, false
	case !has:
		if parent, known := n.parent(final); known {
			original = parent
			break
		}
		original, final = final, lists.Address{}
	case !ok || original.Key() == final.Key():
		final = lists.Address{}
	}
	r := Recipient{Address: original, Final: final, Diagnostic: b.diagnostic, Status: bestStatus(b.status, b.diagnostic)}
	if outcome == Delayed {
		r.cause = Delayed
		return r, true
	}
	said := n.namesSender(b.diagnostic, original, final)
	if vague(r.Status) && !tells(said) {
		text := n.about(original)
		said += " " + text
		r.Status = bestStatus(r.Status, text)
		if r.Diagnostic == "" {
			if _, rest, ok := leading(text); ok {
				text = strings.TrimLeft(rest, ":;, ")
			}
			r.Diagnostic = text
		}
	}
	r.Kind, r.cause = judge(r.Status, said)
	if r.Kind == Soft && vague(r.Status) && r.Status != "" && r.Status[0] == '5' {
		if k, c := judge(r.Status, said+" "+n.about(original)); k == None { // the text tells that it was the answer to the content
			r.Kind, r.cause = k, c
		}
	}
	return r, true
}

// namesSender puts the word for it where a diagnostic names the address that wrote the message: systems that ask the sender's
// host for him answer "550 <team-bounces@example.org>: user unknown".
func (n *notice) namesSender(said string, but ...lists.Address) string {
	var b strings.Builder
	for rest := said; ; {
		a, start, end := findAddress(rest)
		if end == 0 {
			if b.Len() == 0 {
				return said
			}
			b.WriteString(rest)
			return b.String()
		}
		if n.own[a.Key()] && !slices.ContainsFunc(but, func(one lists.Address) bool { return one.Key() == a.Key() }) {
			b.WriteString(rest[:start])
			b.WriteString("sender address")
		} else {
			b.WriteString(rest[:end])
		}
		rest = rest[end:]
	}
}

// reportAddress reads "rfc822; ann@example.org" with or without the type, brackets, comments and xtext.
func reportAddress(v string) (lists.Address, bool) {
	kind, spec, ok := strings.Cut(v, ";")
	if !ok {
		kind, spec = "", v
	}
	spec = strings.TrimSpace(spec)
	if i := strings.LastIndexByte(spec, '<'); i >= 0 && !strings.HasPrefix(spec, `"`) {
		spec, _, _ = strings.Cut(spec[i+1:], ">")
	}
	if i := strings.Index(spec, " ("); i > 0 {
		spec = spec[:i]
	}
	spec = strings.TrimSpace(cutPrefixFold(spec, "rfc822;", "smtp:", "mailto:"))
	if strings.Contains(spec, `\x{`) || strings.EqualFold(strings.TrimSpace(kind), "utf-8") {
		spec = unescapeUTF8(spec)
	}
	// RFC 3461 section 4: of what people have in addresses, xtext escapes "+" and "="; systems forget to undo it. Any
	// other "+XX" is more likely a part of the address.
	spec = xtext.Replace(spec)
	if strings.HasPrefix(spec, `"`) { // what is quoted has a reason to be, and that is mostly a blank
		spec = strings.ReplaceAll(spec, "+20", " ")
	}
	a, err := lists.ParseAddress(strings.TrimRight(spec, ".,;"))
	if err != nil && strings.IndexByte(spec, '@') > 0 {
		a, err = lists.ParseAddress(refold.Replace(spec)) // folded within the address
	}
	if err != nil {
		var end int
		if a, _, end = findAddress(spec); end == 0 {
			return lists.Address{}, false
		}
	}
	return a, true
}

var refold = strings.NewReplacer("@ ", "@", " @", "@", "- ", "-", ". ", ".")

var xtext = strings.NewReplacer("+2B", "+", "+2b", "+", "+3D", "=", "+3d", "=")

// unescapeUTF8 undoes the escapes of utf-8-addr-xtext (RFC 6533 section 3).
func unescapeUTF8(s string) string {
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(s, `\x{`)
		b.WriteString(before)
		if !ok {
			return b.String()
		}
		hex, after, ok := strings.Cut(rest, "}")
		v, err := strconv.ParseUint(hex, 16, 32)
		if !ok || err != nil || v > 0x10ffff {
			b.WriteString(`\x{`)
			s = rest
			continue
		}
		b.WriteRune(rune(v))
		s = after
	}
}
