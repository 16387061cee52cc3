package delivery

import (
	"context"

	"superlistd/delivery/spool"
	"superlistd/smtpclient"
)

// hand is one slice of recipients as dealt to a transaction. It does not change
// while it is held.
type hand struct {
	first     int // number of its first recipient within the transaction
	addresses []byte
	ends      []int
	keyed     bool // keep the keys too
	keys      []string
	span      spool.Range // of the roster that it was dealt from
}

func (h *hand) reset() {
	h.addresses, h.ends, h.keys, h.span = h.addresses[:0], h.ends[:0], h.keys[:0], spool.Range{}
}

func (h *hand) len() int { return len(h.ends) }

func (h *hand) add(address []byte, utf8 bool, narrow func(string)) {
	if utf8 && narrow != nil {
		narrow(string(address))
		return
	}
	h.addresses = append(h.addresses, address...)
	h.ends = append(h.ends, len(h.addresses))
}

func (h *hand) at(i int) []byte {
	start := 0
	if i > 0 {
		start = h.ends[i-1]
	}
	return h.addresses[start:h.ends[i]:h.ends[i]]
}

// share is what one transaction has been dealt so far. Recipients are taken from it while replies to
// earlier ones are read, so it keeps the last smtpclient.Window of them: no reply can
// belong to an older one.
type share struct {
	stock *stock
	room  int // recipients that the transaction may still be dealt

	hands []*hand       // oldest first
	cur   int           // index in hands of the one in use
	pos   int           // next recipient in it
	given int           // recipients taken
	spans []spool.Range // of all hands
}

// next takes the next recipient, and deals a new hand where the last one is used up. It
// returns false at the end of the source or of the room.
func (s *share) next(ctx context.Context, src *source, narrow func(string)) ([]byte, bool, error) {
	for s.cur < len(s.hands) {
		if h := s.hands[s.cur]; s.pos < h.len() {
			s.pos++
			s.given++
			return h.at(s.pos - 1), true, nil
		}
		s.cur++
		s.pos = 0
	}
	if s.room == 0 {
		return nil, false, nil
	}
	h := s.spare()
	if err := src.deal(ctx, h, s.room, narrow); err != nil {
		return nil, false, err
	}
	if h.span.UpTo > h.span.After {
		s.spans = append(s.spans, h.span)
	}
	h.first = s.given
	s.room -= h.len()
	s.hands = append(s.hands, h)
	if h.len() == 0 {
		return nil, false, nil
	}
	return s.next(ctx, src, narrow)
}

// spare returns a hand that no reply can refer to any more, or a new one.
func (s *share) spare() *hand {
	if s.cur > 0 {
		if old := s.hands[0]; old.first+old.len() < s.given-smtpclient.Window {
			s.hands = append(s.hands[:0], s.hands[1:]...)
			s.cur--
			return old
		}
	}
	return s.stock.hand()
}

// close gives the hands back.
func (s *share) close() {
	s.stock.takeBack(s.hands)
	s.hands = nil
}

// name returns the recipient of a number that is still within the window.
func (s *share) name(i int) string {
	for _, h := range s.hands {
		if i >= h.first && i < h.first+h.len() {
			return string(h.at(i - h.first))
		}
	}
	return "?"
}

// rewind goes back to the first recipient, for a second connection. It fails when that one is not held any more.
func (s *share) rewind() bool {
	if len(s.hands) > 0 && s.hands[0].first != 0 {
		return false
	}
	s.cur, s.pos, s.given = 0, 0, 0
	return true
}
