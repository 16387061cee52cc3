package housetest

import (
	"context"
	"errors"

	"superlistd/lists"
)

// Shaky is the store as a desk has it: the calls that look at a list or a member, and those that change a list, fail before they are
// done, and those that change a member before or after.
func (h *House) Shaky() lists.Store { return shaky{h.Store, h} }

type shaky struct {
	lists.Store
	h *House
}

func (s shaky) List(ctx context.Context, l lists.Address) (lists.List, error) {
	if err := s.h.Step("list"); err != nil {
		return lists.List{}, err
	}
	return s.Store.List(ctx, l)
}

func (s shaky) Update(ctx context.Context, l lists.Address, change func(*lists.Settings) error) (lists.List, error) {
	if err := s.h.Step("update"); err != nil {
		return lists.List{}, err
	}
	return s.Store.Update(ctx, l, change)
}

func (s shaky) Member(ctx context.Context, l, a lists.Address) (lists.Member, bool, error) {
	if err := s.h.Step("member"); err != nil {
		return lists.Member{}, false, err
	}
	return s.Store.Member(ctx, l, a)
}

func (s shaky) Change(ctx context.Context, l lists.Address, c lists.Change) (lists.Outcome, error) {
	if err := s.h.Step("change"); err != nil {
		return lists.Outcome{}, err
	}
	o, err := s.Store.Change(ctx, l, c)
	return o, errors.Join(err, s.h.Step("after change"))
}

func (s shaky) UpdateMember(ctx context.Context, l, a lists.Address, change func(*lists.Member) error) (lists.Member, error) {
	if err := s.h.Step("update member"); err != nil {
		return lists.Member{}, err
	}
	m, err := s.Store.UpdateMember(ctx, l, a, change)
	return m, errors.Join(err, s.h.Step("after update member"))
}
