package token

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// fileName is the secret's, in the data folder.
const fileName = "secret"

// Open reads the secret in a folder, and makes one when there is none. It is made whole or not at all, and once, however
// many processes ask: all of them get the same. A file that is no secret is an error and never replaced, since that would
// void every token that is on its way; so is one that every account of the host may read.
func Open(dir string) (*Keys, error) {
	path := filepath.Join(dir, fileName)
	k, err := read(path)
	if errors.Is(err, fs.ErrNotExist) {
		if err = create(path); err == nil || errors.Is(err, fs.ErrExist) {
			k, err = read(path)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("secret of the tokens: %w", err)
	}
	return k, nil
}

func read(path string) (*Keys, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular() || info.Size() != secretSize:
		return nil, fmt.Errorf("%s: not a file of %d octets; restore it, or remove it to have a new one made", path, secretSize)
	case info.Mode().Perm()&0o007 != 0:
		return nil, fmt.Errorf("%s: everybody may read or write it; want mode 0600", path)
	}
	k := &Keys{}
	if _, err := io.ReadFull(f, k.secret[:]); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return k, nil
}

// create writes the secret under another name, and links it to its own when all of it is on the disk: link(2) replaces
// nothing, so of two who make one the first wins (fs.ErrExist for the other).
func create(path string) error {
	var secret [secretSize]byte
	rand.Read(secret[:]) // never fails
	var suffix [8]byte
	rand.Read(suffix[:])
	dir := filepath.Dir(path)
	temp := filepath.Join(dir, "."+fileName+"."+hex.EncodeToString(suffix[:]))
	err := write(temp, secret[:])
	if err == nil {
		err = os.Link(temp, path)
	}
	if removed := os.Remove(temp); !errors.Is(removed, fs.ErrNotExist) {
		err = errors.Join(err, removed)
	}
	if err != nil {
		return err
	}
	return syncFolder(dir)
}

func write(path string, octets []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(octets)
	return errors.Join(err, giveAway(f), f.Sync(), f.Close())
}

// giveAway gives a file that root has made to the owner of the folder: listctl, run by root, must not lock the daemon out.
func giveAway(f *os.File) error {
	if os.Geteuid() != 0 {
		return nil
	}
	folder, err := os.Stat(filepath.Dir(f.Name()))
	if err != nil {
		return err
	}
	owner, ok := folder.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	return f.Chown(int(owner.Uid), int(owner.Gid))
}

func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
