package lists

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// CheckName decides whether a list may be created under this address: nil, or
// ErrForeignDomain, ErrAddress (a name that cannot be a list's), ErrListExists,
// ErrHidesService, or an error of the store. Between this answer and Store.Create
// somebody else may be quicker; Create of the Directory has no such gap.
func (d *Directory) CheckName(ctx context.Context, a Address) error {
	if err := d.checkSpelling(a); err != nil {
		return err
	}
	var failed error
	exists := func(a Address) bool {
		_, err := d.store.List(ctx, a)
		if err != nil && !errors.Is(err, ErrNoList) {
			failed = err
		}
		return err == nil
	}
	var err error
	if exists(a) {
		err = fmt.Errorf("%s: %w", a, ErrListExists)
	} else {
		err = d.checkNeighbours(a, exists)
	}
	if failed != nil {
		return fmt.Errorf("check name %s: %w", a, failed)
	}
	return err
}

// Create checks the name as CheckName does and creates the list, in one transaction
// of the store.
func (d *Directory) Create(ctx context.Context, l List) error {
	if err := d.checkSpelling(l.Address); err != nil {
		return err
	}
	return d.store.Create(ctx, l, func(exists func(Address) bool) error {
		return d.checkNeighbours(l.Address, exists)
	})
}

// checkSpelling refuses what the address of a list may not look like: its services
// must be plain addresses, and the delimiter must stay unambiguous.
func (d *Directory) checkSpelling(a Address) error {
	if !d.Ours(a) {
		return fmt.Errorf("%s: %w", a, ErrForeignDomain)
	}
	switch {
	case !a.ASCII() || !isDotString(a.Local):
		return fmt.Errorf("%s: %w: the name of a list has letters, digits and . _ - without quotes", a, ErrAddress)
	case strings.Contains(a.Local, d.delimiter):
		return fmt.Errorf("%s: %w: the name of a list may not contain the delimiter %s", a, ErrAddress, d.delimiter)
	case strings.HasPrefix(a.Local, "-"):
		// RFC 5321 allows it, but programs would take it for an option.
		return fmt.Errorf("%s: %w: the name of a list may not begin with -", a, ErrAddress)
	case Address{Local: a.Local + "-unsubscribe", Domain: a.Domain}.length() > maxAddress:
		return fmt.Errorf("%s: %w: too long for its service addresses", a, ErrAddress)
	}
	return nil
}

// checkNeighbours looks both ways: a list "a-owner" would take the mail of the owner
// of "a", and a list "a" beside it would have no owner address of its own.
func (d *Directory) checkNeighbours(a Address, exists func(Address) bool) error {
	for _, s := range splits(a.Local, d.delimiter) {
		if other := (Address{Local: s.list, Domain: a.Domain}); exists(other) {
			return fmt.Errorf("%s: %w: it is the %s address of %s", a, ErrHidesService, s.service, other)
		}
	}
	for _, s := range services() {
		if other := (Address{Local: a.Local + "-" + s.suffix, Domain: a.Domain}); exists(other) {
			return fmt.Errorf("%s: %w: the list %s has its %s address", a, ErrHidesService, other, s.service)
		}
	}
	return nil
}
