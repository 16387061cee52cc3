package boltstore

import (
	"context"

	bolt "go.etcd.io/bbolt"

	"superlistd/lists"
)

// DecodeMember reads the value of a member.
func DecodeMember(key, value []byte) (lists.Member, error) { return decodeMember(key, value) }

// AppendMember writes it.
func AppendMember(dst []byte, m lists.Member, key []byte) []byte { return appendMember(dst, m, key) }

// Hold opens the file for reading as every reader does, and runs fn while it is open.
func (s *Store) Hold(ctx context.Context, fn func()) error {
	_, err := s.view(ctx, func(*bolt.Tx) error { fn(); return nil })
	return err
}

// SetLimits makes a history forget earlier.
func (h *History) SetLimits(posts int, entries uint64, generations int) {
	h.limits.posts, h.limits.entries, h.limits.generations = posts, entries, generations
}

// SetForgetBatch makes Forget work in smaller steps.
func (h *History) SetForgetBatch(n int) { h.limits.batch = n }
