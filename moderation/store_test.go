package moderation_test

import (
	"context"

	"superlistd/lists"
)

// store is a shaky one in which a post is counted or is not: between the two it may count twice.
type store struct {
	lists.Store
	h *house
}

func (s store) UpdateMember(ctx context.Context, l, a lists.Address, change func(*lists.Member) error) (lists.Member, error) {
	if err := s.h.Step("update member"); err != nil {
		return lists.Member{}, err
	}
	return s.h.Store.UpdateMember(ctx, l, a, change)
}
