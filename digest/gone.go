package digest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"

	"superlistd/lists"
)

// sweepGone removes the folder of a list that is gone. What else lies there is not ours.
func (d *Desk) sweepGone(ctx context.Context, name string) error {
	address, ok := addressOf(name)
	if !ok {
		return nil
	}
	if !address.IsZero() { // it may have been made anew, in the same second, since the lists were read
		l, err := d.opts.Store.List(ctx, address)
		if err == nil && folderOf(l) == name {
			return nil
		}
		if err != nil && !errors.Is(err, lists.ErrNoList) {
			return fmt.Errorf("digests: %w", err)
		}
	}
	s := shelf{dir: filepath.Join(d.dir, name), disk: d.disk}
	if err := d.removeAll(s); err != nil {
		return fmt.Errorf("digests of a list that is gone: %w", err)
	}
	return nil
}

// removeAll removes the folder of a list with all that is in it. What somebody is still writing stays for the next time.
func (d *Desk) removeAll(s shelf) error {
	lock, err := s.lock()
	if errors.Is(err, ErrBusy) {
		return nil
	}
	if err != nil {
		return err
	}
	defer lock.Close()
	x, err := s.index()
	if err != nil {
		return err
	}
	var errs []error
	for _, n := range x.issues {
		entries, err := d.disk.ReadDir(s.issue(n))
		errs = append(errs, err)
		for _, e := range entries {
			errs = append(errs, s.remove(filepath.Join(s.issue(n), e.Name())))
		}
		errs = append(errs, s.remove(s.issue(n)))
	}
	for _, e := range x.rest {
		errs = append(errs, s.remove(s.path(e.Name())))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	d.forget(s, x)
	return errors.Join(s.remove(s.path(lockFile)), s.remove(s.dir))
}

func (d *Desk) forget(s shelf, x index) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.ready, s.dir)
	delete(d.waiting, filepath.Base(s.dir))
	for _, n := range x.issues {
		delete(d.seen, s.issue(n))
	}
}

// addressOf reads what folderOf has written: the list's address, zero where a sum has its place. False: it is no such name.
func addressOf(name string) (lists.Address, bool) {
	key, made, _ := strings.Cut(name, "+")
	if _, err := strconv.ParseInt(made, 10, 64); err != nil {
		return lists.Address{}, false
	}
	if strings.Contains(key, "~") {
		return lists.Address{}, true
	}
	key, err := url.PathUnescape(strings.ReplaceAll(key, "=", "%"))
	at := strings.LastIndexByte(key, '@')
	if err != nil || at < 0 {
		return lists.Address{}, false
	}
	return lists.Address{Local: key[:at], Domain: key[at+1:]}, true
}
