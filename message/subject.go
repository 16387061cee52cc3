package message

import (
	"bytes"
	"strings"
	"unicode"
	"unicode/utf8"
)

// prefixSubject returns the octets of a Subject field with prefix in it; false: it has it already, wherever it stands, in
// whatever case and encoding, and stays as it is. prefix is one line as shown gives it, not empty.
//
// The prefix goes behind the marks of a reply, "Re: [team] Tea", not before them. It is what a member's program makes of
// a reply to "[team] Tea" anyway, so that most replies need no change at all, and keep their author's signature; and all of
// a thread ends in the same words, by which programs gather threads that lost their References. Nothing is taken out:
// what looks like the mark of a reply in one tongue may be a word in another ("R: a language").
func prefixSubject(f field, prefix string) ([]byte, bool) {
	value := f.raw[f.value:]
	end := len(bytes.TrimRight(value, "\r\n"))
	r := readWords(value[:end])
	if hasPrefix(r.text, prefix) {
		return nil, false
	}
	raw := make([]byte, 0, len(f.raw)+len(prefix)*3+len("=?utf-8?q??=")+64)
	raw = append(raw, f.raw[:f.value]...)
	raw = r.insert(raw, prefix, behindMarks(r.text))
	return append(raw, value[end:]...), true
}

// hasPrefix tells whether text holds prefix, not as a part of a longer word.
func hasPrefix(text []byte, prefix string) bool {
	s, prefix := strings.ToLower(shown(text)), strings.ToLower(prefix)
	for from := 0; ; {
		i := strings.Index(s[from:], prefix)
		if i < 0 {
			return false
		}
		i += from
		from = i + len(prefix)
		if !joins(s[:i], prefix) && !joins(prefix, s[from:]) {
			return true
		}
	}
}

// joins tells whether the end of a and the start of b are of one word.
func joins(a, b string) bool {
	last, _ := utf8.DecodeLastRuneInString(a)
	first, _ := utf8.DecodeRuneInString(b)
	return inWord(last) && inWord(first)
}

func inWord(r rune) bool {
	return r != utf8.RuneError && (unicode.IsLetter(r) || unicode.IsDigit(r))
}

// insert appends the value to dst, with prefix before what stands at text[at:]. Encoded-words stay as they are, but one that
// begins with the marks and goes on behind them: that one is cut in two.
func (r reading) insert(dst []byte, prefix string, at int) []byte {
	k := 0 // the span that the prefix comes before, or into
	for k < len(r.spans) && r.spans[k].end <= at {
		k++
	}
	var (
		before       = r.raw
		rest         []byte
		afterWord    = k > 0 && r.spans[k-1].kind != plain
		beforeWord   = false
		spaceInWords = at > 0 && blank(r.text[at-1])
	)
	if k < len(r.spans) {
		s := r.spans[k]
		switch {
		case s.kind == plain:
			cut := s.from + at - s.start
			before, rest = r.raw[:cut], r.raw[cut:]
			afterWord = afterWord && at == s.start
		case at > s.start:
			before, rest = r.split(s, at, afterWord)
			afterWord = bytes.HasSuffix(before, []byte("?="))
			beforeWord = true
		default:
			before, rest = r.raw[:s.from], r.raw[s.from:]
			beforeWord = true
		}
	}
	dst = append(dst, before...)
	if len(before) == 0 || !blank(before[len(before)-1]) {
		dst = append(dst, ' ')
	}
	if asIs(prefix) {
		dst = append(dst, prefix...)
	} else { // blanks between encoded-words do not count: they go into ours
		if afterWord && !spaceInWords {
			prefix = " " + prefix
		}
		if beforeWord {
			prefix += " "
		}
		dst = appendWords(dst, 'q', prefix)
	}
	if len(rest) == 0 {
		return dst
	}
	if column(dst)+1+column(firstLine(rest)) > foldAt {
		dst = append(dst, '\r', '\n')
	}
	return append(append(dst, ' '), rest...)
}

// column is the length of the last line of b that is begun, without its end.
func column(b []byte) int {
	b = bytes.TrimRight(b, "\r\n")
	return len(b) - 1 - bytes.LastIndexByte(b, '\n')
}

// split cuts the encoded-word s at text[at]: all of the value up to there, and from there on. Its charset and
// encoding stay, unless the octets cannot be cut there, because the charset has states.
func (r reading) split(s span, at int, afterWord bool) (before, rest []byte) {
	head, tail := r.text[s.start:at], r.text[at:s.end]
	before = bytes.Clone(r.raw[:s.from])
	n, ok := cutOctets(s, head, tail)
	switch mark := strings.TrimRight(string(head), " \t\r\n"); {
	case asIs(mark) && !afterWord:
		before = append(before, mark...)
	case ok:
		before = appendWord(before, s.charset, s.encoding, s.octets[:n])
	default:
		before = appendWords(before, 'b', shown(head))
	}
	if ok {
		rest = appendWord(nil, s.charset, s.encoding, s.octets[n:])
	} else {
		rest = appendWords(nil, 'b', shown(tail))
	}
	return before, append(rest, r.raw[s.to:]...)
}

// cutOctets finds where the octets of s that read as head end.
func cutOctets(s span, head, tail []byte) (int, bool) {
	low, high := len(head), len(head)
	if !asIs(string(head)) {
		const longest = 64 // a mark is not longer, and each step reads it again
		if len(head) > longest {
			return 0, false
		}
		low, high = 1, 2*len(head)
	}
	for n := low; n <= min(high, len(s.octets)); n++ {
		text, ok := DecodeCharset(s.charset, s.octets[:n])
		if !ok || !bytes.Equal(text, head) {
			continue
		}
		text, ok = DecodeCharset(s.charset, s.octets[n:])
		return n, ok && bytes.Equal(text, tail)
	}
	return 0, false
}

// behindMarks is the offset in text behind all marks of a reply that it starts with, and the blanks around them.
func behindMarks(text []byte) int {
	at := skipBlanks(text, 0)
	for {
		n := replyMark(text[at:])
		if n == 0 {
			return at
		}
		at = skipBlanks(text, at+n)
	}
}

// skipBlanks passes blanks, line ends and the no-break space that the French have before a colon.
func skipBlanks(b []byte, i int) int {
	for i < len(b) {
		switch {
		case b[i] == ' ', b[i] == '\t', b[i] == '\r', b[i] == '\n':
			i++
		case bytes.HasPrefix(b[i:], []byte("\u00a0")):
			i += len("\u00a0")
		default:
			return i
		}
	}
	return i
}

// replyMark is the length of the mark that b starts with: "Re:", and "AW: ", "Re[2]:", "RE (3) :", "Re^2：" …
func replyMark(b []byte) int {
	i := 0
	for i < len(b) && i <= maxMark {
		r, n := utf8.DecodeRune(b[i:])
		if !unicode.IsLetter(r) && !unicode.IsMark(r) {
			break
		}
		i += n
	}
	if i > maxMark || !meansReply(strings.ToLower(string(b[:i]))) {
		return 0
	}
	i = skipBlanks(b, i)
	i = skipBlanks(b, i+replyNumber(b[i:]))
	switch {
	case bytes.HasPrefix(b[i:], []byte(":")):
		return i + 1
	case bytes.HasPrefix(b[i:], []byte("\uff1a")): // full width
		return i + len("\uff1a")
	}
	return 0
}

const maxMark = 16 // octets

// replyNumber is the length of "[2]", "(2)", "^2" or "*2" at the start of b.
func replyNumber(b []byte) int {
	if len(b) == 0 {
		return 0
	}
	closing := byte(0)
	switch b[0] {
	case '[':
		closing = ']'
	case '(':
		closing = ')'
	case '^', '*':
	default:
		return 0
	}
	i := 1
	for i < len(b) && '0' <= b[i] && b[i] <= '9' {
		i++
	}
	switch {
	case i == 1 || i > 7:
		return 0
	case closing == 0:
		return i
	case i < len(b) && b[i] == closing:
		return i + 1
	}
	return 0
}

// meansReply knows what mail programs write for "Re", in lower case.
func meansReply(s string) bool {
	switch s {
	case "re",
		"aw", "antw", "antwort", // German, Dutch
		"sv",       // Danish, Icelandic, Norwegian, Swedish
		"vs",       // Finnish
		"r", "rif", // Italian
		"ref",            // French
		"res",            // Portuguese
		"odp",            // Polish
		"ynt",            // Turkish
		"atb",            // Welsh
		"bls",            // Indonesian
		"tl",             // Vietnamese
		"vá", "va\u0301", // Hungarian
		"απ", "σχετ", // Greek
		"на", "отв", "ответ", // Bulgarian, Russian
		"השב",                        // Hebrew
		"رد",                         // Arabic
		"回复", "回覆", "答复", "答覆", "返信", // Chinese, Japanese
		"답장", "회신": // Korean
		return true
	}
	return false
}
