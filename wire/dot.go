package wire

import "bytes"

// EndOfData is the line that commits a message, after content whose last line is
// finished. Whoever writes it has decided (RFC 5321 section 4.1.1.4).
const EndOfData = ".\r\n"

// scanWindow bounds how far one search looks ahead, so that content made of
// nothing but bare CRs costs time in proportion to its length.
const scanWindow = 256

// canonical returns the length of the longest prefix of b that may go through
// as it is: every CR and LF in it belongs to a CRLF, it ends before a CR whose
// next octet is not there yet, and before a dot that follows a CRLF in it. All
// codecs of this package step from one such prefix to the next.
func canonical(b []byte) int {
	if len(b) > 1 && b[0] == '\r' && b[1] != '\n' {
		return 0 // no search for each of many bare CRs
	}
	at := 0
	for at < len(b) {
		rest := b[at:min(len(b), at+scanWindow)]
		lf := bytes.IndexByte(rest, '\n')
		if lf < 0 {
			if cr := bytes.IndexByte(rest, '\r'); cr >= 0 {
				return at + cr // bare, or its LF is beyond the window
			}
			at += len(rest)
			continue
		}
		cr := bytes.IndexByte(rest[:lf], '\r')
		if cr < 0 {
			return at + lf
		}
		if cr != lf-1 {
			return at + cr
		}
		at += lf + 1
		if at < len(b) && b[at] == '.' {
			return at
		}
	}
	return at
}
