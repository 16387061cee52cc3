package message

import (
	"strings"

	"superlistd/lists"
)

// DigestHead returns the header that a post has inside of a digest, with its empty line, and whether something in it that did not
// come with the post needs SMTPUTF8. It is what Dress makes of it, and of that what a reader has a use for (RFC 1153
// names much the same): who wrote, to whom, about what and when, the thread, and what the body needs. From is the author's, whatever
// the policy of his domain asks of mail: nobody judges what is inside of another message by it.
func DigestHead(h Header, l lists.List, t Trace, d Dressing) (head []byte, utf8 bool) {
	if l.Settings.From != lists.FromList {
		l.Settings.From = lists.FromKeep
	}
	d.Results, d.Personal = "", true
	dressed := Dress(h, l, t, d)
	h = ParseHeader(dressed.Head)
	head = make([]byte, 0, len(dressed.Head))
	var buf [maxKnownName]byte
	for _, f := range h.fields {
		if inDigest(string(f.known(&buf))) {
			head = append(head, endLine(f.raw)...)
		}
	}
	return append(head, '\r', '\n'), dressed.UTF8
}

// inDigest tells the fields, by their names in lower case, that a post keeps in a digest.
func inDigest(name string) bool {
	switch name {
	case "from", "to", "cc", "reply-to", "subject", "date", "message-id", "in-reply-to", "references", "keywords", "mime-version":
		return true
	case "content-length": // of a file that it was in
		return false
	}
	return strings.HasPrefix(name, "content-")
}
