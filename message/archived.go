package message

import (
	"crypto/sha1"
	"encoding/base32"
	"strings"
)

// archivedAt is the value of Archived-At (RFC 5064) for the post with this Message-ID, without its brackets. In the
// address of the archive, {id} stands for the id, escaped, and {hash} for the base32 of its SHA-1, as the archives
// of Mailman 3 and mail-archive.com have it. An address with neither gets the id as a further step of its path, as public-inbox
// has it. Empty: there is no id, or it does not fit a line.
func archivedAt(url, id string) string {
	if id == "" {
		return ""
	}
	if strings.Contains(url, "{id}") || strings.Contains(url, "{hash}") {
		sum := sha1.Sum([]byte(id))
		url = strings.ReplaceAll(url, "{hash}", base32.StdEncoding.EncodeToString(sum[:]))
		url = strings.ReplaceAll(url, "{id}", escapedID(id))
	} else {
		url = strings.TrimSuffix(url, "/") + "/" + escapedID(id)
	}
	const longest = 998 - len("Archived-At: <>") // RFC 5322 section 2.1.1; there is no blank to fold it at
	if len(url) > longest {
		return ""
	}
	return "<" + url + ">"
}

// escapedID writes id as one step of a path (RFC 3986 section 3.3).
func escapedID(id string) string {
	const hex = "0123456789ABCDEF"
	b := make([]byte, 0, len(id)+8)
	for i := range len(id) {
		if c := id[i]; c == '@' || plainInURL(c) {
			b = append(b, c)
		} else {
			b = append(b, '%', hex[c>>4], hex[c&15])
		}
	}
	return string(b)
}

// identifier is the Message-ID without its brackets; empty: there is none that can be read.
func identifier(h Header) string {
	for _, f := range h.fields {
		if !f.is("Message-Id") {
			continue
		}
		ids := identifiers(f.text(), 1)
		if len(ids) == 0 {
			return ""
		}
		return ids[0]
	}
	return ""
}

// identifiers are what stands in angle brackets, at most n of them; in a value without any, the value if it is one word
// (RFC 5322 section 3.6.4; what stands beside them is the obsolete syntax).
func identifiers(value string, n int) []string {
	var all []string
	for rest := value; len(all) < n; {
		_, after, ok := strings.Cut(rest, "<")
		if !ok {
			break
		}
		id, after, ok := strings.Cut(after, ">")
		if !ok {
			break
		}
		if id = strings.TrimSpace(id); oneWord(id) {
			all = append(all, id)
		}
		rest = after
	}
	if all == nil && oneWord(value) && !strings.ContainsAny(value, "<>") {
		all = append(all, value)
	}
	return all
}

func oneWord(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f }) < 0
}
