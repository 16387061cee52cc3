package wire

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"iter"
	"strings"
)

// ErrLineTooLong says that a line passed the limit and was skipped to its end;
// the next read begins at the next line.
var ErrLineTooLong = errors.New("line too long")

// ReadLine reads one command line of at most max octets, its end not counted.
// The end is LF or CRLF and is not returned; one CR at most is taken with the
// LF. The slice is valid until the next read of r. A longer line is skipped to
// its LF in constant memory and gives ErrLineTooLong. The end of input gives
// io.EOF between lines and io.ErrUnexpectedEOF inside one; any other error of r
// is passed on.
func ReadLine(r *bufio.Reader, max int) ([]byte, error) {
	line, err := r.ReadSlice('\n')
	if err == bufio.ErrBufferFull {
		line, err = readLong(r, line, max)
	}
	if err != nil {
		return nil, midLine(err, len(line))
	}
	line = chomp(line)
	if len(line) > max {
		return nil, ErrLineTooLong
	}
	return line, nil
}

// readLong goes on with a line that is longer than the buffer of r. It keeps at
// most max octets and the line end.
func readLong(r *bufio.Reader, head []byte, max int) ([]byte, error) {
	keep := append(make([]byte, 0, max+2), head[:min(len(head), max+2)]...)
	size := len(head)
	for {
		part, err := r.ReadSlice('\n')
		keep = append(keep, part[:min(len(part), cap(keep)-len(keep))]...)
		size += len(part)
		if err == bufio.ErrBufferFull {
			continue
		}
		if err == nil && size > len(keep) {
			err = ErrLineTooLong
		}
		return keep, err
	}
}

// midLine tells the end of input inside a line from the end between lines.
func midLine(err error, got int) error {
	if err == io.EOF && got > 0 {
		return io.ErrUnexpectedEOF
	}
	return err
}

// chomp takes the LF or CRLF off the end of a line.
func chomp(line []byte) []byte {
	line = bytes.TrimSuffix(line, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r"))
}

// SplitCommand parts a command line into its verb, in upper case, and the rest
// without the blanks around it. Only ASCII letters change case, so no other
// letter can be taken for one of a verb.
func SplitCommand(line string) (verb, args string) {
	line = trimBlanks(line)
	end := strings.IndexAny(line, " \t")
	if end < 0 {
		return upper(line), ""
	}
	return upper(line[:end]), trimBlanks(line[end:])
}

func trimBlanks(s string) string { return strings.Trim(s, " \t") }

// words are what blanks part; Unicode spaces and controls part nothing.
func words(s string) iter.Seq[string] {
	return strings.FieldsFuncSeq(s, func(r rune) bool { return r == ' ' || r == '\t' })
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

// isControl is true for the octets that no path, parameter or attribute holds.
func isControl(c byte) bool { return c < ' ' || c == 0x7f }

func hasControl(s string) bool {
	for i := range len(s) {
		if isControl(s[i]) {
			return true
		}
	}
	return false
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func isAlnum(c byte) bool {
	return isDigit(c) || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// upper folds ASCII letters, and returns s itself when there is nothing to fold.
func upper(s string) string {
	for i := range len(s) {
		if c := s[i]; 'a' <= c && c <= 'z' {
			return fold(s)
		}
	}
	return s
}

func fold(s string) string {
	b := []byte(s)
	for i, c := range b {
		if 'a' <= c && c <= 'z' {
			b[i] = c - ('a' - 'A')
		}
	}
	return string(b)
}

// equalFold compares with a word in upper case without regard to ASCII case.
func equalFold(s, word string) bool {
	if len(s) != len(word) {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		if c != word[i] {
			return false
		}
	}
	return true
}
