package message

import (
	"bytes"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// textWriter lays out text.
type textWriter struct {
	out    []byte
	flow   bool
	word   []byte
	marker string // of a list item, before its first word
	column int    // characters in the line, its quote marks not counted
	space  bool   // a blank came since the last word
	breaks int    // line ends to come before the next word
	begun  bool   // something was written
	quote  int
	above  int // quote of the line that was written last
	pre    int
	lists  []textList
}

type textList struct {
	ordered bool
	n       int
}

// text takes text; blanks and line ends in it are one blank, but in <pre>.
func (w *textWriter) text(b []byte) {
	for len(b) > 0 {
		c, size := utf8.DecodeRune(b)
		switch {
		case '!' <= c && c <= '~':
			w.word = append(w.word, byte(c))
		case w.pre > 0 && c == '\n':
			w.newline()
		case w.pre > 0 && (c == ' ' || c == '\t' || c == '\u00a0'):
			w.word = append(w.word, ' ')
		case unicode.IsSpace(c):
			w.blank()
		case c == utf8.RuneError && size == 1, !unicode.IsGraphic(c) && c != '\u200c' && c != '\u200d', c == '\u034f':
			// what nobody sees, or what turns the order of what is seen
		default:
			w.word = append(w.word, b[:size]...)
		}
		if len(w.word) > maxWordAt {
			w.flush()
		}
		b = b[size:]
	}
}

// blank ends a word.
func (w *textWriter) blank() {
	w.flush()
	w.space = true
}

// endLine ends a line; blanks at its end would make a paragraph of it and the next (RFC 3676 section 4.1).
func (w *textWriter) endLine() {
	w.flush()
	w.word, w.space = w.word[:0], false
}

// newline is a <br>: one line end more than there is.
func (w *textWriter) newline() {
	w.endLine()
	if w.begun {
		w.breaks = min(w.breaks+1, 3)
	}
}

// block asks for line ends, as many as n together with those that are there.
func (w *textWriter) block(n int) {
	if n == 0 {
		return
	}
	if w.endLine(); w.begun {
		w.breaks = max(w.breaks, n)
	}
}

// apart is how far a list stands off: one within another does not.
func (w *textWriter) apart() int {
	if len(w.lists) > 0 {
		return 1
	}
	return 2
}

func (w *textWriter) list(ordered bool, start int) {
	if start == 0 {
		start = 1
	}
	if len(w.lists) < maxLists {
		w.lists = append(w.lists, textList{ordered, start})
	}
}

// item begins an item of the innermost list.
func (w *textWriter) item() {
	w.marker = "* "
	n := len(w.lists) - 1
	if n < 0 {
		return
	}
	if l := &w.lists[n]; l.ordered {
		w.marker = strconv.Itoa(l.n) + ". "
		l.n++
	}
	w.marker = strings.Repeat("  ", n) + w.marker
}

// flush writes the word. Blanks at its end, which <pre> has, wait for what follows.
func (w *textWriter) flush() {
	word := bytes.TrimRight(w.word, " ")
	if len(word) == 0 {
		w.word = w.word[:min(len(w.word), maxWordAt)]
		return
	}
	size := utf8.RuneCount(word)
	switch {
	case !w.begun || w.breaks > 0:
		w.lineEnds()
		w.lineStart(word)
	case !w.space:
	case w.flow && w.pre == 0 && w.column+1+size > flowAt:
		w.out = append(w.out, " \n"...)
		w.column = 0
		w.lineStart(word)
	default:
		w.out = append(w.out, ' ')
		w.column++
	}
	w.out = append(w.out, word...)
	w.column += size
	w.word, w.space = append(w.word[:0], w.word[len(word):]...), false
}

// lineEnds writes the line ends that were asked for; lines between quoted ones are quoted.
func (w *textWriter) lineEnds() {
	for i := range w.breaks {
		w.out = append(w.out, '\n')
		if i+1 < w.breaks {
			w.out = append(w.out, strings.Repeat(">", min(w.above, w.quote))...)
		}
	}
	w.breaks, w.begun, w.column = 0, true, 0
}

// lineStart writes what stands before the first word of a line. RFC 3676 section 4.4: what could be taken for something
// else gets a blank before it.
func (w *textWriter) lineStart(word []byte) {
	w.above = w.quote
	if w.quote > 0 {
		w.out = append(append(w.out, strings.Repeat(">", w.quote)...), ' ')
	} else if w.flow && (strings.HasPrefix(w.marker, " ") || w.marker == "" && mustStuff(word)) {
		w.out = append(w.out, ' ')
	}
	w.out = append(w.out, w.marker...)
	w.column, w.marker = len(w.marker), ""
}

// mustStuff tells a line that RFC 3676 section 4.4 puts a blank before.
func mustStuff(line []byte) bool {
	return bytes.HasPrefix(line, []byte(" ")) || bytes.HasPrefix(line, []byte(">")) || bytes.HasPrefix(line, []byte("From"))
}

// finish ends the last line.
func (w *textWriter) finish() {
	if w.endLine(); w.begun {
		w.out = append(w.out, '\n')
	}
}
