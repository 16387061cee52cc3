package message

import (
	"os"

	"golang.org/x/sys/unix"
)

// unnamedFile makes a file in dir that never has a name, where the file system can (O_EXCL: nor will it ever get one).
func unnamedFile(dir string) (*os.File, error) {
	if dir == "" {
		dir = os.TempDir()
	}
	if f, err := os.OpenFile(dir, os.O_RDWR|os.O_EXCL|unix.O_TMPFILE, 0o600); err == nil {
		return f, nil
	}
	return unlinkedFile(dir) // its error is the better one, too
}
