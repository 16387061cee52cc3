package identity

import "context"

// WalkNames are the names a tree walk asks.
var WalkNames = walkNames

// Organisation is the organisational domain for alignment, and where the policy
// record is, "" without one.
func (c *Checker) Organisation(ctx context.Context, domain string) (org, record string) {
	a := c.discover(ctx, domain)
	return a.org, a.at
}

// Kept are the number and the octets of the answers in the cache.
func (c *Checker) Kept() (entries, octets int) {
	c.dns.mu.Lock()
	defer c.dns.mu.Unlock()
	return c.dns.recent.Len(), c.dns.size
}

// Asker is the cache as spf and dkim see it.
func (c *Checker) Asker() Resolver { return c.dns }
