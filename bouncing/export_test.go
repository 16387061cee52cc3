package bouncing

import (
	"testing"

	"superlistd/lists"
	"superlistd/lists/boltstore"
)

// Posts is how many posts of a list are remembered.
func Posts(t *testing.T, d *Desk, list lists.Address) (n int) {
	t.Helper()
	err := d.opts.Book.View(t.Context(), list, func(t *boltstore.Table) error {
		for range t.All(prefixPost) {
			n++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Waiting is how many changes wait for a commit.
func Waiting(d *Desk) int {
	d.queue.mu.Lock()
	defer d.queue.mu.Unlock()
	return len(d.queue.waiting)
}

// Members are what "user=domain" may stand for.
func Members(verp string) []lists.Address { return members(verp) }
