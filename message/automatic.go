package message

import "strings"

// Automatic tells whether a program wrote the mail as an answer or a notice, so that it is no post: Auto-Submitted other
// than "no" (RFC 3834 section 5), and what programs write that are older than it. Precedence: list and bulk are
// not among that, since posts of other lists have them.
func Automatic(h Header) bool {
	for _, v := range h.Values("Auto-Submitted") {
		if word, _, _ := strings.Cut(v, ";"); !strings.EqualFold(strings.TrimSpace(word), "no") {
			return true
		}
	}
	for _, v := range h.Values("Precedence") {
		if v := strings.ToLower(strings.TrimSpace(v)); v == "auto_reply" || v == "auto-reply" {
			return true
		}
	}
	return h.Has("X-Autoreply") || h.Has("X-Autorespond") || h.Has("X-Auto-Reply-From")
}
