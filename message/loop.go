package message

import (
	"bytes"
	"strings"

	"superlistd/lists"
)

// CheckLoop returns ErrLoop if this list has handled the message before: a List-Id names listID
// (RFC 2919 section 5), or a Received field is the one that this host writes for the list. The second
// finds a loop through another list, which takes our List-Id away (RFC 2369 section 4), and
// through a member's forwarding that strips fields. It returns ErrHops for more than MaxHops
// Received fields: the end of every other loop.
func CheckLoop(h Header, hostname string, list lists.Address, listID string) error {
	by := "by " + strings.ToLower(string(appendAtom(nil, hostname, "localhost"))) + " (" + software + ")"
	dest := "for <" + strings.ToLower(squeeze(noControls(list.String()))) + ">"
	hops := 0
	for _, f := range h.fields {
		switch {
		case f.is("Received"):
			hops++
			if !bySoftware(f.raw) {
				continue
			}
			if line := strings.ToLower(squeeze(f.text())); hasWord(line, by) && hasWord(line, dest) {
				return ErrLoop
			}
		case f.is("List-Id") && listID != "":
			if strings.EqualFold(listIdentifier(f.text()), listID) {
				return ErrLoop
			}
		}
	}
	if hops > MaxHops {
		return ErrHops
	}
	return nil
}

// bySoftware tells whether a field may be ours: a cheap look at what nearly always is not.
func bySoftware(raw []byte) bool {
	const mark = software + ")"
	for {
		i := bytes.IndexByte(raw, '(')
		if i < 0 || len(raw)-i-1 < len(mark) {
			return false
		}
		if raw = raw[i+1:]; equalFold(raw[:len(mark)], mark) {
			return true
		}
	}
}

// hasWord tells whether line holds s at its start or after a blank.
func hasWord(line, s string) bool {
	for from := 0; ; {
		i := strings.Index(line[from:], s)
		if i < 0 {
			return false
		}
		if i += from; i == 0 || line[i-1] == ' ' {
			return true
		}
		from = i + 1
	}
}

// squeeze makes one blank of each run of blanks: folding is free to change them. A space beyond ASCII may be a part of a name.
func squeeze(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == ' ' || '\t' <= r && r <= '\r' }), " ")
}

// listIdentifier is what stands in the last angle brackets of a List-Id, or all of it.
func listIdentifier(v string) string {
	if i := strings.LastIndexByte(v, '<'); i >= 0 {
		v, _, _ = strings.Cut(v[i+1:], ">")
	}
	return strings.TrimSpace(v)
}
