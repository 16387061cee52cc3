package lists

// Recipients holds a slice of a roster as it goes on the wire, in buffers that are
// reused: a roster of a million costs two buffers, not a million strings. The zero
// value begins at the start of a roster. It is not safe for several goroutines.
type Recipients struct {
	// Select says who is wanted. It outlives Reset, Rewind and Continue.
	Select Selection

	addresses []byte
	keys      []byte
	ends      []recipientEnd
	cursor    []byte
	done      bool
}

type recipientEnd struct{ address, key int }

// Reset forgets the content and keeps the cursor: the next Store.Recipients goes on.
func (r *Recipients) Reset() {
	r.addresses, r.keys, r.ends = r.addresses[:0], r.keys[:0], r.ends[:0]
}

// Rewind forgets the content and goes back to the start of the roster.
func (r *Recipients) Rewind() {
	r.Reset()
	r.cursor, r.done = r.cursor[:0], false
}

// Continue forgets the content and moves the cursor: the next Store.Recipients goes on behind the member with this key.
func (r *Recipients) Continue(after string) {
	r.Reset()
	r.cursor = append(r.cursor[:0], after...)
}

// Len is the number of recipients.
func (r *Recipients) Len() int { return len(r.ends) }

// Address is the i-th address in its deliverable form. The slice is valid until the
// next Reset, Rewind or Append, and may not be changed.
func (r *Recipients) Address(i int) []byte {
	start := 0
	if i > 0 {
		start = r.ends[i-1].address
	}
	end := r.ends[i].address
	return r.addresses[start:end:end]
}

// Key is the Key of the i-th address, valid as long as Address.
func (r *Recipients) Key(i int) []byte {
	start := 0
	if i > 0 {
		start = r.ends[i-1].key
	}
	end := r.ends[i].key
	return r.keys[start:end:end]
}

// UTF8 reports whether the i-th address needs SMTPUTF8 (RFC 6531).
func (r *Recipients) UTF8(i int) bool {
	for _, c := range r.Address(i) {
		if c >= 0x80 {
			return true
		}
	}
	return false
}

// Append adds a recipient and moves the cursor to its key; for engines, which append
// in the order of keys. Both are copied.
func (r *Recipients) Append(address, key []byte) {
	r.addresses = append(r.addresses, address...)
	r.keys = append(r.keys, key...)
	r.ends = append(r.ends, recipientEnd{len(r.addresses), len(r.keys)})
	r.cursor = append(r.cursor[:0], key...)
}

// Pass moves the cursor past a member who is not wanted; for engines. The key is copied.
func (r *Recipients) Pass(key []byte) { r.cursor = append(r.cursor[:0], key...) }

// Cursor is the key of the last member who was appended or passed, empty at the start. The
// slice is valid until the next Append, Pass or Rewind.
func (r *Recipients) Cursor() []byte { return r.cursor }

// Done reports whether the roster is at its end.
func (r *Recipients) Done() bool { return r.done }

// SetDone tells that the roster is at its end; for engines.
func (r *Recipients) SetDone() { r.done = true }
