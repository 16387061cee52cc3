package delivery

// AllFree tells whether every slot is free, by taking all of them.
func (d *Deliverer) AllFree() bool {
	posts := int64(d.opts.Connections - d.opts.RelayShare)
	if !d.postSlots.TryAcquire(posts) {
		return false
	}
	d.postSlots.Release(posts)
	if !d.relaySlots.TryAcquire(int64(d.opts.RelayShare)) {
		return false
	}
	d.relaySlots.Release(int64(d.opts.RelayShare))
	return true
}

// Batch is what one transaction is given, as far as the limit of the next hop is known.
func (d *Deliverer) Batch() int { return d.batch() }

// Forget is what time does to a limit that was learned.
func (d *Deliverer) Forget() { d.learned.Store(nil) }
