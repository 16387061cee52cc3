package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

const (
	tenList = "ten@" + domain // in every store of roster
	ten     = 10
)

func largeList(members int) string { return fmt.Sprintf("list%d@%s", members, domain) }

// roster returns the file of a store that has tenList and a list with that many members. It is made once, since to
// add a million takes seconds.
func (r *rig) roster(ctx context.Context, members int) (string, error) {
	if file := r.rosters[members]; file != "" {
		return file, nil
	}
	name := fmt.Sprintf("roster%d", members)
	if err := r.configure(name, r.address, r.sinkAddress, ""); err != nil { // listctl asks for both and uses neither
		return "", err
	}
	if err := os.Mkdir(r.data(name), 0o750); err != nil {
		return "", err
	}
	if err := r.list(ctx, name, tenList, ten); err != nil {
		return "", err
	}
	if err := r.list(ctx, name, largeList(members), members); err != nil {
		return "", err
	}
	r.rosters[members] = filepath.Join(r.data(name), "lists.db")
	return r.rosters[members], nil
}

// stocked starts a superlistd of its own with a copy of that store, so that what is in its spool is not worked on by
// another one, and so that its memory is its own.
func (r *rig) stocked(ctx context.Context, name, relay, extra string, members int) (*process, string, error) {
	if err := r.stock(ctx, name, members); err != nil {
		return nil, "", err
	}
	return r.superlistd(ctx, name, relay, extra)
}

// stock makes a data folder with a copy of that store.
func (r *rig) stock(ctx context.Context, name string, members int) error {
	file, err := r.roster(ctx, members)
	if err != nil {
		return err
	}
	store, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := os.Mkdir(r.data(name), 0o750); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.data(name), "lists.db"), store, 0o640)
}
