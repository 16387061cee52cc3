package run

import (
	"errors"
	"fmt"
	"os"
	"syscall"
)

// writeKey writes a new file that only its owner can read. Root makes the owner of folder the owner, if that folder
// is there: it is who serves, and must read it. Nothing is left of a file that could not be written whole.
func writeKey(path string, text []byte, folder string) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%s is there already, and is left as it is", path)
	}
	if err != nil {
		return err
	}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			err = errors.Join(err, os.Remove(path))
		}
	}()
	if err := f.Chmod(0o600); err != nil { // whatever the umask took
		return err
	}
	if err := giveTo(f, folder); err != nil {
		return err
	}
	if _, err := f.Write(text); err != nil {
		return err
	}
	return f.Sync()
}

// giveTo lets root give a file to the owner of a folder.
func giveTo(f *os.File, folder string) error {
	info, err := os.Stat(folder)
	if err != nil || os.Geteuid() != 0 {
		return nil // there is nobody to give it to
	}
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return nil
	}
	return f.Chown(int(owner.Uid), int(owner.Gid))
}
