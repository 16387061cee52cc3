package delivery

import (
	"context"
	"slices"
	"sync"

	"superlistd/lists"
)

// slice is how many recipients are read from the store at once: enough that the
// opening of the store does not show, few enough that no reader holds its lock for long.
const slice = 1000

// Audience says who gets the copies of one route: the members of a list, or, when List is
// zero, the mailboxes of Fixed.
type Audience struct {
	List    lists.Address
	Members int // the stored count, for planning

	// Not holds the lists of the same post that were served before: their members have the
	// post from there. Except holds the keys of recipients who get it in their own name.
	Not    []lists.Address
	Except map[string]struct{}

	Fixed []string // mailbox text as written in RCPT TO:<…>
}

// size estimates the recipients from above.
func (a *Audience) size() int {
	if a.List.IsZero() {
		return len(a.Fixed)
	}
	return a.Members
}

// source deals an audience out to the transactions of one route. Each recipient is
// dealt once, whoever asks.
type source struct {
	rosters Rosters
	aud     *Audience

	had []Range // members who were served before, as the retry guard knows

	mu    sync.Mutex
	at    *lists.Recipients // the slice at the roster's cursor
	fixed int              // next of Audience.Fixed
	done  bool
	keys  [][]byte
	twin  []bool
	in    []bool
}

// deal fills h with up to n recipients; it leaves it empty when none are left. Those who are not
// ASCII are handed to narrow instead where it is given.
func (s *source) deal(ctx context.Context, h *hand, n int, narrow func(address string)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	h.reset()
	if s.aud.List.IsZero() {
		s.dealFixed(h, n, narrow)
		return nil
	}
	h.span.After = string(s.at.Cursor())
	for h.len() == 0 && !s.done {
		s.at.Reset()
		if err := s.rosters.Recipients(ctx, s.aud.List, s.at, min(n, slice)); err != nil {
			return err
		}
		s.done = s.at.Done()
		if err := s.sift(ctx, h, narrow); err != nil {
			return err
		}
	}
	h.span.UpTo = string(s.at.Cursor())
	return nil
}

func (s *source) dealFixed(h *hand, n int, narrow func(string)) {
	for h.len() < n && s.fixed < len(s.aud.Fixed) {
		a := s.aud.Fixed[s.fixed]
		s.fixed++
		h.add([]byte(a), !ascii(a), narrow)
	}
	s.done = s.fixed == len(s.aud.Fixed)
}

// sift copies into the hand who is not served already.
func (s *source) sift(ctx context.Context, h *hand, narrow func(string)) error {
	if err := s.findTwins(ctx); err != nil {
		return err
	}
	for i := range s.at.Len() {
		if len(s.aud.Not) > 0 && s.twin[i] {
			continue
		}
		if len(s.had) > 0 && within(s.had, string(s.at.Key(i))) {
			continue
		}
		if len(s.aud.Except) > 0 {
			if _, own := s.aud.Except[string(s.at.Key(i))]; own {
				continue
			}
		}
		h.add(s.at.Address(i), s.at.UTF8(i), narrow)
	}
	return nil
}

// findTwins marks in s.twin who of the slice is a member of a list that was served before.
func (s *source) findTwins(ctx context.Context) error {
	if len(s.aud.Not) == 0 {
		return nil
	}
	n := s.at.Len()
	s.keys = s.keys[:0]
	s.twin = append(s.twin[:0], make([]bool, n)...)
	for i := range n {
		s.keys = append(s.keys, s.at.Key(i))
	}
	for _, other := range s.aud.Not {
		s.in = append(s.in[:0], make([]bool, n)...)
		if err := s.rosters.Contains(ctx, other, s.keys, s.in); err != nil {
			return err
		}
		for i, in := range s.in {
			s.twin[i] = s.twin[i] || in
		}
	}
	return nil
}

// exhausted tells that every recipient has been dealt.
func (s *source) exhausted() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.done
}

// within tells whether a key lies in one of the ranges.
func within(ranges []Range, key string) bool {
	return slices.ContainsFunc(ranges, func(r Range) bool { return r.After < key && key <= r.UpTo })
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
