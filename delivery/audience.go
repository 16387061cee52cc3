package delivery

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"superlistd/delivery/spool"
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
	// Select says which of the members: those who get posts one by one, or in a digest.
	Select lists.Selection

	// Not holds the lists of the same post that were served before: their members have the post from there. NotAt are the
	// issues that these lists gathered when the post came; where it is shorter, the present one counts. Except holds the
	// keys of recipients who get it in their own name.
	Not    []lists.Address
	NotAt  []int
	Except map[string]struct{}

	Fixed []string // mailbox text as written in RCPT TO:<…>; each once
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

	had served // who was served before, as guard and journal know

	mu    sync.Mutex
	at    *lists.Recipients // the slice at the roster's cursor
	names []string          // Audience.Fixed in order
	fixed int               // next of names
	done  atomic.Bool
	keys  [][]byte
	twin  []bool
	in    []bool
}

// newSource deals out an audience; notes say who has had the post before.
func (d *Deliverer) newSource(aud *Audience, notes []spool.Served) *source {
	s := &source{rosters: d.rosters, aud: aud, at: d.stock.slice(), had: newServed(notes)}
	s.at.Select = aud.Select
	if aud.List.IsZero() {
		s.names = slices.Compact(slices.Sorted(slices.Values(aud.Fixed)))
	}
	return s
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
	for h.len() == 0 && !s.done.Load() {
		s.skip()
		if err := s.rosters.Recipients(ctx, s.aud.List, s.at, min(n, slice)); err != nil {
			return err
		}
		s.done.Store(s.at.Done())
		if err := s.sift(ctx, h, narrow); err != nil {
			return err
		}
	}
	h.span.UpTo = string(s.at.Cursor())
	return nil
}

// skip goes on where somebody has not been served yet.
func (s *source) skip() {
	s.at.Reset()
	if len(s.had.ranges) == 0 {
		return
	}
	if at := string(s.at.Cursor()); s.had.beyond(at) != at {
		s.at.Continue(s.had.beyond(at))
	}
}

func (s *source) dealFixed(h *hand, n int, narrow func(string)) {
	if s.fixed > 0 {
		h.span.After = s.names[s.fixed-1]
	}
	for h.len() < n && s.fixed < len(s.names) {
		a := s.names[s.fixed]
		s.fixed++
		h.span.UpTo = a
		if !s.had.has(a) {
			h.add([]byte(a), !lists.IsASCII(a), narrow)
			if h.keyed {
				h.keys = append(h.keys, a)
			}
		}
	}
	s.done.Store(s.fixed == len(s.names))
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
		if len(s.had.ranges) > 0 && s.had.has(string(s.at.Key(i))) {
			continue
		}
		if len(s.aud.Except) > 0 {
			if _, own := s.aud.Except[string(s.at.Key(i))]; own {
				continue
			}
		}
		h.add(s.at.Address(i), s.at.UTF8(i), narrow)
		if h.keyed {
			h.keys = append(h.keys, string(s.at.Key(i)))
		}
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
	for i, other := range s.aud.Not {
		issue := lists.PresentIssue
		if i < len(s.aud.NotAt) {
			issue = s.aud.NotAt[i]
		}
		s.in = append(s.in[:0], make([]bool, n)...)
		if err := s.rosters.Contains(ctx, other, issue, s.keys, s.in); err != nil {
			return err
		}
		for i, in := range s.in {
			s.twin[i] = s.twin[i] || in
		}
	}
	return nil
}

// exhausted tells that every recipient has been dealt.
func (s *source) exhausted() bool { return s.done.Load() }

// keyOf is the key of a mailbox as it was dealt.
func (a *Audience) keyOf(mailbox string) string {
	if a.List.IsZero() {
		return mailbox
	}
	address, err := lists.ParseAddress(mailbox)
	if err != nil {
		return mailbox
	}
	return address.Key()
}
