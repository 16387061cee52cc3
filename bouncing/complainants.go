package bouncing

import (
	"context"
	"strings"

	"superlistd/lists"
	"superlistd/lists/boltstore"
)

// Complainants are the keys of all addresses of which Complained tells it, for one list.
func (d *Desk) Complainants(ctx context.Context, list lists.Address) (map[string]bool, error) {
	all := map[string]bool{}
	err := d.opts.Book.View(ctx, list, func(t *boltstore.Table) error {
		for key := range t.All(prefixComplaint) {
			member := strings.TrimPrefix(key, prefixComplaint)
			if at, noted := complained(t, member); noted && d.opts.Now().Sub(at).Abs() < complaintMemory {
				all[member] = true
			}
		}
		return nil
	})
	return all, err
}
