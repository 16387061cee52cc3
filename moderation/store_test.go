package moderation_test

import (
	"context"

	"superlistd/lists"
)

// store is one whose calls may fail.
type store struct {
	lists.Store
	h *house
}

func (s store) List(ctx context.Context, a lists.Address) (lists.List, error) {
	if err := s.h.Step("list"); err != nil {
		return lists.List{}, err
	}
	return s.Store.List(ctx, a)
}

func (s store) Member(ctx context.Context, l, a lists.Address) (lists.Member, bool, error) {
	if err := s.h.Step("member"); err != nil {
		return lists.Member{}, false, err
	}
	return s.Store.Member(ctx, l, a)
}

func (s store) Update(ctx context.Context, l lists.Address, change func(*lists.Settings) error) (lists.List, error) {
	if err := s.h.Step("update"); err != nil {
		return lists.List{}, err
	}
	return s.Store.Update(ctx, l, change)
}

func (s store) UpdateMember(ctx context.Context, l, a lists.Address, change func(*lists.Member) error) (lists.Member, error) {
	if err := s.h.Step("update member"); err != nil {
		return lists.Member{}, err
	}
	return s.Store.UpdateMember(ctx, l, a, change)
}
