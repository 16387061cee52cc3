package boltstore

import (
	"context"

	bolt "go.etcd.io/bbolt"
)

// Hold opens the file for reading as every reader does, and runs fn while it is open.
func (s *Store) Hold(ctx context.Context, fn func()) error {
	_, err := s.view(ctx, func(*bolt.Tx) error { fn(); return nil })
	return err
}
