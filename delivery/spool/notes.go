package spool

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"slices"
	"strconv"
	"strings"
)

// Range is a stretch of a roster in the order of its keys: behind After, up to and with UpTo.
type Range struct{ After, UpTo string }

// Served says who has a post: whoever is in Ranges, but not the keys in But, who were put off.
type Served struct {
	Ranges []Range
	But    []string `json:",omitempty"`
}

// Append writes s as text without line ends.
func (s Served) Append(dst []byte) []byte {
	for _, r := range s.Ranges {
		dst = strconv.AppendQuoteToASCII(append(dst, ' '), r.After)
		dst = strconv.AppendQuoteToASCII(append(dst, ' '), r.UpTo)
	}
	if len(s.But) > 0 {
		dst = append(dst, " -"...)
	}
	for _, key := range s.But {
		dst = strconv.AppendQuoteToASCII(append(dst, ' '), key)
	}
	return dst
}

// ParseServed reads what Append wrote.
func ParseServed(text string) (s Served, err error) {
	var words []string
	for text = strings.TrimLeft(text, " "); text != ""; text = strings.TrimLeft(text, " ") {
		if text[0] == '-' && s.Ranges == nil {
			if s.Ranges, err = ranges(words); err != nil {
				return Served{}, err
			}
			words, text = nil, text[1:]
			continue
		}
		quoted, err := strconv.QuotedPrefix(text)
		if err != nil {
			return Served{}, fmt.Errorf("note %q: %w", text, err)
		}
		word, err := strconv.Unquote(quoted)
		if err != nil {
			return Served{}, fmt.Errorf("note %q: %w", text, err)
		}
		words, text = append(words, word), text[len(quoted):]
	}
	if s.Ranges != nil {
		s.But = words
		return s, nil
	}
	s.Ranges, err = ranges(words)
	return s, err
}

func ranges(words []string) ([]Range, error) {
	if len(words)%2 != 0 || len(words) == 0 {
		return nil, fmt.Errorf("note of %d words, which is no number of ranges", len(words))
	}
	out := make([]Range, 0, len(words)/2)
	for pair := range slices.Chunk(words, 2) {
		out = append(out, Range{pair[0], pair[1]})
	}
	return out, nil
}

// AppendLine writes a line with its checksum. It begins with a line feed, so that half a line that a kill or a full
// disk left behind spoils no other. The text has no line feed.
func AppendLine(dst []byte, text []byte) []byte {
	return endLine(append(beginLine(dst), text...), len(dst))
}

// beginLine leaves room for the checksum.
func beginLine(dst []byte) []byte { return append(dst, "\n00000000 "...) }

// endLine ends the line that began at start.
func endLine(dst []byte, start int) []byte {
	const head = len("\n00000000 ")
	sum := crc32.ChecksumIEEE(dst[start+head:])
	hex.Encode(dst[start+1:], binary.BigEndian.AppendUint32(nil, sum))
	return append(dst, '\n')
}

// ParseLine returns the text of a line, without its line feed; false when it is damaged.
func ParseLine(line string) (text string, ok bool) {
	sum, text, ok := strings.Cut(line, " ")
	if !ok || len(sum) != 8 {
		return "", false
	}
	n, err := strconv.ParseUint(sum, 16, 32)
	return text, err == nil && uint32(n) == crc32.ChecksumIEEE([]byte(text))
}
