package lists

import "fmt"

// PostFacts are what is known of a post when it is judged.
type PostFacts struct {
	// NullSender: the reverse-path is "<>".
	NullSender bool
	// Authors are the addresses of From.
	Authors []Address
	// Member: the author is a member of the list.
	Member bool
	// Size is the content's size in octets.
	Size int64
	// Named is the number of addresses in To and Cc.
	Named int
}

// Judge decides whether a post may go to the list; nil accepts it. It is pure. The
// first objection counts, in this order: ErrClosed, ErrAutomatic, ErrTooBig,
// ErrNoAuthor, ErrNotMember, ErrTooManyNamed.
func (l List) Judge(p PostFacts) error {
	s := l.Settings
	switch {
	case s.Post == PostNobody:
		return ErrClosed
	case p.NullSender:
		return ErrAutomatic
	case s.MaxSize > 0 && p.Size > s.MaxSize:
		return fmt.Errorf("%w of %s", ErrTooBig, FormatSize(s.MaxSize))
	case len(p.Authors) != 1:
		return ErrNoAuthor
	case s.Post != PostAnyone && !p.Member:
		return ErrNotMember
	case s.MaxRecipients > 0 && p.Named > s.MaxRecipients:
		return fmt.Errorf("%w: at most %d", ErrTooManyNamed, s.MaxRecipients)
	}
	return nil
}

// JudgeEarly decides at RCPT what is certain then: ErrClosed, and ErrTooBig from the
// SIZE that MAIL declared (RFC 1870); 0 is unknown.
func (l List) JudgeEarly(size int64) error {
	s := l.Settings
	switch {
	case s.Post == PostNobody:
		return ErrClosed
	case s.MaxSize > 0 && size > s.MaxSize:
		return fmt.Errorf("%w of %s", ErrTooBig, FormatSize(s.MaxSize))
	}
	return nil
}
