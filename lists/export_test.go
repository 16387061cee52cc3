package lists

// Cached is the number of names in the cache.
func (d *Directory) Cached() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cache.mu.RLock()
	defer d.cache.mu.RUnlock()
	return len(d.cache.lists)
}
