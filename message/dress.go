package message

import (
	"bytes"
	"mime"
	"strings"

	"superlistd/lists"
)

// Dress returns the header of the copies of list l, with the empty line at its end; the body
// follows as it came. It changes nothing but this, and keeps the order and octets of all else:
//
//   - our Received is on top (RFC 5321 section 4.4);
//   - the fields of another list, Precedence, requests for receipts and what else dropped tells are gone;
//   - List-Id (RFC 2919), List-Post, -Help, -Subscribe, -Unsubscribe and -Owner (RFC 2369) and
//     Precedence are below the last field, so that the trace fields above stay together.
//
// Require-TLS-ESMTP is kept: it is how Postfix carries REQUIRETLS past a filter.
func Dress(h Header, l lists.List, t Trace) []byte {
	dst := make([]byte, 0, h.Len()+1536)
	dst = appendReceived(dst, t)
	dst = h.appendKept(dst, dropped)
	dst = appendField(dst, "List-Id", listID(l))
	if l.Settings.Post == lists.PostNobody {
		dst = append(dst, "List-Post: NO\r\n"...)
	} else {
		dst = appendMailto(dst, "List-Post", l.Address)
	}
	dst = appendMailto(dst, "List-Help", l.Help())
	dst = appendMailto(dst, "List-Subscribe", l.Subscribe())
	dst = appendMailto(dst, "List-Unsubscribe", l.Unsubscribe())
	dst = appendMailto(dst, "List-Owner", l.Owner())
	return append(dst, "Precedence: list\r\n\r\n"...)
}

// Forward returns the header for mail to a service address that goes on to people: our Received on
// top, no Return-Path (RFC 5321 section 4.4: final delivery writes it), all else untouched, and
// the empty line.
func Forward(h Header, t Trace) []byte {
	dst := make([]byte, 0, h.Len()+512)
	dst = appendReceived(dst, t)
	dst = h.appendKept(dst, func(name []byte) bool { return string(name) == "return-path" })
	return append(dst, '\r', '\n')
}

// appendKept appends the fields whose name, in lower case, is not dropped, and sees to it that the last
// line is ended. A "From " line cannot stay on top once Received is above it, since a relay would take
// it for the start of the body: it becomes the field that Postfix makes of it.
func (h Header) appendKept(dst []byte, drop func(name []byte) bool) []byte {
	var buf [64]byte
	for _, f := range h.fields {
		if f.name == 0 {
			dst = append(dst, "X-Mailbox-Line: "...)
		} else if f.name <= len(buf) {
			name := buf[:f.name]
			for i, c := range f.raw[:f.name] {
				name[i] = lower(c)
			}
			if drop(name) {
				continue
			}
		}
		dst = append(dst, f.raw...)
	}
	if n := len(dst); n > 0 && dst[n-1] != '\n' {
		if dst[n-1] != '\r' {
			dst = append(dst, '\r')
		}
		dst = append(dst, '\n')
	}
	return dst
}

// dropped tells the fields that copies of a list do not carry. name is in lower case.
func dropped(name []byte) bool {
	if len(name) > 5 && string(name[:5]) == "list-" {
		return true // RFC 2369 section 4: a list does not let through what another list wrote
	}
	switch string(name) {
	case "precedence":
		return true // ours is the only one
	case "return-path", "errors-to":
		return true // the way back is the envelope's, and leads to us
	case "return-receipt-to", "return-receipt-requested", "x-return-receipt-to", "receipt-requested-to",
		"disposition-notification-to", "disposition-notification-options", "generate-delivery-report",
		"x-confirm-reading-to", "read-receipt-to", "registered-mail-reply-requested-by",
		"notice-requested-upon-delivery-to", "acknowledge-to", "x-pmrqc":
		return true // one post must not draw a receipt from every member
	case "delivered-to":
		// Postfix's local(8) takes it for proof of a forwarding loop: a post naming a member there, by malice
		// or because it came through that member's alias, would bounce for that member. Our own
		// Received fields find loops (CheckLoop).
		return true
	case "approved", "approve", "x-approved", "x-approve":
		return true // other list managers take the moderator's password here: never show it to the members
	}
	return false
}

// listID is the value of List-Id: the description as a phrase, and the identifier.
func listID(l lists.List) string {
	id := "<" + l.ID() + ">"
	if d := strings.TrimSpace(l.Settings.Description); d != "" {
		return phrase(d) + " " + id
	}
	return id
}

// phrase writes s so that RFC 5322 allows it before an angle bracket: quoted, or as encoded-words. B, not Q: mime's Q
// leaves octets that RFC 2047 section 5(3) forbids in a phrase.
func phrase(s string) string {
	for i := range len(s) {
		if s[i] >= 0x7f || s[i] < ' ' {
			return mime.BEncoding.Encode("utf-8", noControls(s))
		}
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
