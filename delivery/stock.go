package delivery

import (
	"sync"

	"superlistd/lists"
)

// stock keeps the buffers of expansions for the next ones, so that none is grown recipient by recipient again.
type stock struct{ hands, slices sync.Pool }

func (s *stock) hand() *hand {
	if h, ok := s.hands.Get().(*hand); ok {
		h.keyed = false
		return h
	}
	return new(hand)
}

func (s *stock) takeBack(hands []*hand) {
	for _, h := range hands {
		s.hands.Put(h)
	}
}

func (s *stock) slice() *lists.Recipients {
	if r, ok := s.slices.Get().(*lists.Recipients); ok {
		r.Rewind()
		return r
	}
	return new(lists.Recipients)
}

func (s *stock) takeBackSlice(r *lists.Recipients) { s.slices.Put(r) }
