package message

import (
	"bytes"
	"io"
	"unicode/utf8"
)

// Text returns what a reader sees first, at most limit octets of it: the first plain text that is not an attachment, or
// else the text of the first HTML. It is UTF-8 with "\n" at line ends; quotes have ">" before them. The errors are
// those of reading.
func (b *Body) Text(limit int) (string, error) {
	r := b.textReader()
	if r == nil {
		return "", nil
	}
	text, err := io.ReadAll(io.LimitReader(r, int64(limit)))
	if err != nil {
		return "", err
	}
	for n := len(text); n > 0 && n > len(text)-utf8.UTFMax; n-- { // what the limit has cut
		if c, size := utf8.DecodeLastRune(text); c == utf8.RuneError && size == 1 {
			text = text[:len(text)-1]
		}
	}
	return string(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))), nil
}

// textReader reads what Text tells, with the line ends as they came; nil: there is no text.
func (b *Body) textReader() io.Reader {
	for _, l := range b.leaves {
		if b.parts[l].plain() {
			return b.inText(l)
		}
	}
	for _, l := range b.leaves {
		if b.parts[l].html() {
			return newHTMLReader(bare(b.inText(l)), false)
		}
	}
	return nil
}
