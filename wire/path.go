package wire

import (
	"errors"
	"fmt"
	"strings"
)

// Errors of the MAIL, RCPT and VRFY parsers; each is wrapped with what is wrong.
var (
	// ErrSyntax: the line is not that command, or a parameter is malformed.
	ErrSyntax = errors.New("syntax error")
	// ErrPath: the command is well formed up to its address, and that is not.
	ErrPath = errors.New("bad address syntax")
)

// Path is a reverse-path or forward-path (RFC 5321 section 4.1.2). Mailbox is
// as written, quotes kept, without "<>" and without a source route, so that
// "<"+Mailbox+">" is one path again and never more. Null is "<>".
type Path struct {
	Mailbox string
	Null    bool
}

// Param is one ESMTP parameter. Key is in upper case. Given says that there was
// a "=". Value is as written, still in xtext, and may hold "=" (XVERP=-=).
type Param struct {
	Key, Value string
	Given      bool
}

// ParseMail parses what follows the verb MAIL: "FROM:<a@b> SIZE=1". As Postfix
// does, it takes any case, blanks after the colon and an address without "<>".
// The error wraps ErrSyntax or ErrPath.
func ParseMail(args string) (Path, []Param, error) {
	return parsePath(args, "FROM:")
}

// ParseRcpt parses what follows the verb RCPT: "TO:<a@b> NOTIFY=NEVER". It is
// as lenient as ParseMail, and takes names without a domain, as <postmaster>
// must be (RFC 5321 section 4.1.1.3). "<>" is ErrPath.
func ParseRcpt(args string) (Path, []Param, error) {
	path, params, err := parsePath(args, "TO:")
	if err == nil && path.Null {
		return Path{}, nil, fmt.Errorf("%w: a recipient cannot be empty", ErrPath)
	}
	return path, params, err
}

func parsePath(args, word string) (Path, []Param, error) {
	args = trimBlanks(args)
	if len(args) < len(word) || !equalFold(args[:len(word)], word) {
		return Path{}, nil, fmt.Errorf("%w: %s<address> expected", ErrSyntax, word)
	}
	mailbox, rest, err := cutMailbox(trimBlanks(args[len(word):]))
	if err != nil {
		return Path{}, nil, err
	}
	params, err := parseParams(rest)
	if err != nil {
		return Path{}, nil, err
	}
	return Path{Mailbox: mailbox, Null: mailbox == ""}, params, nil
}

// cutMailbox takes the address off the front of s, which has no leading blanks.
// An empty mailbox means "<>".
func cutMailbox(s string) (mailbox, rest string, err error) {
	if s == "" {
		return "", "", fmt.Errorf("%w: no address", ErrPath)
	}
	if s[0] != '<' {
		return cutBare(s)
	}
	end := scanMailbox(s[1:], false)
	if end < 0 || 1+end == len(s) || s[1+end] != '>' {
		return "", "", fmt.Errorf("%w: no closing \">\"", ErrPath)
	}
	inner, rest := trimBlanks(s[1:1+end]), s[2+end:]
	if rest != "" && !isBlank(rest[0]) {
		return "", "", fmt.Errorf("%w: no blank after \">\"", ErrSyntax)
	}
	if inner == "" {
		return "", rest, nil
	}
	mailbox, err = checkMailbox(inner)
	return mailbox, rest, err
}

// cutBare takes an address that has no "<>" (RFC 5321 does not know it; Postfix
// takes it unless strict_rfc821_envelopes is set).
func cutBare(s string) (mailbox, rest string, err error) {
	end := scanMailbox(s, true)
	if end < 0 {
		return "", "", fmt.Errorf("%w: quoted string has no end", ErrPath)
	}
	if end < len(s) && !isBlank(s[end]) {
		return "", "", fmt.Errorf("%w: bracket inside", ErrPath)
	}
	mailbox, err = checkMailbox(s[:end])
	return mailbox, s[end:], err
}

// scanMailbox returns the index of the first "<" or ">" outside quoted strings
// (RFC 5321 section 4.1.2 Quoted-string), or of the first blank there when
// blanks end it, or len(s); -1 when a quoted string is not closed.
func scanMailbox(s string, blanks bool) int {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '<' || c == '>' || blanks && isBlank(c):
			return i
		}
	}
	if quoted {
		return -1
	}
	return len(s)
}

// checkMailbox takes the source route off, and refuses what would not come back
// as one path from between "<" and ">". Whether it is an address is for lists.
func checkMailbox(s string) (string, error) {
	if hasControl(s) {
		return "", fmt.Errorf("%w: control character", ErrPath)
	}
	s, err := cutRoute(s)
	if err != nil {
		return "", err
	}
	switch {
	case s == "":
		return "", fmt.Errorf("%w: no address", ErrPath)
	case scanMailbox(s, true) != len(s):
		return "", fmt.Errorf("%w: blank or bracket outside quotes", ErrPath)
	case !plainEscapes(s):
		return "", fmt.Errorf("%w: bad backslash", ErrPath)
	case s[0] == '@' || s[0] == ':':
		return "", fmt.Errorf("%w: no local part", ErrPath)
	}
	return s, nil
}

// plainEscapes is true when every backslash has an octet to stand before, and
// none outside quotes protects a blank, a bracket or a quote: RFC 5321 has no
// such thing, so another reader of the path could end it there. (Postfix takes
// <DOMAIN\user@example.org>, and so do we.)
func plainEscapes(s string) bool {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '"':
			quoted = !quoted
		case '\\':
			i++
			if i == len(s) || !quoted && strings.IndexByte(" <>\"\\", s[i]) >= 0 {
				return false
			}
		}
	}
	return true
}

// cutRoute takes "@one,@two:" off: RFC 5321 section 4.1.1.3 says that it must be
// accepted and should be ignored. A colon in a domain literal does not end it.
func cutRoute(s string) (string, error) {
	if s[0] != '@' {
		return s, nil
	}
	literal := false
	for i := range len(s) {
		switch s[i] {
		case '[':
			literal = true
		case ']':
			literal = false
		case '"', '\\', ' ':
			return "", fmt.Errorf("%w: bad source route", ErrPath)
		case ':':
			if !literal {
				return s[i+1:], nil
			}
		}
	}
	return "", fmt.Errorf("%w: no local part", ErrPath)
}

// parseParams parses "SIZE=1 BODY=8BITMIME SMTPUTF8" (RFC 5321 section 4.1.2
// Mail-parameters).
func parseParams(s string) ([]Param, error) {
	var params []Param
	for word := range words(s) {
		p, err := parseParam(word)
		if err != nil {
			return nil, err
		}
		if params == nil {
			params = make([]Param, 0, 4) // most lines have fewer
		}
		params = append(params, p)
	}
	return params, nil
}

func parseParam(word string) (Param, error) {
	key, value, given := strings.Cut(word, "=")
	if key == "" || !isAlnum(key[0]) {
		return Param{}, fmt.Errorf("%w: bad parameter name", ErrSyntax)
	}
	for i := range len(key) {
		if c := key[i]; !isAlnum(c) && c != '-' && c != '_' {
			return Param{}, fmt.Errorf("%w: bad parameter name", ErrSyntax)
		}
	}
	if hasControl(value) {
		return Param{}, fmt.Errorf("%w: control character in parameter", ErrSyntax)
	}
	return Param{Key: upper(key), Value: value, Given: given}, nil
}

// ParseVrfyArg parses the argument of VRFY (RFC 5321 section 3.5.1): "user",
// "a@b", "<a@b>" or "Name <a@b>". The keyword SMTPUTF8 at the end is dropped
// (RFC 6531 section 3.7.4.2). The error wraps ErrSyntax or ErrPath.
func ParseVrfyArg(args string) (mailbox string, err error) {
	args = dropUTF8(trimBlanks(args))
	if args == "" {
		return "", fmt.Errorf("%w: no argument", ErrSyntax)
	}
	open := scanOpen(args)
	switch {
	case open < 0:
		return "", fmt.Errorf("%w: quoted string has no end", ErrPath)
	case hasControl(args[:open]):
		return "", fmt.Errorf("%w: control character", ErrPath)
	case open < len(args):
		args = args[open:]
	}
	mailbox, rest, err := cutMailbox(args)
	switch {
	case err != nil:
		return "", err
	case mailbox == "":
		return "", fmt.Errorf("%w: no address", ErrPath)
	case trimBlanks(rest) != "":
		return "", fmt.Errorf("%w: text after the address", ErrSyntax)
	}
	return mailbox, nil
}

// scanOpen returns the index of the first "<" outside quoted strings, len(s)
// when there is none, -1 when a quoted string is not closed.
func scanOpen(s string) int {
	for at := 0; ; at++ {
		i := scanMailbox(s[at:], false)
		if i < 0 {
			return -1
		}
		if at += i; at == len(s) || s[at] == '<' {
			return at
		}
	}
}

func dropUTF8(args string) string {
	const word = "SMTPUTF8"
	cut := len(args) - len(word)
	if cut > 1 && isBlank(args[cut-1]) && equalFold(args[cut:], word) {
		return trimBlanks(args[:cut])
	}
	return args
}
