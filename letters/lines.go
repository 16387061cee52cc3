package letters

import (
	"strings"
	"unicode"

	"superlistd/message"
)

// maxLines of an answer are looked at.
const maxLines = 1000

// Lines cuts a text, without its line ends, and no more than anybody writes.
func Lines(text string) []string {
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u00a0", " ", "\u200b", "").Replace(text)
	all := strings.SplitN(text, "\n", maxLines+1)
	return all[:min(len(all), maxLines)]
}

// Bare takes from a word, or a line, what people and mailers put around it, and its case. What is longer than any word of ours is
// cut, and still longer than those.
func Bare(s string) string {
	const most = 100 // octets
	s = strings.TrimFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || strings.ContainsRune("*_\"'`.!,;:[]()<>«»„“”‘’", r)
	})
	return strings.ToLower(s[:min(len(s), most)])
}

// Quoted tells a line of the mail that is answered.
func Quoted(line string) bool {
	line = strings.TrimSpace(line)
	return strings.HasPrefix(line, ">") || strings.HasPrefix(line, "|")
}

// Ends tells a line behind which nothing is the writer's own answer: a signature (RFC 3676 section 4.3), or what mailers put
// before a mail that they do not quote.
func Ends(line string) bool {
	line = strings.TrimRight(line, "\t\r ")
	if line == "--" {
		return true
	}
	rule := strings.TrimSpace(line)
	return strings.HasPrefix(rule, "-----") || strings.HasPrefix(rule, "_____") || strings.HasPrefix(rule, "=====")
}

// Unattended tells mail that no person wrote to us: what programs wrote (RFC 3834), and posts of lists.
func Unattended(h message.Header) bool {
	if message.Automatic(h) {
		return true
	}
	for _, name := range []string{"List-Id", "List-Post", "List-Help", "List-Unsubscribe"} { // RFC 2919, RFC 2369
		if h.Has(name) {
			return true
		}
	}
	for _, v := range h.Values("X-Auto-Response-Suppress") { // MS-OXCMAIL section 2.2.3.2.14: programs set it, and want no answer
		for word := range strings.SplitSeq(v, ",") {
			switch strings.ToLower(strings.TrimSpace(word)) {
			case "all", "oof", "autoreply":
				return true
			}
		}
	}
	for _, v := range h.Values("Precedence") {
		switch strings.ToLower(strings.TrimSpace(v)) {
		case "bulk", "junk", "list":
			return true
		}
	}
	return false
}
