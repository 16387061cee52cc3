package lists

import (
	"context"
	"errors"
)

// Store keeps lists and their members. Every method is one transaction: it is done
// whole or not at all, sees the last commit of any process, and hands out copies.
// Methods may be called from many goroutines. Errors are ErrNoList, ErrListExists,
// ErrAddress, ErrNoMember, ErrAliasTaken, ErrStore and ErrSchema, wrapped, what a callback
// returned, or the
// error of ctx. Lists are found by the Key of their address, members by theirs.
type Store interface {
	// List returns one list, or ErrNoList.
	List(ctx context.Context, list Address) (List, error)
	// Lists returns at most n lists in the order of their keys, beginning after the
	// key of after; the zero Address begins at the start. after need not exist.
	Lists(ctx context.Context, after Address, n int) ([]List, error)
	// Create adds a list without members; the counts and digests of l are ignored. check, unless
	// nil, runs inside the transaction and may ask which other lists exist; its error
	// ends the transaction and is returned. ErrListExists comes before check.
	Create(ctx context.Context, l List, check func(exists func(Address) bool) error) error
	// Update lets change edit the settings in one transaction, and returns the list as
	// it is afterwards. An error of change ends the transaction and is returned.
	Update(ctx context.Context, list Address, change func(*Settings) error) (List, error)
	// Delete removes a list and its members, or gives ErrNoList.
	Delete(ctx context.Context, list Address) error
	// Member returns the member who has this address or, else, has it as an alias, and
	// true; or false when there is none.
	Member(ctx context.Context, list, address Address) (Member, bool, error)
	// UpdateMember lets change edit a member in one transaction, and returns him as he
	// is afterwards; ErrNoMember when there is none of this address. The Key of the
	// address stays. Another Delivery holds from the next issue on, but to and from DeliveryNone
	// at once, and Before, From and Earlier tell it. An alias that is another member's address or alias is
	// ErrAliasTaken. An error of change ends the transaction and is returned.
	UpdateMember(ctx context.Context, list, member Address, change func(*Member) error) (Member, error)
	// Members returns at most n members in the order of their keys, beginning after
	// the key of after; the zero Address begins at the start.
	Members(ctx context.Context, list, after Address, n int) ([]Member, error)
	// Contains sets in[i] to whether the list has a member with the key keys[i] (see
	// Address.Key) who gets the posts of an issue, or of PresentIssue, one by one (Member.Gets), and allocates nothing per
	// key. in is as long as keys. It is asked who has had a post by another list: a member who
	// gets none there, or a digest, is not to be left out here.
	Contains(ctx context.Context, list Address, issue int, keys [][]byte, in []bool) error
	// Recipients appends up to n members whom r.Select wants now (Member.Gets) to r, in the order of their keys,
	// beginning after r's cursor, which passes those whom it does not. It may append none before the roster is at
	// its end. A member who is there and wanted all the while comes exactly once, in
	// however many steps, and whatever is added or removed between them.
	Recipients(ctx context.Context, list Address, r *Recipients, n int) error
	// Change adds and removes members, all or none.
	Change(ctx context.Context, list Address, c Change) (Outcome, error)
	// Digest lets change edit the list's Digests in one transaction, and returns the list as it is afterwards.
	// Number may not go down, nor Volume and Issue below 0: ErrSetting. What is set as Members and Switch is
	// ignored. An error of change ends the transaction and is returned.
	Digest(ctx context.Context, list Address, change func(*Digests) error) (List, error)
	// Stamp returns a value that differs after every commit by any process. It costs
	// microseconds and takes no lock.
	Stamp(ctx context.Context) (Stamp, error)
	// Close releases what the store holds. No method may be called after it.
	Close() error
}

// Stamp is a state of a store, to be compared with ==: the same Stamp means that
// nothing was committed in between. The fields are the engine's own.
type Stamp struct {
	File          [2]uint64 // which file: device and inode
	Size, Changed int64     // octets; modification time in nanoseconds
	Commits       [2]uint64 // transaction numbers
}

// Change is what Store.Change does to a roster. Removals come first, then
// additions. A member who is there already stays as he is, but for a new name. When all
// that is done, an alias of somebody who was added may belong to nobody else, or the
// whole change is ErrAliasTaken; but an address that is somebody's alias may be added:
// addresses come before aliases.
type Change struct {
	Add    []Member
	Remove []Address
	// Replace removes every member who is not in Add; Remove must be empty then.
	Replace bool
	// Progress, unless nil, is told now and then how many of the steps are done. It
	// runs inside the transaction: it must be quick, and may not use the store.
	Progress func(done, total int)
}

// Check gives an error for a Change that no engine may carry out: an Address that
// ParseAddress would not have made, a member that is not one (Member.Check), Replace together with Remove. Engines call it first.
func (c Change) Check() error {
	if c.Replace && len(c.Remove) > 0 {
		return errors.New("a change that replaces all members cannot remove some as well")
	}
	for _, m := range c.Add {
		if err := m.Check(); err != nil {
			return err
		}
	}
	for _, a := range c.Remove {
		if err := a.Check(); err != nil {
			return err
		}
	}
	return nil
}

// Outcome tells what Store.Change did, in the order of the Change; members that
// Replace removed come in the order of their keys. An address that was given
// twice is Present (or Absent) the second time.
type Outcome struct {
	Added, Present, Removed, Absent []Address
	// Renamed are those of Present whose name was changed.
	Renamed []Address
}
