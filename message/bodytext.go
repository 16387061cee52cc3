package message

import (
	"bytes"
	"io"
	"unicode/utf8"
)

// Text returns what a reader sees first, at most limit octets of it: the first plain text that is not an attachment and not
// empty, or else the text of the first HTML. It is UTF-8 with "\n" at line ends; quotes have ">" before them. The errors
// are those of reading.
func (b *Body) Text(limit int) (string, error) {
	for _, r := range b.textReaders() {
		text, err := io.ReadAll(io.LimitReader(r, int64(limit)))
		if err != nil {
			return "", err
		}
		if len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		for n := len(text); n > 0 && n > len(text)-utf8.UTFMax; n-- { // what the limit has cut
			if c, size := utf8.DecodeLastRune(text); c == utf8.RuneError && size == 1 {
				text = text[:len(text)-1]
			}
		}
		return string(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))), nil
	}
	return "", nil
}

// textReaders read the first plain text and the first HTML, with the line ends as they came.
func (b *Body) textReaders() (all []io.Reader) {
	for _, l := range b.leaves {
		if b.parts[l].plain() {
			all = append(all, b.inText(l))
			break
		}
	}
	for _, l := range b.leaves {
		if b.parts[l].html() {
			return append(all, newHTMLReader(bare(b.inText(l)), false))
		}
	}
	return all
}
