//go:build !linux

package message

import "os"

// unnamedFile makes a file in dir whose name is gone before anything is written.
func unnamedFile(dir string) (*os.File, error) { return unlinkedFile(dir) }
