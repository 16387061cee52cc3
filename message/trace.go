package message

import (
	"strings"
	"time"

	"superlistd/lists"
)

// software is the name that our Received fields carry, and by which loops are found.
const software = "superlistd"

// Trace is what a Received field of ours tells (RFC 5321 section 4.4).
type Trace struct {
	Hostname string        // our name
	SID      string        // our id of the session or transaction, as in the log
	Client   string        // "name [address]" of the client, empty if unknown
	Helo     string        // what the client called itself, as it came
	Proto    string        // "SMTP", "ESMTP", "ESMTPS", "LMTP"…
	For      lists.Address // the list or service address; zero: no for-clause
	Time     time.Time     // when the message came
}

// Received returns the field with its line ends. A stranger's octets in t cannot end a line,
// close a comment or make a line longer than RFC 5322 section 2.1.1 allows.
func Received(t Trace) string { return string(appendReceived(make([]byte, 0, 256), t)) }

func appendReceived(dst []byte, t Trace) []byte {
	dst = append(dst, "Received: from "...)
	dst = appendAtom(dst, t.Helo, "unknown")
	if t.Client != "" {
		dst = append(dst, " ("...)
		dst = appendClean(dst, t.Client, inComment)
		dst = append(dst, ')')
	}
	dst = append(dst, "\r\n\tby "...)
	dst = appendAtom(dst, t.Hostname, "localhost")
	dst = append(dst, " ("+software+") with "...)
	dst = appendAtom(dst, t.Proto, "SMTP")
	if t.SID != "" {
		dst = append(dst, " id "...)
		dst = appendAtom(dst, t.SID, "")
	}
	if t.For.IsZero() {
		dst = append(dst, ";\r\n\t"...)
	} else {
		dst = append(dst, "\r\n\tfor <"...)
		dst = append(dst, noControls(t.For.String())...)
		dst = append(dst, ">; "...)
	}
	dst = t.Time.AppendFormat(dst, time.RFC1123Z)
	return append(dst, '\r', '\n')
}

// maxTraceWord is the most octets of a word or comment in Received.
const maxTraceWord = 255

// appendAtom appends s as a bare word of a Received field; none stands for an empty s.
func appendAtom(dst []byte, s, none string) []byte {
	if s == "" {
		return append(dst, none...)
	}
	return appendClean(dst, s, inAtom)
}

func inAtom(c byte) bool {
	switch c {
	case '(', ')', '<', '>', ';', '"', '\\', ',':
		return false
	}
	return c > ' ' && c < 0x7f
}

func inComment(c byte) bool {
	return c >= ' ' && c < 0x7f && c != '(' && c != ')' && c != '\\'
}

// appendClean appends s, cut, with "?" for what is not good.
func appendClean(dst []byte, s string, good func(byte) bool) []byte {
	for i := range min(len(s), maxTraceWord) {
		if c := s[i]; good(c) {
			dst = append(dst, c)
		} else {
			dst = append(dst, '?')
		}
	}
	return dst
}

// noControls drops what would end a line; lists.ParseAddress lets nothing of it pass.
func noControls(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, s)
}
