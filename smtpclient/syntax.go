package smtpclient

import "fmt"

// checkLine refuses what would end a command line early, or would not arrive as
// it is. Raw arguments and host names go through here; blanks are the caller's.
func checkLine(s string, blanks bool) error {
	for i := range len(s) {
		if s[i] < ' ' && s[i] != '\t' || s[i] == 0x7f || !blanks && (s[i] == ' ' || s[i] == '\t') {
			return fmt.Errorf("%w: %.80q", ErrSyntax, s)
		}
	}
	return nil
}

// checkMailbox refuses a mailbox that could break out of its angle brackets: a
// control octet anywhere, or a blank, bracket or lone quote outside a quoted
// string (RFC 5321 section 4.1.2). It does not ask whether the address is valid.
func checkMailbox[T string | []byte](mailbox T) error {
	for i := range len(mailbox) {
		c := mailbox[i]
		if c <= ' ' || c == 0x7f || c == '<' || c == '>' || c == '"' || c == '\\' {
			return checkQuoted(string(mailbox))
		}
	}
	return nil
}

func checkQuoted(mailbox string) error {
	quoted, escaped := false, false
	for i := range len(mailbox) {
		c := mailbox[i]
		switch {
		case c < ' ' || c == 0x7f:
			return fmt.Errorf("%w: %.80q", ErrSyntax, mailbox)
		case escaped:
			escaped = false
		case c == '\\':
			escaped = true
		case c == '"':
			quoted = !quoted
		case !quoted && (c == ' ' || c == '<' || c == '>'):
			return fmt.Errorf("%w: %.80q", ErrSyntax, mailbox)
		}
	}
	if quoted || escaped {
		return fmt.Errorf("%w: %.80q", ErrSyntax, mailbox)
	}
	return nil
}
