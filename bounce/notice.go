package bounce

import (
	"bytes"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"superlistd/lists"
)

// notice is what people get to read of a mail, up to the message that came back.
type notice struct {
	letter *letter
	origin origin

	lines  []string // without line ends and blanks behind; of an answer, what it quotes is empty
	low    []string // the same, folded; offsets agree
	flat   string   // all of low in one line
	starts []int    // where the lines begin in it

	rest string // what follows: the message that came back, if it is in the text
	cut  bool   // there is such a message in the text
	mua  bool   // it stands there as programs of people quote what they answer

	free bool // it is of no known format

	own        map[string]bool          // keys of the addresses that wrote and got the mail: never recipients that failed
	asked      int                      // how often about has gone through the text
	parents    map[string]lists.Address // by key: from which address one was made, as the text tells; nil until asked for
	originalID string                   // as the machine-readable report tells it
}

// maxLines is how many lines of text are looked at.
const maxLines = 4000

func newNotice(l *letter, o origin) *notice {
	n := &notice{letter: l, origin: o, own: make(map[string]bool)}
	text := l.text()
	answer := isAnswer(l.subject())
	at := 0
	for at < len(text) && len(n.lines) < maxLines {
		line, size := text[at:], len(text)-at
		if i := strings.IndexByte(line, '\n'); i >= 0 {
			line, size = line[:i], i+1
		}
		line = strings.TrimRight(line, " \t\r")
		low := fold(line)
		if size := size; returns(low) || len(n.lines) > 0 && startsHeader(line) {
			n.cut, n.rest, n.mua = true, text[at:], containsAny(low, answering)
			if returns(low) {
				n.rest = text[at+size:]
			} else if strings.HasPrefix(low, "content-type:") {
				n.rest = body(n.rest)
			}
			break
		}
		if answer && strings.HasPrefix(line, ">") {
			line, low = "", "" // somebody quotes a report
		}
		at += size
		if last := len(n.lines) - 1; last >= 0 && torn(n.lines[last], line) {
			n.lines[last] += strings.TrimLeft(line, " \t")
			n.low[last] = fold(n.lines[last])
			continue
		}
		n.lines, n.low = append(n.lines, line), append(n.low, low)
	}
	n.flatten()
	for _, name := range []string{"From", "To", "Sender", "Reply-To"} {
		for _, v := range l.header.Values(name) {
			for _, a := range addressesIn(v, 20) {
				n.own[a.Key()] = true
			}
		}
	}
	return n
}

// text joins the texts of a letter for people; HTML counts when there is nothing else.
func (l *letter) text() string {
	var plain, rich bytes.Buffer
	for _, p := range l.parts {
		switch {
		case isStatus(p.kind):
		case p.kind == "text/plain" && !looksHTML(p.body):
			plain.Write(p.body)
			plain.WriteByte('\n')
		default:
			rich.WriteString(stripHTML(string(p.body)))
			rich.WriteByte('\n')
		}
	}
	text := plain.String()
	if strings.TrimSpace(text) == "" {
		text = rich.String()
	}
	return typewriter.Replace(text)
}

// torn tells a line that ends within an address in angle brackets, and the one that has the rest of it.
func torn(line, next string) bool {
	open := strings.LastIndexByte(line, '<')
	if open < 0 || len(line) > maxSpec {
		return false
	}
	next = strings.TrimLeft(next, " \t")
	shut := strings.IndexByte(next, '>')
	if shut < 0 || shut > maxSpec || strings.ContainsAny(line[open+1:], "> \t\"") || strings.ContainsAny(next[:shut], "< \t\"") {
		return false
	}
	a, err := lists.ParseAddress(line[open+1:] + next[:shut])
	return err == nil && deliverable(a)
}

func looksHTML(body []byte) bool {
	head := bytes.ToLower(bytes.TrimSpace(body[:min(len(body), 200)]))
	return bytes.HasPrefix(head, []byte("<html")) || bytes.HasPrefix(head, []byte("<!doctype html"))
}

// typewriter undoes what typographers do to words that are looked for.
var typewriter = strings.NewReplacer("\u2019", "'", "\u2018", "'", "\u201c", `"`, "\u201d", `"`, "\u00a0", " ", "\u200b", "", "\ufeff", "", "\uff1a", ":")

// flatten joins the lines, so that a phrase is found wherever a report folds it. Empty lines part phrases.
func (n *notice) flatten() {
	var b strings.Builder
	n.starts = make([]int, len(n.low))
	for i, low := range n.low {
		n.starts[i] = b.Len()
		b.WriteString(strings.TrimSpace(low))
		b.WriteByte(' ')
	}
	n.flat = b.String()
}

// has tells whether the text holds one of the phrases, all in lower case.
func (n *notice) has(phrases ...string) bool { return containsAny(n.flat, phrases) }

// after is the first place, from line from on, where one of the phrases stands: the line that it ends in, and where that
// is in the joined lines. line -1: there is none.
func (n *notice) after(from int, phrases ...string) (line, end int) {
	if from < 0 || from >= len(n.starts) {
		return -1, 0
	}
	best := -1
	for _, p := range phrases {
		if i := strings.Index(n.flat[n.starts[from]:], p); i >= 0 && (best < 0 || i < best) {
			best, end = i, n.starts[from]+i+len(p)
		}
	}
	if best < 0 {
		return -1, 0
	}
	line, found := slices.BinarySearch(n.starts, end-1)
	if !found {
		line--
	}
	return line, end
}

// behind is what stands in a line behind a place of the joined lines.
func (n *notice) behind(line, end int) string {
	text := strings.TrimSpace(n.lines[line])
	return text[min(end-n.starts[line], len(text)):]
}

// until is the first line, from line from on, that holds one of the phrases, or the end.
func (n *notice) until(from int, phrases ...string) int {
	if len(phrases) > 0 {
		for i := max(from, 0); i < len(n.low); i++ {
			if containsAny(n.low[i], phrases) {
				return i
			}
		}
	}
	return len(n.lines)
}

// about is what the text says where it names the address, up to the next address or as far as it says something; of a
// text that does not name it, the beginning. It answers for the first maxPlaces only, since it looks through all of the text.
func (n *notice) about(a lists.Address) string {
	const most = 14 // lines
	if n.asked++; n.asked > maxPlaces {
		return ""
	}
	key, from := a.Key(), -1
	for i, low := range n.low {
		if strings.Contains(low, key) {
			from = i
			break
		}
	}
	if from < 0 {
		return oneLine(strings.Join(n.lines[:min(len(n.lines), 40)], " "))
	}
	said := ""
	for i := from; i < min(len(n.lines), from+most); i++ {
		if n.lines[i] == "" && tells(said) {
			break
		}
		if _, _, another := leading(n.lines[i]); another && i > from {
			break
		}
		said += " " + n.lines[i]
	}
	for i := from - 1; i >= max(0, from-4) && !tells(said); i-- { // the reason before the name
		said += " " + n.lines[i]
	}
	return oneLine(said)
}

// parent is the address of which the text says that it was forwarded to a: in the line of a, or in the next.
func (n *notice) parent(a lists.Address) (lists.Address, bool) {
	if n.parents == nil {
		n.parents = make(map[string]lists.Address)
		var last lists.Address
		for _, line := range n.lines {
			if from, ok := generated(line); ok {
				n.descends(last, from)
				continue
			}
			one, rest, ok := leading(line)
			if !ok {
				if line == "" {
					last = lists.Address{}
				}
				continue
			}
			last = one
			if r := expanded(one, strings.TrimLeft(rest, " \t")); !r.Final.IsZero() {
				n.descends(r.Final, r.Address)
			}
		}
	}
	p, ok := n.parents[a.Key()]
	return p, ok
}

func (n *notice) descends(child, from lists.Address) {
	if _, known := n.parents[child.Key()]; !known && !child.IsZero() && child.Key() != from.Key() && !n.own[from.Key()] {
		n.parents[child.Key()] = from
	}
}

func containsAny(s string, phrases []string) bool {
	for _, p := range phrases {
		if strings.Contains(s, p) {
			return true
		}
	}
	return false
}

// fold folds letters, of any script, whose small form is as long; offsets stay the same.
func fold(s string) string {
	for i := 0; i < len(s); i++ {
		if 'A' <= s[i] && s[i] <= 'Z' || s[i] >= utf8.RuneSelf {
			return string(foldBytes([]byte(s), i))
		}
	}
	return s
}

func foldBytes(b []byte, i int) []byte {
	for ; i < len(b); i++ {
		switch c := b[i]; {
		case 'A' <= c && c <= 'Z':
			b[i] |= 0x20
		case c >= utf8.RuneSelf:
			r, size := utf8.DecodeRune(b[i:])
			if small := unicode.ToLower(r); small != r && utf8.RuneLen(small) == size {
				utf8.EncodeRune(b[i:], small)
			}
			i += size - 1
		}
	}
	return b
}
